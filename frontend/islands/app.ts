// Everything here is a comfort: each page works as links and forms without it.
import { copies } from "./copy";
import { forms } from "./forms";
import { keys } from "./keys";
import { live } from "./live";
import { previews } from "./preview";
import { push } from "./push";
import { ring } from "./ring";
import { schedule } from "./schedule";
import { times } from "./times";
import { unsaved } from "./unsaved";

document.documentElement.classList.add("js");
copies();
forms();
unsaved();
keys();
times();
previews();
ring();
push();
schedule();
live();

// Builds the assets of the web pages into the folder given as the first argument, and manifest.json beside them.
// Tailwind's compiler is plain JavaScript; only esbuild brings a native program, from inside its own package.
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import { compile } from "tailwindcss";

const here = dirname(fileURLToPath(import.meta.url));
const templates = resolve(here, "../src/nightbell/web/templates");
const out = resolve(process.argv[2] ?? join(here, "../src/nightbell/web/static/dist"));
const target = ["chrome109", "firefox115", "safari15.6"];
const require = createRequire(import.meta.url);

async function stylesheet(id, base) {
  const path = id.startsWith(".") ? resolve(base, id) : require.resolve(id);
  return { path, base: dirname(path), content: await readFile(path, "utf8") };
}

// Any word in a template may be a class; Tailwind ignores those it does not know.
async function words(folder) {
  const found = new Set();
  for (const entry of await readdir(folder, { recursive: true })) {
    if (!entry.endsWith(".html")) continue;
    for (const word of (await readFile(join(folder, entry), "utf8")).split(/[\s"'`<>{}=]+/)) found.add(word);
  }
  return [...found];
}

async function css(name, candidates) {
  const path = join(here, "styles", name);
  const compiler = await compile(await readFile(path, "utf8"), { base: dirname(path), loadStylesheet: stylesheet });
  const { code } = await esbuild.transform(compiler.build(candidates), { loader: "css", minify: true, target });
  return code;
}

async function script(name) {
  const { outputFiles } = await esbuild.build({
    entryPoints: [join(here, "islands", name)], bundle: true, write: false, minify: true, format: "iife", target,
  });
  return outputFiles[0].text;
}

const built = {
  "app.css": await css("app.css", await words(templates)),
  "link.css": await css("link.css", []),
  "app.js": await script("app.ts"),
  "sw.js": await script("sw.ts"),
};
await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
const manifest = {};
for (const [name, text] of Object.entries(built)) {
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 10);
  manifest[name] = name.replace(".", `-${hash}.`);
  await writeFile(join(out, manifest[name]), text);
}
await writeFile(join(out, "manifest.json"), JSON.stringify(manifest, null, 2) + "\n");

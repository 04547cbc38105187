"""The `nightbell` command: finds the command that was asked for and says what went wrong.

Rule 1: nothing heavy is imported here; each command's module is, when it is asked for, so that `--help` takes no time.
"""

import sys

from cyclopts import App

from nightbell.__about__ import __version__
from nightbell.cli import screen
from nightbell.core.errors import Invalid, NightbellError

app = App(
    name="nightbell",
    help="Alertmanager to the right person, provably.",
    help_epilogue="Settings: docs/settings.md. Every command takes --data and honours NIGHTBELL_* variables.",
    version=__version__,
    result_action="return_value",
)

_COMMANDS = (
    ("serve", "serve:serve", "Run Nightbell until told to stop."),
    ("demo", "demo:demo", "Fill in people, a team, a policy and a source to try things with."),
    ("fire", "fire:fire", "Send an alert as an Alertmanager would."),
    ("user", "user:app", "Add and change people."),
    ("token", "token:app", "Make and take back API tokens."),
    ("source", "source:app", "Make sources and their secrets."),
    ("provider", "provider:app", "Set up the services that carry messages, and try them out."),
    ("throttle", "throttle:app", "Hold back messages that would flood somebody; none is lost."),
    ("why", "why:why", "Say why somebody was paged by an alert, or why nobody was."),
    ("ledger", "ledger:app", "Export the ledger of pages, and check its chain."),
    ("db", "database:app", "Look at, migrate and dump the database."),
)
for _order, (_name, _path, _help) in enumerate(_COMMANDS):
    app.command(f"nightbell.cli.{_path}", name=_name, help=_help, sort_key=_order)


def main() -> None:
    """Run the command line and end the process."""
    try:
        _readable(sys.argv[1:])
        app()
    except NightbellError as error:
        screen.complain(error)
        sys.exit(1)
    except KeyboardInterrupt:
        # What a shell expects of a program that Ctrl-C ended.
        sys.exit(130)


def _readable(words: list[str]) -> None:
    """Raise Invalid for bytes that are no text here: nothing could be stored, sent or shown of them."""
    for word in words:
        try:
            word.encode()
        except UnicodeEncodeError as error:
            raise Invalid(f"{word!r} is not UTF-8", hint="set the terminal and LANG to UTF-8") from error

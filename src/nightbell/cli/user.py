"""`nightbell user`: people, from the command line."""

from typing import Annotated

from cyclopts import App, Parameter

from nightbell.cli import opening, people, screen
from nightbell.cli.options import Where, settings
from nightbell.core.access import Role
from nightbell.core.errors import Invalid, Stale
from nightbell.engine.edits import UserEdit
from nightbell.engine.identity import Visitor, first_link, hash_password, log_out_elsewhere
from nightbell.settings import Settings
from nightbell.store.read.listing import Listing
from nightbell.store.read.people import users

#: More than anybody has; a longer list is for the API.
_MOST = 10_000

FromStdin = Annotated[
    bool, Parameter(name="--password-stdin", negative=(), help="Read the password from standard input.")
]

app = App(name="user", help="Add and change people.")


@app.command
def add(
    email: str,
    *,
    name: str,
    role: Role = Role.USER,
    time_zone: str = "Etc/UTC",
    password_stdin: FromStdin = False,
    where: Where | None = None,
) -> None:
    """Add a person, with an inbox and their e-mail address to be paged by. Prints the id.

    Parameters
    ----------
    email
        Their address: to log in with, and to be paged at.
    name
        What others call them.
    role
        What they may do: an observer reads, a user responds, an admin configures, an owner does everything.
    time_zone
        Where they live, like Europe/Madrid.
    """
    chosen = settings(where)
    opening.quiet(chosen)
    given = people.password(from_stdin=password_stdin)
    edit = UserEdit(email=email, name=name, role=role.value, time_zone=time_zone)
    screen.answer(str(opening.run(_add(chosen, edit, given))))
    if given is None:
        screen.note(f"Without a password {email} cannot log in: nightbell user passwd {email}")


async def _add(settings: Settings, edit: UserEdit, password: str | None) -> int:
    hashed = await hash_password(password) if password else None
    async with opening.opened(settings, "user add") as site:
        complete = UserEdit(**{**edit.sent(), "password_hash": hashed})
        return await site.configure.create_user(complete, by=opening.OPERATOR, now=site.now())


@app.command(name="list")
def list_(*, former: bool = False, where: Where | None = None) -> None:
    """List people.

    Parameters
    ----------
    former
        Those who left, too.
    """
    chosen = settings(where)
    opening.quiet(chosen)
    opening.run(_list(chosen, former=former))


async def _list(settings: Settings, *, former: bool) -> None:
    async with opening.opened(settings, "user list") as site:
        page = await users(site.db, Listing(limit=_MOST), with_former=former)
    columns = ("id", "email", "name", "role", "time_zone")
    screen.table(columns, [[row[name] for name in columns] for row in page.rows])


@app.command
def passwd(email: str, *, password_stdin: FromStdin = False, where: Where | None = None) -> None:
    """Give a person a new password; every browser they are logged in with is logged out.

    Parameters
    ----------
    email
        Whose password.
    """
    chosen = settings(where)
    opening.quiet(chosen)
    given = people.password(from_stdin=password_stdin)
    if given is None:
        raise Invalid(
            "there is no terminal to ask for the password at", place="password", hint="use --password-stdin"
        )
    opening.run(_passwd(chosen, email, given))
    screen.note(f"{email} has a new password.")


async def _passwd(settings: Settings, email: str, password: str) -> None:
    hashed = await hash_password(password)
    async with opening.opened(settings, "user passwd") as site:
        row = await people.found(site.db, email)
        await site.configure.update_user(
            row["id"], UserEdit(password_hash=hashed), by=opening.OPERATOR, now=site.now()
        )
        names = ("name", "email", "time_zone")
        whose = Visitor(user_id=row["id"], role=Role(row["role"]), **{name: row[name] for name in names})
        await log_out_elsewhere(site.db, whose)


@app.command
def link(*, where: Where | None = None) -> None:
    """Print a new one-time link that creates the first administrator; earlier ones end."""
    chosen = settings(where)
    opening.quiet(chosen)
    opening.run(_link(chosen))


async def _link(settings: Settings) -> None:
    async with opening.opened(settings, "user link") as site:
        token = await first_link(site.db, site.now())
        if token is None:
            raise Stale(
                "there is an owner already",
                hint="owners invite others; for a forgotten password: nightbell user passwd",
            )
        screen.answer(f"{site.url}/setup/{token}")

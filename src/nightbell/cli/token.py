"""`nightbell token`: API tokens, from the command line."""

from uuid import UUID

from cyclopts import App

from nightbell.cli import opening, people, screen
from nightbell.cli.options import Where, settings
from nightbell.core.access import Role
from nightbell.core.errors import Unknown
from nightbell.engine.identity import Visitor, create_token, revoke_token
from nightbell.settings import Settings
from nightbell.store.read.api_keys import api_key, api_keys

app = App(name="token", help="Make and take back API tokens.")


@app.command
def create(*, user: str, role: Role | None = None, name: str = "cli", where: Where | None = None) -> None:
    """Make a token that acts as a person. Prints it, this once.

    Parameters
    ----------
    user
        The e-mail address of the person it belongs to.
    role
        What it may do, at most what the person may; without it, just that.
    name
        What will use it.
    """
    chosen = settings(where)
    opening.quiet(chosen)
    screen.answer(opening.run(_create(chosen, user, role, name)))


async def _create(settings: Settings, email: str, role: Role | None, name: str) -> str:
    async with opening.opened(settings, "token create") as site:
        owner = await people.found(site.db, email)
        return await create_token(site.db, owner["id"], name, role or Role(owner["role"]), site.now())


@app.command(name="list")
def list_(*, user: str | None = None, where: Where | None = None) -> None:
    """List tokens by their last four letters.

    Parameters
    ----------
    user
        Only those of the person with this e-mail address.
    """
    chosen = settings(where)
    opening.quiet(chosen)
    opening.run(_list(chosen, user))


async def _list(settings: Settings, email: str | None) -> None:
    async with opening.opened(settings, "token list") as site:
        whose = (await people.found(site.db, email))["id"] if email else None
        keys = await api_keys(site.db, user_id=whose)
    columns = ("id", "name", "email", "role", "last_four", "last_used_at")
    screen.table(columns, [[key[name] for name in columns] for key in keys])


@app.command
def revoke(token_id: UUID, *, where: Where | None = None) -> None:
    """Take a token back: whatever uses it is turned away from now on.

    Parameters
    ----------
    token_id
        Its id, as `nightbell token list` shows it.
    """
    chosen = settings(where)
    opening.quiet(chosen)
    opening.run(_revoke(chosen, token_id))


async def _revoke(settings: Settings, token_id: UUID) -> None:
    async with opening.opened(settings, "token revoke") as site:
        key = await api_key(site.db, token_id)
        if key is None:
            raise Unknown(f"there is no token {token_id}", hint="nightbell token list shows what there is")
        owner = Visitor(
            user_id=key["user_id"],
            name=key["user_name"],
            email=key["email"],
            role=Role(key["role"]),
            time_zone="Etc/UTC",
        )
        await revoke_token(site.db, owner, token_id, site.now())
    screen.note(f"The token {key['name']} of {key['email']} ended.")

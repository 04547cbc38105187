"""Finds a person by what the command line calls them, and asks for passwords."""

import getpass
import sys

from nightbell.core.errors import Invalid, Unknown
from nightbell.engine.identity import check_password
from nightbell.store.db import Runner
from nightbell.store.read.listing import Record
from nightbell.store.read.people import user


async def found(runner: Runner, email: str) -> Record:
    """Return the person with an e-mail address, in any case. Raises: Unknown."""
    person = await known(runner, email)
    if person is None:
        raise Unknown(f"nobody has the address {email}", hint="nightbell user list shows who there is")
    return person


async def known(runner: Runner, email: str) -> Record | None:
    """Return the person with an e-mail address, in any case, or None."""
    user_id = await runner.value("user_by_email", email.strip())
    return None if user_id is None else await user(runner, user_id)


def password(*, from_stdin: bool) -> str | None:
    """Return a new password: a line of standard input, or typed twice at a terminal; None where neither is.

    Raises: Invalid for one that will not do.
    """
    if from_stdin:
        given = _line()
    elif sys.stdin.isatty():
        given = getpass.getpass("Password: ")
        if getpass.getpass("Again: ") != given:
            raise Invalid("these are not the same", place="password")
    else:
        return None
    check_password(given)
    return given


def _line() -> str:
    try:
        return sys.stdin.buffer.readline().decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise Invalid("the password is not UTF-8", place="password") from error

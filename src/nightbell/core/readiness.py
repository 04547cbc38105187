"""Whether a page would reach somebody, asked before the night: what is wrong with how they can be paged.

Rule 1: a grave problem means that nobody can reach them now; the others mean that it may go wrong.
"""

from collections.abc import Iterator, Mapping
from uuid import UUID

from msgspec import Struct

from nightbell.core.directory import ContactMethod, User

#: A browser that happens to be open rings; nobody should rely on it alone.
_WEAK = frozenset({"inbox"})


class Problem(Struct, frozen=True, kw_only=True):
    """One thing that is wrong, in a sentence about "you" or "they"; `code` names it for programs."""

    code: str
    details: str
    grave: bool = False


def problems(
    user: User | None, failing: Mapping[UUID, str], loudness: str = "audible"
) -> tuple[Problem, ...]:
    """Return what stands between a page and a person, the gravest first.

    Shape: `failing` holds, by contact method, what its provider said when the last message did not arrive.
    """
    if user is None or not user.active:
        return (Problem(code="gone", details="The account is deactivated.", grave=True),)
    found = [*_methods(user, failing, loudness)]
    return tuple(sorted(found, key=lambda one: not one.grave))


def ready(user: User | None, failing: Mapping[UUID, str], loudness: str = "audible") -> bool:
    """Return whether nothing grave stands in the way."""
    return not any(one.grave for one in problems(user, failing, loudness))


def _methods(user: User, failing: Mapping[UUID, str], loudness: str) -> Iterator[Problem]:
    verified = [m for m in user.methods.values() if m.verified]
    mine = [r for r in user.rules if r.loudness == loudness]
    if not user.methods:
        yield Problem(code="no_method", details="There is no contact method.", grave=True)
        return
    if not verified:
        yield Problem(code="none_verified", details="No contact method is verified.", grave=True)
        return
    used = [m for m in verified if m.id in {r.method_id for r in mine}] or verified
    yield from _failing(used, failing)
    if all(m.kind in _WEAK for m in used):
        yield Problem(code="only_inbox", details="Only an open browser would ring.")
    if not mine:
        yield Problem(
            code="no_rule",
            details=f"There is no rule for {loudness} pages: every verified contact method is used at once.",
        )
    for method in user.methods.values():
        if not method.verified and method.id in {r.method_id for r in mine}:
            details = f"The {method.kind} contact method is not verified: pages do not use it."
            yield Problem(code="unverified", details=details)


def _failing(used: list[ContactMethod], failing: Mapping[UUID, str]) -> Iterator[Problem]:
    broken = [m for m in used if m.id in failing]
    # The inbox never fails, and reaches nobody who sleeps.
    every = all(m.id in failing or m.kind in _WEAK for m in used)
    for method in broken:
        details = f"The last message by {method.kind} did not arrive: {failing[method.id]}".rstrip(".") + "."
        yield Problem(code="failing", details=details, grave=every)

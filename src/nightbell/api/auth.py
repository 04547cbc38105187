"""This file says who calls the API: an API token in the Authorization header, and nothing else."""

from datetime import datetime

from nightbell.core.access import Permission, may
from nightbell.core.errors import Forbidden, Unauthenticated
from nightbell.engine.identity import Visitor, visitor_by_token
from nightbell.store.db import Db

_HINT = "Send `Authorization: Bearer rootly_…`; make a token under Me, or with `nightbell token create`."


async def identified(db: Db, authorization: str, now: datetime) -> Visitor:
    """Return who a request comes from.

    Raises: Unauthenticated without a token, or for one that is unknown, expired or taken back.
    """
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("An API token is needed.", hint=_HINT)
    visitor = await visitor_by_token(db, token.strip(), now)
    if visitor is None:
        raise Unauthenticated("This API token is unknown, expired or taken back.", hint=_HINT)
    return visitor


def require(visitor: Visitor, permission: Permission) -> None:
    """Raise Forbidden unless the caller's role grants the permission."""
    if not may(visitor.role, permission):
        raise Forbidden(
            f"The role {visitor.role} does not allow this; it needs the permission {permission.value!r}."
        )


def require_own(visitor: Visitor, user_id: int) -> None:
    """Raise Forbidden for what belongs to somebody else, unless the caller looks after people."""
    if visitor.user_id != user_id:
        require(visitor, Permission.PEOPLE)

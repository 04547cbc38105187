"""Decides who may do what: four roles, a handful of permissions, one table.

Every route names its permission; a route that anyone may use says PUBLIC, so that nothing is open by omission.
"""

from enum import StrEnum


class Role(StrEnum):
    """What a person, or an API token, is to the installation."""

    OWNER = "owner"
    ADMIN = "admin"
    USER = "user"
    OBSERVER = "observer"


class Permission(StrEnum):
    """What a route asks for."""

    #: Anyone at all, known or not: logging in, a signed link, the pages' own assets.
    PUBLIC = "public"
    #: Read alerts, people, teams, services, policies and what was delivered.
    VIEW = "view"
    #: Change what is one's own: contact methods, rules, sessions, tokens.
    SELF = "self"
    #: Acknowledge, resolve, snooze, escalate, reassign, note.
    RESPOND = "respond"
    #: Change teams, services, policies, urgencies and routes.
    CONFIGURE = "configure"
    #: Make and change sources, and see their secrets.
    CONNECT = "connect"
    #: Invite and change people and their roles.
    PEOPLE = "people"
    #: Settings of the installation, the audit log.
    OPERATE = "operate"


_OBSERVER = frozenset({Permission.PUBLIC, Permission.VIEW, Permission.SELF})
_USER = _OBSERVER | {Permission.RESPOND}
_ADMIN = _USER | {Permission.CONFIGURE, Permission.CONNECT, Permission.PEOPLE}
_OWNER = _ADMIN | {Permission.OPERATE}

GRANTS: dict[Role, frozenset[Permission]] = {
    Role.OBSERVER: _OBSERVER,
    Role.USER: _USER,
    Role.ADMIN: _ADMIN,
    Role.OWNER: _OWNER,
}

_RANK = {role: rank for rank, role in enumerate((Role.OBSERVER, Role.USER, Role.ADMIN, Role.OWNER))}


def may(role: Role | str | None, permission: Permission) -> bool:
    """Return whether a role grants a permission; None is somebody nobody knows."""
    if permission is Permission.PUBLIC:
        return True
    return role is not None and permission in GRANTS[Role(role)]


def may_grant(role: Role | str, given: Role | str) -> bool:
    """Return whether somebody of `role` may give, take or change `given`: never more than they have."""
    return may(role, Permission.PEOPLE) and _RANK[Role(given)] <= _RANK[Role(role)]


def narrowed(role: Role | str, wanted: Role | str) -> Role:
    """Return the lesser of two roles: a token never carries more than its owner has."""
    return min(Role(role), Role(wanted), key=lambda r: _RANK[r])

"""What can happen in a chat that concerns us: a button, a code that links it to somebody, a question what it is called."""

from uuid import UUID

from msgspec import Struct


class Press(Struct, frozen=True, kw_only=True):
    """Somebody pressed a button. `reference` is the service's own id of that: twice is once."""

    reference: str
    #: The address of whoever pressed, as a contact method has it.
    by: str
    action: str
    notification_id: UUID


class Link(Struct, frozen=True, kw_only=True):
    """Somebody who knows a code writes it in a chat, which is theirs from now on."""

    code: str
    address: str
    #: What the chat is called, for people.
    name: str


class WhoAmI(Struct, frozen=True, kw_only=True):
    """Somebody asks what this chat's address is, or says something that means nothing to us."""

    address: str


Happening = Press | Link | WhoAmI

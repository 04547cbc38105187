"""What the routes that services outside call work with."""

from dataclasses import dataclass

from nightbell.engine.chatting import Chatting
from nightbell.engine.particulars import Clerk
from nightbell.engine.pressing import Pressing
from nightbell.engine.receive import Receive
from nightbell.engine.rooms import Rooms
from nightbell.engine.spoken import Spoken
from nightbell.web.rejects import Rejects


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """One of each, for the whole program."""

    receive: Receive
    clerk: Clerk
    spoken: Spoken
    slack: Pressing
    rooms: Rooms
    chatting: Chatting
    rejects: Rejects

"""Stands in for a Slack that has channels: made once under a name, members asked in, messages, archives, reactions.

Rule 1: what was written in a room and nobody read fails the test; a channel that nobody made cannot be written to.
"""

import re
from typing import Any

from msgspec import Struct, field

from nightbell.testing.doubles import Reply
from nightbell.testing.slack_double import Post, SlackDouble, said

#: Who the bot is.
OWN = "U0NIGHTBELL"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,79}")


class Room(Struct, kw_only=True):
    """A channel as it stands."""

    id: str
    name: str
    private: bool
    creator: str
    members: list[str] = field(default_factory=list)
    topic: str = ""
    archived: bool = False
    posts: list[Post] = field(default_factory=list)
    read: int = 0

    @property
    def wire(self) -> dict[str, Any]:
        """What Slack says of it."""
        return {"id": self.id, "name": self.name, "creator": self.creator, "is_archived": self.archived}

    def news(self) -> list[str]:
        """Return what was written since the last look."""
        fresh = self.posts[self.read :]
        self.read = len(self.posts)
        return [post.text for post in fresh]


class SlackRooms(SlackDouble):
    """A Slack on loopback with channels in it."""

    def __init__(self, **members: str) -> None:
        super().__init__(**members)
        self.rooms: list[Room] = []
        self._written = 0

    def room(self, name: str) -> Room:
        """Return the only channel of a name that is not archived.

        Raises: AssertionError when there is none, or more than one.
        """
        found = [one for one in self.rooms if one.name == name]
        if len(found) != 1:
            raise AssertionError(f"{len(found)} rooms are called {name}: {[r.name for r in self.rooms]}")
        return found[0]

    def somebody_makes(self, name: str) -> Room:
        """Have a member make a channel of their own."""
        return self._made(name, private=False, creator="U0SOMEBODY")

    def says(self, room: Room, user: str, text: str) -> str:
        """Have a member write in a room; return the `ts`."""
        post = self._post(room, {"user": user, "text": text, "blocks": []})
        room.read = len(room.posts)
        return post.ts

    def reacted(self, room: Room, ts: str, by: str, sign: str = "pushpin") -> dict[str, Any]:
        """Return what Slack tells when a member puts a sign on a message."""
        item = {"type": "message", "channel": room.id, "ts": ts}
        event = {"type": "reaction_added", "user": by, "reaction": sign, "item": item, "event_ts": "1.0"}
        return {"type": "event_callback", "event_id": f"Ev{ts}{by}", "event": event}

    def verify(self) -> None:
        """Raise AssertionError for posts nobody took, and lines in rooms nobody read."""
        super().verify()
        if left := {r.name: r.news() for r in self.rooms if r.read < len(r.posts)}:
            raise AssertionError(f"nobody read what was written: {left}")

    # ------------------------------------------------------------ what it does

    def _made(self, name: str, *, private: bool, creator: str) -> Room:
        ident = f"{'G' if private else 'C'}0ROOM{len(self.rooms):03d}"
        room = Room(id=ident, name=name, private=private, creator=creator, members=[creator])
        self.rooms.append(room)
        return room

    def _post(self, room: Room, body: dict[str, Any]) -> Post:
        self._written += 1
        post = Post(channel=room.id, ts=f"1795399{200 + self._written:03d}.000100", body=body)
        room.posts.append(post)
        return post

    def _of(self, asked: dict[str, Any]) -> Room | None:
        return next((one for one in self.rooms if one.id == asked.get("channel")), None)

    def _open(self, asked: dict[str, Any]) -> Room | Reply:
        """Return the room that is meant, or why nothing can be done there."""
        room = self._of(asked)
        if room is None:
            return said(ok=False, error="channel_not_found")
        return said(ok=False, error="is_archived") if room.archived else room

    def _auth_test(self, asked: dict[str, Any]) -> Reply:
        return said(team="Double", user="nightbell", user_id=OWN)

    def _conversations_create(self, asked: dict[str, Any]) -> Reply:
        name = asked["name"]
        if not _NAME.fullmatch(name):
            return said(
                ok=False, error="invalid_name_specials" if len(name) <= 80 else "invalid_name_maxlength"
            )
        if any(one.name == name for one in self.rooms):
            return said(ok=False, error="name_taken")
        return said(channel=self._made(name, private=asked["is_private"], creator=OWN).wire)

    def _users_conversations(self, asked: dict[str, Any]) -> Reply:
        if asked["types"] != "public_channel,private_channel":
            return said(ok=False, error="invalid_types")
        own = [
            r
            for r in self.rooms
            if OWN in r.members and not (r.archived and asked["exclude_archived"] == "true")
        ]
        start, limit = int(asked.get("cursor", "0")), int(asked["limit"])
        more = str(start + limit) if len(own) > start + limit else ""
        return said(
            channels=[one.wire for one in own[start : start + limit]], response_metadata={"next_cursor": more}
        )

    def _conversations_invite(self, asked: dict[str, Any]) -> Reply:
        room = self._open(asked)
        if isinstance(room, Reply):
            return room
        users = asked["users"].split(",")
        if OWN in users:
            return said(ok=False, error="cant_invite_self")
        if any(user not in self.members for user in users):
            return said(ok=False, error="user_not_found")
        if any(user in room.members for user in users):
            return said(ok=False, error="already_in_channel")
        room.members += users
        return said(channel=room.wire)

    def _conversations_setTopic(self, asked: dict[str, Any]) -> Reply:  # noqa: N802  Slack's name
        room = self._open(asked)
        if isinstance(room, Reply):
            return room
        if len(asked["topic"]) > 250:
            return said(ok=False, error="too_long")
        room.topic = asked["topic"]
        return said(channel=room.wire)

    def _conversations_archive(self, asked: dict[str, Any]) -> Reply:
        room = self._of(asked)
        if room is None or room.archived:
            return said(ok=False, error="already_archived" if room else "channel_not_found")
        room.archived = True
        return said()

    def _conversations_unarchive(self, asked: dict[str, Any]) -> Reply:
        room = self._of(asked)
        if room is None or not room.archived:
            return said(ok=False, error="not_archived" if room else "channel_not_found")
        room.archived = False
        return said()

    def _chat_postMessage(self, asked: dict[str, Any]) -> Reply:  # noqa: N802
        if not str(asked["channel"])[1:].startswith("0ROOM"):
            return super()._chat_postMessage(asked)
        room = self._open(asked)
        if isinstance(room, Reply):
            return room
        return said(channel=room.id, ts=self._post(room, asked).ts)

    def _chat_update(self, asked: dict[str, Any]) -> Reply:
        if not str(asked["channel"])[1:].startswith("0ROOM"):
            return super()._chat_update(asked)
        room = self._open(asked)
        if isinstance(room, Reply):
            return room
        found = [post for post in room.posts if post.ts == asked["ts"]]
        if not found:
            return said(ok=False, error="message_not_found")
        found[0].body, found[0].edits = asked, found[0].edits + 1
        return said(channel=room.id, ts=asked["ts"])

    def _conversations_history(self, asked: dict[str, Any]) -> Reply:
        room = self._of(asked)
        if room is None:
            return super()._conversations_history(asked)
        oldest, latest = asked.get("oldest", "0"), asked.get("latest", "9")
        within = [p for p in reversed(room.posts) if oldest <= p.ts <= latest][: int(asked["limit"])]
        messages = [
            {
                "ts": p.ts,
                "text": p.text,
                "user": p.body.get("user", OWN),
                **({"metadata": p.body["metadata"]} if "metadata" in p.body else {}),
            }
            for p in within
        ]
        return said(messages=messages)

    def _conversations_replies(self, asked: dict[str, Any]) -> Reply:
        return said(ok=False, error="thread_not_found")

    def _chat_getPermalink(self, asked: dict[str, Any]) -> Reply:  # noqa: N802
        room = self._of(asked)
        if room is None or all(post.ts != asked["message_ts"] for post in room.posts):
            return said(ok=False, error="message_not_found")
        return said(
            permalink=f"https://double.slack.com/archives/{room.id}/p{asked['message_ts'].replace('.', '')}"
        )

    def _users_info(self, asked: dict[str, Any]) -> Reply:
        email = self.members.get(asked["user"])
        if email is None:
            return said(ok=False, error="user_not_found")
        name = email.partition("@")[0].capitalize()
        return said(user={"id": asked["user"], "real_name": name, "profile": {"email": email}})

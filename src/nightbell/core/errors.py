"""What can go wrong, said once: a code, a place and a way out. HTTP statuses are chosen at the edge."""


class NightbellError(Exception):
    """Something a person or a sender did that cannot be carried out.

    Shape: `place` is a path into what was sent ("alerts[2].startsAt", "name") or "" for the whole.
    """

    code = "error"

    def __init__(self, message: str, *, place: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.place = place
        self.hint = hint


class BadPayload(NightbellError):
    """The bytes cannot be read as what they claim to be."""

    code = "bad_payload"


class Invalid(NightbellError):
    """A value is readable and wrong; `place` names the field."""

    code = "invalid"


class Unknown(NightbellError):
    """There is no such thing."""

    code = "unknown"


class Stale(NightbellError):
    """The thing has moved on: the request no longer fits its state."""

    code = "stale"


class Forbidden(NightbellError):
    """The actor may not do this."""

    code = "forbidden"


class Unauthenticated(NightbellError):
    """Nobody we know is asking."""

    code = "unauthenticated"


class Overloaded(NightbellError):
    """We cannot take this now; the same bytes may work later."""

    code = "overloaded"

"""Collects what is wrong with something that was sent: all of it, each with its place, before anything is written."""

from collections.abc import Callable, Iterable
from typing import Any

from nightbell.core.errors import Invalid


class Problems(Invalid):
    """Several things are wrong at once; as an Invalid it speaks for the first."""

    def __init__(self, problems: Iterable[Invalid]) -> None:
        self.problems = tuple(problems)
        first = self.problems[0]
        super().__init__(first.message, place=first.place, hint=first.hint)


class Checks:
    """Collects what is wrong with an edit, so that a form can show all of it at once."""

    def __init__(self, sent: dict[str, Any]) -> None:
        self.sent = sent
        self._problems: list[Invalid] = []

    def wrong(self, place: str, message: str, hint: str = "") -> None:
        """Note a problem; one for each place, the first."""
        if all(problem.place != place for problem in self._problems):
            self._problems.append(Invalid(message, place=place, hint=hint))

    def found(self, place: str) -> bool:
        """Return whether something is wrong at a place, or below it."""
        return any(problem.place.startswith(place) for problem in self._problems)

    def required(self, *fields: str) -> None:
        """Note every field that was not sent, or is empty."""
        for field in fields:
            if self.sent.get(field) in (None, "", []):
                self.wrong(field, f"{label(field)} can't be blank")

    def text(self, field: str, *, longest: int = 255, empty: bool = False) -> None:
        """Trim a text and note one that is too long, or empty where it may not be."""
        value = self.sent.get(field)
        if value is None:
            return
        value = self.sent[field] = value.replace("\0", "").strip()
        if len(value) > longest:
            self.wrong(field, f"{label(field)} is too long (at most {longest} characters)")
        elif not value and not empty:
            self.wrong(field, f"{label(field)} can't be blank")

    def number(self, field: str, lowest: int, highest: int) -> None:
        """Note a number outside its range."""
        value = self.sent.get(field)
        if value is not None and not lowest <= value <= highest:
            self.wrong(field, f"{label(field)} must be from {lowest} to {highest}")

    def choice(self, field: str, allowed: Iterable[str]) -> None:
        """Note a word that is not one of these."""
        known = tuple(allowed)
        if field in self.sent and self.sent[field] not in known:
            self.wrong(field, f"{label(field)} must be one of: {', '.join(known)}")

    def that(self, field: str, test: Callable[[Any], str]) -> None:
        """Note what a test says of a field that was sent and is not empty; "" means fine."""
        if self.sent.get(field) and (message := test(self.sent[field])):
            self.wrong(field, message)

    def done(self) -> None:
        """Raise Problems when there are any."""
        if self._problems:
            raise Problems(self._problems)


def label(field: str) -> str:
    """Return what a field is called in a sentence."""
    return field.replace("_", " ").removesuffix(" id").capitalize()

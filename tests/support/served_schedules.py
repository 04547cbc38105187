"""Schedules of cases, made and asked over HTTP in a running program whose clock stands still before all of them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

import httpx

from support.household import Api, Json
from support.programs import Nightbell

#: Before every instant of the cases: an override of the past cannot be made.
START = datetime(2026, 12, 1, tzinfo=UTC)
_LETTERS = {"MO": "M", "TU": "T", "WE": "W", "TH": "R", "FR": "F", "SA": "U", "SU": "S"}
_WEEK = ("M", "T", "W", "R", "F", "U", "S")
_TYPES = {("day", 1): "Daily", ("week", 1): "Weekly", ("week", 2): "Biweekly"}
_KINDS = {"add": "add", "remove": "remove", "replace": "replace", "replace_all": "cover"}
_numbers = count(1)


class Untold(Exception):
    """A case says something that this cannot make over HTTP."""


class Calendars:
    """A program that keeps schedules."""

    def __init__(self, program: Nightbell, token: str) -> None:
        self.program = program
        self.api = Api(program.url, token)
        self._people: dict[str, Json] = {}
        self._apis: dict[str, Api] = {}

    def person(self, name: str) -> int:
        """Return the number of a person, made on their first mention."""
        if name not in self._people:
            email = f"{name}@example.com"
            self._people[name] = self.api.add("/users", name=name, email=email, role="user")
        return int(self._people[name]["id"])

    def by(self, name: str) -> Api:
        """Return the API as a person uses it."""
        if name not in self._apis:
            self.person(name)
            token = self.program.run("token", "create", "--user", f"{name}@example.com")
            self._apis[name] = Api(self.program.url, token)
        return self._apis[name]

    def close(self) -> None:
        """Close all connections."""
        for api in (self.api, *self._apis.values()):
            api.close()

    def move_to(self, at: datetime) -> None:
        """Let time pass."""
        url = f"{self.program.url}/testing/clock"
        answer = httpx.post(url, json={"to": at.isoformat()}, timeout=60)
        assert answer.status_code == 200, answer.text


class Schedule:
    """One case, as a schedule of that program."""

    def __init__(self, calendars: Calendars, case: Json) -> None:
        self.case = case
        self.zone = ZoneInfo(case["timezone"])
        self._calendars = calendars
        self._api = calendars.api
        name = f"{case['id']} {next(_numbers)}"
        self.id = self._api.add("/schedules", name=name, time_zone=case["timezone"])["id"]
        self._path = f"/schedules/{self.id}"
        self.rotations = [self._rotation(n, layer) for n, layer in enumerate(case.get("layers", []), 1)]
        for said in case.get("overrides", []):
            self._override(said)
        for said in case.get("swaps", []):
            self._swap(said)

    def wrong(self) -> Iterator[str]:
        """Yield the checks that fail."""
        for check in self.case["checks"]:
            at = datetime.fromisoformat(check["at"])
            found = self.on_call(at)
            if found != sorted(set(check["on_call"])):
                yield f"at {check['at']}: expected {check['on_call']}, on call {found}"

    def on_call(self, at: datetime) -> list[str]:
        """Return who is on call at an instant, by name."""
        query = f"from={_wire(at)}&to={_wire(at + timedelta(seconds=1))}"
        found = self._api.ask("GET", f"{self._path}/shifts?{query}")["data"]
        shifts = [one["attributes"] for one in found if not one["attributes"]["is_shadow"]]
        return sorted({s["user"]["name"] for s in shifts if _at(s["starts_at"]) <= at < _at(s["ends_at"])})

    # ------------------------------------------------------------ what a case says

    def _rotation(self, number: int, layer: Json) -> Json:
        made = self._turns(layer)
        said: Json = {
            "name": layer.get("name", f"layer {number}"),
            "position": (layer.get("priority") or 0) + 1,
            "time_zone": layer.get("timezone", self.case["timezone"]),
            "schedule_rotation_members": self._members(_turns_of(layer)),
        }
        return self._api.add(f"{self._path}/schedule_rotations", **said, **made, **_hours(layer))

    def _members(self, turns: list[list[str]]) -> list[Json]:
        return [
            {"member_type": "User", "member_id": str(self._calendars.person(name)), "position": position}
            for position, turn in enumerate(turns, 1)
            for name in turn
        ]

    def _turns(self, layer: Json) -> Json:
        said = layer.get("rotation")
        if not said:
            return {
                "schedule_rotationable_type": "ScheduleWeeklyRotation",
                "schedule_rotationable_attributes": {"handoff_time": "00:00", "handoff_day": "M"},
            }
        start = datetime.fromisoformat(said["start"])
        local = start if start.tzinfo is None else start.astimezone(self.zone)
        kind = _TYPES.get((said["unit"], said.get("every", 1)), "Custom")
        turns: Json = {"handoff_time": f"{local:%H:%M}"}
        if kind in ("Weekly", "Biweekly"):
            turns["handoff_day"] = _WEEK[local.weekday()]
        if kind == "Custom":
            turns |= {"shift_length": said.get("every", 1), "shift_length_unit": f"{said['unit']}s"}
        made: Json = {
            "schedule_rotationable_type": f"Schedule{kind}Rotation",
            "schedule_rotationable_attributes": turns,
            "start_time": local.replace(tzinfo=self.zone).astimezone(UTC).isoformat(),
        }
        if said.get("until"):
            made["end_time"] = self._instant(said["until"])
        if said.get("active_from"):
            raise Untold("a rotation that is counted from before it is active")
        return made | {"advance": said["advance"]} if said.get("advance") else made

    def _instant(self, text: str) -> str:
        at = datetime.fromisoformat(text)
        return (at.replace(tzinfo=self.zone) if at.tzinfo is None else at).astimezone(UTC).isoformat()

    def _override(self, said: Json) -> None:
        kind, user = _KINDS[said["kind"]], said.get("user")
        replaces = said.get("replaces", user if kind == "remove" else None)
        made: Json = {
            "kind": kind,
            "starts_at": self._instant(said["from"]),
            "ends_at": self._instant(said["to"]),
            "reason": "the case says so",
        }
        if user and kind != "remove":
            made["user_id"] = self._calendars.person(user)
        if replaces:
            made["replaces_user_id"] = self._calendars.person(replaces)
        self._api.add(f"{self._path}/override_shifts", **made)

    def _swap(self, said: Json) -> None:
        """Let somebody ask to be relieved and, where the case says so, another take it."""
        asked = self._calendars.by(said["requester"]).add(
            f"{self._path}/shift_coverage_requests",
            user_id=self._calendars.person(said["requester"]),
            starts_at=self._instant(said["from"]),
            ends_at=self._instant(said["to"]),
        )
        if said.get("taken") and said.get("taker"):
            path = f"/shift_coverage_requests/{asked['id']}/accept"
            self._calendars.by(said["taker"]).ask("POST", path)

    def follow(self, url: str) -> None:
        """Take a calendar elsewhere as a layer."""
        self._api.add(f"{self._path}/schedule_calendars", name="calendar", url=url, position=1)

    def edit(self, said: Json) -> None:
        """Change the members of a layer, now."""
        rotation = self.rotations[said.get("layer", 0)]
        members = self._members(_turns_of({"rotation": True, **said}))
        path = f"/schedule_rotations/{rotation['id']}"
        self._api.ask("PUT", path, {"schedule_rotation_members": members})


def _turns_of(layer: Json) -> list[list[str]]:
    """Return who serves together, turn by turn; without a rotation all of them are one turn."""
    turns = [[turn] if isinstance(turn, str) else list(turn) for turn in layer["participants"]]
    return turns if layer.get("rotation") else [[name for turn in turns for name in turn]]


def _hours(layer: Json) -> Json:
    windows = layer.get("windows")
    if layer.get("shift_duration_seconds"):
        return {"turn_minutes": layer["shift_duration_seconds"] // 60}
    if windows is None:
        return {}
    days = {tuple(window.get("days") or _LETTERS) for window in windows}
    if len(days) > 1:
        raise Untold("days that differ in their hours")
    times = [{"start_time": w.get("from", "00:00"), "end_time": w.get("to", "00:00")} for w in windows]
    return {
        "active_all_week": False,
        "active_days": [_LETTERS[day[:2]] for day in next(iter(days))],
        "active_time_type": "same_time",
        "active_time_attributes": times,
    }


def _wire(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)

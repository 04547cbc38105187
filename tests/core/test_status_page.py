"""What the public reads: states of components, what goes on, and pages that are made of nothing but that."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID
from xml.etree import ElementTree

import pytest

from nightbell.core.status_page import (
    SECTIONS,
    Board,
    Face,
    Published,
    Said,
    State,
    board,
    statuses,
    suggested,
    token,
)
from nightbell.web.status_render import PARTS, View, part
from nightbell.web.status_site import StatusSite

NOW = datetime(2026, 11, 23, 2, 0, 30, tzinfo=UTC)
ORDERS, PAYMENTS, SEARCH = (UUID(int=n) for n in (1, 2, 3))
NAMES = [(ORDERS, "Orders"), (PAYMENTS, "Payments")]
FACE = Face(
    id=UUID(int=9),
    slug="shop",
    title="Shop & Co",
    description="",
    success="",
    failure="",
    footer="",
    website_url="javascript:alert(1)",
    support_url="https://example.org/help",
    privacy_url="",
    sections=SECTIONS,
    time_zone="Europe/Lisbon",
    indexed=False,
    token="",
)


def said(status, minute=0, text="We look.", impact=None):
    at = NOW - timedelta(hours=1) + timedelta(minutes=minute)
    return Said(id=UUID(int=1000 + minute), at=at, updated_at=at, status=status, text=text, impact=impact)


def incident(*lines, severity=None, services=(ORDERS,), planned=False, number=100):
    return Published(
        id=UUID(int=number),
        title="Orders fail",
        planned=planned,
        severity=severity,
        service_ids=frozenset(services),
        said=lines or (said("investigating"),),
        starts_at=NOW if planned else None,
        ends_at=NOW + timedelta(hours=1) if planned else None,
    )


def states(*incidents):
    return [one.state for one in board(FACE, NAMES, incidents).components]


@pytest.mark.parametrize(
    ("severity", "state"),
    [
        ("critical", State.MAJOR_OUTAGE),
        ("high", State.PARTIAL_OUTAGE),
        ("medium", State.DEGRADED),
        ("low", State.DEGRADED),
        (None, State.DEGRADED),
    ],
)
def test_a_component_is_as_bad_as_the_severity_of_its_incident(severity, state):
    assert states(incident(severity=severity)) == [state, State.OPERATIONAL]


def test_what_its_publisher_says_of_the_impact_wins_and_holds_until_something_else_is_said():
    first = said("investigating", 0, impact="major_outage")
    assert states(incident(first, said("identified", 5), severity="low"))[0] is State.MAJOR_OUTAGE
    better = said("monitoring", 9, impact="operational")
    assert states(incident(first, better, severity="critical"))[0] is State.OPERATIONAL


def test_a_component_is_as_bad_as_the_worst_of_its_incidents():
    minor, major = incident(severity="low"), incident(severity="critical", number=101)
    assert states(minor, major)[0] is State.MAJOR_OUTAGE


def test_what_is_over_touches_nothing():
    assert states(incident(said("resolved"), severity="critical"))[0] is State.OPERATIONAL


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("scheduled", State.OPERATIONAL),
        ("in_progress", State.MAINTENANCE),
        ("verifying", State.MAINTENANCE),
        ("completed", State.OPERATIONAL),
    ],
)
def test_planned_work_touches_its_services_while_somebody_works(status, state):
    assert states(incident(said(status), planned=True, severity="critical"))[0] is state


def test_a_page_is_as_bad_as_an_incident_that_names_no_component_it_shows():
    shown = board(FACE, NAMES, [incident(severity="critical", services=(SEARCH,))])
    assert shown.state is State.MAJOR_OUTAGE
    assert {one.state for one in shown.components} == {State.OPERATIONAL}


def test_statuses_of_planned_work_are_not_those_of_an_incident():
    assert statuses(planned=True)[0] == "scheduled"
    assert "scheduled" not in statuses(planned=False)
    assert suggested("mitigated", planned=False) == "monitoring"
    assert suggested("started", planned=False) == "investigating"


def test_a_token_differs_by_page_key_and_round():
    made = {token(key, UUID(int=n), r) for key in (b"a", b"b") for n in (1, 2) for r in (1, 2)}
    assert len(made) == 8


# ---------------------------------------------------------------- what is made of it


HOSTILE = "</p><script>alert(1)</script>{{ 7*7 }}\x00\x0b &amp; <b>"


def view(*incidents, **more):
    return View(board=board(FACE, NAMES, incidents), base_url="https://HOST", seen=NOW, **more)


def text(shown: View, rest: str) -> bytes:
    found = part(shown, rest)
    assert found is not None
    return found[0]


def test_every_text_stays_text_on_every_page():
    hostile = incident(said("investigating", text=HOSTILE))
    shown = view(hostile)
    for rest in (*(one for one in PARTS if not one.endswith(".json")), f"/incidents/{hostile.id}"):
        body = text(shown, rest).decode()
        assert "<script" not in body
        assert "49" not in body
        assert "javascript:" not in body


def test_feeds_are_well_formed_whatever_was_written():
    shown = view(incident(said("investigating", text=HOSTILE), said("resolved", 7, text="Done.")))
    for rest, items in (("/feed.atom", "{http://www.w3.org/2005/Atom}entry"), ("/feed.rss", "channel/item")):
        found = ElementTree.fromstring(text(shown, rest)).findall(items)
        assert len(found) == 2, rest


def test_times_are_said_where_the_page_lives():
    body = text(view(incident(said("investigating"))), "").decode()
    assert '<time datetime="2026-11-23T01:00:30Z">23 Nov 2026, 01:00 WET</time>' in body


def test_an_incident_of_elsewhere_is_not_there():
    assert part(view(), f"/incidents/{UUID(int=100)}") is None
    assert part(view(), "/incidents/nonsense") is None
    assert part(view(), "/nothing") is None


class Shown:
    def __init__(self, seen: datetime | None = NOW) -> None:
        self.boards: Mapping[str, Board] = {FACE.slug: board(FACE, NAMES, [])}
        self.seen = seen
        self.version = 1


def asked(site, path="/status/shop", **headers):
    sent = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return site.answer({"method": "GET", "path": path, "query_string": b"", "headers": sent})


def test_a_page_nobody_could_look_at_lately_says_so_and_is_served():
    shown = Shown(seen=NOW - timedelta(minutes=10))
    status, _, body = asked(StatusSite(shown, "https://HOST", lambda: NOW))
    assert status == 200
    assert "Nobody could look since" in body.decode()
    assert "23 Nov 2026, 01:50 WET" in body.decode()


def test_before_the_first_look_readers_are_asked_to_come_again():
    status, headers, _ = asked(StatusSite(Shown(seen=None), "https://HOST", lambda: NOW))
    assert (status, headers["retry-after"]) == (503, "2")


def test_a_page_stays_the_same_for_a_minute():
    shown = Shown()
    site = StatusSite(shown, "https://HOST", lambda: NOW)
    etag = asked(site)[1]["etag"]
    shown.seen = NOW + timedelta(seconds=29)
    assert asked(site, if_none_match=f'"other", {etag}')[0] == 304
    shown.seen = NOW + timedelta(seconds=31)
    assert asked(site, if_none_match=etag)[0] == 200

"""What planned work mutes, and until when."""

from datetime import UTC, datetime, time, timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace

from nightbell.core import maintenance
from nightbell.core.calendar import Window, hours
from nightbell.core.directory import Maintenance, Windows
from support.pure import SOURCE, directory

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
SHOP = str(UUID(int=3))


def nightly(start="01:00", end="04:00"):
    """Hours of every day."""
    made = hours([Window(start=time.fromisoformat(start), end=time.fromisoformat(end))])
    assert made is not None
    return Windows(hours=made, zone="Etc/UTC")


def work(ident=1, **more):
    """An hour of work on the shop, from half an hour ago on."""
    said = {
        "id": UUID(int=ident),
        "name": f"work {ident}",
        "service_ids": frozenset({SHOP}),
        "source_ids": frozenset(),
        "starts_at": NOW - HOUR / 2,
        "ends_at": NOW + HOUR / 2,
        "windows": None,
        **more,
    }
    return Maintenance(**said)


@pytest.mark.parametrize(
    ("one", "until"),
    [
        (work(), NOW + HOUR / 2),
        (work(starts_at=NOW), NOW + HOUR / 2),
        (work(starts_at=NOW + HOUR / 4), None),
        (work(ends_at=NOW), None),
        (work(ends_at=None, windows=nightly()), NOW + 2 * HOUR),
        (work(windows=nightly()), NOW + HOUR / 2),
        (work(ends_at=None, windows=nightly("03:00", "04:00")), None),
        (work(starts_at=NOW + HOUR, ends_at=None, windows=nightly()), None),
    ],
)
def test_until_when_work_goes_on(one, until):
    assert one.until(NOW) == until


@pytest.mark.parametrize(
    ("source_id", "service_ids", "muted"),
    [
        (None, {SHOP}, True),
        (SOURCE, {SHOP, "another"}, True),
        (SOURCE, set(), False),
        (None, set(), False),
        (SOURCE, {"another"}, False),
    ],
)
def test_work_on_a_service_mutes_its_alerts_only(source_id, service_ids, muted):
    house = replace(directory(), maintenances=(work(),))
    found = maintenance.muted(house, source_id, frozenset(service_ids), NOW)
    assert (found is not None) is muted


def test_work_on_a_source_mutes_whatever_it_sends():
    house = replace(
        directory(), maintenances=(work(service_ids=frozenset(), source_ids=frozenset({SOURCE})),)
    )
    assert maintenance.muted(house, SOURCE, frozenset(), NOW) is not None
    assert maintenance.muted(house, UUID(int=99), frozenset({SHOP}), NOW) is None


def test_of_several_works_the_one_that_lasts_longest_counts():
    house = replace(
        directory(), maintenances=(work(1), work(2, ends_at=NOW + 2 * HOUR), work(3, ends_at=NOW))
    )
    found = maintenance.muted(house, None, frozenset({SHOP}), NOW)
    assert found is not None
    assert (found.id, found.until) == (UUID(int=2), NOW + 2 * HOUR)

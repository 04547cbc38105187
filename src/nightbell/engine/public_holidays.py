"""This file knows public holidays, from the `holidays` package. Import it late: it costs a second and 20 MB."""

from datetime import datetime, time, timedelta
from functools import lru_cache
from typing import Any

import holidays

from nightbell.core.calendar import instant, reached, zone

_DAY = timedelta(days=1)
_list_countries: Any = holidays.list_supported_countries


@lru_cache(maxsize=1)
def countries() -> dict[str, list[str]]:
    """Return the countries that are known, and the subdivisions of each, by ISO 3166 code."""
    return {code: sorted(parts) for code, parts in _list_countries(include_aliases=False).items()}


def days(
    country: str, subdivision: str | None, place: str, span: tuple[datetime, datetime]
) -> list[tuple[datetime, datetime, str]]:
    """Return the holidays that touch a span: each day from midnight to midnight where somebody lives, and its name."""
    where = zone(place)
    first, last = reached(span[0], where), reached(span[1], where)
    named = [pair for year in range(first.year, last.year + 1) for pair in _year(country, subdivision, year)]
    found = ((instant(day, where), instant(day + _DAY, where), name) for day, name in named)
    return [one for one in found if one[0] < span[1] and one[1] > span[0]]


@lru_cache(maxsize=1024)
def _year(country: str, subdivision: str | None, year: int) -> tuple[tuple[datetime, str], ...]:
    try:
        known = holidays.country_holidays(country, subdiv=subdivision, years=year)
    except NotImplementedError:
        # A later release of the package may drop a code; whoever chose it is then simply there.
        return ()
    return tuple((datetime.combine(day, time()), known[day]) for day in sorted(known))

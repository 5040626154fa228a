"""When a message may leave: inside 9 to 17 of the recipient's own business day, as a UTC time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.core import get_global

from duecourse.core.calendar import holiday_days, next_business_day

FIRST_HOUR, END_HOUR = 9, 17  # local; the last message leaves before 17:00
_STEP = timedelta(minutes=15)


def zones(timezone: str, country: str) -> tuple[tuple[str, ...], str]:
    """Time zones in which the recipient may be, and one phrase on how they are known.

    The zone on file; else every zone of the country; else UTC, which the phrase admits.
    """
    if timezone and _exists(timezone):
        return (timezone,), timezone
    listed = tuple(sorted(name for name in _zones_of_countries().get(country, ()) if _exists(name)))
    if listed:
        return listed, f"{listed[0]}, from the country" if len(listed) == 1 else f"all zones of {country}"
    return ("UTC",), "UTC: neither time zone nor country is known"


def send_at(day: date, timezone: str, country: str, draw: float) -> datetime:
    """A UTC moment on ``day``, or the next business day there, between 9 and 17 local; ``draw`` in [0, 1) picks it.

    In a country of many zones the moment lies inside the window of as many of them as possible.
    """
    names, _ = zones(timezone, country)
    holidays = holiday_days(country, day, day + timedelta(days=14))
    moments = _moments(next_business_day(day, holidays), names)
    return moments[int(draw * len(moments))]


@lru_cache(maxsize=4096)
def _moments(day: date, names: tuple[str, ...]) -> tuple[datetime, ...]:
    """The quarter hours that are 9 to 17 of ``day`` in the largest number of zones, in order."""
    fits: dict[datetime, int] = {}
    for name in names:
        for moment in _window(day, ZoneInfo(name)):
            fits[moment] = fits.get(moment, 0) + 1
    most = max(fits.values())
    return tuple(sorted(moment for moment, count in fits.items() if count == most))


def _window(day: date, zone: ZoneInfo) -> Iterator[datetime]:
    moment = datetime.combine(day, time(FIRST_HOUR), tzinfo=zone).astimezone(UTC)
    end = datetime.combine(day, time(END_HOUR), tzinfo=zone).astimezone(UTC)
    # Zones differ by quarters of an hour at the least, so all windows share this grid.
    moment += (-timedelta(minutes=moment.minute, seconds=moment.second)) % _STEP
    while moment < end:
        yield moment
        moment += _STEP


@lru_cache(maxsize=1024)
def _exists(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


@lru_cache(maxsize=1)
def _zones_of_countries() -> dict[str, list[str]]:
    """ISO country -> IANA zones, from the CLDR data in Babel."""
    return dict(get_global("territory_zones"))

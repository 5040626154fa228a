"""The calendar of a stretch of epoch days as arrays: weekday, place in the month, and whether it is a holiday."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from duecourse.core.calendar import day_of_month, days_to_month_end, from_epoch_day, holiday_days, weekday
from duecourse.science.timing.facts import Facts, TextArray

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class CalendarDays:
    """Look-up arrays for the days first..first + n - 1; ``at(day)`` gives positions in them."""

    first: int
    weekday: IntArray
    day_of_month: IntArray
    to_month_end: IntArray
    holiday: npt.NDArray[np.bool_]

    def at(self, day: IntArray) -> IntArray:
        """Positions of epoch days, held inside the stretch."""
        result: IntArray = np.clip(day - self.first, 0, len(self.weekday) - 1)
        return result


def calendar_days(first: int, last: int, country: str) -> CalendarDays:
    """The calendar from ``first`` to ``last`` inclusive, with the holidays of a country ("" for none)."""
    days = np.arange(first, last + 1, dtype=np.int64)
    return CalendarDays(
        first,
        weekday(days),
        day_of_month(days),
        days_to_month_end(days),
        np.isin(days, book_holidays(country, first, last)),
    )


# Whose holidays a book without customer countries keeps: the country whose money it is. Money that several countries
# share has none.
_CURRENCY_COUNTRY = {
    "AUD": "AU", "BRL": "BR", "CAD": "CA", "CHF": "CH", "CNY": "CN", "CZK": "CZ", "DKK": "DK", "GBP": "GB", "HUF": "HU",
    "INR": "IN", "JPY": "JP", "MXN": "MX", "NOK": "NO", "NZD": "NZ", "PLN": "PL", "SEK": "SE", "SGD": "SG", "TRY": "TR",
    "USD": "US", "ZAR": "ZA",
}  # fmt: skip


def book_country(facts: Facts) -> str:
    """The country (ISO alpha-2) of most invoices' customers, else that of most invoices' currency; "" if none."""
    of_customer = _most_common(facts.country[facts.customer]) if len(facts) else ""
    return of_customer or _CURRENCY_COUNTRY.get(_most_common(facts.currency), "")


def book_holidays(country: str, first: int, last: int) -> IntArray:
    """Epoch days of the country's nation-wide holidays from ``first`` to ``last``; none for an unknown country."""
    if not country:
        return np.empty(0, dtype=np.int64)
    return np.asarray(holiday_days(country, from_epoch_day(first), from_epoch_day(last)), dtype=np.int64)


def _most_common(texts: TextArray) -> str:
    """The most common text that is not empty; of equally common ones the first in the alphabet."""
    names, counts = np.unique(np.array([text for text in texts if text], dtype=str), return_counts=True)
    return str(names[counts.argmax()]) if len(names) else ""

"""What a key of a scenario file may hold: one check per sort of value, each with its expectation in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from duecourse.core.money import CURRENCIES
from duecourse.science.forecast.scenarios.steps import Customers

Check = Callable[[Any], Any]
_LONGEST_TEXT = 200
EVERYBODY = "all"


@dataclass(frozen=True)
class Key:
    """One key of a table: what its value must be in words, what checks it, and whether it may be left out.

    ``check`` gives the value or raises ValueError or TypeError.
    """

    expected: str
    check: Check
    required: bool = True

    def optional(self) -> Key:
        """The same key where it may be left out."""
        return Key(self.expected, self.check, required=False)


def text(value: object) -> str:
    """Text that is not empty and not longer than 200 characters, without the spaces around it."""
    if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST_TEXT:
        raise ValueError
    return value.strip()


def texts(value: object) -> tuple[str, ...]:
    """A list of different texts, at least one."""
    if not isinstance(value, list) or not value:
        raise ValueError
    found = tuple(text(one) for one in value)
    if len(set(found)) < len(found):
        raise ValueError
    return found


def customers(value: object) -> Customers:
    """The word ``all``, or a list of ids and names."""
    return Customers() if value == EVERYBODY else Customers(names=texts(value))


def flag(value: object) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise TypeError
    return value


def day(value: object) -> date:
    """A TOML date without a time, of a year that a forecast can mean."""
    if not isinstance(value, date) or isinstance(value, datetime):
        raise TypeError
    if not 1990 <= value.year <= 2199:
        raise ValueError
    return value


def number(value: object) -> float:
    """An integer or a decimal number that is finite."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise TypeError
    if isinstance(value, Decimal) and not value.is_finite():
        raise ValueError
    return float(value)


def positive_amount(value: object) -> Decimal:
    """A decimal amount above 0, exact as it is written."""
    number(value)
    amount = Decimal(value)  # type: ignore[arg-type]  # ``number`` lets only int and Decimal pass
    if amount <= 0:
        raise ValueError
    return amount


def currency(value: object) -> str:
    """An ISO 4217 code."""
    if value not in CURRENCIES:
        raise ValueError
    return str(value)


def between(low: float, high: float) -> Check:
    """A number from ``low`` to ``high``."""

    def check(value: object) -> float:
        found = number(value)
        if not low <= found <= high:
            raise ValueError
        return found

    return check


def whole(low: int, high: int) -> Check:
    """A whole number from ``low`` to ``high``."""

    def check(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError
        return value

    return check


def one_of(*words: str) -> Check:
    """One of these words."""

    def check(value: object) -> str:
        if value not in words:
            raise ValueError
        return str(value)

    return check


def share_range(value: object) -> tuple[float, float]:
    """One share 0..1, or a list of the lowest and the highest."""
    ends = value if isinstance(value, list) else [value, value]
    low, high = (between(0, 1)(end) for end in ends)
    if low > high:
        raise ValueError
    return low, high


def tables(value: object) -> list[Any]:
    """A list of tables, at least one."""
    if not isinstance(value, list) or not value:
        raise ValueError
    return value

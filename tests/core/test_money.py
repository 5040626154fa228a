from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duecourse.core.money import CURRENCIES, Money, exponent, from_minor, to_minor


@pytest.mark.parametrize(("currency", "digits"), [("USD", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("AFN", 2)])
def test_exponents_are_those_of_the_standard(currency: str, digits: int) -> None:
    assert exponent(currency) == digits


def test_unknown_currency() -> None:
    with pytest.raises(ValueError, match="'usd' is not an ISO 4217"):
        exponent("usd")


@given(st.integers(-(10**15), 10**15), st.sampled_from(sorted(CURRENCIES)))
def test_minor_units_survive_the_decimal_form(minor: int, currency: str) -> None:
    assert to_minor(from_minor(minor, currency), currency) == minor


def test_more_decimals_than_the_currency_has() -> None:
    with pytest.raises(ValueError, match="more decimals than JPY has"):
        to_minor(Decimal("1.5"), "JPY")


def test_float_noise_of_exports_is_no_decimal() -> None:
    assert to_minor(Decimal("31270.609999997"), "USD") == 3127061


def test_two_currencies_are_never_added() -> None:
    with pytest.raises(ValueError, match="cannot add EUR to USD"):
        Money(1, "USD") + Money(1, "EUR")


def test_parse_and_format() -> None:
    assert Money.parse("1234.50", "USD") == Money(123450, "USD")
    assert Money(123450, "USD").format() == "$1,234.50"
    assert Money(1234567, "JPY").format() == "¥1,234,567"
    assert "1,234.567" in Money(1234567, "KWD").format()
    with pytest.raises(ValueError, match="'abc' is not a decimal number"):
        Money.parse("abc", "USD")

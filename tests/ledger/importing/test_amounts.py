"""Amounts become exact minor units or a fault; nothing is off by a cent and no mark is guessed without proof."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duecourse.core.money import exponent
from duecourse.ledger.importing.amounts import as_minor, currency_codes, find_decimal_mark, split_amounts


def minor(text: str, mark: str = "point", currency: str = "USD") -> tuple[int | None, bool]:
    frame = as_minor(split_amounts("a", pl.Series([text])), mark, pl.Series([currency]))  # type: ignore[arg-type]
    value, fault, _ = frame.row(0)
    return value, fault is not None


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("1,234.50", 123450),
        ("(1,234.50)", -123450),
        ("1,234.50-", -123450),
        ("-5", -500),
        ("\u2212 5", -500),
        ("$1,234", 123400),
        ("US$ 5.10", 510),
        ("1,234.00 CR", -123400),
        ("1,234.00DR", 123400),
        ("31270.609999999997", 3127061),
        (".5", 50),
        ("5 USD", 500),
        ("1'234.50", 123450),
        ("1\u202f234.50", 123450),
        ("-$5.00", -500),
        ("($5.00)", -500),
        ("99999999999999.99", 9999999999999999),
        ("\x0112.5", 1250),
        ("0.29", 29),
        ("1.15", 115),
    ],
)
def test_signs_marks_and_symbols(text: str, cents: int) -> None:
    assert minor(text) == (cents, False)


@pytest.mark.parametrize(
    "text", ["abc", "1e5", "12.345", "1.234.567,89", "1,23.4", "10 00 0x", "100000000000000", "--"]
)
def test_what_is_no_amount_is_a_fault(text: str) -> None:
    value, fault = minor(text)
    assert (value, fault) == (None, text != "--")  # two dashes are a way to write nothing


def test_currencies_have_their_own_decimals() -> None:
    assert minor("1,500", currency="JPY") == (1500, False)
    assert minor("1.5", currency="JPY") == (None, True)
    assert minor("1.234", currency="KWD") == (1234, False)


def test_computed_spreadsheet_numbers_are_rounded_half_to_even_and_counted() -> None:
    column = split_amounts("a", pl.Series(["\x010.142857142", "\x0110.00500000001", "\x011.234"]))
    frame = as_minor(column, "point", pl.Series(["USD"] * 3))
    assert frame.get_column("minor").to_list() == [14, 1001, None]
    assert frame.get_column("rounded").to_list() == [True, True, False]


def _mark(texts: list[str], currencies: list[str]) -> tuple[str, bool]:
    found = find_decimal_mark([split_amounts("a", pl.Series(texts))], currencies)
    return found.mark, found.question is not None


def test_decimal_mark_by_evidence() -> None:
    assert _mark(["1.234,50", "7,00"], ["EUR"]) == ("comma", False)
    assert _mark(["1,234.50", "7.00"], ["EUR"]) == ("point", False)
    assert _mark(["1,234", "900"], ["USD"]) == ("point", False)  # USD has no three decimals
    assert _mark(["1.234", "900"], ["EUR"]) == ("comma", False)
    assert _mark(["1,234", "900"], ["KWD"])[1]  # KWD has: ask
    assert _mark(["1,50", "1.50"], ["EUR"])[1]
    assert _mark(["100", "20"], []) == ("point", False)


def test_currency_names_and_codes() -> None:
    texts = pl.Series(["usd", "US Dollar", "€", "XYZ", None, "Euro (EUR)"])
    assert currency_codes(texts).to_list() == ["USD", "USD", "EUR", "XYZ", None, "EUR"]


@settings(deadline=None, max_examples=40)
@given(st.integers(-(10**15), 10**15), st.sampled_from(["USD", "JPY", "KWD"]), st.sampled_from(["point", "comma"]))
def test_every_amount_survives_being_written_and_read(value: int, currency: str, mark: str) -> None:
    places = exponent(currency)
    whole, part = divmod(abs(value), 10**places)
    text = f"{whole:,}" + (f".{part:0{places}d}" if places else "")
    if mark == "comma":
        text = text.translate(str.maketrans(",.", ".,"))
    got = minor(("-" if value < 0 else "") + text, mark, currency)
    assert got == ((value, False) if whole < 10**14 else (None, True))

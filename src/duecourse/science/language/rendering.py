"""How facts look in a message: amounts, dates and the table of invoices, as the customer's locale writes them."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from babel.dates import format_date
from babel.numbers import format_percent

from duecourse.core.money import Money
from duecourse.science.language.facts import MessageFacts


def written_date(day: date, locale: str) -> str:
    """The date in words, such as "31 May 2026"."""
    return str(format_date(day, "long", locale=locale))


def table_date(day: date, locale: str) -> str:
    """The short form that stands in a table."""
    return str(format_date(day, "medium", locale=locale))


def written_amounts(amounts: Sequence[Money], locale: str, conjunction: str) -> str:
    """Amounts of several currencies joined by "and"; never added across currencies."""
    written = [amount.format(locale) for amount in amounts]
    return written[0] if len(written) == 1 else f"{', '.join(written[:-1])} {conjunction} {written[-1]}"


def written_percent(percent: float, locale: str) -> str:
    """A percentage with the digits that it has, such as "2.5%"."""
    return str(format_percent(Decimal(str(percent)) / 100, locale=locale, decimal_quantization=False))


def invoice_table(facts: MessageFacts, words: Mapping[str, str]) -> str:
    """Every invoice on one line, aligned, with a total per currency where there is more than one line."""
    rows = [(words["invoice"], words["issued"], words["due"], words["amount"])]
    rows += [
        (line.invoice_id, table_date(line.issued_on, facts.locale), table_date(line.due_on, facts.locale),
         line.asked.format(facts.locale))
        for line in facts.lines
    ]  # fmt: skip
    if len(facts.lines) > 1:
        rows += [(words["total"], "", "", total.format(facts.locale)) for total in facts.total]
    widths = [max(_width(row[column]) for row in rows) for column in range(4)]
    return "\n".join(
        "  ".join(
            _pad(cell, widths[column], right=column == 3) for column, cell in enumerate(row)
        ).rstrip()
        for row in rows
    )  # fmt: skip


def _width(text: str) -> int:
    """Columns that the text takes in a fixed-width font: wide East Asian characters two, combining marks none."""
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(unicodedata.combining(char) > 0 for char in text)


def _pad(text: str, width: int, *, right: bool) -> str:
    space = " " * (width - _width(text))
    return space + text if right else text + space

"""``Statement``: the lines of one account and month between two balances; ``statements`` cuts bank lines into them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from duecourse.science.simulate.telling.statements.bank_lines import opening_minor


@dataclass(frozen=True)
class Statement:
    """One account in one month: opening + lines = closing, minor units; lines are rows of ``bank_lines``."""

    entity_id: str
    account: str
    currency: str
    number: int
    first: date
    last: date
    opening: int
    lines: tuple[Mapping[str, Any], ...]

    @property
    def closing(self) -> int:
        """Balance after the last line, minor units."""
        return self.opening + sum(int(line["amount_minor"]) for line in self.lines)

    @property
    def name(self) -> str:
        """Name of its files without ending, such as ``HL-DE-2025-03``."""
        return f"{self.entity_id}-{self.first:%Y-%m}"


def statements(lines: pl.DataFrame, since: date) -> Iterator[Statement]:
    """The statements of all accounts for the months from that of ``since`` on, each account by itself, in order."""
    for own in lines.partition_by("account", maintain_order=True):
        currency, balance = own["currency"][0], opening_minor(own["currency"][0])
        months = own.with_columns(pl.col("booked_on").dt.month_start().alias("month"))
        for number, month in enumerate(months.partition_by("month", maintain_order=True), start=1):
            first, last = month["month"][0], month["booked_on"].dt.month_end()[0]
            one = Statement(own["entity_id"][0], own["account"][0], currency, number, first, last, balance,
                            tuple(month.iter_rows(named=True)))  # fmt: skip
            balance = one.closing
            if first >= since.replace(day=1):
                yield one


def decimal(minor: int, mark: str = ".") -> str:
    """An unsigned amount with two decimals."""
    return f"{abs(minor) // 100}{mark}{abs(minor) % 100:02d}"

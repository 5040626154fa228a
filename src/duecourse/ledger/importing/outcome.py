"""What an import is asked for and what it gives back: options, guesses, questions, problems, and the result itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import polars as pl

from duecourse.core.errors import BadInput, Problem
from duecourse.ledger.as_of import Ledger

if TYPE_CHECKING:
    from duecourse.ledger.importing.maps import ColumnMap

DateOrder = Literal["dmy", "mdy", "ymd"]
DecimalMark = Literal["point", "comma"]

# One line per refused, doubled or left-out row. ``what`` is refused / duplicate / left_out.
PROBLEM_SCHEMA: Mapping[str, type[pl.DataType]] = {
    "what": pl.String, "file": pl.String, "row": pl.Int64, "column": pl.String,
    "value": pl.String, "expected": pl.String, "cure": pl.String,
}  # fmt: skip
MAX_PROBLEM_OBJECTS = 1000


@dataclass(frozen=True, slots=True)
class Guess:
    """One thing the file does not say outright: what was taken, why, and how to say it differently."""

    subject: str
    taken: str
    why: str
    change: str = ""

    def __str__(self) -> str:
        change = f"; to change: {self.change}" if self.change else ""
        return f"{self.subject}: {self.taken} ({self.why}{change})"


class NeedsAnswer(BadInput):
    """The file can be read in two ways that differ in money or dates; a person must say which. Nothing was written."""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What a person may settle beforehand; None means: find it in the file, or stop and ask.

    ``constants`` gives one value to a field for every row (``{"currency": "EUR"}``) and wins over the file's columns
    only where they are blank. ``exported_on`` is the day the export was made; ``confirmed_names`` is an edited
    ``customer_name_proposals.csv``.
    """

    skip_bad_rows: bool = False
    currency: str | None = None
    date_order: DateOrder | None = None
    decimal: DecimalMark | None = None
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    default_terms: int | None = None
    exported_on: date | None = None
    constants: Mapping[str, str] = field(default_factory=dict)
    confirmed_names: Path | None = None


@dataclass(frozen=True, slots=True)
class FileCount:
    """Where the rows of one file went; accepted + refused + duplicates + left_out = rows."""

    file: str
    rows_are: str
    rows: int
    accepted: int
    refused: int
    duplicates: int
    left_out: int


@dataclass(frozen=True)
class ImportResult:
    """A ledger read from exports, with everything that was guessed, refused or left out on the way.

    ``problem_table`` has the columns of ``PROBLEM_SCHEMA``, one row for each row of the files that is not in the
    ledger; ``name_proposals`` the columns of ``names.PROPOSAL_SCHEMA``.
    """

    ledger: Ledger
    column_map: ColumnMap
    guesses: tuple[Guess, ...]
    problem_table: pl.DataFrame
    name_proposals: pl.DataFrame
    files: tuple[FileCount, ...]

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """The refused rows as problems, the first 1,000; ``problem_table`` has all of them."""
        return as_problems(self.problem_table.filter(pl.col("what") == "refused"))


def problem_frame() -> pl.DataFrame:
    """A problem table without rows."""
    return pl.DataFrame(schema=PROBLEM_SCHEMA)


def as_problems(table: pl.DataFrame, limit: int = MAX_PROBLEM_OBJECTS) -> tuple[Problem, ...]:
    """The first ``limit`` rows of a problem table as ``Problem`` values."""
    return tuple(
        Problem(row["file"], row["row"], row["column"], row["value"], row["expected"], row["cure"] or "")
        for row in table.head(limit).iter_rows(named=True)
    )

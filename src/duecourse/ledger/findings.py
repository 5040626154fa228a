"""What a check found in one column of one table: the offending rows, and how to say it to a person.

Frames that are being checked carry their row number in the file in the column ``ROW`` (header = row 1).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from duecourse.core.errors import Problem

ROW = "row_in_file"
VALUE = "value_as_read"
EXPECTED = "expected_here"
MOST_PER_FINDING = 1_000  # problems.csv holds the worst 1,000; more objects would only fill memory
LONGEST_VALUE = 200


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that rows of one column break: ``rows`` has ROW, VALUE (what was found) and EXPECTED, both text."""

    table: str
    column: str | None
    cure: str
    rows: pl.DataFrame

    def problems(self, file: str) -> list[Problem]:
        """The first 1,000 offending rows as problems; a last one says how many more there are."""
        shown = self.rows.sort(ROW).head(MOST_PER_FINDING)
        found = [
            Problem(file, row, self.column, None if value is None else value[:LONGEST_VALUE], expected, self.cure)
            for row, value, expected in shown.select(ROW, VALUE, EXPECTED).iter_rows()
        ]
        more = self.rows.height - shown.height
        if more:
            found.append(Problem(file, None, self.column, f"{more} more rows", found[0].expected, self.cure))
        return found


def finding(
    frame: pl.DataFrame,
    broken: pl.Expr,
    value: pl.Expr,
    *,
    table: str,
    column: str | None,
    expected: str | pl.Expr,
    cure: str = "",
) -> list[Finding]:
    """The finding of the rows of ``frame`` where ``broken`` is true, as a list of one; an empty list when none is."""
    wanted = pl.lit(expected) if isinstance(expected, str) else expected
    rows = frame.filter(broken).select(ROW, value.cast(pl.String).alias(VALUE), wanted.alias(EXPECTED))
    return [Finding(table, column, cure, rows)] if rows.height else []


def without(frames: Mapping[str, pl.DataFrame], findings: Iterable[Finding]) -> dict[str, pl.DataFrame]:
    """``frames`` without the rows that the findings name."""
    result = dict(frames)
    for found in findings:
        result[found.table] = result[found.table].filter(~pl.col(ROW).is_in(found.rows.get_column(ROW).implode()))
    return result

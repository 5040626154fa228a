"""Strict reading of one file outside a ledger directory that has a declared table, such as a list of rates."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl

from duecourse.core.errors import BadInput, Problem
from duecourse.ledger.cells import read_cells
from duecourse.ledger.findings import ROW, Finding
from duecourse.ledger.rawfiles import read_raw
from duecourse.ledger.schema import Table

Check = Callable[[pl.DataFrame], list[Finding]]


def read_single_table(path: Path, table: Table, check: Check) -> pl.DataFrame:
    """The rows of a CSV or Parquet file in the types of ``table``, absent columns null, with ROW (header = row 1).

    ``check`` looks at the rows whose cells are right. Raises BadInput with all problems found, row by row; an unknown
    column is a problem, because a misspelt optional one would be ignored.
    """
    if not path.is_file():
        expected = f"a CSV file with the columns {', '.join(column.name for column in table.columns)}"
        raise BadInput(f"There is no file {path}.", (Problem(str(path), None, None, None, expected),))
    raw = read_raw(path, table.name)
    if raw.frame is None:
        raise _bad(path, raw.problems)
    problems = _column_problems(path, table, raw.frame)
    if problems:
        raise _bad(path, problems)
    typed, findings, problems = read_cells(table, raw.frame, path.name)
    if problems:
        raise _bad(path, problems)
    complete = typed.with_columns(
        pl.lit(None, dtype=column.dtype).alias(column.name)
        for column in table.columns
        if column.name not in typed.columns
    )
    findings = [*raw.findings, *findings] or check(complete)
    if findings:
        raise _bad(path, [problem for found in findings for problem in found.problems(path.name)])
    return complete.select(ROW, *(column.name for column in table.columns))


def _column_problems(path: Path, table: Table, raw: pl.DataFrame) -> list[Problem]:
    given = [name for name in raw.columns if name != ROW]
    absent = [column.name for column in table.columns if column.required and column.name not in given]
    unknown = [name for name in given if name not in table.by_name]
    known = ", ".join(column.name for column in table.columns)
    return [
        *(Problem(path.name, 1, name, ", ".join(given)[:200], f"a column named {name}", "add it") for name in absent),
        *(Problem(path.name, 1, name, name, f"one of the columns {known}", "rename or delete it") for name in unknown),
    ]


def _bad(path: Path, problems: list[Problem]) -> BadInput:
    count = f"{len(problems):,} problem{'s' if len(problems) > 1 else ''}"
    return BadInput(f"The file {path} cannot be used: {count}.", tuple(problems))

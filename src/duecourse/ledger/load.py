"""Strict reading of a ledger directory: one CSV or Parquet file per table, every problem with file, row and cure.

Any other form (other headers, decimals, locales, spreadsheets) is the work of ``ledger.importing``, which writes this
one. Only ``invoices`` is required. Unknown columns are kept, unknown files are left alone; both are reported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from duecourse.core.errors import BadInput, Problem
from duecourse.ledger.as_of import Ledger, with_recorded_at
from duecourse.ledger.cells import read_cells
from duecourse.ledger.checks import duplicates, link_findings, money_findings, row_findings
from duecourse.ledger.findings import ROW, Finding, without
from duecourse.ledger.rawfiles import read_raw
from duecourse.ledger.schema import TABLES, Table

SUFFIXES = (".csv", ".parquet")


@dataclass(frozen=True)
class LoadedLedger:
    """A ledger and what was noticed while it was read.

    ``problems`` is empty unless bad rows were skipped; ``skipped_rows`` counts those per table, exactly.
    ``unknown_columns`` (table -> names) are in the ledger's frames: text from CSV, in their own type from Parquet.
    """

    ledger: Ledger
    problems: tuple[Problem, ...] = ()
    unknown_columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unknown_files: tuple[str, ...] = ()
    skipped_rows: Mapping[str, int] = field(default_factory=dict)


def load_ledger(path: Path, *, skip_bad_rows: bool = False) -> LoadedLedger:
    """The ledger in directory ``path``.

    Raises BadInput with all problems found, in the order files, columns, cells, rows, links, money. With
    ``skip_bad_rows`` a row that has a problem is left out, with what depends on it, and the problems are returned; what
    is wrong with a whole file or column (missing, unreadable, wrong type) raises all the same.
    """
    files, unknown_files, problems = _find_tables(path)
    found = _Found(files)
    for name in files:
        problems += found.read(TABLES[name])
    if problems and (skip_bad_rows or not found.frames):
        raise _bad(path, problems + found.problems())
    found.check(cascade=skip_bad_rows)
    problems += found.problems()
    if problems and not skip_bad_rows:
        raise _bad(path, problems)
    frames = {name: frame.drop(ROW) for name, frame in found.frames.items()}
    unknown = {
        name: tuple(column for column in frame.columns if column not in TABLES[name].by_name)
        for name, frame in frames.items()
    }
    return LoadedLedger(
        Ledger.from_frames(frames),
        tuple(problems),
        {name: columns for name, columns in unknown.items() if columns},
        unknown_files,
        found.skipped_rows(),
    )


def _bad(path: Path, problems: list[Problem]) -> BadInput:
    count = f"{len(problems):,} problem{'s' if len(problems) > 1 else ''}"
    return BadInput(f"The ledger {path} cannot be used: {count}.", tuple(problems))


def _find_tables(path: Path) -> tuple[dict[str, Path], tuple[str, ...], list[Problem]]:
    """File of each table in the order of the schema, names of other files, and problems of the directory."""
    if not path.is_dir():
        expected = "a ledger directory with one CSV or Parquet file per table"
        raise BadInput(f"There is no ledger at {path}.", (Problem(str(path), None, None, None, expected),))
    entries = sorted(path.iterdir())
    files: dict[str, Path] = {}
    problems = []
    for name in TABLES:
        forms = [entry for entry in entries if entry.stem == name and entry.suffix in SUFFIXES and entry.is_file()]
        if len(forms) > 1:
            both = " and ".join(form.name for form in forms)
            problems.append(Problem(path.name, None, None, both, f"one file for {name}", "remove one of the two"))
        elif forms:
            files[name] = forms[0]
    if "invoices" not in files and not problems:
        cure = "write the table, or import an export with `duecourse import`"
        problems.append(Problem(path.name, None, None, None, "a file invoices.csv or invoices.parquet", cure))
    known = {f"{name}{suffix}" for name in TABLES for suffix in SUFFIXES}
    unknown = tuple(entry.name for entry in entries if entry.name not in known and not entry.name.startswith("."))
    return files, unknown, problems


class _Found:
    """What the files held so far: ``frames`` that still stand, and the findings that took rows out of them."""

    def __init__(self, files: Mapping[str, Path]) -> None:
        self.files = files
        self.frames: dict[str, pl.DataFrame] = {}
        self.findings: list[Finding] = []
        self.all_keys: dict[str, pl.DataFrame] = {}

    def read(self, table: Table) -> list[Problem]:
        """Read the file of one table; gives the problems that concern all of it."""
        file = self.files[table.name]
        raw = read_raw(file, table.name)
        if raw.frame is None:
            return raw.problems
        absent = [column.name for column in table.columns if column.required and column.name not in raw.frame.columns]
        if absent:
            given = ", ".join(column for column in raw.frame.columns if column != ROW)
            return [
                Problem(file.name, 1, column, given[:200], f"a column named {column}", "add the column or rename yours")
                for column in absent
            ]
        typed, misfits, problems = read_cells(table, raw.frame, file.name)
        if problems:
            return problems
        self.all_keys[table.name] = typed.select(table.key)
        self.frames[table.name] = typed.with_columns(
            pl.lit(None, dtype=column.dtype).alias(column.name)
            for column in table.columns
            if column.name not in typed.columns
        )
        self.findings += raw.findings
        self._take_out(misfits)
        return []

    def check(self, *, cascade: bool) -> None:
        """Run the checks in stages, each on what the one before left.

        With ``cascade``, what depends on a row that was taken out is taken out too; without it, such rows are not
        reported, because mending the row they depend on mends them.
        """
        for name in list(self.frames):
            self._take_out(row_findings(TABLES[name], self.frames[name]))
            if "recorded_at" in self.frames[name].columns:
                self.frames[name] = with_recorded_at(self.frames[name], TABLES[name])
                self._take_out(duplicates(TABLES[name], self.frames[name]))
        self._take_out(link_findings(self.frames, self.frames if cascade else self.all_keys))
        findings = money_findings(self.frames)
        self._take_out(findings)
        while findings and cascade:  # without its newest version, an older one of the same allocation counts
            findings = money_findings(self.frames)
            self._take_out(findings)

    def _take_out(self, findings: list[Finding]) -> None:
        self.findings += findings
        self.frames = without(self.frames, findings)

    def problems(self) -> list[Problem]:
        """All findings as problems, with the names of the files."""
        return [problem for found in self.findings for problem in found.problems(self.files[found.table].name)]

    def skipped_rows(self) -> dict[str, int]:
        """Rows that were taken out, per table; a row with several problems counts once."""
        rows: dict[str, pl.DataFrame] = {}
        for found in self.findings:
            taken = found.rows.select(pl.col(ROW).cast(pl.UInt64))
            rows[found.table] = (
                pl.concat([rows[found.table], taken]).unique() if found.table in rows else taken.unique()
            )
        return {name: frame.height for name, frame in rows.items()}

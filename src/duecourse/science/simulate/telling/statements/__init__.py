"""Bank statements of a told ledger: one truth as camt.053, MT940, BAI2 and CSV files."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import polars as pl

from duecourse.science.simulate.telling.keyed import Luck
from duecourse.science.simulate.telling.statements.bai2 import bai2
from duecourse.science.simulate.telling.statements.bank_lines import bank_lines
from duecourse.science.simulate.telling.statements.camt import camt053
from duecourse.science.simulate.telling.statements.csv_export import csv_export
from duecourse.science.simulate.telling.statements.mt940 import mt940
from duecourse.science.simulate.telling.statements.statement import Statement, statements

FORMATS = {"camt053": (camt053, "xml"), "mt940": (mt940, "sta"), "bai2": (bai2, "bai"), "csv": (csv_export, "csv")}

__all__ = ["FORMATS", "Statement", "bai2", "bank_files", "bank_lines", "camt053", "csv_export", "mt940", "statements"]


def bank_files(
    payments: pl.DataFrame, seed: int, *, since: date, until: date
) -> tuple[pl.DataFrame, Iterator[tuple[str, str]]]:
    """The bank lines before ``until`` (with their truth), and (path, content) of the files from ``since``'s month on.

    ``payments`` is the told table. The path is ``format/ENTITY-YYYY-MM.ending``.
    """
    lines = bank_lines(payments, Luck(seed), until)
    files = (
        (f"{name}/{one.name}.{ending}", render(one))
        for one in statements(lines, since)
        for name, (render, ending) in FORMATS.items()
    )
    return lines, files

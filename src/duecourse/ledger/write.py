"""Writing a ledger directory: exact, deterministic, and never half-written.

The files are for machines: cells are written as they are, without the quote that keeps a spreadsheet from running a
cell that begins with ``=``. Tables meant for people (worklists, scores) are written elsewhere.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Literal

import polars as pl

from duecourse.core.errors import BadInput, Problem, UsageError
from duecourse.ledger.as_of import Ledger
from duecourse.ledger.schema import TABLES, Table

Format = Literal["parquet", "csv"]


def write_ledger(ledger: Ledger, path: Path, format: Format = "parquet") -> None:  # noqa: A002 - the word users know
    """Write ``ledger`` as a new directory ``path``, one file per table that has rows, and always ``invoices``.

    Columns without any value are left out. The same ledger gives the same bytes. All is written beside ``path`` under
    a temporary name and renamed at the end. Reading it back gives equal frames; an empty text or list is no value, and
    from CSV unknown columns come back as text. Raises UsageError when ``path`` exists, and BadInput for a list of text
    whose parts hold the separator ``;``.
    """
    if path.exists():
        raise UsageError(f"{path} already exists: expected a directory to create")
    path.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    try:
        for name, table in TABLES.items():
            frame = ledger.table(name)
            if frame.height or name == "invoices":
                _write_table(frame, table, work, format)
        work.chmod(0o755)  # mkdtemp makes it private
        work.rename(path)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise


def _write_table(frame: pl.DataFrame, table: Table, directory: Path, file_format: Format) -> None:
    filled = frame.with_columns(_no_empty(name, dtype) for name, dtype in frame.schema.items() if _may_be_empty(dtype))
    required = {column.name for column in table.columns if column.required}
    frame = filled.select(
        column for column in filled.columns if column in required or filled[column].null_count() < filled.height
    )
    if file_format == "parquet":
        frame.write_parquet(directory / f"{table.name}.parquet", compression="zstd", statistics=True)
        return
    lists = [name for name, dtype in frame.schema.items() if dtype == pl.List(pl.String)]
    for name in lists:
        _refuse_separator(frame, table, name)
    frame.select(_as_text(name, dtype) for name, dtype in frame.schema.items()).write_csv(
        directory / f"{table.name}.csv"
    )


def _may_be_empty(dtype: pl.DataType) -> bool:
    return dtype in (pl.String, pl.List)


def _no_empty(name: str, dtype: pl.DataType) -> pl.Expr:
    cell = pl.col(name)
    filled = cell.list.len() > 0 if isinstance(dtype, pl.List) else cell != ""
    return pl.when(filled).then(cell).alias(name)


def _refuse_separator(frame: pl.DataFrame, table: Table, name: str) -> None:
    parts = frame.select(*table.key, name).explode(name).filter(
        pl.col(name).str.contains(";", literal=True) | (pl.col(name) == "")
    )  # fmt: skip
    if parts.height:
        value = parts.get_column(name)[0]
        problem = Problem(f"{table.name}.csv", None, name, value, "parts of a list without ;", "write Parquet instead")
        raise BadInput(f"The table {table.name} cannot be written as CSV.", (problem,))


def _as_text(name: str, dtype: pl.DataType) -> pl.Expr:
    """One column in the form of a CSV cell; text of unknown columns is whatever Polars writes for their type."""
    cell = pl.col(name)
    if isinstance(dtype, pl.List):
        return cell.cast(pl.List(pl.String)).list.join(";")
    if isinstance(dtype, pl.Struct):
        return cell.struct.json_encode()
    if isinstance(dtype, pl.Datetime):
        return (
            pl.when(cell.dt.microsecond() == 0)
            .then(cell.dt.strftime("%Y-%m-%dT%H:%M:%SZ"))
            .otherwise(cell.dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ"))
        )
    return cell

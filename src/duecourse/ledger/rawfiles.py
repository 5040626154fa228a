"""The files of a ledger directory as frames of raw columns, each row with its number in the file.

CSV comes as text, Parquet in its own types; ``ledger.cells`` turns both into the types of the schema. Limits: a CSV
file has at most 200 MB, a table at most 1,000 columns and 100 million rows. Parquet has no limit in bytes: it is the
form of large ledgers, and its row count is known before anything is unpacked.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from duecourse.core.errors import Problem
from duecourse.ledger.findings import ROW, Finding, finding

LARGEST_CSV_BYTES = 200_000_000
MOST_COLUMNS = 1_000
MOST_ROWS = 100_000_000
_LONGEST_HEADER_BYTES = 1_000_000
_MARK = "\x02"  # stands for a quoted cell while separators are counted


@dataclass(frozen=True)
class RawTable:
    """What one file holds: ``frame`` with ROW (None when the file cannot be used), bad records, bad files."""

    frame: pl.DataFrame | None
    findings: list[Finding]
    problems: list[Problem]


def read_raw(path: Path, table: str) -> RawTable:
    """The records of one CSV or Parquet file; never raises for what the file holds."""
    if path.suffix == ".parquet":
        return _read_parquet(path)
    size = path.stat().st_size
    if size > LARGEST_CSV_BYTES:
        return _unusable(path, f"{size:,} bytes", f"at most {LARGEST_CSV_BYTES:,} bytes", "write the table as Parquet")
    return _read_csv(path, path.read_bytes(), table)


def _unusable(path: Path, value: str | None, expected: str, cure: str = "", row: int | None = None) -> RawTable:
    return RawTable(None, [], [Problem(path.name, row, None, value, expected, cure)])


def _read_parquet(path: Path) -> RawTable:
    unreadable = "a Parquet file that can be read", "write the file again"
    with path.open("rb") as file:
        if file.read(4) != b"PAR1":
            return _unusable(path, "the file does not begin like Parquet", *unreadable)
    try:
        lazy = pl.scan_parquet(path, glob=False, hive_partitioning=False)
        names = lazy.collect_schema().names()
        rows = lazy.select(pl.len()).collect().item()
        if len(names) > MOST_COLUMNS or rows > MOST_ROWS:
            limit = f"at most {MOST_COLUMNS:,} columns and {MOST_ROWS:,} rows"
            return _unusable(path, f"{len(names):,} columns, {rows:,} rows", limit)
        frame = pl.read_parquet(path, glob=False, hive_partitioning=False)
    except (pl.exceptions.PolarsError, OSError, pl.exceptions.PanicException) as error:
        return _unusable(path, str(error).splitlines()[0], *unreadable)
    if ROW in names:
        return _unusable(path, ROW, f"no column named {ROW}", "rename the column")
    return RawTable(frame.with_row_index(ROW, offset=2), [], [])


def _read_csv(path: Path, data: bytes, table: str) -> RawTable:
    if b"\0" in data:
        return _unusable(path, "a NUL byte", "plain text", "save the file as UTF-8 text", _line_of(data, data.index(0)))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        byte = repr(data[error.start : error.start + 1])
        return _unusable(path, byte, "UTF-8 text", "save the file as UTF-8", _line_of(data, error.start))
    header, problems = _header(path, text)
    if problems:
        return RawTable(None, [], problems)
    records = _records(text)
    if isinstance(records, int):
        cure = 'double every quote inside a cell: ""'
        return _unusable(path, None, "a closing quote for the quote that opens in this row", cure, records)
    bad = _bad_records(records, len(header), table)
    return _parse(path, records, bad, header)


def _line_of(data: bytes, at: int) -> int:
    return data.count(b"\n", 0, at) + 1


def _header(path: Path, text: str) -> tuple[list[str], list[Problem]]:
    """Column names, or what is wrong with them."""

    def wrong(value: str | None, expected: str, cure: str) -> tuple[list[str], list[Problem]]:
        return [], [Problem(path.name, 1, None, value, expected, cure)]

    if not text.strip():
        return wrong("an empty file", "a header row with column names", "write the header even without rows")
    try:
        names = next(csv.reader(io.StringIO(text[:_LONGEST_HEADER_BYTES])), [])
    except csv.Error as error:
        return wrong(str(error), "a header row with column names", "write the names separated by commas")
    if len(names) > MOST_COLUMNS:
        return wrong(f"{len(names):,} columns", f"at most {MOST_COLUMNS:,} columns", "leave out what is not needed")
    for at, name in enumerate(names):
        if not name.strip() or name == ROW:
            return wrong(name, f"a name for column {at + 1}", "name the column or leave it out")
        if name in names[:at]:
            return wrong(name, "each column name once", "rename or leave out one of the two columns")
    return names, []


def _records(text: str) -> pl.DataFrame | int:
    """One row per record: ``ROW`` (header = 1) and ``record`` (its text, line breaks in quotes included).

    A quote that is never closed gives the row number of its record instead.
    """
    lines = pl.DataFrame({"record": pl.Series([text]).str.split("\n").explode()})
    record = pl.col("record").str.strip_suffix("\r")
    if '"' not in text:
        return lines.select(record).with_row_index(ROW, offset=1)
    quotes = pl.col("record").str.count_matches('"', literal=True).cast(pl.Int64)
    counted = lines.with_columns(begins=((quotes.cum_sum() - quotes) % 2) == 0)
    numbered = counted.with_columns(pl.col("begins").cum_sum().alias(ROW))
    if counted.select(quotes.sum()).item() % 2:
        return int(numbered.get_column(ROW)[-1])
    if numbered.get_column("begins").all():
        return numbered.select(ROW, record)
    return numbered.group_by(ROW, maintain_order=True).agg(pl.col("record").str.join("\n")).select(ROW, record)


def _bad_records(records: pl.DataFrame, columns: int, table: str) -> list[Finding]:
    """Records with more or fewer cells than the header, or with a quote in the middle of a cell."""
    record = pl.col("record")
    quoted = record.str.contains('"', literal=True)
    marked = pl.when(quoted).then(record.str.replace_all(r'(?s)"[^"]*"', _MARK)).otherwise(record)
    stray_quote = quoted & (pl.col("marked").str.contains(f"[^,{_MARK}]{_MARK}|{_MARK}[^,{_MARK}]"))
    cells = pl.col("marked").str.count_matches(",", literal=True) + 1
    checked = records.filter(record != "").with_columns(marked.alias("marked"))
    return finding(
        checked, (cells != columns) | stray_quote, record, table=table, column=None,
        expected=f"{columns} cells, as in the header",
        cure="put a cell that holds commas, quotes or line breaks in double quotes, and double the quotes inside it",
    )  # fmt: skip


def _parse(path: Path, records: pl.DataFrame, bad: list[Finding], header: list[str]) -> RawTable:
    good = records.filter(pl.col("record") != "")
    for found in bad:
        good = good.filter(~pl.col(ROW).is_in(found.rows.get_column(ROW).implode()))
    body = good.filter(pl.col(ROW) > 1)
    schema = dict.fromkeys(header, pl.String)
    frame = pl.DataFrame(schema=schema)
    if body.height:
        text = body.get_column("record").str.join("\n").item()
        try:
            frame = pl.read_csv(
                io.BytesIO(text.encode()), has_header=False, schema=schema, infer_schema=False, quote_char='"'
            )
        except pl.exceptions.PolarsError as error:
            return _unusable(path, str(error).splitlines()[0], "comma-separated text with a header row")
    if frame.height != body.height:
        return _unusable(path, f"{frame.height} records", f"{body.height} records", "write the file again")
    numbered = frame.with_columns(body.get_column(ROW))
    blank = pl.all_horizontal(pl.col(header).is_null())  # what spreadsheets leave below the last row
    return RawTable(numbered.filter(~blank), bad, [])

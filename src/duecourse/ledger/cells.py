"""Strict reading of cells: text or typed columns into the types of the schema, with every cell that does not fit.

All of it is vector expressions over whole columns; the rows that are right are never looped over.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from duecourse.core.countries import countries
from duecourse.core.errors import Problem
from duecourse.core.money import CURRENCIES
from duecourse.ledger.findings import ROW, Finding, finding
from duecourse.ledger.schema import DTYPES, Column, Kind, Table

LARGEST_MINOR = 10**15  # ten trillion in a currency with cents; beyond it an amount is a broken cell
LONGEST_CELL_BYTES = 64 * 1024
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2199, 12, 31)

EXPECTED: dict[Kind, str] = {
    "text": "text of at most 64 KB without NUL",
    "date": "a date from 1900 to 2199 written like 2026-11-21",
    "timestamp": "a UTC time written like 2026-11-21T14:05:00Z",
    "minor": "a whole number of minor units, such as 123450 for 1234.50 USD",
    "integer": "a whole number",
    "number": "a number with a decimal point",
    "boolean": "true or false",
    "currency": "an ISO 4217 currency code such as USD",
    "country": "an ISO 3166-1 country code of two letters such as DE",
    "list": "values joined by ; without empty ones",
    "json": "a JSON value",
}
_TEXT_LIKE = (pl.String, pl.Categorical, pl.Enum)
_FITTING: dict[Kind, str] = {
    "text": "text", "currency": "text", "country": "text", "json": "text", "boolean": "boolean or text",
    "date": "date or text", "timestamp": "timestamp or text", "minor": "integer or text", "integer": "integer or text",
    "number": "number or text", "list": "list of text or text",
}  # fmt: skip


def expectation(column: Column) -> str:
    """What a cell of ``column`` must hold, in words."""
    return f"one of {', '.join(column.values)}" if column.values else EXPECTED[column.kind]


def read_cells(table: Table, raw: pl.DataFrame, file: str) -> tuple[pl.DataFrame, list[Finding], list[Problem]]:
    """Typed frame, findings per cell, and problems of whole columns (wrong Parquet type).

    ``raw`` has ROW and any columns, each as text or in a Parquet type. An empty text is no value. Unknown columns are
    kept as they are. Cells that do not fit are null in the typed frame.
    """
    known = [column for column in table.columns if column.name in raw.columns]
    wrong_type = [column for column in known if not _fits(column.kind, raw.schema[column.name])]
    problems = [
        Problem(file, None, column.name, str(raw.schema[column.name]), f"a column of type {_FITTING[column.kind]}",
                "write the column in that type")
        for column in wrong_type
    ]  # fmt: skip
    known = [column for column in known if column not in wrong_type]
    extra = [name for name in raw.columns if name not in table.by_name and name != ROW]
    given = raw.with_columns(_given(column, raw.schema[column.name]).alias(column.name) for column in known)
    typed = given.select(ROW, *(_parsed(column, given.schema[column.name]) for column in known), *extra)
    return typed, _misfits(table.name, known, given, typed), problems


def _misfits(table: str, known: list[Column], given: pl.DataFrame, typed: pl.DataFrame) -> list[Finding]:
    """Cells that hold something which did not parse, and required cells that hold nothing."""
    findings: list[Finding] = []
    for column in known:
        before, after = given.get_column(column.name), typed.get_column(column.name)
        shown = _as_text(column, given.schema[column.name])
        expected = expectation(column)
        if after.null_count() > before.null_count():
            misfits = given.filter(before.is_not_null() & after.is_null())
            findings += finding(misfits, pl.lit(True), shown, table=table, column=column.name, expected=expected)
        if column.required and before.null_count():
            findings += finding(
                given, pl.col(column.name).is_null(), shown, table=table, column=column.name,
                expected=f"{expected}; the column is required", cure="fill the cell",
            )  # fmt: skip
    return findings


def _fits(kind: Kind, dtype: pl.DataType) -> bool:
    """True when a column of ``dtype`` may hold cells of ``kind``; a float never holds money."""
    if dtype in _TEXT_LIKE or dtype == pl.Null:
        return True
    return {
        "boolean": dtype == pl.Boolean,
        "date": dtype in (pl.Date, pl.Datetime),
        "timestamp": dtype in (pl.Date, pl.Datetime),
        "minor": dtype.is_integer(),
        "integer": dtype.is_integer(),
        "number": dtype.is_numeric(),
        "list": dtype == pl.List(pl.String),
    }.get(kind, False)


def _given(column: Column, dtype: pl.DataType) -> pl.Expr:
    """The cells with nothing in them as null: empty text, empty lists."""
    cell = pl.col(column.name)
    if dtype == pl.Null:
        return cell.cast(DTYPES[column.kind])
    if dtype in _TEXT_LIKE:
        text = cell.cast(pl.String)
        return pl.when(text != "").then(text)
    if isinstance(dtype, pl.List):
        return pl.when(cell.list.len() > 0).then(cell)
    return cell


def _as_text(column: Column, dtype: pl.DataType) -> pl.Expr:
    cell = pl.col(column.name)
    return cell.list.join(";") if isinstance(dtype, pl.List) else cell.cast(pl.String, strict=False)


def _parsed(column: Column, dtype: pl.DataType) -> pl.Expr:
    """The cells in the type of the schema; null where they do not fit."""
    cell = pl.col(column.name)
    if dtype == pl.String:
        return _from_text(column, cell).alias(column.name)
    if column.kind in ("minor", "integer"):
        return _bounded(column, cell.cast(pl.Int64, strict=False))
    if column.kind == "number":
        return _finite(cell.cast(pl.Float64, strict=False))
    if column.kind == "date":
        midnight = cell.cast(pl.Datetime("us")).dt.time() == pl.time(0, 0)
        return _in_years(cell.cast(pl.Date) if dtype == pl.Date else pl.when(midnight).then(cell.cast(pl.Date)))
    if column.kind == "timestamp":
        return _in_years(_utc(cell, dtype))
    if column.kind == "list":
        empty_within = cell.list.eval(pl.element().is_null() | (pl.element() == "")).list.any()
        holds_separator = cell.list.eval(pl.element().str.contains(";", literal=True)).list.any()
        return pl.when(~(empty_within | holds_separator)).then(cell)
    return cell


def _utc(cell: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """A date is the start of that day; a time without a zone is UTC, as the contract says of every timestamp."""
    if isinstance(dtype, pl.Datetime) and dtype.time_zone is not None:
        return cell.dt.convert_time_zone("UTC").cast(pl.Datetime("us", "UTC"))
    return cell.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def _from_text(column: Column, text: pl.Expr) -> pl.Expr:
    kind = column.kind
    fits_cell = (text.str.len_bytes() <= LONGEST_CELL_BYTES) & ~text.str.contains("\0", literal=True)
    if column.values:
        return pl.when(text.is_in(column.values)).then(text)
    if kind == "currency":
        return pl.when(text.is_in(sorted(CURRENCIES))).then(text)
    if kind == "country":
        return pl.when(text.is_in(sorted(countries()))).then(text)
    if kind == "date":
        return _in_years(_iso_date(text))
    if kind == "timestamp":
        moment = text.str.strptime(pl.Datetime("us"), "%Y-%m-%dT%H:%M:%S%.fZ", strict=False)
        iso = text.str.contains(r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?Z$")
        return _in_years(
            pl.coalesce(pl.when(iso).then(moment), _iso_date(text).cast(pl.Datetime("us"))).dt.replace_time_zone("UTC")
        )
    if kind in ("minor", "integer"):
        return _bounded(column, text.cast(pl.Int64, strict=False))
    if kind == "number":
        return _finite(text.cast(pl.Float64, strict=False))
    if kind == "boolean":
        return pl.when(text == "true").then(pl.lit(True)).when(text == "false").then(pl.lit(False))
    if kind == "list":
        full = ~(text.str.starts_with(";") | text.str.ends_with(";") | text.str.contains(";;", literal=True))
        return pl.when(full & fits_cell).then(text.str.split(";"))
    if kind == "json":
        return pl.when(fits_cell & text.str.json_path_match("$").is_not_null()).then(text)
    return pl.when(fits_cell).then(text)


def _iso_date(text: pl.Expr) -> pl.Expr:
    ten = pl.when((text.str.len_bytes() == 10) & text.str.contains(r"^\d")).then(text)
    return ten.str.to_date("%Y-%m-%d", strict=False)


def _in_years(day: pl.Expr) -> pl.Expr:
    return pl.when(day.dt.year().is_between(FIRST_DAY.year, LAST_DAY.year)).then(day)


def _bounded(column: Column, number: pl.Expr) -> pl.Expr:
    if column.kind != "minor":
        return number
    return pl.when(number.is_between(-LARGEST_MINOR, LARGEST_MINOR)).then(number)


def _finite(number: pl.Expr) -> pl.Expr:
    return pl.when(number.is_finite()).then(number)

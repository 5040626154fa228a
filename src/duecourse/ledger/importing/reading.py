"""Reads one export file, whatever its form, into a table of texts with its headers and its row numbers.

Nothing is interpreted here. Cells of spreadsheets and Parquet keep a mark of what they were (U+0001 number, U+0002
date), so that later stages need not guess a decimal mark or a date order where none is in doubt.
"""

from __future__ import annotations

import csv
import io
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from duecourse.ledger.importing.encodings import decode
from duecourse.ledger.importing.headers import SCAN_ROWS, header_row, unique_headers
from duecourse.ledger.importing.limits import (
    MAX_CELL_BYTES,
    MAX_COLUMNS,
    MAX_PARQUET_CELLS,
    MEGABYTE,
    check_file,
    refuse,
)
from duecourse.ledger.importing.outcome import Guess, ImportOptions, problem_frame
from duecourse.ledger.importing.sandbox import WorkerFailed, sheet_to_csv

DELIMITERS = (",", ";", "\t", "|")
# Zero-width and direction marks: they change no meaning, but two names that differ in them alone look the same.
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_MAX_HEAD = 4 * MEGABYTE  # where the header and the delimiter are looked for
OVERFLOW = "overflow"
ROW = "\x03row"  # a name that no header can have
NUMBER_MARK, DATE_MARK = "\x01", "\x02"


@dataclass(frozen=True)
class RawTable:
    """One file as texts: ``frame`` has Int64 ``ROW`` (as a spreadsheet counts) and one String column per header.

    ``problems`` (see ``outcome.PROBLEM_SCHEMA``) are rows that are no records: they are not in ``frame``.
    ``rows`` counts all rows below the header that are not blank.
    """

    file: str
    headers: tuple[str, ...]
    frame: pl.DataFrame
    rows: int
    guesses: tuple[Guess, ...] = ()
    problems: pl.DataFrame = field(default_factory=problem_frame)


def read_table(path: Path, options: ImportOptions, known: Callable[[str], bool]) -> RawTable:
    """The table in ``path``. ``known`` says whether a header text is one that exports use.

    Raises BadInput for a file beyond the limits, of another kind, damaged, without header or without records.
    """
    kind = check_file(path)
    if kind == "parquet":
        return _read_parquet(path)
    if kind == "xlsx":
        return _read_workbook(path, options, known)
    try:
        text, guess = decode(path.read_bytes(), options.encoding)
    except (UnicodeError, LookupError) as error:
        raise refuse(path, str(error), "text in the encoding that was named", "--encoding NAME") from None
    guesses = [guess] if guess else []
    if "\x00" in text:
        raise refuse(
            path,
            "a NUL character",
            "plain text",
            "export it again; the file is damaged or binary",
            row=text.count("\n", 0, text.index("\x00")) + 1,
        )
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.isascii():
        text = _INVISIBLE.sub("", text)
    text = text.replace(NUMBER_MARK, "").replace(DATE_MARK, "")  # ours alone; a text file may not forge them
    return _read_text(path, text, options.delimiter, known, guesses)


def _read_text(
    path: Path, text: str, delimiter: str | None, known: Callable[[str], bool], guesses: list[Guess]
) -> RawTable:
    skipped_rows = 0
    if text[:5].lower().startswith("sep=") and "\n" in text:  # a spreadsheet's own hint
        delimiter = delimiter or text[4]
        text, skipped_rows = text.partition("\n")[2], 1
    head = text[:_MAX_HEAD]
    if len(text) > _MAX_HEAD and "\n" not in head:
        raise refuse(path, f"a line of more than {_MAX_HEAD // MEGABYTE} MB", "one line per record", row=1)
    chosen, rows, lines = _split_head(path, head, delimiter)
    if delimiter is None and chosen != ",":
        guesses.append(Guess("delimiter", repr(chosen), "it gives the most even rows", "--delimiter"))
    index = header_row(rows, known)
    if index is None:
        raise refuse(
            path,
            "no row of column names",
            "a header row and at least two columns",
            "export with headers, or name the --delimiter",
        )
    cells = list(rows[index])
    while cells and not cells[-1].strip():
        cells.pop()
    if index:
        guesses.append(Guess("header", f"row {index + 1 + skipped_rows}", f"the {index} rows above it are a preamble"))
    body = text.split("\n", lines[index])[-1] if lines[index] <= text.count("\n") else ""
    frame = _parse_body(path, body, chosen, len(cells), lines[index] + skipped_rows)
    return _finish(path, cells, frame, index + skipped_rows + 1, guesses)


def _split_head(path: Path, head: str, delimiter: str | None) -> tuple[str, list[list[str]], list[int]]:
    """The delimiter, the first rows split by it, and for each the number of physical lines up to its end."""
    best: tuple[float, str, list[list[str]], list[int]] | None = None
    for candidate in (delimiter,) if delimiter else DELIMITERS:
        reader = csv.reader(io.StringIO(head), delimiter=candidate)
        rows: list[list[str]] = []
        lines: list[int] = []
        try:
            for row in reader:
                rows.append(row)
                lines.append(reader.line_num)
                if len(rows) >= 5 * SCAN_ROWS:
                    break
        except csv.Error:
            if not rows:
                continue
        widths = [len(row) for row in rows if any(cell.strip() for cell in row)]
        if not widths:
            continue
        wide = max(widths)
        if wide > MAX_COLUMNS:
            raise refuse(path, f"{wide:,} columns", f"at most {MAX_COLUMNS:,} columns", "export fewer columns")
        usual = max(set(widths), key=lambda width: (widths.count(width) * (width > 1), width))
        score = (usual > 1) * (widths.count(usual) / len(widths) + min(usual, 50) / 100)
        if best is None or score > best[0]:
            best = (score, candidate, rows, lines)
    if best is None:
        raise refuse(path, "no records", "a header row and records", "export it again")
    return best[1], best[2], best[3]


def _parse_body(path: Path, body: str, delimiter: str, width: int, lines_above: int) -> pl.DataFrame:
    """The records as String columns 0..width-1 and ``overflow``, one row per record, blank ones included."""
    names = [str(position) for position in range(width)] + [OVERFLOW]
    if not body:
        return pl.DataFrame(schema=dict.fromkeys(names, pl.String))
    try:
        return pl.read_csv(
            io.BytesIO(body.encode("utf-8", "surrogatepass")),
            has_header=False,
            separator=delimiter,
            schema=dict.fromkeys(names, pl.String),
            extra_columns="ignore",
            missing_columns="insert",
        )
    except (pl.exceptions.PolarsError, UnicodeError):
        return _parse_slowly(path, body, delimiter, names, lines_above)


def _parse_slowly(path: Path, body: str, delimiter: str, names: list[str], lines_above: int) -> pl.DataFrame:
    """The same for text with stray quotation marks, which the fast reader refuses."""
    records: list[list[str | None]] = []
    reader = csv.reader(io.StringIO(body), delimiter=delimiter)
    start = 1
    try:
        for row in reader:
            padded: list[str | None] = [cell or None for cell in row[: len(names)]]
            records.append(padded + [None] * (len(names) - len(padded)))
            if reader.line_num - start > 50 and any(cell and cell.count("\n") > 50 for cell in padded):
                raise csv.Error
            start = reader.line_num + 1
    except csv.Error:
        raise refuse(
            path,
            "a quotation mark that is opened and not closed",
            "quotation marks in pairs",
            "open the file at this line and mend it",
            row=lines_above + start,
        ) from None
    return pl.DataFrame(records, schema=dict.fromkeys(names, pl.String), orient="row")


def _read_workbook(path: Path, options: ImportOptions, known: Callable[[str], bool]) -> RawTable:
    with tempfile.TemporaryDirectory(prefix="duecourse-") as directory:
        target = Path(directory) / "sheet.csv"
        try:
            answer = sheet_to_csv(path, options.sheet, target)
        except WorkerFailed as error:
            raise refuse(path, str(error), "a readable workbook", "save the sheet as CSV and import that") from None
        text = target.read_text(encoding="utf-8", errors="replace")
    guesses = []
    if len(answer["sheets"]) > 1 and not options.sheet:
        why = f"it has the most cells of {len(answer['sheets'])} sheets"
        guesses.append(Guess("sheet", repr(answer["sheet"]), why, "--sheet NAME"))
    if not text.strip(",\n"):
        raise refuse(path, "empty sheets", "a header row and records", "export it again")
    return _read_text(path, text, ",", known, guesses)


def _read_parquet(path: Path) -> RawTable:
    try:
        scan = pl.scan_parquet(path, glob=False, hive_partitioning=False)
        schema = scan.collect_schema()
        rows = scan.select(pl.len()).collect().item()
        if len(schema) > MAX_COLUMNS or rows * max(len(schema), 1) > MAX_PARQUET_CELLS:
            raise refuse(path, f"{rows:,} rows of {len(schema):,} columns", f"at most {MAX_COLUMNS:,} columns")
        frame = scan.collect()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise refuse(path, str(error).split("\n")[0], "a readable Parquet file", "export it again") from None
    texts = []
    for position, (name, dtype) in enumerate(schema.items()):
        column = pl.col(name)
        if dtype.is_numeric():
            column = pl.lit(NUMBER_MARK) + column.cast(pl.String)
        elif dtype == pl.Date:
            column = pl.lit(DATE_MARK) + column.dt.to_string("%Y-%m-%d")
        elif isinstance(dtype, pl.Datetime):
            column = pl.lit(DATE_MARK) + column.dt.to_string("%Y-%m-%d %H:%M:%S")
        elif dtype.is_nested() or dtype == pl.Binary:
            column = pl.lit(None, dtype=pl.String)
        texts.append(column.cast(pl.String).alias(str(position)))
    overflow = pl.lit(None, dtype=pl.String).alias(OVERFLOW)
    return _finish(path, list(schema), frame.select(*texts, overflow), 1, [])


def _finish(path: Path, cells: list[str], frame: pl.DataFrame, header_at: int, guesses: list[Guess]) -> RawTable:
    """Names the columns, numbers the rows, drops blank ones, trims cells, and refuses rows that are too long."""
    if len(cells) > MAX_COLUMNS:
        raise refuse(path, f"{len(cells):,} columns", f"at most {MAX_COLUMNS:,} columns", "export fewer columns")
    headers, doubled = unique_headers(cells)
    if doubled:
        guesses.append(Guess("doubled headers", ", ".join(doubled), "later ones were numbered, the first is preferred"))
    positions = [str(position) for position in range(len(cells))]
    _refuse_huge_cells(path, frame, headers, header_at)
    # Spaces of all widths, zero-width and direction marks around a cell are never part of it.
    trimmed = frame.with_columns(
        pl.col(*positions, OVERFLOW).str.strip_chars(" \t\n\r\u00a0\u2007\u202f\u200b\u200e\u200f\u202a\u202c\ufeff")
    ).with_columns(pl.when(pl.col(name) != "").then(name).alias(name) for name in (*positions, OVERFLOW))
    numbered = trimmed.with_row_index(ROW, offset=header_at + 1).with_columns(pl.col(ROW).cast(pl.Int64))
    records = numbered.filter(pl.any_horizontal(pl.col(*positions, OVERFLOW).is_not_null()))
    if records.height == 0:
        raise refuse(path, "a header and no records", "at least one record", "export it again")
    too_long = records.filter(pl.col(OVERFLOW).is_not_null())
    problems = too_long.select(
        pl.lit("refused").alias("what"),
        pl.lit(path.name).alias("file"),
        pl.col(ROW).alias("row"),
        pl.lit(None, pl.String).alias("column"),
        pl.col(OVERFLOW).str.head(200).alias("value"),
        pl.lit(f"{len(cells)} cells as the header has").alias("expected"),
        pl.lit("a delimiter inside a text needs quotation marks around it").alias("cure"),
    )
    kept = records.filter(pl.col(OVERFLOW).is_null()).select(
        ROW, *(pl.col(position).alias(header) for position, header in zip(positions, headers, strict=True))
    )
    return RawTable(path.name, tuple(headers), kept, records.height, tuple(guesses), problems)


def _refuse_huge_cells(path: Path, frame: pl.DataFrame, headers: list[str], header_at: int) -> None:
    if frame.height == 0 or frame.width < 2:
        return
    longest = frame.select(pl.all().str.len_bytes().max()).row(0)
    for position, size in enumerate(longest):
        if size is not None and size > MAX_CELL_BYTES:
            row = frame.select((pl.nth(position).str.len_bytes() > MAX_CELL_BYTES).arg_max()).item()
            name = headers[position] if position < len(headers) else OVERFLOW
            raise refuse(
                path,
                f"a cell of {size:,} bytes in column {name}",
                f"at most {MAX_CELL_BYTES:,} bytes per cell",
                "is a quotation mark opened and never closed?",
                row=header_at + 1 + int(row),
            )

"""Reports with headings between the records: customers as group lines, subtotals, footers. Makes plain rows of them."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from duecourse.ledger.importing.outcome import Guess
from duecourse.ledger.importing.reading import DATE_MARK, NUMBER_MARK, ROW, RawTable

GROUP_HEADER = "group of rows"
_TOTAL = r"(?i)^(?:grand |sub)?-?total\b|^(?:gesamt)?summe\b|^somme\b|^totaal\b|^totale\b"


def plain_rows(raw: RawTable) -> RawTable:
    """The table without headings, totals and footers; group lines fill the first column of their rows.

    A group line has its only text in the first column, which the records below leave blank; where that column has no
    header it is called ``group of rows``. What is dropped was never
    a record, so ``rows`` counts without it; a guess says how many lines that were.
    """
    headers = list(raw.headers)
    if len(headers) < 3:
        return raw
    first = headers[0]
    filled = pl.sum_horizontal(pl.col(header).is_not_null().cast(pl.Int32) for header in headers)
    text_first = pl.col(first).str.strip_chars_start(NUMBER_MARK + DATE_MARK)
    frame = raw.frame.with_columns(filled.alias("\x03filled"))
    total = text_first.str.contains(_TOTAL).fill_null(False)
    lone = (pl.col("\x03filled") == 1) & pl.col(first).is_not_null() & ~total
    frame = frame.with_columns((total | lone).alias("\x03drop"))
    records = frame.filter(~pl.col("\x03drop"))
    lone_rows, total_rows = int(frame.select(lone.sum()).item()), int(frame.select(total.sum()).item())
    if records.height == 0 or lone_rows + total_rows == 0:
        return raw
    grouped = lone_rows > 0 and records.get_column(first).null_count() >= 0.9 * records.height
    if grouped:
        frame = frame.with_columns(pl.when(lone).then(text_first).forward_fill().alias(first))
        if first == "column 1":
            frame, headers[0] = frame.rename({first: GROUP_HEADER}), GROUP_HEADER
    elif total_rows + lone_rows > max(3, 0.2 * frame.height):
        return raw  # too many to be totals and footers: leave the judgement to the checks of rows
    kept = frame.filter(~pl.col("\x03drop"))
    dropped = frame.height - kept.height
    what = "the customer stands on a line above its rows; " if grouped else ""
    guess = Guess(
        f"{raw.file}, layout", f"{dropped:,} lines are headings, totals or footers", f"{what}they hold no record"
    )
    return replace(
        raw,
        headers=tuple(headers),
        frame=kept.select(ROW, *headers),
        rows=raw.rows - dropped,
        guesses=(*raw.guesses, guess),
    )

"""Reads exports into a ledger: files -> columns -> typed fields -> records -> settlements -> tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl

from duecourse.core.errors import BadInput, Problem, UsageError
from duecourse.ledger.as_of import Ledger
from duecourse.ledger.importing.columns import complete, detect, is_known_header, ready_map_for
from duecourse.ledger.importing.fields import Typed, read_fields
from duecourse.ledger.importing.layout import plain_rows
from duecourse.ledger.importing.limits import refuse
from duecourse.ledger.importing.maps import ColumnMap, TableMap
from duecourse.ledger.importing.names import confirmed_merges, proposals
from duecourse.ledger.importing.outcome import (
    FileCount,
    Guess,
    ImportOptions,
    ImportResult,
    NeedsAnswer,
    as_problems,
    problem_frame,
)
from duecourse.ledger.importing.reading import RawTable, read_table
from duecourse.ledger.importing.records import InvoiceRecords, invoice_records
from duecourse.ledger.importing.settling import Settlements, payment_records, settle
from duecourse.ledger.importing.tables import ledger_frames


def import_on_the_fly(path: Path, *, skip_bad_rows: bool = False, options: ImportOptions | None = None) -> ImportResult:
    """One export read for a verb that was given it in place of a ledger; see ``import_files``."""
    options = replace(options or ImportOptions(), skip_bad_rows=skip_bad_rows)
    return import_files([path], options=options)


def import_files(
    paths: Sequence[Path], *, column_map: ColumnMap | None = None, options: ImportOptions | None = None
) -> ImportResult:
    """A ledger from one or more exports that belong together (an invoice list, a list of its payments).

    ``column_map`` None: the ready map that fits is taken, else columns are found. Writes nothing. Raises NeedsAnswer
    when a person must settle an ambiguity, BadInput when a file cannot be read or rows are bad and
    ``options.skip_bad_rows`` is off; each carries all its problems.
    """
    options = options or ImportOptions()
    if not paths:
        raise UsageError("give at least one export file")
    tables = [_mapped(plain_rows(read_table(Path(path), options, is_known_header)), column_map) for path in paths]
    typed = _typed(tables, options)
    guesses = [guess for raw, _, more in tables for guess in (*raw.guesses, *more)]
    invoice_files = [one for one in typed if one.table.rows == "invoices"]
    payment_files = [one for one in typed if one.table.rows == "payments"]
    if not invoice_files:
        raise BadInput(
            "no file lists invoices; nothing was written",
            tuple(
                Problem(
                    one.raw.file,
                    1,
                    None,
                    None,
                    "invoices (this looks like a list of payments)",
                    "give the invoice list as well",
                )
                for one in payment_files
            ),
        )
    records = [invoice_records(one, options) for one in invoice_files]
    _ask_if_open(typed)  # after the records, so that everything that is in doubt is asked at once
    invoices = _once_over_files(invoice_files, records)
    known = invoices.select("invoice_id", "customer_id")
    lists, payment_asides = _payment_lists(payment_files, records, known)
    exported_on = options.exported_on or _latest_day(invoices, lists)
    paid_rows = pl.concat([one.paid_rows for one in records], how="diagonal_relaxed")
    paid_rows = paid_rows.join(invoices.select("invoice_id"), on="invoice_id", how="semi")
    settled = settle(invoices, paid_rows, lists, exported_on)
    for one in typed:
        guesses += one.guesses
    guesses += _settling_guesses(settled, exported_on, options)
    closed = _closed_without_day(invoices, settled)
    problems = pl.concat(
        [
            problem_frame(),
            *(part for one in typed for part in one.problems),
            *(one.aside for one in records),
            *payment_asides,
            closed,
        ]
    )
    problems = _in_order(problems, [one.raw.file for one in typed])
    _stop_on_bad_rows(problems, typed, options)
    invoices = invoices.filter(~pl.col("invoice_id").is_in(settled.closed_unknown.implode()))
    free_credits = pl.concat([one.credits for one in records], how="diagonal_relaxed")
    frames = ledger_frames(invoices, free_credits, settled)
    frames, name_table = _with_names(frames, options)
    used = ColumnMap(_map_name(tables), tuple(one.table for one in typed))
    files = tuple(_count(one, problems) for one in typed)
    return ImportResult(Ledger.from_frames(frames), used, tuple(guesses), problems, name_table, files)


def _mapped(raw: RawTable, column_map: ColumnMap | None) -> tuple[RawTable, TableMap, list[Guess]]:
    """The file with the table map that reads it, and what was taken for granted about its columns."""
    if column_map is not None:
        table = column_map.fitting(raw.headers)
        if table is None:
            missing = _missing_headers(column_map, raw)
            raise refuse(
                Path(raw.file),
                f"columns {', '.join(raw.headers)[:150]}",
                f"the columns of the map {column_map.name}: {missing}",
                "another --map, or none to let the columns be found",
                row=1,
            )
        return raw, table.resolved(raw.headers, raw.file), _unused(raw, table.resolved(raw.headers, raw.file))
    ready = ready_map_for(raw)
    if ready is not None:
        found, table = ready
        table = complete(table.resolved(raw.headers, raw.file), raw)
        guess = Guess(
            f"{raw.file}, columns", f"ready map {found.name} ({table.title})", "the headers fit it", "--map FILE"
        )
        return raw, table, [guess, *_unused(raw, table)]
    table = detect(raw)
    guesses = [
        Guess(
            f"{raw.file}, {name}",
            f"column {table.columns[name][0]}",
            f"by its header, {table.confidence[name]:.0%} sure",
            "--map FILE",
        )
        for name in table.columns
    ]
    return raw, table, [*guesses, *_unused(raw, table)]


def _typed(tables: Sequence[tuple[RawTable, TableMap, list[Guess]]], options: ImportOptions) -> list[Typed]:
    """Every file in types, invoice files first, since payment lists often leave the currency to them."""
    typed = [read_fields(raw, table, options) for raw, table, _ in tables if table.rows == "invoices"]
    codes = {code for one in typed for code in one.frame.get_column("currency").unique().drop_nulls().to_list()}
    book = codes.pop() if len(codes) == 1 else None
    return typed + [read_fields(raw, table, options, book) for raw, table, _ in tables if table.rows == "payments"]


def _missing_headers(column_map: ColumnMap, raw: RawTable) -> str:
    best = max(column_map.tables, key=lambda table: sum(table.signature.count(header) for header in raw.headers))
    return ", ".join(best.signature or tuple(names[0] for names in best.columns.values()))


def _unused(raw: RawTable, table: TableMap) -> list[Guess]:
    guesses = [Guess(f"{raw.file}, {header}", "left out", why) for header, why in table.left_out.items()]
    used = {name for names in table.columns.values() for name in names} | set(table.left_out)
    rest = [header for header in raw.headers if header not in used]
    if rest:
        guesses.append(Guess(f"{raw.file}, other columns", f"not used: {', '.join(rest[:30])}", "no field for them"))
    return guesses


def _ask_if_open(typed: Sequence[Typed]) -> None:
    questions = [question for one in typed for question in one.questions]
    if questions:
        problems = tuple(
            Problem(q.file, None, q.column, None, f"an answer, since {q.what}", f"add {q.answer}") for q in questions
        )
        raise NeedsAnswer("the export can be read in more than one way; nothing was written", problems)


def _once_over_files(typed: Sequence[Typed], records: Sequence[InvoiceRecords]) -> pl.DataFrame:
    """The invoices of all files, refusing a number that two files give with different content."""
    together = pl.concat([one.invoices for one in records], how="diagonal_relaxed")
    for nth in range(1, len(records)):
        one, record = typed[nth], records[nth]
        earlier = pl.concat([before.invoices for before in records[:nth]], how="diagonal_relaxed")
        again = record.invoices.join(earlier.select("invoice_id"), on="invoice_id", how="semi")
        if again.height:
            frame = record.invoices
            mask = pl.col("invoice_id").is_in(again.get_column("invoice_id").implode())
            one.problems.append(
                frame.filter(mask).select(
                    pl.lit("duplicate").alias("what"),
                    "file",
                    "row",
                    pl.lit(None, pl.String).alias("column"),
                    pl.col("invoice_id").alias("value"),
                    pl.lit("each invoice in one file").alias("expected"),
                    pl.lit("the first file counts").alias("cure"),
                )
            )
    return together.unique("invoice_id", keep="first", maintain_order=True)


def _payment_lists(
    payment_files: Sequence[Typed], records: Sequence[InvoiceRecords], known: pl.DataFrame
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """All rows of payments, from payment lists and from transaction lists, in the form that ``settle`` takes."""
    parts: list[pl.DataFrame] = []
    asides: list[pl.DataFrame] = []
    for one in payment_files:
        rows, aside = payment_records(one, known)
        parts.append(rows)
        asides.append(aside)
    for record in records:
        free = record.payments.with_columns(pl.col("amount_minor").abs(), pl.col("open_amount_minor").abs())
        free = free.with_columns(pl.coalesce("open_amount_minor", "amount_minor").alias("amount_minor"))
        used = free.filter(pl.col("amount_minor") == 0)
        asides.append(
            used.select(
                pl.lit("left_out").alias("what"),
                "file",
                "row",
                pl.lit(None, pl.String).alias("column"),
                pl.col("invoice_id").alias("value"),
                pl.lit("a payment with money not yet applied").alias("expected"),
                pl.lit("give the list of payments with invoice numbers as a second file").alias("cure"),
            )
        )
        parts.append(
            free.filter(pl.col("amount_minor") > 0).select(
                payment_id="invoice_id",
                received_on="issued_on",
                amount_minor="amount_minor",
                currency="currency",
                customer_id="customer_id",
                recorded_at="recorded_at",
                method="method",
            )
        )
    wanted: dict[str, pl.DataType | type[pl.DataType]] = {
        "payment_id": pl.String,
        "received_on": pl.Date,
        "amount_minor": pl.Int64,
        "allocated_minor": pl.Int64,
        "references": pl.String,
        "currency": pl.String,
        "customer_id": pl.String,
        "method": pl.String,
        "payer_name": pl.String,
        "reference": pl.String,
        "recorded_at": pl.Datetime("us", "UTC"),
    }
    empty = pl.DataFrame(schema=wanted)
    return pl.concat([empty, *parts], how="diagonal_relaxed").select(list(wanted)), asides


def _latest_day(invoices: pl.DataFrame, lists: pl.DataFrame) -> date:
    days = [
        value
        for frame, names in ((invoices, ("issued_on", "cleared_on")), (lists, ("received_on",)))
        for name in names
        if isinstance(value := frame.get_column(name).max(), date)
    ]
    recorded = invoices.get_column("recorded_at").dt.date().max()
    return max([*days, *([recorded] if isinstance(recorded, date) else [])], default=date(1970, 1, 1))


def _settling_guesses(settled: Settlements, exported_on: date, options: ImportOptions) -> list[Guess]:
    guesses = []
    if len(settled.closed_unknown):
        why = f"{len(settled.closed_unknown):,} invoices are closed, on days that the files do not say"
        how = "give the list of payments as a second file, or export a paid date"
        guesses.append(Guess("closed invoices", "left out, for they cannot teach when this customer pays", why, how))
    if settled.undated:
        why = f"{settled.undated:,} open invoices are partly settled on days that the files do not say"
        how = "" if options.exported_on else ", the latest day in the files"
        guesses.append(Guess("part settlements", f"counted from {exported_on}{how}", why, "--exported-on DATE"))
    if settled.rounded_off:
        why = f"{settled.rounded_off:,} closed invoices have more settled than their dated payments say"
        guesses.append(Guess("rest of closed invoices", "settled with their last dated payment", why))
    return guesses


def _closed_without_day(invoices: pl.DataFrame, settled: Settlements) -> pl.DataFrame:
    mask = pl.col("invoice_id").is_in(settled.closed_unknown.implode())
    return invoices.filter(mask).select(
        pl.lit("left_out").alias("what"),
        "file",
        "row",
        pl.lit(None, pl.String).alias("column"),
        pl.col("invoice_id").alias("value"),
        pl.lit("the day on which it was paid; without it nothing can be learnt").alias("expected"),
        pl.lit("give the list of payments as a second file, or export a paid date").alias("cure"),
    )


def _in_order(problems: pl.DataFrame, files: Sequence[str]) -> pl.DataFrame:
    """Sorted by file and row; a row that is refused is not also listed as set aside."""
    rank = {"refused": 0, "duplicate": 1, "left_out": 2}
    ordered = problems.with_columns(
        pl.col("what").replace_strict(rank, return_dtype=pl.Int8).alias("rank"),
        pl.col("file").replace_strict({name: i for i, name in enumerate(files)}, return_dtype=pl.Int64).alias("nth"),
    ).sort("nth", "row", "rank", maintain_order=True)
    best = pl.col("rank") == pl.col("rank").min().over("file", "row")
    return ordered.filter(best).drop("rank", "nth")


def _stop_on_bad_rows(problems: pl.DataFrame, typed: Sequence[Typed], options: ImportOptions) -> None:
    refused = problems.filter(pl.col("what") == "refused")
    if options.skip_bad_rows or refused.height == 0:
        return
    bad = refused.select("file", "row").unique().height
    rows = sum(one.raw.rows for one in typed)
    raise BadInput(
        f"{bad:,} of {rows:,} rows cannot be used; nothing was written. To go on without them add --skip-bad-rows "
        "(they will be listed in problems.csv); or mend them and import again.",
        as_problems(refused),
    )


def _with_names(
    frames: dict[str, pl.DataFrame], options: ImportOptions
) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
    """Merges that a person confirmed are applied; what else looks like one customer is proposed."""
    spellings = frames.pop("spellings")
    if options.confirmed_names is not None:
        merges = confirmed_merges(options.confirmed_names)
        moved = pl.col("customer_id").replace(merges)
        frames = {
            name: frame.with_columns(moved) if "customer_id" in frame.columns else frame
            for name, frame in frames.items()
        }
        frames["customers"] = frames["customers"].unique("customer_id", keep="first", maintain_order=True)
        spellings = spellings.with_columns(moved).group_by("customer_id", "name").agg(pl.col("rows").sum())
    return frames, proposals(spellings)


def _map_name(tables: Sequence[tuple[RawTable, TableMap, list[Guess]]]) -> str:
    ready = ready_map_for(tables[0][0])
    return ready[0].name if ready else Path(tables[0][0].file).stem


def _count(one: Typed, problems: pl.DataFrame) -> FileCount:
    own = problems.filter(pl.col("file") == one.raw.file).unique("row", keep="first")
    counts = dict(own.group_by("what").len().iter_rows())
    refused, doubled, aside = (counts.get(what, 0) for what in ("refused", "duplicate", "left_out"))
    return FileCount(
        one.raw.file, one.table.rows, one.raw.rows, one.raw.rows - refused - doubled - aside, refused, doubled, aside
    )

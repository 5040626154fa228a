"""Turns the texts of one mapped file into typed fields, row by row, with every unreadable cell as a problem.

What the file leaves open (date order, decimal mark, currency, terms) becomes a guess when the evidence is conclusive
and a question when it is not; questions of all files are asked together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import polars as pl

from duecourse.core.money import CURRENCIES
from duecourse.ledger.importing.amounts import (
    DOUBTFUL_SYMBOLS,
    AmountColumn,
    as_minor,
    currency_codes,
    currency_in_symbols,
    find_decimal_mark,
    split_amounts,
)
from duecourse.ledger.importing.columns import header_currency, synonyms
from duecourse.ledger.importing.dates import DateColumn, as_dates, as_moments, find_order, split_dates
from duecourse.ledger.importing.headers import normal
from duecourse.ledger.importing.maps import AMOUNT_FIELDS, DATE_FIELDS, FIELDS, TableMap
from duecourse.ledger.importing.outcome import PROBLEM_SCHEMA, Guess, ImportOptions, problem_frame
from duecourse.ledger.importing.reading import ROW, RawTable

_TERMS = r"(?i)(?:net|netto|n)[ /]*(\d{1,3})\b"
_TERMS_PLAIN = r"(?i)^(\d{1,3})(?:\.0+)?\s*(?:days?|tage|jours|dias|dagen|d)?\b"
_AT_ONCE = r"(?i)receipt|immediate|sofort|cash on delivery|\bcod\b|r[eé]ception"
_LOST_DIGITS = r"^\d(?:\.\d+)?[eE]\+\d+$"
_SPOKEN = {"dmy": "day/month/year", "mdy": "month/day/year", "ymd": "year-month-day"}


@dataclass(frozen=True)
class Question:
    """What a person must say before the file can be read, and with which option."""

    file: str
    column: str | None
    what: str
    answer: str


@dataclass
class Typed:
    """One file in types: ``frame`` has ``row`` and one column per field (amounts as ``..._minor``), all rows kept.

    ``problems`` lists the rows that cannot be used (several lines for one row where several cells are wrong).
    """

    raw: RawTable
    table: TableMap
    frame: pl.DataFrame
    problems: list[pl.DataFrame] = field(default_factory=list)
    guesses: list[Guess] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)

    def report(self, mask: pl.Expr, column: str | None, value: pl.Expr, expected: str | pl.Expr, cure: str) -> None:
        """Adds the rows of ``frame`` for which ``mask`` holds as refused."""
        self.problems.append(
            problem_rows(self.frame, mask, file=self.raw.file, column=column, value=value, expected=expected, cure=cure)
        )

    def ask(self, column: str | None, what: str, answer: str) -> None:
        """Adds a question about this file."""
        self.questions.append(Question(self.raw.file, column, what, answer))

    @property
    def bad_rows(self) -> pl.Series:
        """Row numbers that have a problem."""
        if not self.problems:
            return pl.Series("row", [], dtype=pl.Int64)
        return pl.concat([part.select("row") for part in self.problems]).to_series().unique()


def problem_rows(
    frame: pl.DataFrame,
    mask: pl.Expr,
    *,
    file: str,
    column: str | None,
    value: pl.Expr,
    expected: str | pl.Expr,
    cure: str = "",
    what: str = "refused",
) -> pl.DataFrame:
    """The rows of ``frame`` (with a column ``row``) where ``mask`` is true, as a problem table."""
    if frame.height == 0:
        return problem_frame()
    # Mask, value and expectation may be whole columns, so they join the frame before it is filtered.
    told = frame.select(
        "row",
        mask.fill_null(False).alias("told"),
        value.cast(pl.String).str.head(200).alias("value"),
        (pl.lit(expected) if isinstance(expected, str) else expected).alias("expected"),
    ).filter("told")
    return told.select(
        pl.lit(what).alias("what"),
        pl.lit(file).alias("file"),
        "row",
        pl.lit(column, dtype=pl.String).alias("column"),
        "value",
        "expected",
        pl.lit(cure).alias("cure"),
    ).cast(pl.Schema(PROBLEM_SCHEMA))


def read_fields(raw: RawTable, table: TableMap, options: ImportOptions, book_currency: str | None = None) -> Typed:
    """Types for every field of ``table`` that the file or a constant gives; absent fields are null columns.

    ``book_currency`` is the one currency of the invoices, for a list of their payments that names none.
    """
    constants = {**table.constants, **{k: v for k, v in options.constants.items() if k in FIELDS[table.rows]}}
    if options.currency:
        constants["currency"] = options.currency.upper()
    elif book_currency and table.rows == "payments":
        constants.setdefault("currency", book_currency)
    table = replace(table, constants=constants)
    texts = {name: _texts(raw, table, name) for name in FIELDS[table.rows]}
    typed = Typed(raw, table, pl.DataFrame({"row": raw.frame.get_column(ROW)}))
    if raw.problems.height:
        typed.problems.append(raw.problems)
    columns = {name: series for name, series in texts.items() if name not in (*DATE_FIELDS, *AMOUNT_FIELDS)}
    typed.frame = typed.frame.with_columns(**{name: _plain(series) for name, series in columns.items()})
    for name in ("invoice_id", "customer_id", "payment_id"):
        if name in columns:
            _clean_ids(typed, name)
    _translate_values(typed)
    _read_dates(typed, texts, options)
    _read_amounts(typed, texts, options)
    return typed


def _texts(raw: RawTable, table: TableMap, name: str) -> pl.Series:
    header, constant = table.header_of(name), table.constants.get(name)
    if header is None:
        return pl.Series(name, [constant], dtype=pl.String).new_from_index(0, raw.frame.height)
    series = raw.frame.get_column(header).alias(name)
    return series.fill_null(constant) if constant is not None else series


def _plain(texts: pl.Series) -> pl.Series:
    return texts.str.strip_chars_start("\x01\x02").str.replace_all(r"\s+", " ")


def _clean_ids(typed: Typed, name: str) -> None:
    """Ids as the exporting program meant them: leading zeros kept, ``123.0``, ``="00123"`` and ``'00123`` mended."""
    ids = pl.col(name).str.replace(r'^="(.*)"$', "$1").str.strip_prefix("'")
    typed.frame = typed.frame.with_columns(ids.alias(name))
    series = typed.frame.get_column(name)
    floats = series.str.contains(r"^\d+\.0+$").sum()
    if floats and not series.str.contains(r"^\d+\.\d*[1-9]\d*$").any():
        typed.frame = typed.frame.with_columns(pl.col(name).str.replace(r"^(\d+)\.0+$", "$1"))
        typed.guesses.append(
            Guess(
                f"{typed.raw.file}, {typed.table.header_of(name)}",
                "whole numbers",
                f"{floats:,} ids end in .0, as a spreadsheet's numbers do",
            )
        )
    typed.report(
        pl.col(name).str.contains(_LOST_DIGITS),
        typed.table.header_of(name),
        pl.col(name),
        "the id in full",
        "a spreadsheet has rounded it; export it again as text",
    )


def _translate_values(typed: Typed) -> None:
    """Kind, status, method and channel in the ledger's own words; unknown kinds and states stay null and are told."""
    own = typed.table.values
    for name in ("kind", "status", "method"):
        if name not in typed.frame.columns:
            continue
        table = {normal(k): v for k, v in synonyms()["values"][name].items()}
        table |= {normal(k): v for k, v in own.get(name, {}).items()}
        _map_column(typed, name, table, default=None if name != "method" else "other")
    if "delivery_channel" in own:
        table = {normal(k): v for k, v in own["delivery_channel"].items()}
        _map_column(typed, "delivery_channel", table, default=None)


def _map_column(typed: Typed, name: str, table: Mapping[str, str], default: str | None) -> None:
    unique = typed.frame.get_column(name).drop_nulls().unique().sort().to_list()
    if not unique:
        return
    found = {text: table.get(normal(text), default) for text in unique}
    unknown = [text for text in unique if normal(text) not in table]
    if unknown and name == "kind":
        taken = "invoices by their sign" if typed.table.rows == "invoices" else "payments"
        typed.guesses.append(
            Guess(
                f"{typed.raw.file}, {typed.table.header_of(name)}",
                f"{', '.join(map(repr, unknown[:8]))} taken as {taken}",
                "the program does not know these words",
                "[table.values.kind] in map.toml",
            )
        )
    typed.frame = typed.frame.with_columns(
        pl.col(name).replace_strict(found, default=None, return_dtype=pl.String).alias(name)
    )


def _read_dates(typed: Typed, texts: Mapping[str, pl.Series], options: ImportOptions) -> None:
    table, raw = typed.table, typed.raw
    names = [name for name in DATE_FIELDS if name in texts]
    parts = {name: split_dates(table.header_of(name) or name, texts[name]) for name in names}
    order = options.date_order or table.date_order
    if order is None:
        used = [parts[name] for name in names if table.header_of(name)]
        pairs = [
            (table.columns[a][0], table.columns[b][0])
            for a, b in (("issued_on", "due_on"), ("issued_on", "cleared_on"))
            if a in table.columns and b in table.columns
        ]
        found = find_order(used, pairs)
        order = found.order
        if found.guess:
            typed.guesses.append(replace(found.guess, subject=f"{raw.file}, date order"))
        if found.question:
            headers = ", ".join(column.header for column in used if column.doubtful.height)
            typed.ask(headers, found.question, "--date-order dmy (day/month) or --date-order mdy (month/day)")
            order = "dmy"  # only so that the other columns can be looked at; nothing is read before the answer
    typed.table = replace(table, date_order=order)
    spoken = f"a date ({_SPOKEN[order]} or year-month-day)" if order else "a date"
    for name in names:
        column = parts[name]
        dates = as_dates(column, order)
        values = as_moments(column, order) if name == "recorded_at" else dates
        typed.frame = typed.frame.with_columns(values.alias(name))
        _tell_of_dates(typed, column)
        faulty = column.frame.get_column("form").is_not_null() & dates.is_null()
        if faulty.any():
            typed.report(
                pl.lit(faulty),
                column.header,
                pl.lit(column.frame.get_column("raw")),
                spoken,
                "correct the cell, or leave it out",
            )


def _tell_of_dates(typed: Typed, column: DateColumn) -> None:
    serial = int((column.frame.get_column("form") == "serial").sum())
    if serial:
        why = f"{serial:,} cells are whole numbers that a spreadsheet counts from 1899-12-30"
        typed.guesses.append(Guess(f"{typed.raw.file}, {column.header}", "spreadsheet day numbers", why))
    short = column.frame.filter(
        pl.col("form").is_in(["parts", "named"]), (pl.col("a") < 100) & (pl.col("c_digits").fill_null(2) <= 2)
    ).height
    if short:
        why = f"{short:,} years have two digits: 00-69 is 20xx, 70-99 is 19xx"
        typed.guesses.append(Guess(f"{typed.raw.file}, {column.header}", "two-digit years", why))


def _read_amounts(typed: Typed, texts: Mapping[str, pl.Series], options: ImportOptions) -> None:
    table, raw = typed.table, typed.raw
    names = [name for name in AMOUNT_FIELDS if name in texts]
    parts = {name: split_amounts(table.header_of(name) or name, texts[name]) for name in names}
    mapped = [parts[name] for name in names if table.header_of(name)]
    currency = _currencies(typed, texts["currency"], mapped)
    codes = currency.drop_nulls().unique().sort().to_list()
    mark = options.decimal or table.decimal
    if mark is None and mapped:
        found = find_decimal_mark(mapped, codes)
        mark = found.mark
        if found.guess:
            typed.guesses.append(replace(found.guess, subject=f"{raw.file}, {found.guess.subject}"))
        if found.question:
            typed.ask(
                ", ".join(column.header for column in mapped), found.question, "--decimal point or --decimal comma"
            )
    typed.table = replace(typed.table, decimal=mark)
    typed.frame = typed.frame.with_columns(currency.alias("currency"))
    typed.report(
        ~pl.col("currency").is_in(sorted(CURRENCIES)),
        table.header_of("currency"),
        pl.col("currency"),
        "an ISO 4217 currency code such as USD",
        "correct it, or translate it under [table.values.currency] in map.toml",
    )
    for name in names:
        minor = as_minor(parts[name], mark or "point", currency)
        typed.frame = typed.frame.with_columns(minor.get_column("minor").alias(f"{name}_minor"))
        fault = minor.get_column("fault")
        rounded = int(minor.get_column("rounded").sum())
        if rounded:
            why = f"{rounded:,} numbers were computed in the spreadsheet and have more decimals than it shows"
            typed.guesses.append(Guess(f"{raw.file}, {parts[name].header}", "rounded to the currency's decimals", why))
        if fault.is_not_null().any():
            value = pl.lit(parts[name].frame.get_column("raw").str.strip_chars_start("\x01"))
            typed.report(pl.lit(fault.is_not_null()), parts[name].header, value, pl.lit(fault), "correct the cell")


def _currencies(typed: Typed, texts: pl.Series, amounts: list[AmountColumn]) -> pl.Series:
    """One code per row: the currency column, else its symbol, the header's code, the constant, or a question."""
    table, raw = typed.table, typed.raw
    own = {normal(k): v for k, v in table.values.get("currency", {}).items()}
    column = texts
    if own:
        column = texts.map_elements(lambda text: own.get(normal(text), text), return_dtype=pl.String)
    codes = currency_codes(column)
    if table.header_of("currency") is None and "currency" not in table.constants:
        symbols = [currency_in_symbols(amount) for amount in amounts]
        for series in symbols:
            codes = codes.fill_null(series)
        named = next((code for amount in amounts if (code := header_currency(amount.header))), None)
        if codes.null_count() < len(codes):
            seen = sorted(set(codes.drop_nulls().to_list()))
            doubtful = any(a.frame.get_column("symbol").is_in(DOUBTFUL_SYMBOLS).any() for a in amounts)
            why = "by the symbol in the amounts" + (", which other currencies use as well" if doubtful else "")
            typed.guesses.append(Guess(f"{raw.file}, currency", ", ".join(seen), why, "--currency CODE"))
            if len(seen) == 1:
                codes = codes.fill_null(seen[0])
        elif named:
            codes = codes.fill_null(named)
            typed.guesses.append(Guess(f"{raw.file}, currency", named, "the header names it", "--currency CODE"))
    elif table.header_of("currency") is None:
        taken = table.constants["currency"]
        typed.guesses.append(
            Guess(f"{raw.file}, currency", taken, "the file names none; given by the map or option", "--currency CODE")
        )
    missing = codes.null_count()
    if missing == len(codes) and len(codes):
        typed.ask(None, "no column, symbol or header names the currency", "--currency CODE, for example --currency USD")
    elif missing:
        typed.frame = typed.frame.with_columns(codes.alias("currency"))
        typed.report(
            pl.col("currency").is_null(),
            table.header_of("currency"),
            pl.lit(None, pl.String),
            "a currency",
            "fill the cell, or give --currency CODE for blank ones",
        )
    return codes


def terms_in_days(texts: pl.Expr) -> pl.Expr:
    """Days of credit in a terms text: ``30``, ``Net 30``, ``2/10 net 30``, ``Due on receipt`` (0); null for codes."""
    return (
        pl.when(texts.str.contains(_AT_ONCE))
        .then(pl.lit(0, pl.Int64))
        .otherwise(
            pl.coalesce(
                texts.str.extract(_TERMS, 1).cast(pl.Int64, strict=False),
                texts.str.extract(_TERMS_PLAIN, 1).cast(pl.Int64, strict=False),
            )
        )
    )

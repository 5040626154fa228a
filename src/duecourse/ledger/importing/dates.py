"""Dates of exports: every usual form, and day-before-month or month-before-day decided by evidence or asked for.

``3/4/2026`` is two dates. The order is decided once per file from all its date columns: a part above 12 proves it;
without such a part only a conclusive contradiction counts (due before issue, terms that scatter, weekend dates).
What stays open stops the import with a question.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from duecourse.ledger.importing.outcome import DateOrder, Guess
from duecourse.ledger.importing.reading import DATE_MARK, NUMBER_MARK

# day, month, year in any order, with optional time of day and offset (Z, +02:00)
_TIME = r"(?:[T ,]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*([AaPp]\.?[Mm]\.?)?\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2})?)?"
_PARTS = rf"^(\d{{1,4}})[-/. ]\s?(\d{{1,2}})[-/. ]\s?(\d{{1,4}})\.?{_TIME}$"
_DAY_NAME = rf"^(?:[^\W\d]+,? )?(\d{{1,2}})(?:st|nd|rd|th|\.)?[-/. ]*([^\W\d_]+)\.?,?[-/. ]*(\d{{2,4}}){_TIME}$"
_NAME_DAY = rf"^(?:[^\W\d]+, )?([^\W\d_]+)\.?[-/. ]*(\d{{1,2}})(?:st|nd|rd|th)?,?[-/. ]+(\d{{2,4}}){_TIME}$"
_COMPACT = r"^(\d{4})(\d{2})(\d{2})(?:\.0+)?$"
_SERIAL = r"^(\d{5})(\.\d+)?$"
_SERIAL_MIN, _SERIAL_MAX = 18_264, 73_050  # 1950 and 2100 as a spreadsheet counts days
EARLIEST, LATEST = 1950, 2100

_MONTHS = {
    "jan": 1, "jän": 1, "ene": 1, "gen": 1, "feb": 2, "fév": 2, "fev": 2, "mar": 3, "mär": 3, "mrz": 3, "maa": 3,
    "mrt": 3, "apr": 4, "avr": 4, "abr": 4, "may": 5, "mai": 5, "mei": 5, "mag": 5, "jun": 6, "jui": 6, "giu": 6,
    "jul": 7, "lug": 7, "aug": 8, "aoû": 8, "aou": 8, "ago": 8, "sep": 9, "set": 9, "oct": 10, "okt": 10, "ott": 10,
    "out": 10, "nov": 11, "dec": 12, "dez": 12, "déc": 12, "dic": 12,
}  # fmt: skip
BLANK = ("-", "--", "—", "n/a", "na", "none", "null", "nan", "nat", "#n/a", "0000-00-00", "00/00/0000", "0", "1/0/1900")


@dataclass(frozen=True)
class DateColumn:
    """The parts of one column, row by row: ``frame`` has a, b, c (Int32), form, the time parts and ``raw``."""

    header: str
    frame: pl.DataFrame

    @property
    def doubtful(self) -> pl.DataFrame:
        """Rows whose day and month could be exchanged: numeric parts, the year last."""
        return self.frame.filter(pl.col("form") == "parts", pl.col("a") < 100)


def blank_out(text: pl.Expr) -> pl.Expr:
    """``text`` with the ways in which exports write "nothing" made null, and the marks of ``reading`` removed."""
    plain = text.str.strip_chars_start(NUMBER_MARK + DATE_MARK)
    return pl.when(~plain.str.to_lowercase().is_in(BLANK)).then(plain)


def split_dates(header: str, texts: pl.Series) -> DateColumn:
    """The parts of every cell of a date column; ``form`` is null where a cell is blank, ``bad`` where unreadable."""
    raw = pl.DataFrame({"raw": texts}).select(blank_out(pl.col("raw")).alias("raw"))
    unique = raw.unique().drop_nulls()
    groups = {
        name: pl.col("raw").str.extract_groups(pattern)
        for name, pattern in (
            ("parts", _PARTS),
            ("day_name", _DAY_NAME),
            ("name_day", _NAME_DAY),
            ("compact", _COMPACT),
        )
    }
    parsed = unique.with_columns(**groups, serial=pl.col("raw").str.extract(_SERIAL, 1).cast(pl.Int32, strict=False))
    month = {
        name: _month_number(pl.col(name).struct.field(part)) for name, part in (("day_name", "2"), ("name_day", "1"))
    }
    has = {name: pl.col(name).struct.field("1").is_not_null() for name in groups}
    serial_fits = pl.col("serial").is_between(_SERIAL_MIN, _SERIAL_MAX)

    def number(name: str, part: str) -> pl.Expr:
        return pl.col(name).struct.field(part).cast(pl.Int32, strict=False)

    def pick(parts: str, day_name: pl.Expr, name_day: pl.Expr, compact: str) -> pl.Expr:
        return (
            pl.when(has["parts"])
            .then(number("parts", parts))
            .when(has["day_name"])
            .then(day_name)
            .when(has["name_day"])
            .then(name_day)
            .when(has["compact"])
            .then(number("compact", compact))
        )

    def clock(part: str) -> pl.Expr:
        return pl.coalesce(pl.col(name).struct.field(part) for name in ("parts", "day_name", "name_day"))

    # Named months are written as year, month, day so that only "parts" with the year last can be in doubt.
    table = parsed.select(
        "raw",
        "serial",
        pl.when(has["parts"])
        .then(pl.lit("parts"))
        .when(has["day_name"] | has["name_day"])
        .then(pl.lit("named"))
        .when(has["compact"])
        .then(pl.lit("compact"))
        .when(serial_fits)
        .then(pl.lit("serial"))
        .otherwise(pl.lit("bad"))
        .alias("form"),
        pick("1", number("day_name", "3"), number("name_day", "3"), "1").alias("a"),
        pick("2", month["day_name"], month["name_day"], "2").alias("b"),
        pick("3", number("day_name", "1"), number("name_day", "2"), "3").alias("c"),
        pl.when(has["parts"]).then(pl.col("parts").struct.field("3").str.len_chars()).alias("c_digits"),
        clock("4").cast(pl.Int32, strict=False).alias("hour"),
        clock("5").cast(pl.Int32, strict=False).alias("minute"),
        clock("6").cast(pl.Int32, strict=False).alias("second"),
        clock("7").str.to_lowercase().str.slice(0, 1).alias("half"),
        clock("8").alias("offset"),
    )
    return DateColumn(header, raw.join(table, on="raw", how="left", maintain_order="left"))


def _month_number(name: pl.Expr) -> pl.Expr:
    return name.str.to_lowercase().str.slice(0, 3).replace_strict(_MONTHS, default=None, return_dtype=pl.Int32)


def as_dates(column: DateColumn, order: DateOrder | None) -> pl.Series:
    """The dates of a column; null where blank or impossible (31 February). ``order`` settles the doubtful ones."""
    return column.frame.select(_date_expression(order).alias("date")).to_series()


def as_moments(column: DateColumn, order: DateOrder | None) -> pl.Series:
    """The cells as UTC moments; a cell without time is the start of its day, one without offset is taken as UTC."""
    hour = pl.col("hour").fill_null(0)
    hour = (
        pl.when(pl.col("half") == "p").then(hour % 12 + 12).when(pl.col("half") == "a").then(hour % 12).otherwise(hour)
    )
    seconds = hour * 3600 + pl.col("minute").fill_null(0) * 60 + pl.col("second").fill_null(0)
    offset = pl.col("offset").str.extract_groups(r"([+-])(\d{2}):?(\d{2})")
    shift = offset.struct.field("2").cast(pl.Int32) * 3600 + offset.struct.field("3").cast(pl.Int32) * 60
    shift = pl.when(offset.struct.field("1") == "-").then(-shift).otherwise(shift).fill_null(0)
    moment = _date_expression(order).cast(pl.Datetime("us")) + pl.duration(seconds=seconds - shift)
    return column.frame.select(moment.dt.replace_time_zone("UTC").alias("moment")).to_series()


def _date_expression(order: DateOrder | None) -> pl.Expr:
    year_first = (pl.col("form") != "parts") | (pl.col("a") >= 100) | (pl.lit(order == "ymd"))
    day = pl.when(year_first).then("c").otherwise("b" if order == "mdy" else "a")
    month = pl.when(year_first).then("b").otherwise("a" if order == "mdy" else "b")
    year = pl.when(year_first).then("a").otherwise("c")
    # No clock is read here, so the century of a two-digit year is fixed: 70-99 is 19xx, 00-69 is 20xx.
    year = pl.when(year < 70).then(year + 2000).when(year < 100).then(year + 1900).otherwise(year)
    valid = (
        year.is_between(EARLIEST, LATEST)
        & month.is_between(1, 12)
        & day.is_between(1, 31)
        & (year_first | pl.lit(order is not None))
    )
    text = pl.format("{}-{}-{}", year, month.cast(pl.String).str.zfill(2), day.cast(pl.String).str.zfill(2))
    real = pl.when(valid).then(text).str.to_date("%Y-%m-%d", strict=False)
    serial = pl.date(1899, 12, 30) + pl.duration(days=pl.col("serial"))
    return pl.when(pl.col("form") == "serial").then(serial.cast(pl.Date)).otherwise(real)


@dataclass(frozen=True)
class OrderFound:
    """``order`` None with ``question`` None: no cell is in doubt. ``question`` set: a person must answer."""

    order: DateOrder | None
    guess: Guess | None = None
    question: str | None = None


def find_order(columns: Sequence[DateColumn], pairs: Sequence[tuple[str, str]]) -> OrderFound:
    """The day/month order of a file from all its date columns.

    ``pairs`` are (earlier, later) headers, such as issue and due date, used when no part exceeds 12.
    """
    doubtful = [column for column in columns if column.doubtful.height]
    if not doubtful:
        return OrderFound(None)
    evidence = []
    for column in doubtful:
        first, second, both = column.doubtful.select(
            ((pl.col("a") > 12) & (pl.col("b") <= 12)).sum().alias("first"),
            ((pl.col("b") > 12) & (pl.col("a") <= 12)).sum().alias("second"),
            (pl.col("a") > 31).sum().alias("both"),
        ).row(0)
        evidence.append((column.header, int(first), int(second), int(both)))
    days_first = sum(first for _, first, _, _ in evidence)
    months_first = sum(second for _, _, second, _ in evidence)
    years_first = sum(both for _, _, _, both in evidence)
    if years_first > max(20 * months_first, 0) and years_first >= 1:
        why = f"{years_first:,} cells begin with a number above 31"
        return OrderFound("ymd", Guess("date order", "year-month-day", why, "--date-order"))
    total = days_first + months_first
    if total and max(days_first, months_first) >= 0.95 * total:
        order: DateOrder = "dmy" if days_first > months_first else "mdy"
        strongest = max(evidence, key=lambda item: max(item[1], item[2]))
        why = f"{max(days_first, months_first):,} cells have a part above 12 in the day's place, most in {strongest[0]}"
        if min(days_first, months_first):
            why += f"; {min(days_first, months_first):,} cells contradict it and are refused"
        return OrderFound(order, Guess("date order", _spoken(order), why, "--date-order"))
    if total:
        return OrderFound(
            None, question=(f"{days_first:,} cells can only be day/month and {months_first:,} only month/day")
        )
    return _by_consistency(doubtful, pairs)


def _spoken(order: DateOrder) -> str:
    return {"dmy": "day/month/year", "mdy": "month/day/year", "ymd": "year-month-day"}[order]


def _by_consistency(columns: Sequence[DateColumn], pairs: Sequence[tuple[str, str]]) -> OrderFound:
    """Decides only when every test that speaks says the same and at least one is conclusive."""
    by_header = {column.header: column for column in columns}
    readings = {
        order: {name: as_dates(column, order) for name, column in by_header.items()} for order in ("dmy", "mdy")
    }
    votes: dict[str, str] = {}
    for earlier, later in pairs:
        if earlier in by_header and later in by_header:
            votes |= _pair_votes(readings, earlier, later)
    orders = set(votes.values())
    if len(orders) == 1:
        order: DateOrder = "dmy" if orders == {"dmy"} else "mdy"
        return OrderFound(order, Guess("date order", _spoken(order), "; ".join(votes), "--date-order"))
    sample = columns[0].doubtful.get_column("raw").drop_nulls().head(1).item()
    return OrderFound(None, question=f"no date has a part above 12, so {sample!r} can be two days")


def _pair_votes(readings: Mapping[str, Mapping[str, pl.Series]], earlier: str, later: str) -> dict[str, str]:
    """Reason -> order, for one pair of dates of which the second should not be the earlier."""
    gaps = {order: (dates[later] - dates[earlier]).dt.total_days().drop_nulls() for order, dates in readings.items()}
    size = min(len(gap) for gap in gaps.values())
    if size < 3:
        return {}
    votes: dict[str, str] = {}
    negative = {order: int((gap < 0).sum()) for order, gap in gaps.items()}
    common = {
        order: gap.value_counts(sort=True).get_column("count").head(3).sum() / len(gap) for order, gap in gaps.items()
    }
    for order, other in (("dmy", "mdy"), ("mdy", "dmy")):
        if negative[order] == 0 and negative[other] >= max(3, 0.05 * size):
            votes[f"the other order puts {later} before {earlier} in {negative[other]:,} of {size:,} rows"] = order
        if size >= 20 and common[order] >= 0.9 and common[other] <= 0.5:
            votes[f"only so is {later} a fixed number of days after {earlier}"] = order
    return votes

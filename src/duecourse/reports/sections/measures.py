"""Every measure of the company with its year, its definition, and the same by entity and segment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl
from markupsafe import Markup

from duecourse.reports.charts import sparkline
from duecourse.reports.run_data import RunReport
from duecourse.reports.sections.audit_books import figure_text
from duecourse.reports.sections.trends import TrendPicture, trend_pictures
from duecourse.reports.wording import NONE, Wording, sentence

GROUPS_SHOWN = 20
SAME_DAYS = 0.05  # what one decimal cannot show is no change
GROUP_FIGURES = (
    ("receivable", "Open"), ("past_due_share", "Past due"), ("dso_countback", "DSO"),
    ("average_days_delinquent", "Delinquent days"), ("cei", "CEI"), ("days_beyond_terms", "Beyond terms"),
)  # fmt: skip
_HEADINGS = {"entity": "By entity", "segment": "By customer segment"}
Figure = Mapping[str, Any]
Year = list[tuple[date, float | None]]


@dataclass(frozen=True, slots=True)
class MeasureLine:
    """One measure: its definition, what it is now and was at the first of 12 month starts, and what lay between."""

    figure: Figure
    now: str
    then: str
    spark: Markup


@dataclass(frozen=True, slots=True)
class GroupTable:
    """The main measures of each entity or segment, most open money first."""

    heading: str
    lines: Sequence[tuple[str, Sequence[str]]]
    more: int


@dataclass(frozen=True, slots=True)
class MeasuredBook:
    """One currency: a sentence, pictures, the table, what could not be measured and why, entities and segments."""

    currency: str
    lead: str
    pictures: Sequence[TrendPicture]
    lines: Sequence[MeasureLine]
    absent: Sequence[Figure]
    groups: Sequence[GroupTable]


def measure_values(report: RunReport) -> dict[str, Any]:
    """What ``measures.html`` reads."""
    words = Wording(report.locale)
    years = _years(report.measures)
    first = report.measures.get_column("month").min() if report.measures.height else None
    return {
        "first_day": words.day_text(first if isinstance(first, date) else None),
        "books": [_book(report, book, years, words) for book in (report.audit or {}).get("books", [])],
        "headings": [heading for _, heading in GROUP_FIGURES],
    }


def _years(measures: pl.DataFrame) -> dict[tuple[str, str], Year]:
    """(currency, metric) of the company -> its value on each day, oldest first; amounts in minor units."""
    found: dict[tuple[str, str], Year] = defaultdict(list)
    if measures.height:
        company = measures.filter(pl.col("level") == "company").sort("currency", "metric", "month")
        figure = pl.coalesce(pl.col("amount_minor").cast(pl.Float64), "value")
        for currency, metric, month, value in company.select("currency", "metric", "month", figure).iter_rows():
            found[currency, metric].append((month, value))
    return found


def _book(
    report: RunReport, book: Mapping[str, Any], years: Mapping[tuple[str, str], Year], words: Wording
) -> MeasuredBook:
    currency = book["currency"]
    # An audit of one figure alone says neither its unit nor its formula: such a figure has nothing to print here.
    figures = [figure for figure in book.get("figures", []) if "unit" in figure]
    lines = [
        _line(figure, years.get((currency, figure["key"])) or years.get(("", figure["key"]), []), currency, words)
        for figure in figures
        if figure["value"] is not None
    ]
    return MeasuredBook(
        currency=currency,
        lead=_lead({line.figure["key"]: line for line in lines}, years.get((currency, "dso_countback"), []), words),
        pictures=trend_pictures(book, words, key="run"),
        lines=lines,
        absent=[figure for figure in figures if figure["value"] is None],
        groups=[
            table for level in _HEADINGS if (table := _groups(report.measures, level, currency, words)) is not None
        ],
    )


def _lead(lines: Mapping[str, MeasureLine], dso: Year, words: Wording) -> str:
    """DSO against the first of the 12 month starts and what is past due, one sentence; empty where nothing is known."""
    parts = []
    if "dso_countback" in lines:
        parts.append(f"DSO is {lines['dso_countback'].now}")
        if dso and dso[0][1] is not None and dso[-1][1] is not None:
            change = dso[-1][1] - dso[0][1]
            more = f"{words.days(abs(change))} {'more' if change > 0 else 'less'} than"
            parts[0] += f", {'as' if abs(change) < SAME_DAYS else more} on {words.day_text(dso[0][0])}"
    if "past_due_share" in lines:
        parts.append(f"{lines['past_due_share'].now} of the open amount is past due")
    return sentence("; ".join(parts))


def _line(figure: Figure, year: Year, currency: str, words: Wording) -> MeasureLine:
    first = year[0][1] if year else None
    known = [value for _, value in year if value is not None]
    texts = [_text(figure, value, currency, words) for value in known]
    spark = sparkline(
        f"year-{currency}-{figure['key']}",
        known,
        title=f"{figure['label']}, last 12 months",
        description=f"{texts[0]} to {texts[-1]}" if texts else "not known",
    )
    now, then = (_text(figure, value, currency, words) for value in (figure["value"], first))
    return MeasureLine(figure, now, then, spark)


def _text(figure: Figure, value: float | None, currency: str, words: Wording) -> str:
    """A value in the figure's unit; amounts in whole units, since a table of measures is read at a glance."""
    if figure["unit"] == "minor":
        return words.money(value, currency)
    return figure_text({**figure, "value": value}, currency, words)


def _groups(measures: pl.DataFrame, level: str, currency: str, words: Wording) -> GroupTable | None:
    if measures.is_empty():
        return None
    last = measures.get_column("month").max()
    mine = measures.filter(
        (pl.col("level") == level) & (pl.col("currency") == currency) & (pl.col("month") == pl.lit(last))
    )
    found: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for row in mine.iter_rows(named=True):
        found[row["key"]][row["metric"]] = row
    owed = {key: int(cells["receivable"]["amount_minor"] or 0) for key, cells in found.items() if "receivable" in cells}
    order = sorted(owed, key=lambda key: (-owed[key], key))
    if len(order) < 2:  # one group is the company
        return None
    lines = [
        (key or "Not given", [_cell(found[key].get(metric), currency, words) for metric, _ in GROUP_FIGURES])
        for key in order[:GROUPS_SHOWN]
    ]
    return GroupTable(_HEADINGS[level], lines, max(len(order) - GROUPS_SHOWN, 0))


def _cell(row: Mapping[str, Any] | None, currency: str, words: Wording) -> str:
    if row is None:
        return NONE
    return _text(row, row["amount_minor"] if row["unit"] == "minor" else row["value"], currency, words)

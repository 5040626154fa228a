"""Twelve months of a book's measures as pictures, for the audit page and the run page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from markupsafe import Markup

from duecourse.reports.charts import line_chart
from duecourse.reports.charts.svg import Box
from duecourse.reports.wording import Wording, sentence

Point = Mapping[str, Any]
_BOXES = {
    "wide": Box(width=470, height=210, left=36, right=90),
    "narrow": Box(width=340, height=200, left=32, right=100),
}


@dataclass(frozen=True, slots=True)
class TrendPicture:
    """One chart, drawn for wide and narrow screens, with its caption, what its lines are and what to beware of."""

    caption: str
    note: str
    wide: Markup
    narrow: Markup


def month_names(points: Sequence[Point], words: Wording) -> list[str]:
    """The axis labels of a trend: month and year of each point."""
    return [words.short_month(date.fromisoformat(str(point["month"])[:10])) for point in points]


def trend_pictures(book: Mapping[str, Any], words: Wording, *, key: str = "trend") -> list[TrendPicture]:
    """DSO with best possible and delinquent days, CEI, past-due share, and days to pay of one currency's audit.

    ``book`` is a currency's part of ``Audit.to_dict()``; lines that no month supports are left out, and so is a
    picture without a line.
    """
    currency, points = book["currency"], book.get("trend", [])
    about = {figure["key"]: figure for figure in book.get("figures", [])}
    found = [
        _picture(
            f"{key}-dso-{currency}", points, words, caption=f"DSO, {currency}, days",
            series={
                "DSO": "dso_countback_days", "best": "best_possible_dso_days", "late": "average_days_delinquent_days",
            },
            note=_notes(about, ("dso_countback", "best_possible_dso", "average_days_delinquent")),
        ),
        _picture(
            f"{key}-cei-{currency}", points, words, caption=f"Collection effectiveness index, {currency}, percent",
            series={"CEI": "cei_percent"}, note=_notes(about, ("cei",)),
        ),
        _picture(
            f"{key}-late-{currency}", [_with_share(point) for point in points], words,
            caption=f"Past-due share, {currency}, percent", series={"past due": "past_due_percent"},
            note=_notes(about, ("past_due_share",)),
        ),
        _picture(
            f"{key}-paid-{currency}", points, words, caption=f"Days to pay and days beyond terms, {currency}",
            series={"to pay": "days_to_pay_days", "beyond terms": "days_beyond_terms_days"},
            note="Of what was paid in the three months before. " + _notes(about, ("days_to_pay",)),
        ),
    ]  # fmt: skip
    return [picture for picture in found if picture.wide]


def _picture(
    key: str, points: Sequence[Point], words: Wording, *, caption: str, series: Mapping[str, str], note: str
) -> TrendPicture:
    values = {name: [point.get(column) for point in points] for name, column in series.items()}
    known = {name: line for name, line in values.items() if any(value is not None for value in line)}
    ends = [
        f"{name} {words.number(seen[0])} to {words.number(seen[-1])}"
        for name, line in known.items()
        if (seen := [value for value in line if value is not None])
    ]
    wide, narrow = (
        line_chart(
            f"{key}-{kind}", month_names(points, words), known, title=caption,
            description="From first to last: " + "; ".join(ends), box=box, kind=f"chart {kind}",
        )
        for kind, box in _BOXES.items()
    )  # fmt: skip
    return TrendPicture(caption, note.strip(), wide, narrow)


def _with_share(point: Point) -> Point:
    owed = point.get("receivable_minor") or 0
    return {**point, "past_due_percent": point["past_due_minor"] / owed * 100 if owed > 0 else None}


def _notes(about: Mapping[str, Point], keys: Sequence[str]) -> str:
    """Formula and caution of the figures that a picture shows, as sentences."""
    return " ".join(
        f"{sentence(about[key]['formula'])} Caution: {sentence(about[key]['caution'])[:1].lower()}"
        f"{sentence(about[key]['caution'])[1:]}"
        for key in keys
        if key in about
    )

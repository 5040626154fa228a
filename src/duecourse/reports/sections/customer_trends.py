"""Twelve months of each customer that matters: days late and DSO, those that deteriorate first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from markupsafe import Markup

from duecourse.reports.charts import sparkline
from duecourse.reports.run_data import RunReport
from duecourse.reports.sections.frames import Row, rows
from duecourse.reports.sections.trends import month_names
from duecourse.reports.wording import NONE, Wording

SHOWN = 20
LATER, STEADY, UNJUDGED = "later", "steady", "unjudged"


@dataclass(frozen=True, slots=True)
class CustomerTrend:
    """One customer's year; ``state`` is later, steady or unjudged, ``months`` its DSO and lateness as text."""

    name: str
    customer_id: str
    state: str
    change: str
    open_minor: int
    dso: str
    dso_spark: Markup
    late: str
    late_spark: Markup
    dso_months: Sequence[str]
    late_months: Sequence[str]


def state_of(customer_id: str, changes: Mapping[str, Row]) -> str:
    """Whether a customer pays later than it used to, does not, or cannot be judged."""
    row = changes.get(customer_id)
    return UNJUDGED if row is None else LATER if row["deteriorating"] else STEADY


def changes_of(report: RunReport) -> dict[str, Row]:
    """customer_id -> its row of ``deterioration``."""
    return {str(row["customer_id"]): row for row in rows(report.deterioration)}


def customer_trend_values(report: RunReport) -> dict[str, Any]:
    """What ``customer_trends.html`` reads: per currency the deteriorating customers, then the largest ones."""
    words = Wording(report.locale)
    changes = changes_of(report)
    books = []
    for book in (report.audit or {}).get("books", []):
        concerned = [
            row
            for row in book.get("customers", [])
            if row["open_minor"] > 0 or state_of(row["customer_id"], changes) == LATER
        ]
        concerned.sort(
            key=lambda row: (
                state_of(row["customer_id"], changes) != LATER, -row["open_minor"], row["customer_id"],
            )
        )  # fmt: skip
        lines = [_trend(row, report, changes, book["currency"], words) for row in concerned[:SHOWN]]
        points = book.get("trend") or _points(report)
        books.append((book["currency"], lines, max(len(concerned) - SHOWN, 0), month_names(points, words)))
    flagged = sum(1 for row in changes.values() if row["deteriorating"])
    return {"books": books, "flagged": flagged, "judged": len(changes)}


def _points(report: RunReport) -> list[dict[str, date]]:
    return [{"month": report.identity.as_of}]


def _trend(
    row: Mapping[str, Any], report: RunReport, changes: Mapping[str, Row], currency: str, words: Wording
) -> CustomerTrend:
    customer_id = str(row["customer_id"])
    name = str(report.names.get(customer_id) or row["name"] or customer_id)
    state = state_of(customer_id, changes)
    dso, late = row["dso_trend_days"], row["lateness_trend_days"]
    key = f"{currency}-{customer_id}"
    return CustomerTrend(
        name=name,
        customer_id=customer_id,
        state=state,
        change=words.number(float(changes[customer_id]["change_days"]), 0) if state == LATER else "",
        open_minor=row["open_minor"],
        dso=_dso(row, words),
        dso_spark=_spark(f"year-dso-{key}", dso, f"DSO of {name}", words),
        late=words.number(_last(late)),
        late_spark=_spark(f"year-late-{key}", late, f"Days late of {name}", words),
        dso_months=[words.number(value) for value in dso],
        late_months=[words.number(value) for value in late],
    )


def _dso(row: Mapping[str, Any], words: Wording) -> str:
    """Its DSO; with fewer than three invoices a year that says nothing, so its days to pay stand there."""
    if row["dso_days"] is not None:
        return words.number(row["dso_days"])
    days = row["days_to_pay_days"]
    return NONE if days is None else f"{words.number(days)} to pay"


def _last(values: Sequence[float | None]) -> float | None:
    return next((value for value in reversed(values) if value is not None), None)


def _spark(key: str, values: Sequence[float | None], title: str, words: Wording) -> Markup:
    known = [value for value in values if value is not None]
    ends = f"{words.number(known[0])} to {words.number(known[-1])} days" if known else "not known"
    return sparkline(key, known, title=f"{title}, last 12 months", description=ends)

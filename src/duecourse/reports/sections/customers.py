"""Behaviour segments, customers that pay later than they used to, and where the open book is concentrated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from markupsafe import Markup

from duecourse.reports.charts import forest_row, share_bar
from duecourse.reports.run_data import RunReport
from duecourse.reports.sections.customer_trends import LATER, changes_of, state_of
from duecourse.reports.sections.frames import Row, currencies, rows
from duecourse.reports.wording import SEGMENTS, Wording

CHANGES_SHOWN = 20
CONCENTRATED = 0.10  # of the open book, as science.timing.deterioration.concentration has it
LARGEST_SHOWN = 10


@dataclass(frozen=True, slots=True)
class SegmentLine:
    """One behaviour segment of one currency; shares are of the currency's open amount; risk is amount-weighted."""

    name: str
    meaning: str
    customers: int
    invoices: int
    open_minor: int
    share: float
    overdue_minor: int
    p_late: float | None
    p_late_60: float | None


def segment_values(report: RunReport) -> dict[str, Any]:
    """What ``segments.html`` reads: per currency the lines of the four segments, and all customers by segment."""
    words = Wording(report.locale)
    books = []
    for currency in currencies(report.scores):
        lines = _segment_lines(report.scores.filter(pl.col("currency") == currency))
        bars = [
            share_bar(
                f"segment-{currency}-{line.name}",
                line.share,
                title=f"{line.name}, {currency}",
                description=f"{words.percent(line.share)} of the open amount",
            )
            for line in lines
        ]
        books.append((currency, list(zip(lines, bars, strict=True))))
    counts: list[tuple[str, int]] = []
    if report.segments.height:
        found = dict(report.segments.group_by("segment").len().iter_rows())
        counts = [(SEGMENTS[code][0], int(found.get(code, 0))) for code in SEGMENTS]
    return {"books": books, "counts": counts, "total": report.segments.height}


def _segment_lines(mine: pl.DataFrame) -> list[SegmentLine]:
    total = int(mine["open_minor"].sum())
    lines = []
    for code, (name, meaning) in SEGMENTS.items():
        part = mine.filter(pl.col("segment") == code)
        if part.is_empty():
            continue
        opened = int(part["open_minor"].sum())
        risk = part.select(
            ((pl.col(name) * pl.col("open_minor")).sum() / pl.col("open_minor").sum()).alias(name)
            for name in ("p_late", "p_late_60")
        ).row(0, named=True)
        lines.append(
            SegmentLine(
                name=name,
                meaning=meaning,
                customers=part["customer_id"].n_unique(),
                invoices=part.height,
                open_minor=opened,
                share=opened / total if total else 0.0,
                overdue_minor=int(part.filter(pl.col("days_late") > 0)["open_minor"].sum()),
                p_late=risk["p_late"],
                p_late_60=risk["p_late_60"],
            )
        )
    return lines


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """A customer that pays later than its own past: the change with its interval, and what it owes now."""

    name: str
    customer_id: str
    row: Row
    strip: Markup
    open_minor: Sequence[tuple[str, int]]


def change_values(report: RunReport) -> dict[str, Any]:
    """What ``changes.html`` reads: deteriorating customers by money, the largest customers, and both at once."""
    changes = report.deterioration
    flagged = changes.filter(pl.col("deteriorating")) if changes.height else changes
    open_of = _open_by_customer(report.scores)
    people = sorted(
        rows(flagged),
        key=lambda row: (-sum(minor for _, minor in open_of.get(str(row["customer_id"]), [])), str(row["customer_id"])),
    )
    limits = _limits(people[:CHANGES_SHOWN])
    return {
        "judged": changes.height,
        "lines": [_change_line(report, row, limits, open_of) for row in people[:CHANGES_SHOWN]],
        "more": max(len(people) - CHANGES_SHOWN, 0),
        "limits": limits,
        "concentrated": list(rows(report.concentration)),
        "names": report.names,
        "largest": [(currency, *_largest(report, currency)) for currency in currencies(report.scores)],
        "share": CONCENTRATED,
    }


def _limits(people: Sequence[Row]) -> tuple[float, float]:
    if not people:
        return 0.0, 1.0
    return min(0.0, *(float(row["low_days"]) for row in people)), max(1.0, *(float(row["high_days"]) for row in people))


def _change_line(
    report: RunReport, row: Row, limits: tuple[float, float], open_of: dict[str, list[tuple[str, int]]]
) -> ChangeLine:
    words = Wording(report.locale)
    customer_id = str(row["customer_id"])
    low, middle, high = float(row["low_days"]), float(row["change_days"]), float(row["high_days"])
    name = str(report.names.get(customer_id) or customer_id)
    strip = forest_row(
        f"change-{customer_id}",
        low,
        middle,
        high,
        limits=limits,
        title=f"Change of {name}",
        description=f"{words.days(middle)} later; 90 % interval {words.number(low)} to {words.number(high)}",
    )
    return ChangeLine(name, customer_id, row, strip, open_of.get(customer_id, []))


def _open_by_customer(scores: pl.DataFrame) -> dict[str, list[tuple[str, int]]]:
    found: dict[str, list[tuple[str, int]]] = {}
    if scores.height:
        sums = (
            scores.group_by("customer_id", "currency").agg(pl.col("open_minor").sum()).sort("customer_id", "currency")
        )
        for customer_id, currency, minor in sums.iter_rows():
            found.setdefault(str(customer_id), []).append((str(currency), int(minor)))
    return found


@dataclass(frozen=True, slots=True)
class LargeCustomer:
    """One of the largest customers: what it holds, how its paying changed, and whether both together are a warning."""

    name: str
    customer_id: str
    open_minor: int
    share: float
    state: str
    change: str
    is_warning: bool


def _largest(report: RunReport, currency: str) -> tuple[list[LargeCustomer], float]:
    """The largest customers of one currency and the share of all of them together."""
    words, changes = Wording(report.locale), changes_of(report)
    mine = report.scores.filter(pl.col("currency") == currency)
    total = int(mine["open_minor"].sum())
    sums = mine.group_by("customer_id").agg(pl.col("open_minor").sum()).sort(["open_minor", "customer_id"],
                                                                            descending=[True, False])  # fmt: skip
    lines = [
        LargeCustomer(
            name=str(report.names.get(str(customer_id)) or customer_id),
            customer_id=str(customer_id),
            open_minor=int(minor),
            share=minor / total,
            state=(state := state_of(str(customer_id), changes)),
            change=words.number(float(changes[str(customer_id)]["change_days"]), 0) if state == LATER else "",
            is_warning=state == LATER and minor >= CONCENTRATED * total,
        )
        for customer_id, minor in sums.head(LARGEST_SHOWN).iter_rows()
        if total
    ]
    return lines, sum(line.share for line in lines)

"""Whom to contact today and why, with draft, invoices and alternatives; and who is left alone and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import polars as pl
from markupsafe import Markup

from duecourse.reports.charts import range_strip
from duecourse.reports.run_data import RunReport
from duecourse.reports.sections.frames import Row, id_list, is_today, json_or, rows
from duecourse.reports.wording import NO_CURRENCY, NONE, Wording, arm

SHOWN = 50
INVOICES_SHOWN = 8
RESOLUTION_SHOWN = 20
LEFT_ALONE_SHOWN = 15
HORIZON_DAYS = 178
_STRIP_DAYS = 90


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """One open invoice as the page prints it; ``paid_on`` is the P50 date or "later than ..."."""

    invoice_id: str
    due_on: date
    open_minor: int
    days_late: int
    paid_on: str
    band: str
    strip: Markup
    p_late_60: float | None
    reasons: str


@dataclass(frozen=True, slots=True)
class QueueEntry:
    """One customer of today's list with all that its fold-out shows."""

    rank: int
    name: str
    customer_id: str
    currency: str
    when: str
    row: Row
    gain_low_minor: int | None
    gain_high_minor: int | None
    draft: str
    invoices: Sequence[InvoiceLine]
    invoices_more: int
    masked: Sequence[tuple[str, Sequence[str]]]


@dataclass(frozen=True, slots=True)
class LeftAlone:
    """Everybody who is not contacted for one reason: how many, what they owe per currency, and the largest of them."""

    reason: str
    customers: int
    open_minor: Sequence[tuple[str, int]]
    largest: Sequence[tuple[str, str, int, str, str]]
    more: int


def queue_values(report: RunReport) -> dict[str, Any]:
    """What ``queue.html`` reads."""
    shown = list(rows(report.worklist, limit=SHOWN))
    wanted = {str(row["customer_id"]) for row in shown}
    lines = _scores_by_customer(report.scores, wanted)
    decisions = _first_by_customer(report.decisions, wanted)
    entries = [_entry(report, row, lines, decisions.get(str(row["customer_id"]), {})) for row in shown]
    return {
        "entries": entries,
        "total": report.worklist.height,
        "more": report.worklist.height - len(entries),
        "as_of": report.identity.as_of,
        "minutes": sum(float(row.get("minutes") or 0) for row in rows(report.worklist)),
        "people": sum(1 for row in rows(report.worklist) if row.get("needs_human")),
        "scored": report.scores.height,
        "policy": report.identity.policy,
        "today": sum(1 for row in rows(report.worklist) if is_today(row, report.identity.as_of)),
        "resolution": list(rows(report.resolution, limit=RESOLUTION_SHOWN)),
        "resolution_more": max(report.resolution.height - RESOLUTION_SHOWN, 0),
        "assumptions": report.assumptions,
    }


def _when(row: Row, as_of: date, words: Wording) -> str:
    if is_today(row, as_of):
        return "today"
    when = row["send_at"]
    return words.short_day(date.fromisoformat(when[:10]) if isinstance(when, str) else when.date())


def _scores_by_customer(scores: pl.DataFrame, wanted: set[str]) -> dict[str, list[Row]]:
    """The open invoices of the wanted customers, the latest first."""
    found: dict[str, list[Row]] = defaultdict(list)
    if scores.is_empty() or not wanted:
        return found
    few = scores.filter(pl.col("customer_id").is_in(list(wanted)))
    for row in rows(few.sort(["days_late", "open_minor", "invoice_id"], descending=[True, True, False])):
        found[str(row["customer_id"])].append(row)
    return found


def _first_by_customer(decisions: pl.DataFrame, wanted: set[str]) -> dict[str, Row]:
    found: dict[str, Row] = {}
    if not decisions.is_empty() and wanted:
        for row in rows(decisions.filter(pl.col("customer_id").is_in(list(wanted)))):
            found.setdefault(str(row["customer_id"]), row)
    return found


def _entry(report: RunReport, row: Row, lines: Mapping[str, list[Row]], decision: Row) -> QueueEntry:
    words = Wording(report.locale)
    customer_id = str(row["customer_id"])
    chosen = set(id_list(row.get("invoice_ids") or decision.get("invoice_ids")))
    mine = lines.get(customer_id, [])
    mine = [line for line in mine if line["invoice_id"] in chosen] or mine
    currency = str(row.get("currency") or (mine[0]["currency"] if mine else NO_CURRENCY))
    return QueueEntry(
        rank=int(row["rank"]),
        name=str(row.get("name") or report.names.get(customer_id) or customer_id),
        customer_id=customer_id,
        currency=currency,
        when=_when(row, report.identity.as_of, words),
        row=row,
        gain_low_minor=decision.get("gain_p10_minor"),
        gain_high_minor=decision.get("gain_p90_minor"),
        draft=report.drafts.get(str(row.get("draft") or ""), ""),
        invoices=[
            invoice_line(line, report.identity.as_of, words, f"q{row['rank']}-{order}")
            for order, line in enumerate(mine[:INVOICES_SHOWN])
        ],
        invoices_more=max(len(mine) - INVOICES_SHOWN, 0),
        masked=_masked(json_or(decision.get("masked"), {})),
    )


def _masked(found: object) -> list[tuple[str, list[str]]]:
    """The reasons for which actions are not available, each with its actions; the reason with most actions last."""
    reasons: dict[str, list[str]] = defaultdict(list)
    if isinstance(found, dict):
        for name, reason in sorted(found.items()):
            reasons[str(reason)].append(arm(str(name)))
    return sorted(reasons.items(), key=lambda item: (len(item[1]), item[0]))


def invoice_line(line: Row, as_of: date, words: Wording, key: str) -> InvoiceLine:
    """One scored invoice ready to print; dates beyond the horizon read "later than <its end>"."""
    middle, low, high = line.get("paid_on_p50"), line.get("paid_on_p10"), line.get("paid_on_p90")
    never = f"later than {words.day_text(as_of + timedelta(days=HORIZON_DAYS))}"
    band = f"{words.short_day(low) if low else NONE} to {words.short_day(high) if high else 'later'}"
    strip = Markup("")
    if low:
        offsets = [(day - as_of).days if day else None for day in (low, middle, high)]
        strip = range_strip(
            key, offsets[0] or 0, offsets[1], offsets[2], horizon=_STRIP_DAYS,
            title=f"Payment of {line['invoice_id']}",
            description=f"expected {words.day_text(middle) if middle else never}; eight times in ten {band}",
        )  # fmt: skip
    return InvoiceLine(
        invoice_id=str(line["invoice_id"]),
        due_on=as_of - timedelta(days=int(line["days_late"])),
        open_minor=int(line["open_minor"]),
        days_late=int(line["days_late"]),
        paid_on=words.day_text(middle) if middle else never,
        band=band,
        strip=strip,
        p_late_60=line.get("p_late_60"),
        reasons=reason_text(line.get("reasons")),
    )


def reason_text(reasons: object) -> str:
    """``usually pays 8 days after due (+6), pays on Thursdays (+2)`` from the JSON list of a score."""
    texts = []
    for reason in json_or(reasons, []):
        if isinstance(reason, dict) and reason.get("reason"):
            days = reason.get("days")
            texts.append(
                f"{reason['reason']} ({days:+.0f}\N{NO-BREAK SPACE}d)"
                if isinstance(days, int | float) and abs(days) >= 0.5
                else reason["reason"]
            )
    return ", ".join(texts)


def left_alone_values(report: RunReport) -> dict[str, Any]:
    """What ``left_alone.html`` reads: the reasons, most money first."""
    groups: dict[str, list[Row]] = defaultdict(list)
    owner_currency = _customer_currency(report.scores)
    for row in rows(report.not_worked):
        groups[str(row.get("reason") or "no reason given")].append(row)
    found = [_group(report, reason, members, owner_currency) for reason, members in groups.items()]
    found.sort(key=lambda group: (-sum(minor for _, minor in group.open_minor), group.reason))
    return {"groups": found, "total": report.not_worked.height, "contacted": report.worklist.height}


def _group(report: RunReport, reason: str, members: list[Row], owner: Mapping[str, str]) -> LeftAlone:
    people: list[tuple[str, str, int, str, str]] = []
    sums: dict[str, int] = defaultdict(int)
    for row in members:
        customer_id = str(row["customer_id"])
        currency = str(row.get("currency") or owner.get(customer_id, NO_CURRENCY))
        minor = int(row.get("open_minor") or 0)
        sums[currency] += minor
        name = str(row.get("name") or report.names.get(customer_id) or customer_id)
        people.append((name, customer_id, minor, currency, str(row.get("detail") or "")))
    people.sort(key=lambda one: (-one[2], one[1]))
    return LeftAlone(
        reason=reason,
        customers=len({one[1] for one in people}),
        open_minor=sorted(sums.items(), key=lambda item: (-item[1], item[0])),
        largest=people[:LEFT_ALONE_SHOWN],
        more=max(len(people) - LEFT_ALONE_SHOWN, 0),
    )


def _customer_currency(scores: pl.DataFrame) -> dict[str, str]:
    if scores.is_empty():
        return {}
    first = scores.sort("customer_id", "invoice_id").group_by("customer_id", maintain_order=True)
    return dict(first.agg(pl.col("currency").first()).iter_rows())

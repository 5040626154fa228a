"""``book_from_view``: the book of arrays from a ledger as it was known, for the command line and the application.

Amounts of several currencies are put on one scale, the currency with most open invoices: a currency's median open
invoice counts as much as the other's. No exchange rate is used, and figures are given back in each point's own unit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from duecourse.core.calendar import epoch_days
from duecourse.ledger.as_of import View
from duecourse.ledger.balances import invoice_balances, live_allocations
from duecourse.ledger.promises import promise_states
from duecourse.ledger.schema import ARMS
from duecourse.science.decisions.capacity import Capacity
from duecourse.science.decisions.contact_points import paying_parents
from duecourse.science.decisions.envelope import TERMS_ARMS
from duecourse.science.decisions.learned.book import ARM, NONE, Book, Bools, Floats, Ints
from duecourse.science.decisions.learned.decision_log import Decisions, decisions_of
from duecourse.science.decisions.learned.events import EventPrices, event_prices, past_contacts
from duecourse.science.decisions.learned.terms import Offer
from duecourse.science.decisions.offers import discounts_spent
from duecourse.science.decisions.points import ContactPoint
from duecourse.science.decisions.schedule import zones

_EPOCH = date(1970, 1, 1)
_WHOLE = 0.95  # a dispute over this share of the invoice holds the whole of it
_OUTCOME = {"kept": 1, "broken": 2, "part_kept": 2}


@dataclass(frozen=True)
class Source:
    """The book, the customer_id of each contact point, the scale of amounts per currency, and the log's state.

    ``contact_hour`` (M,): which two hours of the recipient's day each contact fell into (``nested.HOURS``).
    ``events``: what contacts cost on average by driving customers away.
    """

    book: Book
    names: tuple[str, ...]
    scale: Mapping[str, float]
    log: Decisions
    contact_hour: Ints
    events: EventPrices


def book_from_view(view: View, points: Sequence[ContactPoint], masks: Sequence[Mapping[str, str]]) -> Source:
    """The book of ``view``. ``points`` are those with open invoices, ``masks`` what a rule forbids each of them."""
    frame = invoice_balances(view).filter(pl.col("amount_minor") > 0).sort("invoice_id")
    parents = paying_parents(view.table("customers"))
    roots = [parents.get(name, name) for name in frame.get_column("customer_id")]
    names = tuple(sorted({*roots, *(point.customer_id for point in points)}))
    code = {name: at for at, name in enumerate(names)}
    point_of = {**code, **{child: code[parent] for child, parent in parents.items() if parent in code}}
    row_of = {name: at for at, name in enumerate(frame.get_column("invoice_id"))}
    scale = scales(points)
    unit = np.array([scale.get(name, 1.0) for name in frame.get_column("currency")], dtype=np.float64)
    log = decisions_of(view, point_of)
    due = _days(frame.get_column("due_on"))
    paid, closed, written_off = _ends(frame)
    book = Book(
        as_of=(view.as_of - _EPOCH).days, point_cluster=np.arange(len(names), dtype=np.int64),
        point=np.array([code[name] for name in roots], dtype=np.int64), issued=_days(frame.get_column("issued_on")),
        due=due, amount_minor=frame.get_column("amount_minor").to_numpy().astype(np.float64) * unit,
        collectible_minor=_collectible(points, row_of, scale), paid_day=paid, closed_day=closed,
        written_off_day=written_off, timing_logit=np.zeros(frame.height),
        **_disputes(view, row_of), **_promises(view, frame, row_of), **_parts(view, frame, row_of),
        **_contacts(view, point_of), decision_point=log.point, decision_day=log.day, decision_arm=log.arm,
        decision_propensities=log.propensities, decision_executed=log.executed,
        allowed=_allowed(points, masks, code),
    )  # fmt: skip
    recent = np.zeros(len(names), dtype=np.int64)
    for point in points:
        recent[code[point.customer_id]] = point.history.outgoing_30_days
    events = event_prices(book, past_contacts(view, point_of, _outgoing(view, point_of)), recent)
    return Source(book, names, scale, log, _hours(view, points, point_of), events)


def scales(points: Sequence[ContactPoint]) -> dict[str, float]:
    """Currency -> factor to the main currency, by the median open invoice of each."""
    number: dict[str, int] = {}
    for point in points:
        for item in point.items:
            number[item.currency] = number.get(item.currency, 0) + 1
    if not points:
        return {}
    main = min(number, key=lambda unit: (-number[unit], unit))
    typical = points[0].typical_minor
    return {unit: typical[main] / typical[unit] for unit in number}


def _days(column: pl.Series) -> Ints:
    """Epoch days, -1 where there is no date."""
    return column.cast(pl.Date).cast(pl.Int64).fill_null(-1).to_numpy().astype(np.int64)


def _ends(frame: pl.DataFrame) -> tuple[Ints, Ints, Ints]:
    """Day paid, day closed without payment, day written off."""
    paid = _days(frame.get_column("paid_on"))
    cleared, way = _days(frame.get_column("cleared_on")), frame.get_column("closed_as").fill_null("").to_numpy()
    unpaid = paid < 0
    closed = np.where(unpaid & (way == "credited"), cleared, -1)
    written_off = np.where(unpaid & (way == "written_off"), cleared, -1)
    # Cleared by money that is none of the customer's (a rounding, a fee) ends the row like a credit does.
    closed = np.where(unpaid & (way == "paid"), cleared, closed)
    return paid, closed, written_off


def _collectible(points: Sequence[ContactPoint], row_of: Mapping[str, int], scale: Mapping[str, float]) -> Floats:
    result = np.zeros(len(row_of))
    for point in points:
        for item in point.listed:
            if item.invoice_id in row_of:
                result[row_of[item.invoice_id]] = item.collectible_minor * scale[item.currency]
    return result


def _disputes(view: View, row_of: Mapping[str, int]) -> dict[str, Any]:
    table = view.table("disputes").join(
        view.table("invoices").select("invoice_id", "amount_minor"), on="invoice_id", how="inner"
    )
    table = table.filter(pl.col("invoice_id").is_in(list(row_of))).sort("dispute_id")
    whole = (pl.col("disputed_minor").is_null() | (pl.col("disputed_minor") >= _WHOLE * pl.col("amount_minor"))).alias(
        "whole"
    )
    return {
        "dispute_invoice": np.array([row_of[name] for name in table.get_column("invoice_id")], dtype=np.int64),
        "dispute_opened": _days(table.get_column("opened_on")),
        "dispute_resolved": _days(table.get_column("closed_on")),
        "dispute_whole": table.select(whole).to_series().to_numpy().astype(np.bool_),
    }


def _promises(view: View, frame: pl.DataFrame, row_of: Mapping[str, int]) -> dict[str, Any]:
    """One entry per promise, at its first invoice; a promise over the whole account at the customer's first one."""
    first = dict(zip(frame.get_column("customer_id").reverse(), range(frame.height - 1, -1, -1), strict=True))
    rows: list[tuple[int, int, int, int]] = []
    for row in promise_states(view).iter_rows(named=True):
        named = [row_of[name] for name in row["invoice_ids"] or () if name in row_of]
        at = named[0] if named else first.get(row["customer_id"], -1)
        if at >= 0:
            made, due = epoch_days([row["promised_on"], row["due_on"]]).tolist()
            rows.append((at, made, due, _OUTCOME.get(row["state"], 0)))
    columns = np.array(rows, dtype=np.int64).reshape(len(rows), 4).T
    return dict(zip(("promise_invoice", "promise_made", "promise_due", "promise_outcome"), columns, strict=True))


def _parts(view: View, frame: pl.DataFrame, row_of: Mapping[str, int]) -> dict[str, Any]:
    """Payments after which the invoice was still open."""
    table = (
        live_allocations(view)
        .filter(pl.col("source_kind") == "payment")
        .join(frame.select("invoice_id", "paid_on"), on="invoice_id", how="inner")
        .filter(pl.col("paid_on").is_null() | (pl.col("applied_on") < pl.col("paid_on")))
        .sort("allocation_id")
    )
    return {
        "part_invoice": np.array([row_of[name] for name in table.get_column("invoice_id")], dtype=np.int64),
        "part_day": _days(table.get_column("applied_on")),
    }


def _outgoing(view: View, point_of: Mapping[str, int]) -> list[dict[str, Any]]:
    """Contacts that left the house, in the order of their time."""
    table = view.table("activities").filter(
        (pl.col("direction") == "out") & pl.col("channel").is_in(["email", "sms", "call", "letter"])
    )
    return [
        row for row in table.sort("occurred_at", "activity_id").iter_rows(named=True) if row["customer_id"] in point_of
    ]


def _hours(view: View, points: Sequence[ContactPoint], point_of: Mapping[str, int]) -> Ints:
    """(M,) two hours of the local day of each contact: 0 for 9 to 11 and earlier .. 3 for 15 to 17 and later."""
    zone = {point_of[point.customer_id]: zones(point.timezone, point.country)[0][0] for point in points}
    hours = [
        row["occurred_at"].astimezone(ZoneInfo(zone.get(point_of[row["customer_id"]], "UTC"))).hour
        for row in _outgoing(view, point_of)
    ]
    result: Ints = np.clip((np.array(hours, dtype=np.int64) - 9) // 2, 0, 3)
    return result


def _contacts(view: View, point_of: Mapping[str, int]) -> dict[str, Any]:
    offered = _offering(view)
    rows = [
        (
            point_of[row["customer_id"]], (row["occurred_at"].date() - _EPOCH).days,
            offered.get(row["decision_id"] or "", arm_of(row["channel"], row["tone"])),
            int(row["decision_id"] is None), _reached(row),
        )
        for row in _outgoing(view, point_of)
    ]  # fmt: skip
    columns = np.array(rows, dtype=np.int64).reshape(len(rows), 5).T
    return {
        "contact_point": columns[0], "contact_day": columns[1], "contact_arm": columns[2],
        "contact_human": columns[3].astype(np.bool_), "contact_reached": columns[4],
    }  # fmt: skip


def _offering(view: View) -> dict[str, int]:
    """decision_id -> arm, as carried out, of those that offered terms: neither channel nor tone tells an offer."""
    rows = view.table("decisions").select("decision_id", pl.coalesce("executed_arm", "arm").alias("arm"))
    rows = rows.filter(pl.col("arm").is_in(TERMS_ARMS))
    return {decision: ARM[arm] for decision, arm in rows.iter_rows()}


def arm_of(channel: str, tone: str | None) -> int:
    """The arm that a recorded contact looks like."""
    firm = tone in ("firm", "final")
    if channel == "email":
        return ARM["email_firm" if firm else "email_neutral" if tone == "neutral" else "email_soft"]
    if channel == "call":
        return ARM["call_firm" if firm else "call_service"]
    return ARM["sms_soft" if channel == "sms" else "letter_formal"]


def _reached(row: Mapping[str, object]) -> int:
    if row["channel"] != "call" or row["outcome"] is None:
        return -1
    return int(row["outcome"] in ("reached", "refused"))


def _allowed(points: Sequence[ContactPoint], masks: Sequence[Mapping[str, str]], code: Mapping[str, int]) -> Bools:
    """(P, A): what no rule forbids; points without an open invoice are allowed nothing but ``none``."""
    allowed = np.zeros((len(code), len(ARMS)), dtype=np.bool_)
    allowed[:, NONE] = True
    for point, masked in zip(points, masks, strict=True):
        allowed[code[point.customer_id]] = [arm not in masked for arm in ARMS]
    return allowed


def offer_of(
    view: View, capacity: Capacity, points: Sequence[ContactPoint], names: Sequence[str], scale: Mapping[str, float]
) -> Offer | None:
    """The discount as the learner weighs it, or None: nobody's better than before, all within the year's limit.

    ``names`` are the contact points in the order of the learner's book, ``scale`` its factors per currency.
    """
    if capacity.terms is None or capacity.terms.discount is None:
        return None
    stated = capacity.terms.discount
    most = np.full(len(names), np.inf)
    place = {name: at for at, name in enumerate(names)}
    for point in points:
        if point.offers.percent is not None:
            most[place[point.customer_id]] = point.offers.percent
    left = max(int(stated.yearly_limit_minor - discounts_spent(view, scale)), 0)
    return Offer(stated.percent, days=stated.days, most_percent=most, budget_minor=left)

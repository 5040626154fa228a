"""What was offered to whom before: the guards against teaching customers to wait for the next offer.

At most one offer per customer in 12 months, none twice for an invoice, never better terms later, no plan within 12
months of a broken one, and a yearly limit on what discounts may cost.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from duecourse.ledger.as_of import View
from duecourse.ledger.autonomy import SHADOW
from duecourse.ledger.balances import live_allocations
from duecourse.ledger.plans import broken_plans
from duecourse.science.decisions.envelope import TERMS_ARMS

APART_DAYS = 365
_LARGEST = 1e15


@dataclass(frozen=True, slots=True)
class OfferHistory:
    """Days before ``as_of`` (None: never) of the last offer of any kind and of the last broken plan.

    ``invoices``: those for which a discount was offered. ``percent``: the smallest discount offered so far.
    """

    days_since_offer: int | None = None
    days_since_broken_plan: int | None = None
    invoices: frozenset[str] = frozenset()
    percent: float | None = None


NO_OFFERS = OfferHistory()


@dataclass(frozen=True, slots=True)
class PastOffer:
    """One offer that left the house, or of which nothing says that it did not."""

    customer_id: str
    arm: str
    on: date
    invoices: tuple[str, ...]
    currency: str
    percent: float | None
    take_by: date | None
    most_minor: int


def past_offers(view: View) -> list[PastOffer]:
    """The offers in the decision log, those that a person made instead included, in the order of their day."""
    offering = pl.col("arm").is_in(TERMS_ARMS) | pl.col("executed_arm").is_in(TERMS_ARMS)
    rows = view.table("decisions").filter(offering).sort("decided_at", "decision_id")
    return [_offer(row) for row in rows.iter_rows(named=True) if _left_the_house(row) in TERMS_ARMS]


def _left_the_house(row: Mapping[str, Any]) -> str:
    """The arm that was carried out, or of which nothing says that it was not; empty where nothing was."""
    if row["executed_arm"] is not None:
        return str(row["executed_arm"])
    return "" if row["stratum"] == SHADOW or row["not_executed_reason"] is not None else str(row["arm"])


def _offer(row: Mapping[str, Any]) -> PastOffer:
    terms = _terms(row["nested"])
    return PastOffer(
        row["customer_id"], _left_the_house(row), row["decided_at"].date(), tuple(row["invoice_ids"] or ()),
        row["currency"] or "", _number(terms.get("discount_percent")), _day(terms.get("take_by")),
        int(_number(terms.get("most_minor")) or 0),
    )  # fmt: skip


def _terms(nested: str | None) -> Mapping[str, Any]:
    try:
        content = json.loads(nested) if nested else {}
    except json.JSONDecodeError:
        return {}
    return content if isinstance(content, dict) else {}


def _number(value: object) -> float | None:
    """A number above 0 that money can hold; None for all else."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value <= _LARGEST:
        return None
    return float(value)


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def offer_histories(view: View, root_of: Mapping[str, str]) -> dict[str, OfferHistory]:
    """Contact point -> its history, for those with one; ``root_of`` gives the contact point of each customer."""
    offers: dict[str, list[PastOffer]] = {}
    for one in past_offers(view):
        if one.customer_id in root_of:
            offers.setdefault(root_of[one.customer_id], []).append(one)
    broken: dict[str, date] = {}
    for customer, day in broken_plans(view).items():
        if customer in root_of:
            broken[root_of[customer]] = max(day, broken.get(root_of[customer], day))
    return {
        point: _history(offers.get(point, []), broken.get(point), view.as_of)
        for point in sorted({*offers, *broken})
    }  # fmt: skip


def _history(offers: Iterable[PastOffer], broken: date | None, as_of: date) -> OfferHistory:
    made = list(offers)
    discounts = [one for one in made if one.arm == "email_discount"]
    percents = [one.percent for one in discounts if one.percent is not None]
    return OfferHistory(
        days_since_offer=min(((as_of - one.on).days for one in made), default=None),
        days_since_broken_plan=None if broken is None else (as_of - broken).days,
        invoices=frozenset(name for one in discounts for name in one.invoices),
        percent=min(percents, default=None),
    )


def discounts_spent(view: View, scale: Mapping[str, float]) -> float:
    """What the offers of the last 12 months cost, minor units of the currency whose ``scale`` is 1.

    An offer that still stands costs what it would if it were taken; one that has ended, the discounts on its invoices
    since. ``scale`` puts currencies on one measure; one without a scale counts at par.
    """
    recent = [
        one for one in past_offers(view)
        if one.arm == "email_discount" and (view.as_of - one.on).days < APART_DAYS
    ]  # fmt: skip
    taken = _taken(view, scale)
    total = 0.0
    for one in recent:
        stands = one.take_by is None or one.take_by >= view.as_of
        given = sum(amount for name in one.invoices for day, amount in taken.get(name, ()) if day >= one.on)
        total += max(one.most_minor * scale.get(one.currency, 1.0), given) if stands else given
    return total


def _taken(view: View, scale: Mapping[str, float]) -> dict[str, list[tuple[date, float]]]:
    """invoice_id -> (day, amount on the one measure) of the discounts that were kept back from its payments."""
    currency = dict(view.table("invoices").select("invoice_id", "currency").iter_rows())
    rows = live_allocations(view).filter(pl.col("source_kind") == "discount")
    columns = rows.select("invoice_id", "applied_on", "amount_minor").sort(pl.all())
    found: dict[str, list[tuple[date, float]]] = {}
    for name, day, minor in columns.iter_rows():
        found.setdefault(name, []).append((day, minor * scale.get(currency.get(name, ""), 1.0)))
    return found

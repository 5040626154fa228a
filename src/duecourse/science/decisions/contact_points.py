"""``gather``: every contact point with open invoices, read from a ``View`` and the payment-date predictions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Protocol

import polars as pl

from duecourse.ledger.as_of import View
from duecourse.ledger.autonomy import SHADOW
from duecourse.ledger.collectible import collectible
from duecourse.ledger.correspondence import days_unanswered
from duecourse.ledger.free_money import free_money
from duecourse.ledger.promises import promise_states
from duecourse.science.decisions.habit import NO_HABIT, habits
from duecourse.science.decisions.offers import NO_OFFERS, offer_histories
from duecourse.science.decisions.points import Contact, ContactHistory, ContactPoint, Disputes, OpenItem
from duecourse.science.decisions.stake import Outlook, outlooks
from duecourse.science.timing.facts import facts_from_view

_ROLES = {"payables": 0, "owner": 1, "executive": 2, "buyer": 3, "other": 4}
_REMINDER_CHANNELS = ("email", "sms", "call", "letter")


class PredictionFrames(Protocol):
    """Anything that has ``scores`` and ``curves`` in the columns of the contract, as ``timing.predict`` gives."""

    @property
    def scores(self) -> pl.DataFrame:
        """One row per open invoice."""

    @property
    def curves(self) -> pl.DataFrame:
        """invoice_id, day, cdf."""


def gather(view: View, prediction: PredictionFrames, *, cost_of_capital: float) -> list[ContactPoint]:
    """All contact points of ``view`` with an open invoice, sorted by customer_id.

    Raises ValueError when an open invoice has no curve.
    """
    parents = paying_parents(view.table("customers"))
    items = _open_items(view, prediction, cost_of_capital)
    by_point: dict[str, list[OpenItem]] = defaultdict(list)
    for item in items:
        by_point[parents.get(item.customer_id, item.customer_id)].append(item)
    members: dict[str, set[str]] = {point: {point} for point in by_point}
    for child, parent in parents.items():
        if parent in members:
            members[parent].add(child)
    for point, own in by_point.items():
        members[point] |= {item.customer_id for item in own}
    root_of = {member: point for point, group in members.items() for member in group}
    sources = _Sources(view, root_of)
    own_habits = habits(facts_from_view(view), sorted({item.customer_id for item in items}))
    typical = _typical(items)
    return [
        sources.point(point, tuple(sorted(members[point])), tuple(sorted(own, key=_oldest_first)), own_habits, typical)
        for point, own in sorted(by_point.items())
    ]


def paying_parents(customers: pl.DataFrame) -> dict[str, str]:
    """customer_id -> the top of its chain of parents, for customers that have one; a circle ends at its first name."""
    parent = {
        row["customer_id"]: row["parent_id"]
        for row in customers.select("customer_id", "parent_id").iter_rows(named=True)
        if row["parent_id"] and row["parent_id"] != row["customer_id"]
    }
    tops = {}
    for customer in parent:
        chain = [customer]
        while chain[-1] in parent and parent[chain[-1]] not in chain:
            chain.append(parent[chain[-1]])
        circle = chain[-1] in parent
        tops[customer] = min(chain[chain.index(parent[chain[-1]]) :]) if circle else chain[-1]
    return {customer: top for customer, top in tops.items() if top != customer}


def _open_items(view: View, prediction: PredictionFrames, cost_of_capital: float) -> list[OpenItem]:
    scores = {row["invoice_id"]: row for row in prediction.scores.iter_rows(named=True)}
    due = dict(view.table("invoices").select("invoice_id", "due_on").iter_rows())
    p_never = {key: float(row["p_never"] or 0.0) for key, row in scores.items()}
    outlook: Mapping[str, Outlook] = outlooks(prediction.curves, p_never, cost_of_capital)
    items = []
    for row in collectible(view).filter(pl.col("open_minor") > 0).iter_rows(named=True):
        key = row["invoice_id"]
        if key not in outlook or key not in scores:
            raise ValueError(f"the prediction does not cover open invoice {key}: score the same ledger at the same day")
        items.append(OpenItem(
            invoice_id=key, customer_id=row["customer_id"], currency=row["currency"], due_on=due[key],
            days_late=(view.as_of - due[key]).days, open_minor=row["open_minor"],
            collectible_minor=row["collectible_minor"], disputed_minor=row["disputed_minor"],
            promised_minor=row["promised_minor"], planned_minor=row["planned_minor"],
            netted_minor=row["netted_minor"], segment=scores[key]["segment"], rung=scores[key]["rung"],
            outlook=outlook[key],
        ))  # fmt: skip
    return items


def _oldest_first(item: OpenItem) -> tuple[date, str]:
    return item.due_on, item.invoice_id


def _typical(items: Iterable[OpenItem]) -> dict[str, float]:
    """The median open invoice of each currency in minor units: the yardstick that makes currencies comparable."""
    amounts: dict[str, list[int]] = defaultdict(list)
    for item in items:
        amounts[item.currency].append(item.open_minor)
    return {currency: float(sorted(values)[len(values) // 2]) for currency, values in amounts.items()}


class _Sources:
    """The tables around the invoices, grouped by contact point once."""

    def __init__(self, view: View, root_of: Mapping[str, str]) -> None:
        self.as_of = view.as_of
        self.customers = {row["customer_id"]: row for row in view.table("customers").iter_rows(named=True)}
        self.contacts = _grouped(view.table("contacts").iter_rows(named=True), root_of)
        self.activities = _grouped(view.table("activities").sort("occurred_at").iter_rows(named=True), root_of)
        acted = view.table("decisions").filter(pl.col("stratum").fill_null("") != SHADOW).sort("decided_at")
        self.decisions = _grouped(acted.iter_rows(named=True), root_of)
        broken = promise_states(view).filter(pl.col("state") == "broken")
        self.broken = _grouped(broken.iter_rows(named=True), root_of)
        unsure = free_money(view).filter(~pl.col("entity_known")).select("customer_id").unique().sort("customer_id")
        self.unmatched = {root_of[name] for name in unsure.to_series() if name in root_of}
        owner = dict(view.table("invoices").select("invoice_id", "customer_id").iter_rows())
        disputes = [
            {**row, "customer_id": owner[row["invoice_id"]]}
            for row in view.table("disputes").iter_rows(named=True)
            if row["invoice_id"] in owner and (row["closed_on"] is None or row["closed_on"] >= view.as_of)
        ]
        self.disputes = _grouped(disputes, root_of)
        self.offers = offer_histories(view, root_of)

    def point(self, customer_id: str, members: tuple[str, ...], items: tuple[OpenItem, ...],
              own_habits: Mapping[str, Any], typical: Mapping[str, float]) -> ContactPoint:  # fmt: skip
        """The contact point of ``customer_id`` with its open items, oldest first."""
        rows = [self.customers[member] for member in (customer_id, *members) if member in self.customers]
        contacts = self.contacts.get(customer_id, [])
        contact = self._contact(customer_id, contacts)
        currency = max(sorted({item.currency for item in items}), key=lambda unit: _weight(items, unit, typical))
        point = ContactPoint(
            customer_id=customer_id, name=_first(rows[:1], "name") or customer_id, members=members, items=items,
            contact=contact, contacts_on_file=bool(contacts), habit=NO_HABIT,
            history=self._history(customer_id, contact), disputes=self._open_disputes(customer_id, items),
            currency=currency, typical_minor=typical, strategic=any(bool(row["strategic"]) for row in rows),
            debtor_kind=_first(rows, "debtor_kind") or "unknown",
            timezone=(contact.timezone if contact else "") or _first(rows, "timezone"),
            country=(contact.country if contact else "") or _first(rows, "country"),
            broken_promise_days=self._broken_promise(customer_id, items),
            money_unmatched=customer_id in self.unmatched, offers=self.offers.get(customer_id, NO_OFFERS),
        )  # fmt: skip
        return replace(point, habit=own_habits[(point.carrying or items[0]).customer_id])

    def _contact(self, customer_id: str, rows: list[dict[str, Any]]) -> Contact | None:
        """The payables contact, of the paying parent before a subsidiary's; never the legal department."""
        usable = [row for row in rows if row["role"] != "legal"]
        if not usable:
            return None
        row = min(usable, key=lambda row: (
            row["customer_id"] != customer_id, _ROLES.get(row["role"] or "other", 4), not row["email"],
            row["contact_id"],
        ))  # fmt: skip
        return Contact(
            contact_id=row["contact_id"], name=row["name"] or "", has_email=bool(row["email"]),
            has_phone=bool(row["phone"] or row["mobile"]), email_consent=row["email_consent"] or "unknown",
            sms_consent=row["sms_consent"] or "unknown", call_consent=row["call_consent"] or "unknown",
            timezone=row["timezone"] or "", country=row["country"] or "",
        )  # fmt: skip

    def _history(self, customer_id: str, contact: Contact | None) -> ContactHistory:
        rows = self.activities.get(customer_id, [])
        out = [row for row in rows if row["direction"] == "out" and row["channel"] in _REMINDER_CHANNELS]
        calls = [row for row in out if row["channel"] == "call"]
        routed = [row for row in self.decisions.get(customer_id, []) if row["arm"] == "route_dispute"]
        bounced = None
        if contact is not None:
            mails = [row for row in out if row["channel"] == "email" and row["contact_id"] == contact.contact_id]
            bounced = self._days(mails[-1]["occurred_at"]) if mails and mails[-1]["outcome"] == "bounced" else None
        return ContactHistory(
            days_since_out=self._last(out), days_since_call=self._last(calls),
            days_since_conversation=self._last(
                row for row in rows if row["channel"] == "call" and row["outcome"] in ("reached", "refused")
            ),
            days_since_routed=None if not routed else self._days(routed[-1]["decided_at"]),
            outgoing_30_days=sum(self._days(row["occurred_at"]) <= 30 for row in out),
            calls_7_days=sum(self._days(row["occurred_at"]) <= 7 for row in calls),
            firm_before=any(row["tone"] in ("firm", "final") for row in out),
            unanswered_days=days_unanswered(rows, self.as_of), bounced_days=bounced,
        )  # fmt: skip

    def _open_disputes(self, customer_id: str, items: tuple[OpenItem, ...]) -> Disputes:
        rows = self.disputes.get(customer_id, [])
        held = {row["invoice_id"] for row in rows}
        at_stake: dict[str, int] = defaultdict(int)
        for item in items:
            if item.invoice_id in held:  # disputed, and the undisputed part that the same dispute is holding up
                at_stake[item.currency] += item.open_minor
        open_rows = [row for row in rows if row["invoice_id"] in {item.invoice_id for item in items}]
        return Disputes(len(open_rows), sum(not row["owner"] for row in open_rows), dict(at_stake))

    def _broken_promise(self, customer_id: str, items: tuple[OpenItem, ...]) -> int | None:
        """Days since the latest broken promise on an invoice that is still open was judged; None without one."""
        still_open = {item.invoice_id for item in items if item.collectible_minor > 0}
        days = [
            (self.as_of - row["judged_after"]).days
            for row in self.broken.get(customer_id, [])
            if set(row["invoice_ids"] or still_open) & still_open
        ]
        return min(days, default=None)

    def _last(self, rows: Iterable[dict[str, Any]]) -> int | None:
        return min((self._days(row["occurred_at"]) for row in rows), default=None)

    def _days(self, moment: datetime) -> int:
        return (self.as_of - moment.date()) // timedelta(days=1)


def _grouped(rows: Iterable[dict[str, Any]], root_of: Mapping[str, str]) -> dict[str, list[dict[str, Any]]]:
    grouped: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        root = root_of.get(row["customer_id"])
        if root is not None:
            grouped[root].append(row)
    return grouped


def _first(rows: Iterable[Mapping[str, Any]], column: str) -> str:
    return next((str(row[column]) for row in rows if row[column]), "")


def _weight(items: tuple[OpenItem, ...], currency: str, typical: Mapping[str, float]) -> float:
    return sum(item.open_minor for item in items if item.currency == currency) / typical[currency]

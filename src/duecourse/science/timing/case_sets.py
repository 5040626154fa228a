"""``CaseSet``: what a backtest asks at one snapshot, with what is known for the answer and what happened afterwards.

Two sets per snapshot day T. Open: issued and known before T, unpaid at T, seen from T. New: issued on T or in the
``new_days`` after, each seen from its issue day with facts as-of that day, while everything fitted stays as at T.
Outcomes are joined from what is known at ``known_until`` and are used for nothing but scoring.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from duecourse.core.ids import uniform
from duecourse.ledger.as_of import Ledger, View
from duecourse.ledger.schema import TABLES
from duecourse.science.timing.facts import NEVER as NEVER_DAY
from duecourse.science.timing.facts import Facts, epoch_day, facts_from_view
from duecourse.science.timing.landmarks import Landmarks
from duecourse.science.timing.measures import NEVER, Cases

SetName = Literal["open", "new"]
TextArray = npt.NDArray[np.object_]
IntArray = npt.NDArray[np.int64]

STANDARD_HORIZONS = (7, 14, 30, 60, 90, 120)


@dataclass(frozen=True)
class CaseSet:
    """One set of one snapshot; arrays have one entry per case.

    ``facts`` and ``landmarks`` are the question (days before ``frozen_day`` = T for all that is fitted), ``cases`` the
    outcome, ``parent`` the id of the customer's topmost parent (cases of one parent are not independent).
    ``horizon`` is the longest standard one that every landmark of the set has behind it; 0 when even the shortest has
    not passed.
    """

    name: SetName
    snapshot: date
    frozen_day: int
    view: View
    facts: Facts
    landmarks: Landmarks
    cases: Cases
    parent: TextArray
    horizon: int

    def take(self, which: npt.NDArray[np.bool_]) -> CaseSet:
        """The set with the cases of a mask only."""
        return replace(
            self, landmarks=self.landmarks.take(which), cases=self.cases.take(which), parent=self.parent[which]
        )


@dataclass(frozen=True)
class Outcomes:
    """What is known at ``known_until`` (nothing recorded on or after it): the invoices' facts and their parents."""

    known_until: date
    facts: Facts
    first_view: View
    first_facts: Facts
    parents: Mapping[str, str]

    @classmethod
    def of(cls, ledger: Ledger, known_until: date) -> Outcomes:
        """Joins once what every snapshot needs."""
        view = ledger.as_of(known_until)
        facts = facts_from_view(view)
        first_view, first_facts = view, facts
        if "invoices" in ledger.has_versions:
            first_view = as_first_recorded(ledger, view)
            first_facts = facts_from_view(first_view)
        return cls(known_until, facts, first_view, first_facts, top_parents(view))


def as_first_recorded(ledger: Ledger, view: View) -> View:
    """``view`` with each invoice in its first recorded version.

    A new invoice is predicted on its issue day: a due date or amount that was corrected later was not known then.
    """
    key = TABLES["invoices"].key
    first = ledger.table("invoices").unique(key, keep="first", maintain_order=True)
    visible = view.table("invoices").select(*key)
    first = first.join(visible, on=key, how="semi", maintain_order="left").with_columns(
        first_recorded_at=pl.col("recorded_at")
    )
    return View(view.as_of, {**view.tables, "invoices": first})


def top_parents(view: View) -> dict[str, str]:
    """customer_id -> the id of its topmost parent; a circle of parents ends where it closes."""
    table = view.table("customers").filter(pl.col("parent_id").is_not_null())
    above = dict(zip(table.get_column("customer_id"), table.get_column("parent_id"), strict=True))
    tops: dict[str, str] = {}
    for customer in above:
        seen, top = {customer}, customer
        while top in above and above[top] not in seen:
            top = above[top]
            seen.add(top)
        # In a circle each member would end elsewhere; the smallest id stands for all of them.
        tops[customer] = min(seen) if top in above else top
    return tops


def open_set(view: View, facts: Facts, outcomes: Outcomes, *, seed: int, horizon: int) -> CaseSet:
    """The open book at ``view.as_of`` with its outcomes; ``facts`` are those of ``view``."""
    invoice = np.flatnonzero(facts.is_open & (facts.issue < facts.as_of)).astype(np.int64)
    landmarks = Landmarks(invoice, np.full(invoice.size, facts.as_of, dtype=np.int64))
    longest = epoch_day(outcomes.known_until) - facts.as_of
    question = (view, facts, landmarks)
    return _case_set("open", view.as_of, question, outcomes, seed=seed, horizon=standard_horizon(longest, horizon))


def new_set(snapshot: date, outcomes: Outcomes, *, seed: int, horizon: int, new_days: int) -> CaseSet:
    """Invoices issued in the ``new_days`` from ``snapshot`` on, each seen from its issue day."""
    facts, first = outcomes.first_facts, epoch_day(snapshot)
    invoice = np.flatnonzero((facts.issue >= first) & (facts.issue < first + new_days)).astype(np.int64)
    landmarks = Landmarks(invoice, facts.issue[invoice])
    longest = epoch_day(outcomes.known_until) - (first + new_days - 1)
    question = (outcomes.first_view, facts, landmarks)
    return _case_set("new", snapshot, question, outcomes, seed=seed, horizon=standard_horizon(longest, horizon))


def standard_horizon(longest: int, wanted: int) -> int:
    """The wanted horizon where the outcomes reach that far, else the longest standard one that they reach; else 0."""
    if wanted <= longest:
        return wanted
    return max((days for days in STANDARD_HORIZONS if days <= min(longest, wanted)), default=0)


def _case_set(
    name: SetName,
    snapshot: date,
    question: tuple[View, Facts, Landmarks],
    outcomes: Outcomes,
    *,
    seed: int,
    horizon: int,
) -> CaseSet:
    """Joins outcomes by invoice_id; cases that were paid before their landmark or voided since are left out."""
    view, facts, landmarks = question
    row = _rows_of(outcomes.facts, facts.invoice_id[landmarks.invoice])
    paid_on = np.where(row >= 0, outcomes.facts.paid_on[row], NEVER_DAY)
    keep = (row >= 0) & (paid_on >= landmarks.day)
    landmarks, row, paid_on = landmarks.take(keep), row[keep], paid_on[keep]
    observed_until = np.minimum(epoch_day(outcomes.known_until), outcomes.facts.censored_on[row])
    keep = observed_until > landmarks.day
    landmarks, paid_on, observed_until = landmarks.take(keep), paid_on[keep], observed_until[keep]
    invoice = landmarks.invoice
    cases = Cases(
        paid_after=np.where(paid_on < NEVER_DAY, paid_on - landmarks.day, NEVER),
        known_days=observed_until - landmarks.day,
        days_late=landmarks.day - facts.due[invoice],
        amount_minor=_main_currency_amount(facts, invoice, name),
        draw=uniform(seed, "pit", facts.code[invoice]),
    )
    customer = facts.customer_ids[facts.customer[invoice]]
    parent = np.array([outcomes.parents.get(one, one) for one in customer], dtype=object)
    return CaseSet(name, snapshot, epoch_day(snapshot), view, facts, landmarks, cases, parent, horizon)


def _main_currency_amount(facts: Facts, invoice: IntArray, name: SetName) -> IntArray:
    """Open amounts (of new invoices: their amounts) in the set's most frequent currency, 0 in any other.

    Money of two currencies is never added up, so the cash error speaks of one.
    """
    amount = facts.open_minor[invoice] if name == "open" else facts.amount[invoice].astype(np.int64)
    if not invoice.size:
        return amount
    names, code, count = np.unique(facts.currency[invoice].astype(str), return_inverse=True, return_counts=True)
    if names.size == 1:
        return amount
    result: IntArray = np.where(code == count.argmax(), amount, 0)
    return result


def _rows_of(facts: Facts, invoice_ids: TextArray) -> IntArray:
    """Row of each invoice id in ``facts``, -1 where it is not there."""
    if len(facts) == 0:
        return np.full(invoice_ids.size, -1, dtype=np.int64)
    known = facts.invoice_id.astype(str)
    wanted = invoice_ids.astype(str)
    place = np.minimum(np.searchsorted(known, wanted), len(facts) - 1)
    result: IntArray = np.where(known[place] == wanted, place, -1).astype(np.int64)
    return result

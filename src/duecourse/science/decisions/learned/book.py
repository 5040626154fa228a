"""``Book``: a collections book as plain arrays, everything known at the start of ``as_of`` and nothing later.

The learner works on this form alone, so that one and the same code plans from a ledger (``from_view``) and inside a
simulated company. Days are whole days since 1970-01-01; -1 stands for "never" or "not yet". P contact points, N
invoices, A arms in the order of ``ledger.schema.ARMS``.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from duecourse.ledger.schema import ARMS

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

ARM = {name: code for code, name in enumerate(ARMS)}
NONE = ARM["none"]
EMAILS = tuple(ARM[name] for name in ("email_soft", "email_neutral", "email_firm", "email_discount", "send_documents"))
WRITTEN = (*EMAILS, ARM["sms_soft"], ARM["letter_formal"])
CALLS = tuple(ARM[name] for name in ("call_service", "call_firm", "call_plan"))
HARSH = tuple(ARM[name] for name in ("email_firm", "letter_formal", "call_firm", "escalate"))
TERMS = tuple(ARM[name] for name in ("call_plan", "email_discount"))
NEVER_EXPLORED = (*HARSH, *TERMS, ARM["route_dispute"])
LISTED_BEFORE_DUE_DAYS = 7
_EMPTY_INTS = np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class Book:
    """All visible invoices, closed ones included, with everything that happened to them and to their contact points.

    ``point_cluster`` (P,): the parent, unit of randomisation. ``allowed`` (P, A): what the mask allows today.
    Invoices (N,): contact point, issue and due day, undisputed amount, what may be asked for now (0 when closed,
    disputed, promised, in a plan or covered), day paid, otherwise closed, written off, and the timing model's logit.
    Disputes, promises (outcome 0 open, 1 kept, 2 broken) and part payments name invoices; contacts that left the house
    (``contact_human``: not proposed by a policy; reached 1, 0, -1 unknown) and logged decisions (``none`` included; L
    rows, propensities (L, A), 0 where masked) name contact points.
    """

    as_of: int
    point_cluster: Ints
    point: Ints
    issued: Ints
    due: Ints
    amount_minor: Floats
    collectible_minor: Floats
    paid_day: Ints
    closed_day: Ints
    written_off_day: Ints
    timing_logit: Floats
    dispute_invoice: Ints
    dispute_opened: Ints
    dispute_resolved: Ints
    dispute_whole: Bools
    promise_invoice: Ints
    promise_made: Ints
    promise_due: Ints
    promise_outcome: Ints
    part_invoice: Ints
    part_day: Ints
    contact_point: Ints
    contact_day: Ints
    contact_arm: Ints
    contact_human: Bools
    contact_reached: Ints
    decision_point: Ints
    decision_day: Ints
    decision_arm: Ints
    decision_propensities: Floats
    decision_executed: Ints
    allowed: Bools

    @property
    def points(self) -> int:
        """The number of contact points."""
        return int(self.point_cluster.shape[0])

    @property
    def overdue(self) -> Bools:
        """(N,) invoices that are overdue and may be asked for now."""
        result: Bools = (self.collectible_minor > 0) & (self.due < self.as_of)
        return result

    @property
    def randomised(self) -> Bools:
        """(L,) decisions from which an effect can be learnt: complete propensities and more than one possible arm.

        A decision whose arm was certain says nothing about effects; one without propensities says nothing reliable.
        """
        sums = self.decision_propensities.sum(axis=1) if self.decision_point.size else np.empty(0)
        drawn = self.drawn_propensity
        result: Bools = (np.abs(sums - 1) <= PROPENSITY_TOLERANCE) & (drawn > 0) & (drawn < 1 - PROPENSITY_TOLERANCE)
        return result

    @property
    def drawn_propensity(self) -> Floats:
        """(L,) the logged probability of the arm that was drawn."""
        result: Floats = self.decision_propensities[np.arange(self.decision_arm.size), self.decision_arm]
        return result


PROPENSITY_TOLERANCE = 1e-6
_FLOATS = ("amount_minor", "collectible_minor", "timing_logit")
_BOOLS = ("dispute_whole", "contact_human")


def empty_book(as_of: int, points: int = 0) -> dict[str, object]:
    """The fields of a book without any invoice or event, to be filled by name: ``Book(**{**empty_book(day), ...})``."""
    content: dict[str, object] = {"as_of": as_of}
    for field in fields(Book):
        if field.name in _FLOATS:
            content[field.name] = np.empty(0)
        elif field.name in _BOOLS:
            content[field.name] = np.empty(0, dtype=np.bool_)
        elif field.name != "as_of":
            content[field.name] = _EMPTY_INTS
    content["point_cluster"] = np.arange(points, dtype=np.int64)
    content["decision_propensities"] = np.empty((0, len(ARMS)))
    content["allowed"] = np.ones((points, len(ARMS)), dtype=np.bool_)
    return content


@dataclass(frozen=True)
class Resources:
    """What one plan may use: per arm (A,) existence, cost and minutes; totals of the plan.

    ``sms`` and ``letters`` are budgets in messages; ``messages`` caps e-mails, text messages and letters together
    (infinite: no cap). ``weekly_capital`` is the cost of capital per week. ``annoyance_minor`` (A,) is the tenant's own
    price of annoying a customer of middling value per unit of fatigue; without it the default list is used.
    """

    exists: Bools
    cost_minor: Floats
    minutes: Floats
    minutes_total: float
    messages: float = float("inf")
    sms: float = float("inf")
    letters: float = float("inf")
    weekly_capital: float = 0.1 / 52
    annoyance_minor: Floats | None = None


@dataclass(frozen=True)
class Decided:
    """What was drawn: contact point (n,), arm (n,), and the propensities (n, A) from which it was drawn."""

    point: Ints
    arm: Ints
    propensities: Floats

"""What exactly is offered to one customer, in figures and words."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta

from duecourse.ledger.metrics import early_payment_price
from duecourse.science.decisions.capacity import Capacity
from duecourse.science.decisions.points import ContactPoint


@dataclass(frozen=True, slots=True)
class TermsOffered:
    """The terms of one act. A discount has ``percent`` and ``by``; a plan ``instalments``, ``first_percent``, ``by``.

    ``yearly_simple`` and ``yearly_effective``: what the discount costs a year, against the day on which this customer
    would pay; None where it would pay by then anyway. ``most_minor``: its price if taken, in the point's currency.
    """

    words: str
    by: date
    percent: float | None = None
    yearly_simple: float | None = None
    yearly_effective: float | None = None
    most_minor: int = 0
    instalments: int | None = None
    first_percent: float | None = None

    def logged(self, nested: str) -> str:
        """``nested`` (JSON or empty) with these terms, as the decision log keeps them."""
        content = json.loads(nested) if nested else {}
        if self.percent is not None:
            content |= {"discount_percent": self.percent, "take_by": str(self.by), "most_minor": self.most_minor}
        else:
            content |= {"instalments": self.instalments, "plan_by": str(self.by), "first_percent": self.first_percent}
        return json.dumps(content)


def terms_offered(point: ContactPoint, arm: str, capacity: Capacity, as_of: date) -> TermsOffered | None:
    """The terms of ``arm`` for ``point``; None for an arm without terms."""
    terms = capacity.terms
    if terms is None:
        return None
    if arm == "email_discount" and terms.discount is not None:
        stated = terms.discount
        percent = stated.percent if point.offers.percent is None else min(stated.percent, point.offers.percent)
        return _discount(point, percent, stated.days, stated.approver, as_of)
    if arm == "call_plan" and terms.plan is not None:
        plan = terms.plan
        words = (
            f"up to {plan.instalments} instalments within {plan.days} days, at least {plan.first_share:.0%} at once; "
            f"{plan.approver} approves"
        )
        return TermsOffered(
            words, as_of + timedelta(days=plan.days), instalments=plan.instalments,
            first_percent=round(100 * plan.first_share, 6),
        )  # fmt: skip
    return None


def _discount(point: ContactPoint, percent: float, days: int, approver: str, as_of: date) -> TermsOffered:
    by = as_of + timedelta(days=days)
    overdue = (item for item in point.listed if item.days_late > 0)
    most = percent / 100 * sum(point.relative(item) for item in overdue) * point.typical_minor[point.currency]
    pays_in = days_to_usual_payment(point)
    head = f"{percent:g} % off for payment by {by}"
    if pays_in <= days:
        words = f"{head}; it would pay by then anyway, so nothing is brought forward; {approver} approves"
        return TermsOffered(words, by, percent, most_minor=round(most))
    price = early_payment_price(discount_percent=percent, discount_days=days, real_pay_days=pays_in)
    words = (
        f"{head} instead of about {as_of + timedelta(days=pays_in)}: costs {price.simple:.1%} a year "
        f"({price.effective:.1%} with interest on interest); {approver} approves"
    )
    return TermsOffered(words, by, percent, price.simple, price.effective, round(most))


def days_to_usual_payment(point: ContactPoint) -> int:
    """Days from today to the day on which this customer pays by its own habit, or by its curve when that is past."""
    carrying = point.carrying
    if carrying is None:
        return 0
    usual = point.habit.usual_days - carrying.days_late if point.habit.is_known else 0
    if usual > 0:
        return usual
    expected = carrying.outlook.p50_days
    return carrying.outlook.horizon_days if expected is None else expected

"""Offers of a discount for payment now: when none may be made, and what one costs, cannibalisation included.

No offer to whoever would pay anyway, none twice for one invoice, at most one per customer and year, and none whose gain
is not all but certain. An offer is not explored by lot.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from duecourse.science.decisions.learned.book import ARM, Book, Bools, Floats, Ints

SELF_CURE = 0.60  # no offer where this share is expected within the window without one
CERTAINTY = 0.25  # the quantile of the gain that must be above 0
APART_DAYS = 365


@dataclass(frozen=True, slots=True)
class Offer:
    """A discount of ``percent`` for payment within the six weeks of the plan; [A] most who would pay take it."""

    percent: float
    taken_by_payers: float = 0.9


def expected_cost(offer: Offer, money_minor: Floats, paid_with_offer: Floats) -> Floats:
    """Expected price in minor units: everybody who pays in the window and takes it, would-have-paid ones included."""
    result: Floats = offer.percent / 100 * offer.taken_by_payers * money_minor * paid_with_offer
    return result


def may_be_offered(book: Book, points: Ints, paid_alone: Floats, gain: Floats) -> Bools:
    """(n,) which ``points`` may get an offer: not offered within a year, no self-cure, a gain that is all but certain.

    ``paid_alone`` (n,) is P(paid in the window without offer), ``gain`` (D, n) the offer's net gain in each draw.
    """
    offered = book.contact_arm == ARM["email_discount"]
    recent = book.contact_point[offered & (book.contact_day >= book.as_of - APART_DAYS)]
    certain = np.quantile(gain, CERTAINTY, axis=0) > 0
    result: Bools = ~np.isin(points, recent) & (paid_alone <= SELF_CURE) & certain
    return result

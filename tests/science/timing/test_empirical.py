from __future__ import annotations

import numpy as np
import pytest

from duecourse.science.timing.empirical import empirical_cdf
from duecourse.science.timing.facts import Facts, facts_from_view
from duecourse.science.timing.landmarks import Landmarks
from support.books import Row, allocation, invoice, known


def _paid(invoice_id: str, customer: str, paid_on: str) -> list[Row]:
    """Due on 2026-01-31."""
    return [invoice(invoice_id, customer_id=customer), allocation(invoice_id, 10_000, paid_on)]


@pytest.fixture
def facts() -> Facts:
    """C1 paid 0 and 4 days late, C2 0 and 10 days late; Z1 of C1 is open, due 2026-03-03."""
    rows = [
        *_paid("A1", "C1", "2026-01-31"),
        *_paid("A2", "C1", "2026-02-04"),
        *_paid("B1", "C2", "2026-01-31"),
        *_paid("B2", "C2", "2026-02-10"),
        invoice("Z1", issued_on="2026-02-01"),
    ]
    return facts_from_view(known("2026-02-20", *rows))


def _ask(facts: Facts, days_late: int, known_day: int | None = None) -> np.ndarray:
    row = int(np.flatnonzero(facts.invoice_id == "Z1")[0])
    day = np.array([facts.due[row] + days_late])
    known = day if known_day is None else np.array([known_day])
    return empirical_cdf(facts, Landmarks(np.array([row]), day, known), 12, book_day=int(known[0]))[0]


def test_mixes_the_customer_with_the_book(facts: Facts) -> None:
    """n = 2: w = 2/7. Mixed shares at 0 / 4 / 10 days late: own .5 / 1 / 1, book .5 / .75 / 1."""
    w = 2 / 7
    curve = _ask(facts, 0)
    assert curve[0] == pytest.approx(0.5)
    assert curve[3] == pytest.approx(0.5)
    assert curve[4] == pytest.approx(w + (1 - w) * 0.75)
    assert curve[10] == pytest.approx(1.0)


def test_is_conditional_on_still_open(facts: Facts) -> None:
    w = 2 / 7
    gone, by_four = 0.5, w + (1 - w) * 0.75
    curve = _ask(facts, 1)
    assert curve[2] == pytest.approx(0.0)
    assert curve[3] == pytest.approx((by_four - gone) / (1 - gone))
    assert curve[9] == pytest.approx(1.0)
    assert _ask(facts, 40).tolist() == [0.0] * 12


def test_sees_only_what_was_known(facts: Facts) -> None:
    """Before any payment the book has no distribution; after the first day only the two punctual ones count."""
    first = int(facts.paid_known.min())
    assert _ask(facts, 0, first).tolist() == [0.0] * 12
    assert _ask(facts, 0, first + 1)[0] == pytest.approx(1.0)

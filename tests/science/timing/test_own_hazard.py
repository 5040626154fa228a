from __future__ import annotations

import numpy as np
import pytest

from duecourse.science.timing.facts import NEVER, Facts, facts_from_view
from duecourse.science.timing.landmarks import Landmarks
from duecourse.science.timing.own_hazard import own_cdf, own_hazard
from support.books import Row, allocation, invoice, known
from support.timing_books import day_of, habit_ledger


def _paid(invoice_id: str, customer: str, paid_on: str) -> list[Row]:
    """Due on 2026-01-31."""
    return [invoice(invoice_id, customer_id=customer), allocation(invoice_id, 10_000, paid_on)]


def _facts() -> Facts:
    """C1 paid one invoice 4 days late and owes one due the same day; C2 paid 0 and 4 days late. Seen on 2026-02-20."""
    rows = [
        *_paid("A1", "C1", "2026-02-04"),
        invoice("A2", customer_id="C1"),
        *_paid("B1", "C2", "2026-01-31"),
        *_paid("B2", "C2", "2026-02-04"),
        invoice("Z1", customer_id="C1", issued_on="2026-02-01"),
    ]
    return facts_from_view(known("2026-02-20", *rows))


def _ask(facts: Facts, days_late: int, horizon: int = 30) -> np.ndarray:
    row = np.flatnonzero(facts.invoice_id == "Z1")
    return own_hazard(facts, Landmarks(row, facts.due[row] + days_late, np.array([facts.as_of])), horizon)[0]


def test_what_is_unpaid_stands_at_risk_as_long_as_it_was_watched() -> None:
    """Book: at 0 days late 1 of 4, at 4 days late 2 of 3. C1: 0 of 2, then 1 of 2."""
    hazard = _ask(_facts(), 0)
    assert hazard[0] == pytest.approx((0 + 2 * 1 / 4) / (2 + 2))
    assert hazard[4] == pytest.approx((1 + 2 * 2 / 3) / (2 + 2))
    assert hazard[[1, 2, 3, 5, 20, 29]].tolist() == [0.0] * 6


def test_an_unpaid_invoice_says_nothing_about_delays_that_it_has_not_reached() -> None:
    """A2 has been watched until 19 days late, so with a payment of C2 at 25 days late it is not among those at risk."""
    rows = [*_paid("A1", "C1", "2026-02-04"), *_paid("B1", "C2", "2026-02-04"), invoice("A2", customer_id="C1")]
    rows += [invoice("Z1", customer_id="C1", issued_on="2026-02-01")]
    early = [invoice("B0", customer_id="C2", issued_on="2025-12-01", due_on="2025-12-31")]
    early += [allocation("B0", 10_000, "2026-01-25")]
    hazard = _ask(facts_from_view(known("2026-02-20", *rows, *early)), 0)
    assert hazard[25] == pytest.approx(2 * 1.0 / 2)  # of the book one of one, of C1 nobody: the book alone speaks


@pytest.mark.parametrize("seed", [1, 2])
def test_equals_counting_by_hand_also_where_only_the_last_50_payments_count(seed: int) -> None:
    facts = facts_from_view(habit_ledger(customers=3, invoices=420, days=200, seed=seed).as_of(day_of(180)))
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, len(facts), 25)
    day = np.maximum(np.full(25, facts.as_of - 7), facts.issue[rows])
    landmarks = Landmarks(rows, day, np.minimum(day, facts.as_of - rng.integers(0, 7, 25)))
    fast = own_hazard(facts, landmarks, 40)
    for n in range(25):
        for j in range(0, 40, 3):
            slow = _slow(facts, int(rows[n]), int(landmarks.known_day[n]), int(day[n] + j - facts.due[rows[n]]))
            assert fast[n, j] == pytest.approx(slow)


def _slow(facts: Facts, row: int, known_day: int, x: int) -> float:
    def counts(members: np.ndarray, since: int) -> tuple[int, int]:
        paid = at_risk = 0
        for one in members:
            seen = facts.visible_from[one] <= known_day
            settled = facts.paid_known[one] < known_day
            if settled and facts.paid_known[one] >= since:
                delay = facts.paid_on[one] - facts.due[one]
                paid += delay == x
                at_risk += delay >= x and facts.due[one] + x >= since
            elif seen and not settled:
                at_risk += since <= facts.due[one] + x < known_day
        return paid, at_risk

    everyone = np.arange(len(facts))
    book_paid, book_risk = counts(everyone, -NEVER)
    mine = everyone[facts.customer == facts.customer[row]]
    past = list(facts.cleared[facts.customer[facts.cleared] == facts.customer[row]])
    past = [one for one in past if facts.paid_known[one] < known_day][-50:]
    since = int(facts.paid_known[past[0]]) if len(past) == 50 else -NEVER
    unpaid = [one for one in mine if facts.paid_known[one] >= known_day]
    paid, _ = counts(np.array(past, dtype=int), -NEVER)
    _, at_risk = counts(np.array([*past, *unpaid], dtype=int), since)
    return (paid + 2 * book_paid / max(book_risk, 1)) / (at_risk + 2)


def test_a_book_without_payments_gives_nothing() -> None:
    facts = facts_from_view(known("2026-02-20", invoice("Z1")))
    assert own_cdf(facts, Landmarks(np.array([0]), np.array([facts.as_of])), 10).tolist() == [[0.0] * 10]


def test_a_customer_that_stopped_paying_is_expected_later() -> None:
    """Same payments; one customer owes ten old invoices, the other nothing."""
    rows = []
    for customer in ("C1", "C2"):
        for n in range(5):
            rows += _paid(f"{customer}-{n}", customer, f"2026-02-0{n + 1}")
        rows.append(invoice(f"Z-{customer}", customer_id=customer, issued_on="2026-01-10", due_on="2026-02-09"))
    rows += [invoice(f"C1-old-{n}", customer_id="C1") for n in range(10)]
    facts = facts_from_view(known("2026-02-10", *rows))
    ask = np.searchsorted(facts.invoice_id.astype(str), ["Z-C1", "Z-C2"])
    slow, quick = own_cdf(facts, Landmarks(ask, np.full(2, facts.as_of)), 10)
    assert slow[9] < quick[9] - 0.2


def test_a_debt_that_outlived_a_write_off_is_not_compared_with_it() -> None:
    """A2 was written off 10 days late: at risk beside Z1 until Z1 itself is later than that, and never paid."""
    rows = [*_paid("A1", "C1", "2026-02-20"), invoice("A2", customer_id="C1"), *_paid("B1", "C2", "2026-02-20")]
    rows += [
        allocation("A2", 10_000, "2026-02-10", "write_off"),
        invoice("Z1", customer_id="C1", issued_on="2026-02-01"),
    ]
    facts = facts_from_view(known("2026-03-10", *rows))

    until_then, after = _ask(facts, 10)[10], _ask(facts, 11)[9]

    # 20 days late, book: 2 of 3 are paid; C1: 1 of 2. Without A2: 2 of 2, and 1 of 1.
    assert until_then == pytest.approx((1 + 2 * 2 / 3) / (2 + 2))
    assert after == pytest.approx((1 + 2 * 1.0) / (1 + 2))

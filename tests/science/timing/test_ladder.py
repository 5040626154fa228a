from __future__ import annotations

import numpy as np
import pytest

from duecourse.science.timing.facts import Facts, facts_from_view
from duecourse.science.timing.ladder import PRIOR_PAID, book_cdf, rungs_without_model, terms_cdf
from duecourse.science.timing.landmarks import Landmarks
from support.books import Row, allocation, invoice, known


def _facts(paid: int) -> Facts:
    """``paid`` invoices of C1, paid 0, 1, 2 ... 9 days late in turn, and open ones of C1 and of the unknown C9."""
    rows: list[Row] = [invoice("O1"), invoice("O9", customer_id="C9")]
    for number in range(paid):
        rows += [
            invoice(f"P{number:03d}", issued_on="2025-11-01", due_on="2025-12-01"),
            allocation(f"P{number:03d}", 10_000, f"2025-12-{1 + number % 10:02d}"),
        ]
    return facts_from_view(known("2026-01-20", *rows))


def _open(facts: Facts) -> Landmarks:
    rows = np.flatnonzero(facts.is_open)
    return Landmarks(rows, np.full(len(rows), facts.as_of))


def test_the_rung_follows_what_the_book_knows() -> None:
    for paid, expected in ((0, ["terms", "terms"]), (49, ["terms", "terms"]), (50, ["customer_history", "book"])):
        facts = _facts(paid)
        assert rungs_without_model(facts, _open(facts)).tolist() == expected


def test_book_rung_is_the_books_delays() -> None:
    """Due 2026-01-31, seen 11 days before: nobody pays early, then a tenth each day late."""
    facts = _facts(60)
    curve = book_cdf(facts, _open(facts), 30)[1]
    assert curve[10] == 0.0
    assert curve[11] == pytest.approx(0.1)
    assert curve[15] == pytest.approx(0.5)
    assert curve[20] == pytest.approx(1.0)


def test_the_shipped_prior_is_wide_and_never_certain() -> None:
    for paid in PRIOR_PAID:
        assert list(paid) == sorted(paid)
        assert paid[-1] < 1
    facts = _facts(0)
    curve = terms_cdf(facts, _open(facts), 178)[0]
    assert (np.diff(curve) >= 0).all()
    assert 0.2 < curve[facts.due[0] - facts.as_of] < 0.5
    assert curve[-1] < 0.99

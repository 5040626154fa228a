from __future__ import annotations

import numpy as np
import pytest

from duecourse.core.calendar import epoch_day
from duecourse.ledger.as_of import View
from duecourse.science.timing.events import disputed_cdf
from duecourse.science.timing.facts import facts_from_view
from duecourse.science.timing.landmarks import Landmarks
from duecourse.science.timing.promises import promised_cdf
from support.books import Row, allocation, day, dispute, invoice, known, promise

AS_OF = "2026-02-02"  # a Monday


def _view(*rows: Row) -> View:
    return known(AS_OF, invoice("I1"), *rows)


def _with_promise(view: View, cdf: np.ndarray) -> np.ndarray:
    facts = facts_from_view(view)
    row = int(np.flatnonzero(facts.invoice_id == "I1")[0])
    asked = Landmarks(np.array([row]), np.array([epoch_day(day(AS_OF))]))
    return promised_cdf(view, facts, asked, cdf)[0]


def test_a_live_promise_is_a_mixture_of_kept_and_not() -> None:
    """Promised for Monday in a week; without any outcome p = .65, and kept money comes 0 to 3 days after the day."""
    view = _view(promise("P1", 10_000, "2026-01-30", "2026-02-09"))
    curve = _with_promise(view, np.zeros((1, 30)))
    assert curve[:7].tolist() == [0.0] * 7
    assert curve[7] == pytest.approx(0.65 / 4)
    assert curve[10] == pytest.approx(0.65)
    assert curve[29] == pytest.approx(0.65)


def test_a_promise_of_half_moves_half() -> None:
    view = _view(promise("P1", 5_000, "2026-01-30", "2026-02-09"))
    assert _with_promise(view, np.zeros((1, 30)))[29] == pytest.approx(0.65 / 2)


def test_belief_fades_while_the_days_of_a_promise_pass_without_money() -> None:
    """Promised for last Friday: of the assumed arrivals (0 to 3 days after) only those on day 3, today, are to come."""
    curve = _with_promise(_view(promise("P1", 10_000, "2026-01-20", "2026-01-30")), np.zeros((1, 30)))
    left = 0.65 * 0.25 / (0.65 * 0.25 + 0.35)
    assert curve[0] == pytest.approx(left)
    assert curve[29] == pytest.approx(left)


def test_broken_and_unknown_promises_move_nothing() -> None:
    broken = _view(promise("P1", 10_000, "2026-01-05", "2026-01-12"))
    unknown = _view(promise("P1", 10_000, "2026-01-30", "2026-02-09", recorded_at="2026-02-02T08:00:00"))
    for view in (broken, unknown):
        assert _with_promise(view, np.zeros((1, 30))).tolist() == [0.0] * 30


def test_broken_promises_lower_the_belief() -> None:
    """Ten broken promises of the same customer: p falls from .65 to (0 + 10 x 6.5/20) / 20."""
    old = [
        row
        for number in range(10)
        for row in (
            invoice(f"B{number}", issued_on="2025-10-01"),
            promise(f"Q{number}", 10_000, "2025-12-01", "2025-12-08", invoice_ids=[f"B{number}"]),
            allocation(f"B{number}", 10_000, "2026-01-20"),
        )
    ]
    view = _view(promise("P1", 10_000, "2026-01-30", "2026-02-09", invoice_ids=["I1"]), *old)
    assert _with_promise(view, np.zeros((1, 30)))[29] == pytest.approx((10 * 6.5 / 20) / 20)


def test_a_whole_dispute_delays_the_curve_and_a_partial_one_does_not() -> None:
    certain = np.ones((1, 60))
    curves = {}
    for name, amount in (("whole", None), ("part", 4_000)):
        facts = facts_from_view(_view(dispute("I1", "2026-01-20", amount)))
        asked = Landmarks(np.array([0]), np.array([epoch_day(day(AS_OF))]))
        curves[name] = disputed_cdf(facts, asked, certain)[0]
    assert curves["part"].tolist() == [1.0] * 60
    assert curves["whole"][0] < 0.1
    assert curves["whole"][29] == pytest.approx(1 - np.exp(-1), abs=0.01)


def test_a_closed_dispute_delays_nothing() -> None:
    facts = facts_from_view(_view(dispute("I1", "2026-01-20", closed_on="2026-01-25")))
    asked = Landmarks(np.array([0]), np.array([epoch_day(day(AS_OF))]))
    assert disputed_cdf(facts, asked, np.ones((1, 10)))[0].tolist() == [1.0] * 10

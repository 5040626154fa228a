"""The customer's own past counts for more where the trees saw little, and its usual weight is tried on past months."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from duecourse.science.timing.backtest import BacktestPlan, rolling_backtest
from duecourse.science.timing.blend import mixed, own_weights
from duecourse.science.timing.blend_choice import NOT_TRIED, WEIGHTS, choose_weight
from duecourse.science.timing.card import model_card
from duecourse.science.timing.config import TimingConfig
from duecourse.science.timing.facts import facts_from_view
from duecourse.science.timing.judged import judge
from duecourse.science.timing.landmarks import Landmarks, open_landmarks
from duecourse.science.timing.model import TimingModel, fit
from support.books import allocation, books, invoice
from support.timing_books import day_of, habit_ledger

QUICK = TimingConfig(bags=1, rounds=10)


def test_counting_is_believed_where_many_debts_were_watched_in_vain() -> None:
    """30 invoices due on day 30 were paid 1, 2 ... 30 days late, 20 of the same day never; the one asked about is
    five days late on day 90."""
    paid = [invoice(f"I{k:02d}", 100_00, str(day_of(0)), str(day_of(30))) for k in range(1, 31)]
    money = [allocation(f"I{k:02d}", 100_00, str(day_of(30 + k))) for k in range(1, 31)]
    never = [invoice(f"N{k:02d}", 100_00, str(day_of(0)), str(day_of(30))) for k in range(20)]
    asked = invoice("open", 100_00, str(day_of(31)), str(day_of(85)))
    facts = facts_from_view(books(*paid, *money, *never, asked).as_of(day_of(90)))
    row = np.flatnonzero(facts.invoice_id == "open")
    today = Landmarks(row, np.array([facts.as_of]))

    weights = own_weights(facts, today, 178, weight=0.1)[0]

    assert weights[0] == pytest.approx(20 / (20 + 26) * 20 / (20 + 20))
    assert weights[1] == pytest.approx(20 / (20 + 25) * 20 / (20 + 20))
    assert weights[26] == pytest.approx(1.0 * 20 / (20 + 20))  # nobody ever paid 31 days late
    assert weights[60] == pytest.approx(0.1)  # and nobody was watched for 65 days: nothing is counted there
    assert own_weights(facts, today, 1, weight=0.4)[0] == pytest.approx([0.4])
    before = Landmarks(row, np.array([facts.as_of]), np.array([facts.as_of - 80]))
    assert own_weights(facts, before, 1, weight=0.1)[0] == pytest.approx([0.1])  # nothing was known by then


def test_mixing_keeps_days_without_payment_at_zero() -> None:
    model, own = np.array([[0.2, 0.2]]), np.array([[0.4, 0.4]])
    found = mixed(model, own, np.array([[0.5, 0.5]]), np.array([[True, False]]))
    assert found == pytest.approx(np.array([[0.3, 0.0]]))


def test_another_weight_is_taken_only_where_it_is_clearly_better() -> None:
    close = [(2.0, 2.0, 1.99, 2.02)] * 6
    kept = choose_weight(close, 0.1)
    assert (kept.weight, kept.says) == (0.1, "no other weight was clearly better on past months")
    assert kept.relative_crps == pytest.approx((1.0, 1.0, 0.995, 1.01))
    clear = choose_weight([(2.1, 2.0, 1.9, 1.8)] * 6, 0.1)
    assert clear.weight == WEIGHTS[3]
    assert clear.says == "10.0% more accurate on past months than with the usual 10%"
    # two snapshots, or a weight that is none of the candidates, prove nothing
    assert choose_weight([(2.1, 2.0, 1.9, 1.8)] * 4, 0.1) == replace(clear, weight=0.1, says=NOT_TRIED, weights=(),
                                                                     relative_crps=())  # fmt: skip
    assert choose_weight([(2.1, 2.0, 1.9, 1.8)] * 6, 0.3).weight == 0.3


@pytest.fixture(scope="module")
def model() -> TimingModel:
    return fit(habit_ledger(invoices=3000, days=420).as_of(day_of(400)), config=QUICK, threads=1)


def test_weights_are_answered_together_as_they_would_be_alone(model: TimingModel) -> None:
    facts = facts_from_view(habit_ledger(invoices=3000, days=420).as_of(day_of(400)))
    landmarks = open_landmarks(facts)
    together = model.blends(facts, landmarks, (0.0, 0.4), 60)
    for weight, curves in zip((0.0, 0.4), together, strict=True):
        assert (replace(model, blend_weight=weight).cdf(facts, landmarks, 60) == curves).all()
    assert (together[0] != together[1]).any()


def test_the_model_is_judged_with_the_weight_it_is_shown_with(
    model: TimingModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = habit_ledger(invoices=3000, days=420)
    monkeypatch.setattr("duecourse.science.timing.backtest.GATE_MONTH_STARTS", 3)
    monkeypatch.setattr("duecourse.science.timing.backtest.baselines.IssueDayRegression", lambda *_a, **_o: None)

    judged = judge(model, ledger, day_of(400), threads=1, progress=lambda _line: None)

    assert judged.report is not None
    blend = judged.report.blend
    assert blend is not None
    assert (blend.weight, len(blend.relative_crps)) == (0.4, len(WEIGHTS))  # ten trees know less than the customers
    assert judged.model.blend_weight == 0.4
    assert blend.says in model_card(judged.model)
    assert len(judged.past_models) == 3
    again = rolling_backtest(
        ledger, day_of(400), plan=BacktestPlan(threads=1, fit=lambda view: judged.past_models[view.as_of])
    )
    assert again is not None
    assert again.means == judged.report.means
    assert all(one.blend_weight == 0.4 for one in judged.past_models.values())

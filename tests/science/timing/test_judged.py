from __future__ import annotations

import pytest

from duecourse.science.timing import judged
from duecourse.science.timing.backtest import BacktestPlan
from duecourse.science.timing.config import TimingConfig
from duecourse.science.timing.judged import TOO_YOUNG, judge
from duecourse.science.timing.model import TimingModel, fit
from duecourse.science.timing.predict import predict, serving_rung
from support.timing_books import day_of, habit_ledger

QUICK = TimingConfig(bags=2, rounds=10)


@pytest.fixture(scope="module")
def model() -> TimingModel:
    return fit(habit_ledger(invoices=1100).as_of(day_of(200)), config=QUICK, threads=1)


def test_a_book_without_testable_month_is_served_by_the_customers_own_past(model: TimingModel) -> None:
    """500 paid invoices are reached, but no month start with 60 days behind it had three months of payments."""
    ledger = habit_ledger(invoices=1100)
    gated = judge(model, ledger, day_of(100), threads=1, progress=lambda _line: None).model
    assert gated.gate is not None
    assert gated.gate["says"] == TOO_YOUNG
    assert serving_rung(gated.gate, "new") == "customer_history"
    view = ledger.as_of(day_of(200))
    assert set(predict(gated, view).scores.get_column("rung")) <= {"customer_history", "book"}


def test_past_months_are_refitted_as_one_booster_with_the_models_seed(
    model: TimingModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[BacktestPlan] = []

    def watch(_ledger: object, _day: object, *, plan: BacktestPlan) -> None:
        seen.append(plan)

    monkeypatch.setattr(judged, "rolling_backtest", watch)
    ledger = habit_ledger(invoices=1100)
    judge(model, ledger, day_of(200), threads=1, progress=lambda _line: None)
    assert seen[0].seed == model.seed
    assert seen[0].fit is not None
    refitted = seen[0].fit(ledger.as_of(day_of(200)))
    assert isinstance(refitted, TimingModel)
    assert len(refitted.boosters) == 1
    assert refitted.texts[0] == model.texts[0]

"""Recalibration mends what was off in the same way for months, and leaves alone what was right."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duecourse.science.timing.calibration import GRID, Recalibration, calibration_segments, learn
from duecourse.science.timing.calibration_decision import decide
from duecourse.science.timing.case_sets import CaseSet, Outcomes, new_set, open_set
from duecourse.science.timing.facts import facts_from_view
from duecourse.science.timing.landmarks import Landmarks
from duecourse.science.timing.measures import Curves
from duecourse.science.timing.pit import Pit
from duecourse.science.timing.scored import ScoredSet, score_set
from support.payers import payers

MONTHS = [date(2025, month, 1) for month in (6, 7, 8, 9)]


def segments(n: int, name: str = "new") -> np.ndarray:
    return np.full(n, name, dtype=object)


def test_calibrated_values_give_almost_the_identity() -> None:
    u = (np.arange(4_000) + 0.5) / 4_000
    table = learn(Pit(u, np.ones(4_000, dtype=bool)), segments(4_000))
    np.testing.assert_allclose(table.maps["new"], GRID, atol=1e-3)
    np.testing.assert_array_equal(table.maps["new"], table.maps["all"])


def test_the_map_is_the_shrunk_cdf_of_past_values() -> None:
    # All 1,500 values at .2: K is 0 below and 1 from there on; (1500 K + 500 id) / 2000.
    table = learn(Pit(np.full(1_500, 0.2), np.ones(1_500, dtype=bool)), segments(1_500))
    assert table.maps["all"][10] == pytest.approx(500 * 0.1 / 2000)
    assert table.maps["all"][20] == pytest.approx((1500 + 500 * 0.2) / 2000)
    assert table.cases == {"all": 1500, "new": 1500}


def test_a_small_segment_uses_the_pooled_map() -> None:
    names = np.concatenate([segments(600, "open"), segments(499, "few_payments")])
    u = np.concatenate([np.full(600, 0.9), np.full(499, 0.1)])
    table = learn(Pit(u, np.ones(1_099, dtype=bool)), names)
    assert set(table.maps) == {"all", "open"}
    curve = np.linspace(0, 1, 5)[None, :]
    np.testing.assert_array_equal(
        table.apply(curve, segments(1, "few_payments")), table.apply(curve, segments(1, "all"))
    )
    assert not np.array_equal(table.apply(curve, segments(1, "open")), table.apply(curve, segments(1, "all")))


def test_censored_values_are_kaplan_meier_bounds_and_not_values() -> None:
    rng = np.random.default_rng(0)
    u = rng.random(20_000)
    bound = rng.uniform(0.5, 1.0, 20_000)
    seen = u <= bound
    table = learn(Pit(np.where(seen, u, bound), seen), segments(20_000))
    np.testing.assert_allclose(table.maps["all"], GRID, atol=0.02)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_recalibrated_curves_stay_curves(seed: int) -> None:
    rng = np.random.default_rng(seed)
    table = learn(Pit(rng.random(700) ** rng.uniform(0.3, 3), rng.random(700) < 0.8), segments(700))
    cdf = np.sort(rng.random((4, 30)), axis=1)
    cdf[:, 10:15] = cdf[:, 10:11]  # days on which nobody pays
    after = table.apply(cdf, segments(4))
    assert (np.diff(after, axis=1) >= 0).all()
    assert after.min() >= 0
    assert after.max() <= 1
    assert (table.apply(np.array([[0.0, 1.0]]), segments(1)) == [[0.0, 1.0]]).all()
    assert (np.diff(after[:, 10:15]) == 0).all()


def test_a_table_survives_being_stored() -> None:
    table = learn(Pit(np.random.default_rng(1).random(800), np.ones(800, dtype=bool)), segments(800))
    again = Recalibration.from_dict(table.to_dict())
    cdf = np.sort(np.random.default_rng(2).random((3, 9)), axis=1)
    np.testing.assert_array_equal(again.apply(cdf, segments(3)), table.apply(cdf, segments(3)))


def test_segments_put_few_payments_first_then_very_late() -> None:
    facts = facts_from_view(payers(customers=4, per_month=3, seed=0).as_of(date(2025, 12, 31)))
    last = int(np.argmax(facts.issue))
    issue, due = int(facts.issue[last]), int(facts.due[last])
    first = int(np.argmin(facts.issue))
    rows = [last, last, last, first]
    days = [issue, issue + 1, due + 30, int(facts.issue[first])]
    assert calibration_segments(facts, Landmarks(np.array(rows), np.array(days))).tolist() == [
        "new", "open", "late_30", "few_payments",
    ]  # fmt: skip


@pytest.fixture(scope="module")
def asked() -> list[tuple[CaseSet, CaseSet]]:
    ledger = payers(customers=60, per_month=10, seed=7, habit=False)
    outcomes = Outcomes.of(ledger, date(2026, 1, 1))
    found = []
    for day in MONTHS:
        view = ledger.as_of(day)
        opened = open_set(view, facts_from_view(view), outcomes, seed=0, horizon=60)
        found.append((opened, new_set(day, outcomes, seed=0, horizon=60, new_days=30)))
    return found


def truth(one: CaseSet, power: float = 1.0) -> Curves:
    """The world's own curve (delays uniform on -5..25), given still unpaid; ``power`` bends it."""
    days_late = one.cases.days_late[:, None] + np.arange(-1, 178)[None, :]
    cdf = np.clip((days_late + 6) / 31, 0.0, 1.0)
    before = cdf[:, :1]
    return Curves((np.clip((cdf[:, 1:] - before) / np.maximum(1 - before, 1e-9), 0, 1)) ** power)


def scored(asked: list[tuple[CaseSet, CaseSet]], *powers: float) -> list[list[ScoredSet]]:
    return [
        [score_set(one, {"model": truth(one, power)}, keep_curves=True) for one in pair]
        for pair, power in zip(asked, powers, strict=True)
    ]


def test_a_calibrated_model_is_left_alone(asked: list[tuple[CaseSet, CaseSet]]) -> None:
    table, says = decide(scored(asked, 1, 1, 1, 1))
    assert table is None
    assert says.startswith("not needed")


def test_a_model_that_is_always_too_slow_is_mended(asked: list[tuple[CaseSet, CaseSet]]) -> None:
    snapshots = scored(asked, 2.5, 2.5, 2.5, 2.5)
    table, says = decide(snapshots)
    assert table is not None
    assert "tails of new invoices" in says
    for one, right in zip(snapshots[-1], asked[-1], strict=True):
        assert one.curves is not None
        after = table.apply(one.curves, one.segments)
        exact = truth(right).cdf[:, :60]
        assert np.abs(after - exact).mean() < 0.5 * np.abs(one.curves - exact).mean()


def test_a_correction_that_hurts_the_next_month_is_not_kept(asked: list[tuple[CaseSet, CaseSet]]) -> None:
    table, says = decide(scored(asked, 2.5, 2.5, 2.5, 1))
    assert table is None
    assert "did not help the month after" in says


def test_three_months_are_too_few_to_learn_and_test(asked: list[tuple[CaseSet, CaseSet]]) -> None:
    table, says = decide(scored(asked, 2.5, 2.5, 2.5, 2.5)[:3])
    assert table is None
    assert says == "not judged: it takes 4 monthly snapshots, 3 are there"


def test_fewer_than_a_thousand_cases_decide_nothing(asked: list[tuple[CaseSet, CaseSet]]) -> None:
    snapshots = scored(asked, 2.5, 2.5, 2.5, 2.5)

    def few(one: ScoredSet) -> ScoredSet:
        kept = replace(
            one.tallies["model"], pit=Pit(one.tallies["model"].pit.value[:300], one.tallies["model"].pit.paid[:300])
        )
        return replace(one, tallies={"model": kept})

    table, says = decide([[few(one) for one in sets] for sets in snapshots[:3]] + [snapshots[3]])
    assert table is None
    assert says.startswith("not needed")

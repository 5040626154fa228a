"""Every measure on cases worked out by hand, against a naive loop, and against SQL."""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duecourse.science.timing.measures import (
    NEVER,
    Cases,
    Curves,
    Points,
    Quantiles,
    capped_quantiles,
    crps_per_case,
    measure,
    quantile_days,
)
from duecourse.science.timing.pit import Pit, pit, uniformity
from duecourse.science.timing.ranking import auc, average_precision, rank, recall_at
from duecourse.science.timing.survival import brier_score, kaplan_meier


def cases(paid_after: Any, *, known: Any = 60, late: Any = 0, amount: Any = 100, draw: Any = 0.5) -> Cases:
    y = np.array(paid_after, dtype=np.int64)

    def full(value: Any, dtype: Any) -> Any:
        return np.broadcast_to(np.array(value, dtype=dtype), y.shape).copy()

    return Cases(y, full(known, np.int64), full(late, np.int64), full(amount, np.int64), full(draw, np.float64))


# One case, F = .2 .5 .5 .9 1, y = 2: every figure below is worked out by hand.
CDF = np.array([[0.2, 0.5, 0.5, 0.9, 1.0]])


def test_quantiles_are_the_first_day_that_reaches_the_level() -> None:
    assert quantile_days(CDF, 0.1).tolist() == [0]
    assert quantile_days(CDF, 0.5).tolist() == [1]
    assert quantile_days(CDF, 0.9).tolist() == [3]
    assert quantile_days(CDF[:, :3], 0.9).tolist() == [3]  # never reached: the horizon


def test_one_case_by_hand() -> None:
    figures = measure(cases([2]), Curves(CDF), 5, cash=True)
    assert figures is not None
    # .2^2 + .5^2 before y, then (.5-1)^2 + (.9-1)^2 + 0
    assert figures.crps == pytest.approx(0.04 + 0.25 + 0.25 + 0.01)
    assert (figures.mae, figures.bias, figures.rmse, figures.median_absolute_error) == (1.0, -1.0, 1.0, 1.0)
    assert (figures.coverage, figures.width) == (1.0, 3.0)
    assert (figures.within_2, figures.within_5) == (1.0, 1.0)
    # e = y - q: 2, 1, -1 -> .1*2, .5*1, (.9-1)*(-1)
    assert figures.pinball == pytest.approx({"0.1": 0.2, "0.5": 0.5, "0.9": 0.1})
    assert figures.cash_error == {}  # seven days lie beyond a horizon of five


def test_capping_takes_away_what_lies_beyond_the_horizon() -> None:
    late = measure(cases([40, NEVER]), Points(np.array([10.0, 90.0])), 30, cash=False)
    assert late is not None
    assert late.mae == 10.0  # |10 - 30| and |30 - 30|
    assert late.crps == late.mae  # of a point


def test_cases_not_observed_for_the_whole_horizon_take_no_part() -> None:
    figures = measure(cases([3, 3], known=[60, 29]), Points(np.array([3.0, 30.0])), 30, cash=False)
    assert figures is not None
    assert (figures.n, figures.mae) == (1, 0.0)
    assert measure(cases([3], known=29), Points(np.array([3.0])), 30, cash=False) is None


def test_points_are_rounded_to_whole_days_and_never_negative() -> None:
    assert capped_quantiles(Points(np.array([1.4, 1.6, -3.0])), 60)[:, 1].tolist() == [1, 2, 0]


def test_quantiles_have_a_band_but_no_crps() -> None:
    figures = measure(cases([4, 20]), Quantiles(np.array([[1.0, 4.0, 9.0], [1.0, 4.0, 9.0]])), 30, cash=False)
    assert figures is not None
    assert (figures.crps, figures.coverage, figures.width, figures.uniformity) == (None, 0.5, 8.0, None)


def test_cash_error_weighs_amounts_and_counts_days_before_the_limit() -> None:
    cdf = np.tile(np.minimum(np.arange(1, 61) / 10, 1.0), (3, 1))  # F(6) = .7
    paid = cases([6, 7, NEVER], amount=[100, 200, 700])
    figures = measure(paid, Curves(cdf), 60, cash=True)
    assert figures is not None
    assert figures.cash_error["7"] == pytest.approx(abs(700 - 100) / 100)  # day 6 counts, day 7 does not
    assert figures.cash_error["14"] == pytest.approx(abs(1000 - 300) / 300)
    point = measure(paid, Points(np.array([6.0, 6.0, 7.0])), 60, cash=True)
    assert point is not None
    assert point.cash_error["7"] == pytest.approx(abs(300 - 100) / 100)


def test_no_cash_received_gives_no_relative_error() -> None:
    figures = measure(cases([50]), Points(np.array([50.0])), 60, cash=True)
    assert figures is not None
    assert figures.cash_error == {}


def test_cash_error_is_not_given_for_new_invoices() -> None:
    figures = measure(cases([2]), Points(np.array([2.0])), 60, cash=False)
    assert figures is not None
    assert figures.cash_error == {}


def test_lateness_labels_look_only_as_far_as_each_case_was_observed() -> None:
    # Due in 10 days: "late" is decided on day 10, "60 days late" on day 69, which nobody has seen yet.
    ten = cases([5, 11] * 6, known=60, late=-10)
    figures = measure(ten, Points(np.array([5.0, 11.0] * 6)), 30, cash=False)
    assert figures is not None
    assert (figures.ranking["late"].n, figures.ranking["late"].positives, figures.ranking["late"].auc) == (12, 6, 1.0)
    assert figures.ranking["late_60"].n == 0


def test_an_invoice_already_beyond_the_limit_is_not_asked_again() -> None:
    figures = measure(cases([5] * 12, late=6), Points(np.full(12, 5.0)), 30, cash=False)
    assert figures is not None
    assert figures.ranking["late_5"].n == 0
    assert figures.ranking["late_30"].n == 12


def test_auc_and_average_precision_by_hand() -> None:
    scores, bad = np.array([0.9, 0.8, 0.8, 0.1]), np.array([True, True, False, False])
    assert auc(scores, bad) == pytest.approx((2 + 1.5) / 4)
    assert average_precision(scores, bad) == pytest.approx(0.5 * 1 + 0.5 * (2 / 3))


def test_constant_scores_find_nothing_by_luck() -> None:
    bad = np.arange(100) < 20
    assert auc(np.ones(100), bad) == 0.5
    assert recall_at(np.ones(100), bad, 0.05) == pytest.approx(0.05)


def test_recall_counts_the_positives_in_the_highest_scores() -> None:
    scores = np.arange(100.0)
    bad = np.isin(np.arange(100), [99, 98, 50, 10])
    assert recall_at(scores, bad, 0.05) == 0.5


def test_too_few_positives_are_left_out() -> None:
    four = rank(np.arange(100.0), np.arange(100) < 4)
    assert (four.positives, four.auc, four.average_precision, four.recall_at_5_percent) == (4, None, None, None)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=40))
def test_auc_equals_comparing_all_pairs_in_sql(rows: list[tuple[int, bool]]) -> None:
    if len({bad for _, bad in rows}) < 2:
        return
    scores = np.array([score for score, _ in rows], dtype=np.float64)
    bad = np.array([flag for _, flag in rows])
    with duckdb.connect() as sql:
        sql.execute("create table t (score integer, bad boolean)")
        sql.executemany("insert into t values (?, ?)", rows)
        query = """select avg(case when p.score > n.score then 1.0 when p.score = n.score then 0.5 else 0 end)
                   from t p, t n where p.bad and not n.bad"""
        answer = sql.execute(query).fetchone()
    assert answer is not None
    assert auc(scores, bad) == pytest.approx(answer[0])


def test_average_precision_equals_scikit_learn() -> None:
    from sklearn.metrics import average_precision_score, roc_auc_score

    rng = np.random.default_rng(4)
    scores = rng.integers(0, 30, 500).astype(np.float64)
    bad = rng.random(500) < 0.2
    assert average_precision(scores, bad) == pytest.approx(average_precision_score(bad, scores))
    assert auc(scores, bad) == pytest.approx(roc_auc_score(bad, scores))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_crps_equals_a_loop_over_days_and_a_point_mass_equals_its_absolute_error(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cdf = np.sort(rng.random((5, 20)), axis=1)
    y = rng.integers(0, 30, 5)
    naive = [sum((cdf[i, j] - (y[i] <= j)) ** 2 for j in range(20)) for i in range(5)]
    np.testing.assert_allclose(crps_per_case(cases(y), Curves(cdf), 20), naive)
    day = rng.integers(0, 25, 5)
    step = (np.arange(20)[None, :] >= day[:, None]).astype(np.float64)
    point = crps_per_case(cases(y), Points(day.astype(np.float64)), 20)
    np.testing.assert_allclose(crps_per_case(cases(y), Curves(step), 20), point)


def test_the_true_distribution_scores_best_and_its_pit_is_uniform() -> None:
    rng = np.random.default_rng(1)
    hazard = rng.uniform(0.02, 0.2, 20_000)
    y = rng.geometric(hazard) - 1
    truth = 1 - (1 - hazard[:, None]) ** np.arange(1, 61)[None, :]
    seen = cases(np.where(y < 60, y, NEVER), draw=rng.random(y.size))
    right = measure(seen, Curves(truth), 60, cash=False)
    slow = measure(seen, Curves(truth**1.5), 60, cash=False)
    assert right is not None
    assert slow is not None
    assert right.crps < slow.crps
    assert right.uniformity.below_10 == pytest.approx(0.1, abs=0.008)
    assert right.uniformity.above_90 == pytest.approx(0.1, abs=0.008)
    assert right.uniformity.distance < 0.012
    assert right.uniformity.d_calibration_p > 0.01
    assert slow.uniformity.d_calibration_p < 1e-6


def test_pit_lies_between_the_days_before_and_of_the_payment() -> None:
    values = pit(CDF, np.array([1]), np.array([0.25]), 5)
    assert values.value.tolist() == [pytest.approx(0.2 + 0.25 * 0.3)]
    assert pit(CDF, np.array([0]), np.array([0.5]), 5).value.tolist() == [pytest.approx(0.1)]


def test_an_unpaid_case_is_spread_over_what_the_curve_left() -> None:
    # One paid case at u = .05; one unpaid beyond F = .8: half its mass in each of the two last bins.
    shape = uniformity(Pit(np.array([0.05, 0.8]), np.array([True, False])))
    assert shape.histogram == pytest.approx((0.5, 0, 0, 0, 0, 0, 0, 0, 0.25, 0.25), abs=1e-12)
    assert (shape.below_10, shape.above_90) == pytest.approx((0.5, 0.25))
    assert shape.distance == pytest.approx(0.45)  # just above u = .05 half of all mass lies below


def test_an_unpaid_case_whose_curve_said_certainly_paid_lies_at_the_very_end() -> None:
    shape = uniformity(Pit(np.array([1.0, 1.0]), np.array([False, False])))
    assert shape.above_90 == 1.0
    assert shape.distance == pytest.approx(1.0)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_histogram_and_distance_equal_a_naive_computation(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = Pit(np.round(rng.random(12), 2), rng.random(12) < 0.6)

    def below(t: float, *, including: bool = True) -> float:
        total = 0.0
        for u, paid in zip(values.value, values.paid, strict=True):
            if paid:
                total += u <= t if including else u < t
            elif t > u:
                total += (t - u) / (1 - u) if u < 1 else 0.0
        return total / 12

    shape = uniformity(values)
    edges = [below(t) for t in np.linspace(0, 1, 11)[1:-1]] + [1.0]
    np.testing.assert_allclose(np.cumsum(shape.histogram), edges, atol=1e-12)
    fine = max(max(abs(below(t) - t), abs(below(t, including=False) - t)) for t in values.value)
    assert shape.distance >= fine - 1e-9


def test_kaplan_meier_by_hand() -> None:
    # Events at 1 and 3, one case lost at 2: 3/4... falls to 3/4 at 1, then 1/2 of what is left at 3.
    curve = kaplan_meier(np.array([1.0, 2.0, 3.0, 4.0]), np.array([True, False, True, False]))
    assert curve(np.array([0.5, 1.0, 2.5, 3.0, 9.0])).tolist() == [1.0, 0.75, 0.75, 0.375, 0.375]


def test_brier_score_without_censoring_is_the_mean_square() -> None:
    cdf = np.full((2, 10), 0.3)
    assert brier_score(cases([2, 8]), Curves(cdf), 7) == pytest.approx((0.7**2 + 0.3**2) / 2)


def test_brier_score_makes_up_for_cases_lost_at_random() -> None:
    rng = np.random.default_rng(3)
    n = 40_000
    y = rng.geometric(0.08, n) - 1
    known = rng.integers(5, 60, n)
    curves = Curves(np.tile(1 - 0.9 ** np.arange(1, 31), (n, 1)))
    whole = brier_score(cases(y, known=60), curves, 14)
    lost = brier_score(cases(np.where(y < known, y, NEVER), known=known), curves, 14)
    naive = brier_score(cases(np.where(y < known, y, NEVER), known=60), curves, 14)
    assert lost == pytest.approx(whole, abs=0.004)
    assert abs(naive - whole) > 0.01  # taking the lost ones as unpaid would not do


def test_brier_score_is_refused_where_almost_nothing_is_observed() -> None:
    assert brier_score(cases([NEVER] * 50 + [2], known=[3] * 50 + [60]), Curves(np.full((51, 30), 0.5)), 14) is None


def test_the_true_curve_has_the_best_brier_score_under_censoring() -> None:
    rng = np.random.default_rng(9)
    y, known = rng.geometric(0.1, 20_000) - 1, rng.integers(1, 40, 20_000)
    seen = cases(np.where(y < known, y, NEVER), known=known)
    days = np.arange(1, 31)
    scores = {h: brier_score(seen, Curves(np.tile(1 - (1 - h) ** days, (y.size, 1))), 14) for h in (0.05, 0.1, 0.2)}
    assert min(scores, key=scores.get) == 0.1

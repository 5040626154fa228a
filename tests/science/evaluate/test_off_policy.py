"""Off-policy estimates: by hand, against a known truth, and what they refuse."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duecourse.science.evaluate.intervals import Interval
from duecourse.science.evaluate.logged import Logged, cluster_folds
from duecourse.science.evaluate.off_policy import Support, compare, influence, naive, support
from duecourse.science.evaluate.outcome_model import cross_fitted, pooled_ridge
from duecourse.science.evaluate.verdict import decisions_for_support, decisions_to_tell, judge, refusal
from support.logged_worlds import Shape, fixed_log, learning_world


def four_decisions() -> Logged:
    """Two actions drawn evenly; action 1 always paid, action 0 never; B always takes action 1."""
    half = np.full((4, 2), 0.5)
    return Logged(
        np.zeros((4, 1)), np.array([0, 0, 1, 1]), np.full(4, 0.5), np.array([0.0, 0, 1, 1]), np.array([0, 1, 2, 3]),
        np.tile([0.0, 1.0], (4, 1)), half,
    )  # fmt: skip


def test_four_decisions_by_hand() -> None:
    logged = four_decisions()
    constant = np.full((4, 2), 0.3)
    parts = influence(logged, constant)
    # weights 0, 0, 2, 2: IPS (0 + 0 + 2 + 2)/4 = 1, what was done .5
    assert parts["ips"].mean() == pytest.approx(0.5)
    assert parts["snips"].mean() == pytest.approx(0.5)
    # DR: .3 - 0, .3 - 0, .3 + 2(.7) - 1, the same
    np.testing.assert_allclose(parts["dr"], [0.3, 0.3, 0.7, 0.7])
    assert naive(logged).estimate == pytest.approx(0.5)
    found = support(logged)
    assert (found.ess, found.max_weight, found.mean_weight, found.overlap) == (2.0, 2.0, 1.0, 1.0)


def test_switch_leaves_large_weights_to_the_model() -> None:
    logged = replace(four_decisions(), propensity=np.array([0.99, 0.99, 0.01, 0.5]), propensities=None)
    parts = influence(logged, np.full((4, 2), 0.3))
    assert parts["switch"][2] == pytest.approx(0.3 - 1)  # weight 100 is not used
    assert parts["dr"][2] == pytest.approx(0.3 + 100 * 0.7 - 1)
    assert parts["switch"][3] == parts["dr"][3]


def test_identity_a_policy_like_the_logged_one_gains_nothing() -> None:
    for seed in range(8):
        logged = fixed_log(seed, n=600)
        assert logged.propensities is not None
        same = replace(logged, target=logged.propensities)
        found = compare(same)
        assert abs(found.gain.estimate) <= 2 * found.gain.std_error + 1e-12
        assert found.gain.holds(0.0)
        assert found.support.ess == pytest.approx(600)
        assert found.support.max_weight == pytest.approx(1)
        # and every estimator that only weighs is exactly zero
        assert found.sensitivity["ips"].estimate == pytest.approx(0, abs=1e-12)


def test_true_gain_is_covered_under_a_log_that_learns() -> None:
    shape = Shape(decisions=4000)
    found = [(compare(log), truth) for log, truth in (learning_world(seed, shape) for seed in range(60))]
    inside = np.mean([one.gain.holds(truth) for one, truth in found])
    exact = np.mean([one.exact.holds(truth) for one, truth in found])
    sequence = np.mean([one.sequence.holds(truth) for one, truth in found])
    assert inside >= 0.88  # 95 % +- 2.8 % for 60 worlds; the benchmark counts 300
    assert exact >= 0.95
    assert sequence >= 0.95
    error = np.array([one.gain.estimate - truth for one, truth in found])
    assert abs(error.mean()) <= 2.5 * error.std() / np.sqrt(60)


def test_a_real_gain_is_found_and_doubly_robust_is_narrower_than_ips() -> None:
    logged = fixed_log(3, n=4000, gain=0.2)
    found = compare(logged)
    assert found.gain.holds(0.2 * 0.7)  # action 1 had been drawn 30 % of the time already
    assert judge(found.support, found.gain, smallest=0.01).answer == "better"
    assert judge(found.support, found.gain, smallest=0.01, higher_is_better=False).answer == "worse"
    assert found.gain.half_width < found.sensitivity["ips"].half_width
    assert found.gain.half_width < found.sequence.half_width
    assert found.gain.half_width < found.exact.half_width


def test_a_wrong_outcome_model_costs_width_and_not_truth() -> None:
    logged = fixed_log(5, n=4000, gain=0.2)

    def absurd(x: np.ndarray, a: np.ndarray, y: np.ndarray, k: int) -> object:
        return lambda rows: np.tile(np.arange(k) % 2 * 1.0, (len(rows), 1))

    wrong = compare(logged, regression=absurd)  # type: ignore[arg-type]
    assert wrong.gain.holds(0.14)
    assert wrong.gain.half_width > compare(logged).gain.half_width


def test_the_outcome_model_never_sees_the_payer_it_predicts() -> None:
    logged = fixed_log(1, n=200)
    before = cross_fitted(logged)
    changed = logged.outcome.copy()
    changed[logged.cluster == 7] = 1 - changed[logged.cluster == 7]
    after = cross_fitted(replace(logged, outcome=changed))
    own = logged.cluster == 7
    np.testing.assert_array_equal(before[own], after[own])
    assert not np.array_equal(before[~own], after[~own])
    folds = cluster_folds(logged.cluster)
    assert all(len(set(folds[logged.cluster == code].tolist())) == 1 for code in np.unique(logged.cluster))
    assert np.bincount(folds).tolist() == [40] * 5


def test_pooled_ridge_equals_the_full_system_and_shrinks_rare_actions() -> None:
    g = np.random.default_rng(0)
    x, a = g.normal(size=(120, 2)), g.integers(0, 3, 120)
    y = x[:, 0] + (a == 1) + g.normal(size=120)
    predict = pooled_ridge(x, a, y, 4)
    z = np.column_stack([np.ones(120), (x - x.mean(0)) / x.std(0)])
    design = np.column_stack([z] + [z * (a == number)[:, None] for number in range(4)])
    penalty = np.diag([1e-6, 1, 1] + [50.0] * 12)
    slopes = np.linalg.solve(design.T @ design + penalty, design.T @ (y - y.mean()))
    for number in range(4):
        np.testing.assert_allclose(
            predict(x)[:, number], y.mean() + z @ (slopes[:3] + slopes[3 + 3 * number : 6 + 3 * number]), atol=1e-6
        )
    # an action never seen is predicted as the pooled one
    np.testing.assert_allclose(predict(x)[:, 3], y.mean() + z @ slopes[:3], atol=1e-6)


def test_refusals_say_what_is_missing() -> None:
    few = Support(n=500, clusters=80, ess=50.0, max_weight=30, mean_weight=1, overlap=1.0, clipped=0.1)
    assert decisions_for_support(few) == 1500
    said = refusal(few)
    assert said.answer == "refused"
    assert said.more_decisions == 1500
    assert "needs about 1,500 more decisions" in said.sentence
    blind = replace(few, ess=4000.0, overlap=0.5)
    said = refusal(blind)
    assert said.more_decisions is None
    assert "50%" in said.sentence
    assert "will not help" in said.sentence
    # whatever the interval says, a refused comparison is no answer
    assert judge(blind, Interval(0.5, 0.4, 0.6, 0.05), smallest=0.01).answer == "refused"
    assert judge(replace(blind, overlap=0.8, ess=200.0), Interval(0.5, 0.4, 0.6), smallest=0.01).answer == "better"


def test_cannot_tell_names_the_number_of_the_formula() -> None:
    enough = Support(n=1000, clusters=100, ess=900, max_weight=2, mean_weight=1, overlap=1.0, clipped=0)
    gain = Interval(0.02, -0.02, 0.06, 0.02)
    # 1000 ((.04/.02)^2 - 1) = 3000
    assert decisions_to_tell(gain, 1000, smallest=0.01) == 3000
    said = judge(enough, gain, smallest=0.01)
    assert (said.answer, said.more_decisions) == ("cannot_tell", 3000)
    assert said.sentence == "cannot tell yet; about 3,000 more decisions of the same kind"
    # an estimate of nothing is judged by the smallest effect of interest
    assert decisions_to_tell(Interval(0.0, -0.04, 0.04), 1000, smallest=0.01) == 15_000
    assert decisions_to_tell(Interval(0.0, -np.inf, np.inf), 1000, smallest=0.01) is None


def test_overlap_is_the_share_of_b_on_actions_that_were_tried() -> None:
    spread = np.tile([0.495, 0.5, 0.005], (10, 1))
    target = np.tile([0.25, 0.0, 0.75], (10, 1))
    logged = Logged(np.zeros((10, 1)), np.zeros(10, dtype=int), np.full(10, 0.495), np.zeros(10), np.arange(10),
                    target, spread)  # fmt: skip
    assert support(logged).overlap == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"action": np.array([0, 0, 1, 2])}, "row 3 has an action outside 0..1"),
        ({"propensity": np.array([0.5, 0.0, 0.5, 0.5])}, "row 1 has a propensity outside"),
        ({"outcome": np.array([0.0, 0, 1, 2])}, "row 3 has an outcome outside 0..1"),
        ({"outcome": np.array([0.0, 0, np.nan, 1])}, "row 2 has an outcome"),
        ({"target": np.tile([0.0, 0.9], (4, 1))}, "no probability distribution"),
        ({"propensities": np.tile([0.6, 0.5], (4, 1))}, "propensities that are no probability distribution"),
        ({"propensities": np.tile([0.4, 0.6], (4, 1))}, "a propensity that its row does not hold"),
        ({"features": np.full((4, 1), np.inf)}, "a feature that is no finite number"),
        ({"cluster": np.array([0, 1])}, "every array needs the same number"),
    ],
)
def test_bad_arrays_are_named(change: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(four_decisions(), **change)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(20, 120), level=st.sampled_from([0.5, 0.9, 0.99]))
def test_invariants(seed: int, n: int, level: float) -> None:
    logged = fixed_log(seed, n=n)
    found = compare(logged, level=level)
    assert 0 < found.support.ess <= n + 1e-9
    assert 0 <= found.support.overlap <= 1 + 1e-12
    for one in (found.gain, found.exact, found.sequence, *found.sensitivity.values()):
        assert one.low <= one.estimate <= one.high
    # renaming payers and reordering decisions changes nothing that does not depend on folds
    g = np.random.default_rng(seed)
    order = g.permutation(n)
    assert logged.propensities is not None
    mixed = Logged(
        logged.features[order], logged.action[order], logged.propensity[order], logged.outcome[order],
        logged.cluster[order] + 1000, logged.target[order], logged.propensities[order],
    )  # fmt: skip
    again = compare(mixed, level=level)
    assert again.support.ess == pytest.approx(found.support.ess)
    for name in ("ips", "snips"):
        assert again.sensitivity[name].low == pytest.approx(found.sensitivity[name].low)
    # what B gains over the log and what the log gains over B cancel where outcomes are turned round
    turned = compare(replace(logged, outcome=1 - logged.outcome), level=level)
    assert turned.sensitivity["snips"].estimate == pytest.approx(-found.sensitivity["snips"].estimate)
    assert turned.gain.estimate == pytest.approx(-found.gain.estimate, abs=1e-6)

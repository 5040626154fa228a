"""The hazard model: the block-wise fit equals the plain one, and its posterior is what it says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize

from duecourse.ledger.schema import ARMS
from duecourse.science.decisions.learned.hazard_model import (
    Columns,
    Design,
    Prior,
    design_of,
    effective,
    fit,
    log_odds,
)
from duecourse.science.decisions.learned.instrument import check
from duecourse.science.decisions.learned.panel import past_of
from duecourse.science.decisions.learned.prior import STRENGTH_SD, Learnt, Spread, cold_prior, mixed_prior, read_learnt
from duecourse.science.decisions.learned.segments import SEGMENTS
from duecourse.science.decisions.learned.tuning import Tuning, empirical_bayes, milestone, tuning_of
from duecourse.science.decisions.learned.write_off import ends_of, weekly_loss
from support.contact_worlds import SmallWorld, at_random

COLUMNS = Columns((1, 3, 6))


@pytest.fixture(scope="module")
def world() -> SmallWorld:
    one = SmallWorld(1, {"email_soft": 0.6, "email_firm": -0.4, "call_service": 1.0})
    one.live(at_random({"email_soft": 0.25, "email_firm": 0.15, "call_service": 0.1}), 36)
    return one


@pytest.fixture(scope="module")
def design(world: SmallWorld) -> Design:
    return design_of(past_of(world.book(), drawn=True).panel, COLUMNS)


def whole_matrix(design: Design) -> np.ndarray:
    """The design matrix with a column per coefficient, block by block."""
    columns = design.columns
    matrix = np.zeros((design.paid.size, columns.total))
    matrix[:, : columns.shared] = design.Z
    for segment, rows in design.groups():
        matrix[rows, columns.own(segment)] = design.Z[rows][:, columns.repeated]
    return matrix


def test_the_block_wise_fit_equals_the_plain_one(design: Design) -> None:
    prior = cold_prior(COLUMNS)
    matrix = whole_matrix(design)

    def loss(b: np.ndarray) -> tuple[float, np.ndarray]:
        eta = matrix @ b
        hazard = 1 / (1 + np.exp(-eta))
        value = (
            design.weight @ (np.logaddexp(0, eta) - design.paid * eta) + 0.5 * prior.precision @ (b - prior.mean) ** 2
        )
        return value, matrix.T @ (design.weight * (hazard - design.paid)) + prior.precision * (b - prior.mean)

    plain = minimize(
        loss, prior.mean, jac=True, method="L-BFGS-B", options={"maxiter": 5000, "ftol": 1e-15, "gtol": 1e-9}
    )
    fitted = fit(design, prior)
    np.testing.assert_allclose(fitted.mode, plain.x, atol=2e-3)
    assert loss(fitted.mode)[0] <= plain.fun + 1e-9
    hazard = 1 / (1 + np.exp(-(matrix @ fitted.mode)))
    hessian = matrix.T @ (matrix * (design.weight * hazard * (1 - hazard))[:, None]) + np.diag(prior.precision)
    np.testing.assert_allclose(fitted.hessian, hessian, rtol=1e-3, atol=1e-2)
    np.testing.assert_allclose(log_odds(design, fitted.mode), matrix @ fitted.mode, atol=1e-10)


def test_a_warm_start_saves_steps_and_moves_nothing(design: Design) -> None:
    cold = fit(design, cold_prior(COLUMNS))
    warm = fit(design, cold_prior(COLUMNS), cold.mode + 0.01)
    np.testing.assert_allclose(warm.mode, cold.mode, atol=1e-7)
    assert fit(design, cold_prior(COLUMNS), cold.mode).steps < cold.steps


def test_draws_have_the_posteriors_mean_and_spread(design: Design) -> None:
    fitted = fit(design, cold_prior(COLUMNS))
    draws = fitted.draws(4000, np.random.default_rng(0))
    np.testing.assert_allclose(draws.mean(axis=0), fitted.mode, atol=5 * fitted.sd.max() / np.sqrt(4000))
    np.testing.assert_allclose(draws.std(axis=0) / fitted.sd, 1, atol=0.06)
    folded = effective(COLUMNS, draws)
    assert folded.shape == (4000, len(SEGMENTS), COLUMNS.shared)
    np.testing.assert_allclose(folded[0, 2, 0], draws[0, 0] + draws[0, COLUMNS.own(2)][0])


def test_effects_are_recovered_with_their_sign(design: Design) -> None:
    mu = fit(design, cold_prior(COLUMNS)).mode[COLUMNS.mu]
    assert mu[0] > 0.1
    assert mu[1] < 0
    assert mu[2] > 0.2


def test_the_instrument_check_is_silent_on_a_clean_log_and_rings_on_a_confounded_one(world: SmallWorld) -> None:
    panel = past_of(world.book(), drawn=True).panel
    prior = cold_prior(COLUMNS)
    clean = check(panel, fit(design_of(panel, COLUMNS), prior), prior)
    assert not clean.alarm
    assert np.abs(clean.change).max() < 1
    confounded = SmallWorld(2, {}, points=900, new_per_week=120)
    confounded.habit *= 3
    confounded.live(_picks_the_quick_ones(confounded), 60)
    panel = past_of(confounded.book(), drawn=True).panel
    plain = fit(design_of(panel, COLUMNS), prior)
    rung = check(panel, plain, prior)
    assert rung.alarm
    assert abs(rung.posterior.mode[COLUMNS.mu][0]) < abs(plain.mode[COLUMNS.mu][0])


def _picks_the_quick_ones(world: SmallWorld):  # noqa: ANN202 - a policy that sees what the learner cannot
    def policy(book, resources, seed):  # noqa: ANN001, ANN202
        decided = at_random({"email_soft": 0.1})(book, resources, seed)
        quick = world.habit[decided.point] > 0.2
        chances = decided.propensities.copy()
        chances[quick, 0], chances[quick, 1] = 0.1, 0.9
        arm = (np.random.default_rng(seed).random(quick.size) < chances[:, 1]).astype(np.int64)
        return type(decided)(decided.point, arm, chances)

    return policy


def test_priors_name_their_coefficients_and_harsh_arms_start_at_zero() -> None:
    prior = cold_prior(COLUMNS)
    named = dict(zip(COLUMNS.names, zip(prior.mean, prior.sd, strict=True), strict=True))
    assert len(set(COLUMNS.names)) == COLUMNS.total
    assert named["mu:email_soft"] == (0.3, 0.4)
    assert named["mu:email_firm"] == (0.0, 0.4)
    assert named["age_0"] == (-1.0, 0.8)
    assert named["delta:call_service:batch"] == (0.0, 0.35)
    assert named["speed:email_soft"] == (0.0, 0.2)


def test_a_learnt_prior_is_believed_in_part() -> None:
    learnt = Learnt({"mu:email_soft": (0.6, 0.1), "mu:email_firm": (-0.5, 1e9)}, None, "x/1", "test")
    cold, mixed = cold_prior(COLUMNS), mixed_prior(COLUMNS, learnt, trust=0.4)
    at = COLUMNS.names.index("mu:email_soft")
    added = 0.4 * (100 - 1 / 0.16)
    assert mixed.precision[at] == pytest.approx(0.5 / 0.16 + added)
    assert mixed.mean[at] == pytest.approx((0.5 / 0.16 * 0.3 + added * 0.6) / mixed.precision[at])
    vague = COLUMNS.names.index("mu:email_firm")
    assert mixed.precision[vague] == pytest.approx(0.5 * cold.precision[vague])  # a vague file takes nothing away
    unnamed = COLUMNS.names.index("mu:call_service")
    assert mixed.sd[unnamed] == cold.sd[unnamed]
    assert mixed_prior(COLUMNS, None).prior_id == "cold/1"


def test_a_common_part_of_the_prior_is_a_covariance_of_its_own() -> None:
    """The mode and the covariance without any row are those of diag(sd^2) + together together'."""
    rng = np.random.default_rng(5)
    sd, together = rng.uniform(0.1, 1, COLUMNS.total), rng.normal(0, 0.3, COLUMNS.total)
    prior = Prior(rng.normal(0, 1, COLUMNS.total), sd, "p", together)
    covariance = np.diag(sd**2) + np.outer(together, together)
    np.testing.assert_allclose(prior.matrix @ covariance, np.eye(COLUMNS.total), atol=1e-9)
    empty = Design(COLUMNS, np.zeros((0, COLUMNS.shared)), np.zeros(0), np.zeros(0), np.zeros(9, dtype=np.int64))
    fitted = fit(empty, prior)
    np.testing.assert_allclose(fitted.mode, prior.mean, atol=1e-9)
    np.testing.assert_allclose(fitted.covariance, covariance, atol=1e-9)
    assert np.abs(prior.own_deviation(prior.mean)).max() == 0
    own = np.where(np.arange(COLUMNS.total) == 3, 1e-3, 0.0)
    apart = prior.own_deviation(prior.mean + 2 * together + own)
    assert np.abs(apart).max() < 0.5 * np.abs(2 * together).max()  # most of it is explained as common


def test_the_strength_of_all_contacts_is_learnt_at_once_and_base_terms_are_not_touched() -> None:
    """A learnt prior says that contacts help, the log says that nothing does: all effects fall, unmeasured ones too."""
    helps = {f"mu:{ARMS[code]}": (0.6, 0.1) for code in COLUMNS.arms}
    prior = mixed_prior(COLUMNS, Learnt(helps, None, "x/1", "test"))
    assert prior.together is not None
    named = dict(zip(COLUMNS.names, prior.together, strict=True))
    assert named["mu:email_soft"] == pytest.approx(STRENGTH_SD * prior.mean[COLUMNS.names.index("mu:email_soft")])
    assert not any(named[name] for name in ("intercept", "age_0", "lateness", "segment:batch", "other:call"))
    quiet = SmallWorld(4, {})
    quiet.live(at_random({"email_soft": 0.4}), 30)
    design = design_of(past_of(quiet.book()).panel, COLUMNS)
    apart, common = fit(design, replace(prior, together=None)), fit(design, prior)
    call = COLUMNS.mu.start + COLUMNS.arms.index(6)
    assert apart.mode[call] == pytest.approx(prior.mean[call], abs=1e-6)  # never called: nothing learnt
    assert common.mode[call] < 0.85 * prior.mean[call]
    assert common.sd[call] > apart.sd[call]  # and said to be less certain than by the own deviation alone


def test_a_prior_file_without_spread_is_refused() -> None:
    with pytest.raises(ValueError, match="positive standard deviations"):
        read_learnt('{"name":"x","about":"","coefficients":{"mu:email_soft":[0.1,0]}}')


def test_spreads_and_kernel_are_learnt_at_milestones_only(world: SmallWorld) -> None:
    assert [milestone(n) for n in (4_999, 5_000, 9_999, 10_000, 45_000)] == [0, 5_000, 5_000, 10_000, 40_000]
    book = world.book()
    assert int(book.randomised.sum()) < 5_000
    assert tuning_of(book, COLUMNS, None) == Tuning()
    spread = empirical_bayes(past_of(book), 1, COLUMNS, None, 0.0)
    assert spread != Spread()
    assert 0.05 <= spread.delta <= 1


def test_losses_update_the_write_off_hazard_and_grow_with_age(world: SmallWorld) -> None:
    book = world.book()
    panel = past_of(book).panel
    ends = ends_of(book, panel)
    rates = ends.first_rate(panel.segment, panel.modifiers)
    assert 0.0008 < rates.mean() < 0.004  # the truth is .002 a week, the prior .00075
    assert weekly_loss(np.array([0.01, 0.01]), np.array([0, 8])) == pytest.approx([0.01, 0.02])
    expected = (rates * (1 + np.maximum(panel.age, 0) / 8)).sum()
    assert expected == pytest.approx(panel.lost.sum(), rel=0.25)  # as many as there were, drawn to the prior
    assert not ends.given_up[:8].any()
    assert ends.given_up.max() < 0.05  # nobody gives anything up here


def test_without_rows_the_posterior_is_the_prior() -> None:
    prior = Prior(np.full(COLUMNS.total, 0.1), np.full(COLUMNS.total, 0.5), "p")
    empty = Design(COLUMNS, np.zeros((0, COLUMNS.shared)), np.zeros(0), np.zeros(0), np.zeros(9, dtype=np.int64))
    fitted = fit(empty, prior)
    np.testing.assert_allclose(fitted.mode, prior.mean)
    np.testing.assert_allclose(fitted.sd, prior.sd)

"""Off-policy values on real randomised sets, where a policy's own mean is known (skipped, loudly, without them)."""

from __future__ import annotations

import numpy as np
import pytest

from duecourse.science.evaluate.intervals import clustered_interval
from duecourse.science.evaluate.off_policy import compare
from duecourse.science.evaluate.uplift_curves import uplift_curve
from support.randomised_sets import bandit_log, hillstrom, open_bandit

pytestmark = pytest.mark.realdata


@pytest.mark.parametrize(("arm", "mean"), [("Mens E-Mail", 0.183), ("Womens E-Mail", 0.151), ("No E-Mail", 0.106)])
def test_the_value_of_each_mail_is_the_mean_of_those_who_got_it(arm: str, mean: float) -> None:
    logged = hillstrom(arm)
    found = compare(logged)
    value = found.gain.estimate + found.logged_mean
    assert value == pytest.approx(mean, abs=0.003)
    own = logged.outcome[logged.target[np.arange(logged.n), logged.action] == 1].mean()
    assert abs(value - own) < 2 * (found.gain.std_error or 0)
    assert found.support.overlap == 1.0
    assert found.gain.half_width < found.sensitivity["ips"].half_width


def test_treating_at_random_is_no_ranking() -> None:
    logged = hillstrom("Mens E-Mail")
    rows = logged.action != 1  # men's mail against none
    n = int(rows.sum())
    treated = (logged.action[rows] == 0).astype(int)
    curve = uplift_curve(np.random.default_rng(0).random(n), treated, logged.outcome[rows], np.full(n, 0.5))
    assert curve.qini_interval.holds(0.0)
    assert curve.gain[-1] == pytest.approx(0.0766, abs=0.012)


def test_one_policy_of_the_bandit_covers_its_own_mean_from_the_log_of_the_other() -> None:
    random, learnt = open_bandit("random"), open_bandit("bts")
    found = compare(bandit_log(random, learnt))
    assert found.support.suffices
    own = clustered_interval(learnt.click, np.arange(len(learnt.click)))
    reach = np.hypot(found.gain.std_error or 0, own.std_error or 0)
    assert abs(found.gain.estimate + found.logged_mean - own.estimate) < 1.96 * reach


def test_the_other_way_round_is_refused_for_want_of_overlap() -> None:
    found = compare(bandit_log(open_bandit("bts"), open_bandit("random")))
    assert not found.support.suffices

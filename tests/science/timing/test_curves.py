from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from duecourse.science.timing.config import TimingConfig
from duecourse.science.timing.curves import (
    cdf_from_hazard,
    daily_hazard,
    quantile_day,
    shifted,
)
from duecourse.science.timing.landmarks import Landmarks
from duecourse.science.timing.rows import scoring_rows

hazards = arrays(np.float64, (3, 20), elements=st.floats(0, 0.9))


@settings(deadline=None)
@given(hazards)
def test_a_cdf_rises_from_hazards_and_gives_them_back(hazard: np.ndarray) -> None:
    cdf = cdf_from_hazard(hazard)
    assert (np.diff(cdf, axis=1) >= 0).all()
    assert (cdf >= 0).all()
    assert (cdf <= 1).all()
    sure = 1 - cdf > 1e-6
    before = np.concatenate([np.zeros((len(cdf), 1)), cdf[:, :-1]], axis=1)
    np.testing.assert_allclose(((cdf - before) / (1 - before + 1e-300))[sure], hazard[sure], atol=1e-6)


def test_a_bin_spreads_over_its_paying_days_and_weekends_stay_flat() -> None:
    config = TimingConfig()
    paying = np.array([True] * 5 + [False] * 2)
    monday = Landmarks(np.array([0]), np.array([4]))  # epoch day 4 is a Monday
    rows = scoring_rows(monday, config, paying)
    daily = daily_hazard(monday, rows, np.full(len(rows), 0.3), config, paying)[0]
    assert daily[:5].tolist() == [0.3] * 5
    assert daily[5:7].tolist() == [0.0, 0.0]
    a_bin = daily[45:52]
    assert (a_bin > 0).sum() == 5
    assert np.isclose(1 - np.prod(1 - a_bin), 0.3)
    assert len(daily) == 178


def test_quantiles_are_the_first_day_that_reaches_the_share() -> None:
    cdf = np.array([[0.0, 0.1, 0.5, 0.5, 0.9]])
    assert quantile_day(cdf, 0.5).tolist() == [2]
    assert quantile_day(cdf, 0.1).tolist() == [1]
    assert quantile_day(cdf, 0.95).tolist() == [5]


def test_a_later_issue_shifts_the_curve_and_nothing_is_paid_before() -> None:
    cdf = np.array([[0.2, 0.4, 0.6], [0.2, 0.4, 0.6]])
    assert shifted(cdf, np.array([0, 2])).tolist() == [[0.2, 0.4, 0.6], [0.0, 0.0, 0.2]]

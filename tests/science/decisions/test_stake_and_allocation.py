"""Value: a stake is the cost of waiting, gains order the acts, minutes go where they bring most."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duecourse.science.decisions.allocate import Candidate, allocate
from duecourse.science.decisions.stake import LOST_SHARE, assumed_gain, gain_from_uplift, loss_shares, outlooks
from support.small_books import AS_OF


def ranked(gains: dict[str, int]) -> tuple[list[str], dict[str, str]]:
    """Customers in the order in which they get minutes, and the reasons of those that get none."""
    made = allocate([Candidate(name, "call_service", 12, gain) for name, gain in gains.items()], [AS_OF], 420)
    return sorted(made.day, key=lambda name: -gains[name]), dict(made.refused)


def test_a1_the_order_follows_what_a_call_changes_not_the_amount() -> None:
    gains = {"M": gain_from_uplift(2_000_000, 0.40, 0.90), "L": gain_from_uplift(6_000_000, 0.20, 0.20)}
    assert gains == {"M": 1_000_000, "L": 0}  # 10,000 before cost
    assert ranked(gains) == (["M"], {"L": "no_gain"})
    turned = {"M": gain_from_uplift(2_000_000, 0.88, 0.90), "L": gain_from_uplift(6_000_000, 0.20, 0.35)}
    assert turned == {"M": 40_000, "L": 900_000}
    assert ranked(turned) == (["L", "M"], {})


def test_a_stake_by_hand() -> None:
    cdf = np.array([[0.5] * 15 + [1.0] * 105, [0.5] * 120, [1.0] * 120])
    loss = loss_shares(cdf, np.array([0.0, 0.5, 0.0]), 0.10)
    assert loss[0] == pytest.approx(0.5 * (1 - 1.1 ** (-15 / 365)))  # half comes on day 15
    never = 0.5 * LOST_SHARE + 0.5 * (1 - LOST_SHARE) * (1 - 1.1 ** (-180 / 365))
    assert loss[1] == pytest.approx(never)
    assert loss[2] == 0.0  # all of it is paid soon: nothing is at stake


def test_expected_gain_is_stake_times_response_less_cost() -> None:
    assert assumed_gain(10_000, "call_service", 100) == (1_900, -100, 3_900)
    assert assumed_gain(10_000, "none", 0) == (0, 0, 0)
    assert assumed_gain(100, "email_soft", 30) == (-25, -30, -20)


def test_outlooks_read_the_curve_and_refuse_a_short_one() -> None:
    days = list(range(30))
    curves = pl.DataFrame({"invoice_id": ["b"] * 30 + ["a"] * 30, "day": days * 2,
                           "cdf": [min(day / 20, 1) for day in days] + [0.2] * 30})  # fmt: skip
    found = outlooks(curves.sample(fraction=1, shuffle=True, seed=1), {"a": 0.5}, 0.1)
    assert list(found) == ["a", "b"]
    assert (found["b"].p10_days, found["b"].p50_days, found["b"].p90_days) == (2, 10, 18)
    assert found["b"].paid_soon == pytest.approx(0.7)
    assert (found["a"].p10_days, found["a"].p50_days) == (0, None)
    with pytest.raises(ValueError, match="same days"):
        outlooks(curves.filter(pl.col("day") < 10), {}, 0.1)
    assert outlooks(curves.clear(), {}, 0.1) == {}


acts = st.lists(st.tuples(st.floats(0.01, 1000), st.sampled_from([1.0, 5.0, 12.0])), min_size=1, max_size=40)


@settings(max_examples=100, deadline=None)
@given(acts, st.floats(0, 100), st.integers(1, 4))
def test_allocation_keeps_every_day_and_is_within_one_act_a_day_of_the_linear_programme(
    listed: list[tuple[float, float]], minutes: float, days: int
) -> None:
    from scipy.optimize import linprog

    candidates = [Candidate(f"{n:02}", "call_service", need, gain) for n, (gain, need) in enumerate(listed)]
    horizon = [AS_OF.replace(day=1 + number) for number in range(days)]
    made = allocate(candidates, horizon, minutes)
    need = {candidate.key: candidate.minutes for candidate in candidates}
    for day in horizon:
        assert sum(need[key] for key, placed in made.day.items() if placed == day) <= minutes + 1e-9
    assert set(made.day) | set(made.refused) == set(need)
    gain = np.array([candidate.gain for candidate in candidates])
    bound = -linprog(-gain, A_ub=[[candidate.minutes for candidate in candidates]], b_ub=[minutes * days],
                     bounds=(0, 1)).fun  # fmt: skip
    reached = sum(candidate.gain for candidate in candidates if candidate.key in made.day)
    per_minute = max(candidate.gain / candidate.minutes for candidate in candidates)
    assert reached >= bound - per_minute * 12 * days - 1e-6
    assert (made.minute_price > 0) == ("capacity" in made.refused.values())

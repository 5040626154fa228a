"""What a discount costs and brings (acceptance A18), and how likely it is to be taken."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from duecourse.science.forecast.scenarios import DiscountTerms, discount_value
from duecourse.science.forecast.scenarios.economics import discount_history, take_up_range
from support.books import allocation, customer, invoice, known

TWO_TEN = DiscountTerms(percent=2, days=10, real_pay_days=43)


def test_a18_two_ten_net_30_for_who_pays_on_day_43() -> None:
    value = discount_value(TWO_TEN, monthly_volume_minor=10_000_000, take_up=0.30, cost_of_capital=0.10)
    assert (value.cost_minor, value.gain_minor, value.net_minor) == (60_000, 26_581, -33_419)
    assert round(value.break_even_rate, 3) == 0.226
    assert value.brought_forward_minor == 2_940_000


def test_paid_on_day_30_it_costs_37_percent_a_year() -> None:
    on_time = DiscountTerms(percent=2, days=10, real_pay_days=30)
    value = discount_value(on_time, monthly_volume_minor=10_000_000, take_up=0.30, cost_of_capital=0.10)
    assert round(value.break_even_rate, 3) == 0.372


def test_a_customer_that_pays_before_the_last_day_is_given_a_present() -> None:
    with pytest.raises(ValueError, match="must come after the discount day"):
        discount_value(
            DiscountTerms(percent=2, days=10, real_pay_days=10),
            monthly_volume_minor=1, take_up=0.3, cost_of_capital=0.1,
        )  # fmt: skip


@given(
    st.floats(0.1, 20), st.integers(0, 60), st.integers(1, 120), st.floats(0.01, 1), st.integers(10**6, 10**12)
)  # fmt: skip
def test_at_the_break_even_rate_the_discount_costs_nothing(
    percent: float, days: int, more: int, take_up: float, volume: int
) -> None:
    terms = DiscountTerms(percent=percent, days=days, real_pay_days=days + more)
    rate = discount_value(terms, monthly_volume_minor=volume, take_up=take_up, cost_of_capital=0).break_even_rate
    at_rate = discount_value(terms, monthly_volume_minor=volume, take_up=take_up, cost_of_capital=rate)
    assert abs(at_rate.net_minor) <= 1 + 1e-9 * volume
    below = discount_value(terms, monthly_volume_minor=volume, take_up=take_up, cost_of_capital=rate / 2)
    assert below.net_minor <= at_rate.net_minor


def test_the_past_of_a_customer_narrows_the_range_around_its_own_share() -> None:
    """No past: .10-.40. Fifty offers, all taken or none: near 1 or near 0, never beyond."""
    low, high = take_up_range(np.array([0.0, 50.0, 50.0]), np.array([0.0, 50.0, 0.0]))
    assert (low[0], high[0]) == (0.10, 0.40)
    assert 0.75 < low[1] < high[1] < 1
    assert 0 < low[2] < high[2] < 0.10


def test_discounts_taken_are_counted_among_paid_invoices_that_offered_one() -> None:
    offered = {"discount_percent": 2.0, "discount_days": 10}
    view = known(
        "2026-03-01",
        customer("C1"),
        invoice("I1", 10_000, "2026-01-01", **offered), allocation("I1", 9_800, "2026-01-09"),
        allocation("I1", 200, "2026-01-09", "discount"),
        invoice("I2", 10_000, "2026-01-01", **offered), allocation("I2", 10_000, "2026-02-01"),
        invoice("I3", 10_000, "2026-01-01", **offered),
        invoice("I4", 10_000, "2026-01-01"), allocation("I4", 10_000, "2026-02-01"),
    )  # fmt: skip
    assert discount_history(view).rows() == [("C1", 2, 1)]

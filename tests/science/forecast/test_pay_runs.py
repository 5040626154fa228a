"""Copies of past invoices: paid on the days on which their payer pays, with amounts around the ones copied."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from duecourse.core.calendar import epoch_day
from duecourse.science.forecast.inflow_draws import (
    CopiedDay,
    PastInvoices,
    amount_spread,
    copying_of,
    drawn_amounts,
    inflow_shocks,
    simulate_inflow,
)
from duecourse.science.forecast.issued import NOT_PAID, IssuedHistory
from duecourse.science.forecast.open_book import Shares
from duecourse.science.forecast.pay_runs import PERIODS_DAYS, REACH_DAYS, pay_runs

AS_OF = epoch_day(date(2026, 6, 1))
NO_CHANCE = np.zeros((1, 1))


def history(paid_ago: list[int]) -> IssuedHistory:
    """One invoice of 10.00 for each day so long ago on which it was paid, issued twenty days before."""
    paid_day = AS_OF - np.array(sorted(paid_ago, reverse=True), dtype=np.int64)
    return IssuedHistory(AS_OF, paid_day - 20, paid_day, np.full(len(paid_day), 1_000))


def fortnightly(first_ago: int = 3, until: int = 420) -> list[int]:
    """Days ago of payments every 14 days."""
    return list(range(first_ago, until, 14))


def one_payer(past: IssuedHistory) -> np.ndarray:
    """The number of the only payer, row by row."""
    return np.zeros(len(past.issue_day), dtype=np.int64)


def test_a_fortnightly_payer_pays_on_its_fortnights() -> None:
    past = history(fortnightly())
    runs = pay_runs(past, one_payer(past), 1, 91)
    # payments were 3, 17, 31 ... days ago; 182 and 364 are whole fortnights, so the next ones come on day 11, 25, 39
    assert runs.nearest.shape == (1, 3, 91 + REACH_DAYS)
    assert set(runs.nearest[0, 0, 15:89].tolist()) == set(range(18, 89, 14)), "a quarter is six and a half fortnights"
    for period in (1, 2):
        found = runs.nearest[0, period]
        assert [found[day] for day in (5, 11, 17, 18, 19, 24, 30, 60)] == [11, 11, 11, 11, 25, 25, 25, 53]
        assert set(found[5:].tolist()) == set(range(11, 115, 14))


def test_month_ends_come_again_at_month_ends() -> None:
    ends = [date(2025, month, 28) for month in range(2, 13)] + [date(2026, month, 28) for month in range(1, 6)]
    past = history([AS_OF - epoch_day(day) for day in ends])
    runs = pay_runs(past, one_payer(past), 1, 91)
    coming = {date.fromordinal(date(2026, 6, 1).toordinal() + int(day)) for day in np.unique(runs.nearest[0, :, 20:91])}
    assert {day.day for day in coming} <= {26, 27, 28, 29, 30}
    assert {day.month for day in coming} >= {6, 7, 8}


def test_payments_keep_their_day_where_no_beat_is_known() -> None:
    young, rare = history(fortnightly(until=90)), history([10, 60, 110, 160, 300, 350, 400])
    assert pay_runs(young, one_payer(young), 1, 91).nearest.shape == (1, 0, 91 + REACH_DAYS)
    assert pay_runs(young, one_payer(young), 1, 91).moved(np.array([[7]]), np.array([0]), NO_CHANCE, 0).tolist() == [
        [7]
    ]
    for stays in pay_runs(rare, one_payer(rare), 1, 91).nearest[0]:
        assert stays.tolist() == list(range(91 + REACH_DAYS))
    nothing = IssuedHistory(AS_OF, np.array([AS_OF - 9]), np.array([NOT_PAID]), np.array([1_000]))
    assert pay_runs(nothing, np.array([0]), 1, 91).nearest.shape[1] == 0


def test_nothing_is_paid_before_it_is_issued_and_what_lies_beyond_stays() -> None:
    past = history(fortnightly())
    runs = pay_runs(past, one_payer(past), 1, 91)
    paid, half_a_year = np.array([[12, 9, 5_000, NOT_PAID]]), np.full((1, 4), 0.5)
    assert runs.moved(paid, np.array([0]), half_a_year, 12).tolist() == [[12, 9, 5_000, NOT_PAID]]
    assert runs.moved(paid, np.array([0]), half_a_year, 11).tolist() == [[11, 11, 5_000, NOT_PAID]]


@given(
    paid_ago=st.lists(st.integers(1, 500), min_size=1, max_size=60),
    day=st.integers(0, 105), chance=st.floats(0, 1, exclude_max=True),
)  # fmt: skip
def test_a_payment_moves_at_most_half_a_month_and_onto_a_day_that_was_paid_on(
    paid_ago: list[int], day: int, chance: float
) -> None:
    past = history(paid_ago)
    runs = pay_runs(past, one_payer(past), 1, 91)
    found = int(runs.moved(np.array([[day]]), np.array([0]), np.array([[chance]]), 0)[0, 0])
    assert abs(found - day) <= REACH_DAYS
    again = [times * period - found for period in PERIODS_DAYS for times in (1, 2)]
    assert found == day or set(again) & set(paid_ago)


def test_the_cash_of_a_fortnightly_payer_comes_in_lumps_and_none_is_lost() -> None:
    past = history(fortnightly() * 3)
    named = PastInvoices(past, np.full(len(past.issue_day), "P", dtype=object), past.issue_day + 10)
    drawn = simulate_inflow(named, days=91, draws=200, seed=1)
    days = np.arange(91)
    late = days >= 20  # before, invoices issued after the run before them wait for nothing
    on_run = np.isin((days - 4) % 14, (0, 7))  # one fortnight or the other, as the draw takes half a year or a quarter
    assert drawn[:, late & on_run].sum() > 0
    assert drawn[:, late & ~on_run].sum() == 0


def test_amounts_vary_around_what_was_copied_as_wide_as_the_book_is_thin() -> None:
    past = history(list(range(1, 101)))
    doubled = IssuedHistory(AS_OF, past.issue_day, past.paid_day, np.where(np.arange(100) % 2, 1_000, 4_000))
    # logs stand at two points ln 4 apart: sd ln 2, interquartile range ln 4; .9 min(ln 2, ln 4 / 1.34) 100^(-1/5)
    assert amount_spread(doubled) == pytest.approx(0.9 * np.log(2) * 100**-0.2)
    assert amount_spread(past) == 0.0, "equal amounts have no spread"
    assert amount_spread(IssuedHistory(AS_OF, *(np.zeros(0, dtype=np.int64) for _ in range(3)))) == 0.0
    old = IssuedHistory(AS_OF, past.issue_day - 400, past.paid_day - 400, doubled.amount_minor)
    assert amount_spread(old) == 0.0, "older than half a year"


def test_drawn_amounts_keep_their_mean_and_are_the_same_again() -> None:
    past = history(list(range(1, 101)))
    thin = IssuedHistory(AS_OF, past.issue_day, past.paid_day, np.where(np.arange(100) % 2, 1_000, 4_000))
    named = PastInvoices(thin, np.array([f"P{k}" for k in range(100)], dtype=object), thin.issue_day + 10)
    copying = copying_of(named, inflow_shocks(1, Shares(), 20_000), 91)
    copy = CopiedDay(3, np.array([0, 1]), np.arange(20_000), np.array([4_000.0, 1_000.0]))
    drawn = drawn_amounts(copying, copy, np.array([0, 1]))
    assert drawn.shape == (2, 20_000)
    assert drawn.mean(axis=1) == pytest.approx([4_000, 1_000], rel=0.01)
    assert np.log(drawn).std(axis=1) == pytest.approx([copying.amount_spread] * 2, rel=0.02)
    assert (drawn_amounts(copying, copy, np.array([0, 1])) == drawn).all()

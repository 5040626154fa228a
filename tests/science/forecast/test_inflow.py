"""Cash from invoices not issued yet: volumes by weekday, lags by Kaplan-Meier, draws around the exact mean."""

from __future__ import annotations

import numpy as np
import pytest

from duecourse.core.calendar import weekday
from duecourse.science.forecast import IssuedHistory, PastInvoices, simulate_inflow
from duecourse.science.forecast.inflow import inflow_mean, issue_volume, volume_surprise
from duecourse.science.forecast.inflow_draws import copied_days, level_shock
from duecourse.science.forecast.issued import NOT_PAID
from duecourse.science.forecast.lags import lag_cdf, lags_ahead, paying_factors, paying_position

MONDAY = 20_454 - 20_454 % 7 + 4  # an epoch day that is a Monday (1970-01-01 was a Thursday)


def weekly_book(weeks: int, lag: int = 10, amount: int = 1000) -> IssuedHistory:
    """One invoice every Monday, each paid ``lag`` days after issue; looked at on a Monday."""
    issue = MONDAY - 7 * np.arange(weeks, 0, -1, dtype=np.int64)
    paid = np.where(issue + lag < MONDAY, issue + lag, NOT_PAID)
    return IssuedHistory(MONDAY, issue, paid, np.full(weeks, amount, dtype=np.int64))


def test_volume_comes_on_the_weekday_on_which_it_came() -> None:
    volume = issue_volume(weekly_book(30), 14)
    assert volume.tolist() == [1000, 0, 0, 0, 0, 0, 0, 1000, 0, 0, 0, 0, 0, 0]


def test_the_rate_glides_from_eight_weeks_to_twenty_six() -> None:
    book = weekly_book(30)
    growing = book.amount_minor.copy()
    growing[-8:] = 2000
    volume = issue_volume(IssuedHistory(book.as_of, book.issue_day, book.paid_day, growing), 50)
    assert volume[0] == 2000
    assert volume[42] == pytest.approx((8 * 2000 + 18 * 1000) / 26)
    assert volume[21] == pytest.approx((volume[0] + volume[42]) / 2)


def test_the_lag_counts_invoices_that_are_still_open_as_censored() -> None:
    """Of two equal invoices one paid after 5 days and one is open after 10: half is paid by day 5, not all."""
    book = IssuedHistory(100, np.array([80, 89]), np.array([85, NOT_PAID]), np.array([700, 700]))
    cdf = lag_cdf(book)[0]
    assert cdf[4] == 0
    assert cdf[5] == pytest.approx(0.5)
    assert cdf[119] == pytest.approx(0.5)


def test_the_lag_is_weighted_by_amount() -> None:
    book = IssuedHistory(200, np.array([80, 80]), np.array([85, 95]), np.array([900, 100]))
    cdf = lag_cdf(book)[0]
    assert cdf[5] == pytest.approx(0.9)
    assert cdf[15] == pytest.approx(1.0)


def test_a_thin_beginning_is_not_taken_for_low_volume() -> None:
    full = weekly_book(20)
    thin = IssuedHistory(
        full.as_of, np.r_[full.issue_day[0] - 70, full.issue_day], np.r_[full.issue_day[0], full.paid_day],
        np.r_[1, full.amount_minor],
    )  # fmt: skip
    assert thin.weeks == 20
    assert issue_volume(thin, 43)[42] == pytest.approx(1000)


def test_cash_arrives_its_lag_after_issue_and_not_before() -> None:
    cash = inflow_mean(weekly_book(30, lag=10), 18)
    assert np.flatnonzero(cash).tolist() == [10, 17]
    assert cash[10] == pytest.approx(1000)


def test_without_history_nothing_is_forecast() -> None:
    none = np.array([], dtype=np.int64)
    assert inflow_mean(IssuedHistory(MONDAY, none, none, none), 10).tolist() == [0.0] * 10


def test_draws_scatter_around_the_mean_and_repeat() -> None:
    rng = np.random.default_rng(5)
    n = 3000
    issue = np.sort(MONDAY - 1 - rng.integers(0, 7 * 30, n)).astype(np.int64)
    lag = rng.integers(5, 40, n)
    paid = np.where(issue + lag < MONDAY, issue + lag, NOT_PAID)
    history = IssuedHistory(MONDAY, issue, paid, rng.integers(100, 900, n))
    past = PastInvoices(history, np.array([f"C{k % 200}" for k in range(n)], dtype=object), issue + 30)
    cash = simulate_inflow(past, days=60, draws=400, seed=4)
    total = cash.sum(axis=1)
    mean = inflow_mean(history, 60).sum()
    assert abs(total.mean() - mean) < 4 * total.std() / np.sqrt(400) + 0.01 * mean
    assert total.std() > 0
    assert np.array_equal(cash, simulate_inflow(past, days=60, draws=400, seed=4))


def monthly_book(months: int) -> IssuedHistory:
    """Two invoices every day; one of them is paid on the 30th day, the other on the first day of a month after that."""
    day = np.arange(18_262, 18_262 + 30 * months, dtype=np.int64)  # from 2020-01-01 on
    after = day + 30
    first_of_next = (after.astype("datetime64[D]").astype("datetime64[M]") + 1).astype("datetime64[D]").astype(np.int64)
    issue, paid = np.r_[day, day], np.r_[after, first_of_next]
    as_of = int(day[-1]) + 1
    return IssuedHistory(as_of, issue, np.where(paid < as_of, paid, NOT_PAID), np.full(len(issue), 1000))


def test_money_is_expected_where_in_the_month_it_used_to_come() -> None:
    book = monthly_book(20)
    factors = paying_factors(book)
    assert factors[0] > 4  # the first two days of a month
    assert factors[1:].max() < 1
    week = inflow_mean(book, 91)
    day = book.as_of + np.arange(91)
    starts = np.flatnonzero(paying_position(day) == 0)
    later = starts[starts > 45]  # what comes earlier is from invoices that are issued already
    around = np.setdiff1d(np.arange(46, 91), starts)
    assert week[later].mean() > 4 * week[around].mean()


def test_a_book_without_monthly_habit_keeps_its_plain_curves() -> None:
    book = weekly_book(60, lag=10)
    assert paying_factors(book) == pytest.approx(np.ones(8))
    assert lags_ahead(book, 14) == pytest.approx(lag_cdf(book)[(np.arange(14) + weekday(MONDAY)) % 7])


def test_no_days_ahead_need_no_lags() -> None:
    assert lags_ahead(weekly_book(10), 0).shape == (0, 120)


def test_payments_fewer_than_twenty_hardly_move_a_factor() -> None:
    """A single payment, on the first of a month, of an invoice issued 30 days before."""
    issue = np.array([18_262 + 31 - 30])
    factors = paying_factors(IssuedHistory(18_400, issue, issue + 30, np.array([1000])))
    assert np.abs(factors - 1).max() < 0.05


def test_the_level_is_as_uncertain_as_past_quarters_were() -> None:
    steady = weekly_book(60)
    assert volume_surprise(steady) == pytest.approx(0.0, abs=1e-9)
    amount = steady.amount_minor.copy()
    amount[20:40] *= 3  # twenty weeks of triple business
    wild = IssuedHistory(steady.as_of, steady.issue_day, steady.paid_day, amount)
    spread = volume_surprise(wild)
    assert spread is not None
    assert 0.3 < spread < 1.0
    assert volume_surprise(weekly_book(27)) is None  # 8 weeks before and 13 after leave seven mornings
    assert volume_surprise(weekly_book(28)) is not None
    assert level_shock(wild, 4000, 0).std() > 5 * level_shock(steady, 4000, 0).std()


def test_the_days_of_a_coming_week_copy_one_past_week() -> None:
    rng = np.random.default_rng(0)
    issue = np.sort(MONDAY - 1 - rng.integers(0, 7 * 30, 2000)).astype(np.int64)
    history = IssuedHistory(MONDAY, issue, issue + 5, np.full(2000, 100))
    week_of_copy: dict[tuple[int, int], set[int]] = {}
    for copy in copied_days(history, 14, 50, 0):
        back = (MONDAY + copy.ahead - int(issue[copy.rows[0]])) // 7 - copy.ahead // 7
        for draw in copy.draws.tolist():
            week_of_copy.setdefault((copy.ahead // 7, draw), set()).add(back)
    # Only while the rate glides from the recent to the long weeks may a draw change over inside a week.
    assert np.mean([len(weeks) == 1 for weeks in week_of_copy.values()]) > 0.8
    assert max(len(weeks) for weeks in week_of_copy.values()) == 2
    assert len({week for weeks in week_of_copy.values() for week in weeks}) > 5

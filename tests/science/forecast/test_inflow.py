"""Cash from invoices not issued yet: volumes by weekday, lags by Kaplan-Meier, draws around the exact mean."""

from __future__ import annotations

import numpy as np
import pytest

from duecourse.science.forecast import IssuedHistory, PastInvoices, simulate_inflow
from duecourse.science.forecast.inflow import NOT_PAID, inflow_mean, issue_volume, lag_cdf

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

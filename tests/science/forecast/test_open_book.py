"""The open-book simulation keeps every curve's mean, is keyed, and widens the band with dependence."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duecourse.science.forecast import OpenItems, Shares, cash_tables, simulate_open_book
from duecourse.science.forecast.cash import CashBands, open_mean
from duecourse.science.forecast.open_book import INDEPENDENT


def items(n: int, customers: int, days: int = 20) -> OpenItems:
    """Items with a straight curve that reaches .8: P(never within ``days``) is .2."""
    curve = np.linspace(0.8 / days, 0.8, days)
    return OpenItems(
        invoice_id=[f"I{k}" for k in range(n)],
        parent_id=[f"C{k % customers}" for k in range(n)],
        due_day=np.full(n, 20_000, dtype=np.int64),
        amount_minor=np.arange(1, n + 1, dtype=np.int64) * 100,
        cdf=np.tile(curve, (n, 1)),
    )


@pytest.mark.parametrize("shares", [INDEPENDENT, Shares(), Shares(0.0, 1.0, 0.0)])
def test_the_mean_is_the_curves_mean_whatever_the_dependence(shares: Shares) -> None:
    book = items(60, customers=30)
    cash = simulate_open_book(book, days=20, draws=4000, seed=3, shares=shares)
    expected = book.amount_minor.sum() * 0.8
    standard_error = cash.sum(axis=1).std() / np.sqrt(4000)
    assert abs(cash.sum(axis=1).mean() - expected) < 4 * standard_error


def test_independent_items_have_the_binomial_variance() -> None:
    n = 200
    book = items(n, customers=n)
    one = OpenItems(book.invoice_id, book.parent_id, book.due_day, np.ones(n, dtype=np.int64), book.cdf)
    paid = simulate_open_book(one, days=20, draws=4000, seed=1, shares=INDEPENDENT).sum(axis=1)
    assert paid.var() == pytest.approx(n * 0.8 * 0.2, rel=0.1)


def test_shared_shocks_widen_the_band() -> None:
    book = items(200, customers=20)
    narrow = simulate_open_book(book, days=20, draws=2000, seed=1, shares=INDEPENDENT).sum(axis=1).std()
    wide = simulate_open_book(book, days=20, draws=2000, seed=1).sum(axis=1).std()
    assert wide > 2 * narrow


def test_draws_depend_on_the_invoice_and_not_on_its_place() -> None:
    book = items(50, customers=7)
    order = np.random.default_rng(0).permutation(50)
    shuffled = OpenItems(
        [book.invoice_id[k] for k in order], [book.parent_id[k] for k in order],
        book.due_day[order], book.amount_minor[order], book.cdf[order],
    )  # fmt: skip
    first = simulate_open_book(book, days=20, draws=300, seed=9)
    assert np.array_equal(first, simulate_open_book(shuffled, days=20, draws=300, seed=9, threads=1))
    assert not np.array_equal(first, simulate_open_book(book, days=20, draws=300, seed=10))


def test_an_empty_book_brings_nothing() -> None:
    empty = OpenItems([], [], np.array([], dtype=np.int64), np.array([], dtype=np.int64), np.zeros((0, 20)))
    assert simulate_open_book(empty, days=20, draws=10, seed=0).sum() == 0
    assert open_mean(empty, 20).tolist() == [0] * 20


def test_shares_above_one_are_refused() -> None:
    with pytest.raises(ValueError, match="sum to at most 1"):
        _ = Shares(0.5, 0.5, 0.5).own


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 40), st.integers(1, 15), st.integers(0, 2**31))
def test_daily_means_add_up_to_the_rounded_total(n: int, days: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    cdf = np.sort(rng.random((n, days)), axis=1)
    book = items(n, customers=3, days=days)
    book = OpenItems(book.invoice_id, book.parent_id, book.due_day, rng.integers(0, 10**12, n), cdf)
    mean = open_mean(book, days)
    assert (mean >= 0).all()
    assert int(mean.sum()) == round(float(book.amount_minor @ cdf[:, -1]))


def test_weeks_are_counted_from_as_of_and_means_add_up() -> None:
    book = items(40, customers=8)
    draws = simulate_open_book(book, days=20, draws=500, seed=2)
    opened, new = open_mean(book, 20), np.arange(20, dtype=np.int64)
    daily, weekly = cash_tables({"USD": CashBands(opened, new, draws)}, date(2026, 11, 20))
    assert daily.height == 20
    assert weekly.get_column("week_start").to_list() == [date(2026, 11, 20), date(2026, 11, 27)]
    assert weekly.get_column("new_mean_minor").to_list() == [21, 70]
    assert weekly.get_column("mean_minor")[0] == daily.get_column("mean_minor")[:7].sum()
    ordered = (pl.col("p10_minor") <= pl.col("p50_minor")) & (pl.col("p50_minor") <= pl.col("p90_minor"))
    assert weekly.select(ordered.all()).item()
    assert weekly.get_column("p10_minor")[0] > daily.get_column("p10_minor")[:7].sum()

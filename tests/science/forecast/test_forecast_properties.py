"""What must hold for every open book, against oracles and a slow reference in plain Python."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import ndtri

from duecourse.core.ids import key_codes
from duecourse.science.forecast import IssuedHistory, OpenItems, PastInvoices, Shares, forecast_cash, simulate_open_book
from duecourse.science.forecast.cash import no_items, no_past, not_expected, open_mean
from duecourse.science.forecast.open_book import INDEPENDENT, batch_keys
from duecourse.science.forecast.shocks import normals, normals_between

DAYS = 30


def random_items(n: int, seed: int, *, customers: int = 4, days: int = DAYS) -> OpenItems:
    """Items with random curves, several per customer and due week."""
    rng = np.random.default_rng(seed)
    cdf = np.minimum(np.cumsum(rng.gamma(0.3, 0.1, (n, days)), axis=1), 1.0)
    return OpenItems(
        invoice_id=[f"I{k:04}" for k in range(n)],
        parent_id=[f"C{k}" for k in rng.integers(0, customers, n)],
        due_day=rng.integers(20_000, 20_030, n),
        amount_minor=rng.integers(0, 10**9, n),
        cdf=cdf,
    )


def taken(book: OpenItems, rows: np.ndarray) -> OpenItems:
    return OpenItems(
        [book.invoice_id[k] for k in rows], [book.parent_id[k] for k in rows], book.due_day[rows],
        book.amount_minor[rows], book.cdf[rows],
    )  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 30), st.integers(0, 2**31))
def test_expected_days_and_what_never_comes_add_up_to_the_open_amount(n: int, seed: int) -> None:
    book = random_items(n, seed)
    assert int(open_mean(book, DAYS).sum()) + not_expected(book) == int(book.amount_minor.sum())


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 40), st.integers(0, 2**31), st.integers(1, 20))
def test_bands_are_in_order_and_scale_with_the_amounts(n: int, seed: int, factor: int) -> None:
    book = random_items(n, seed)
    bands = forecast_cash(book, no_past_(), days=DAYS, draws=200, seed=seed)
    larger = replace(book, amount_minor=book.amount_minor * factor)
    scaled = forecast_cash(larger, no_past_(), days=DAYS, draws=200, seed=seed)
    for first, last in ((0, 1), (3, 10), (0, DAYS)):
        p10, p50, p90 = bands.window(first, last)
        assert 0 <= p10 <= p50 <= p90
        assert np.allclose(scaled.window(first, last), np.array((p10, p50, p90)) * factor, atol=factor)
    assert np.array_equal(scaled.draws_minor, bands.draws_minor * factor)
    assert scaled.open_mean_minor.sum() == pytest.approx(int(bands.open_mean_minor.sum()) * factor, abs=factor)


def no_past_() -> PastInvoices:
    from datetime import date

    return no_past(date(2026, 6, 1))


@settings(max_examples=15, deadline=None)
@given(st.integers(2, 60), st.integers(0, 2**31), st.integers(1, 3))
def test_order_partition_and_threads_change_no_byte(n: int, seed: int, threads: int) -> None:
    """Books may be drawn in parts, on any number of machines, and their draws added."""
    book = random_items(n, seed)
    whole = simulate_open_book(book, days=DAYS, draws=203, seed=seed, threads=2)
    order = np.random.default_rng(seed).permutation(n)
    assert np.array_equal(
        whole, simulate_open_book(taken(book, order), days=DAYS, draws=203, seed=seed, threads=threads)
    )
    parts = [
        simulate_open_book(taken(book, part), days=DAYS, draws=203, seed=seed) for part in np.array_split(order, 2)
    ]
    assert np.array_equal(whole, sum(parts))


def test_a_new_invoice_changes_only_its_own_draws() -> None:
    book = random_items(40, 3)
    without = taken(book, np.arange(39))
    difference = simulate_open_book(book, days=DAYS, draws=400, seed=5) - simulate_open_book(
        without, days=DAYS, draws=400, seed=5
    )
    assert set(np.unique(difference)) <= {0, int(book.amount_minor[39])}
    assert np.array_equal(difference, simulate_open_book(taken(book, np.array([39])), days=DAYS, draws=400, seed=5))


def test_splitting_an_invoice_under_one_key_changes_no_draw() -> None:
    book = random_items(5, 11)
    split = OpenItems(
        [*book.invoice_id, "I0004b"], [*book.parent_id, book.parent_id[4]], np.r_[book.due_day, book.due_day[4]],
        np.r_[book.amount_minor[:4], 1, book.amount_minor[4] - 1], np.vstack([book.cdf, book.cdf[4]]),
        draw_key=[*book.invoice_id, "I0004"],
    )  # fmt: skip
    assert np.array_equal(
        simulate_open_book(book, days=DAYS, draws=300, seed=1), simulate_open_book(split, days=DAYS, draws=300, seed=1)
    )
    assert open_mean(split, DAYS).tolist() == open_mean(book, DAYS).tolist()


@pytest.mark.parametrize("shares", [INDEPENDENT, Shares(), Shares(0.05, 0.4, 0.5)])
def test_shared_variance_never_changes_the_expected_cash(shares: Shares) -> None:
    book = random_items(60, 2)
    bands = forecast_cash(book, no_past_(), days=DAYS, draws=200, seed=1, shares=shares)
    assert bands.open_mean_minor.tolist() == open_mean(book, DAYS).tolist()


def poisson_binomial(probabilities: np.ndarray) -> np.ndarray:
    """Distribution of the number of successes, by convolution."""
    distribution = np.ones(1)
    for p in probabilities:
        distribution = np.convolve(distribution, [1 - p, p])
    return distribution


def test_counts_of_independent_items_are_poisson_binomial() -> None:
    draws = 8000
    book = replace(random_items(40, 9, customers=40), amount_minor=np.ones(40, dtype=np.int64))
    cash = simulate_open_book(book, days=DAYS, draws=draws, seed=2, shares=INDEPENDENT)
    for first, last in ((0, 7), (5, 12), (0, DAYS)):
        reached = book.cdf[:, last - 1] - (book.cdf[:, first - 1] if first else 0.0)
        expected = poisson_binomial(reached)
        seen = np.bincount(cash[:, first:last].sum(axis=1), minlength=len(expected)) / draws
        error = 3 * np.sqrt(expected * (1 - expected) / draws) + 0.002
        assert (np.abs(seen - expected) < error).all()


@pytest.mark.parametrize(("same_week", "rho"), [(True, 0.73), (False, 0.23)])
def test_two_invoices_are_paid_together_as_often_as_the_closed_form_says(same_week: bool, rho: float) -> None:
    """Two items of one customer: P(both by day j) is the bivariate normal of their quantiles with the shared share."""
    draws = 20_000
    curve = np.array([[0.3, 0.6, 0.8], [0.2, 0.5, 0.9]])
    due = np.array([20_000, 20_000 if same_week else 20_070])
    items = OpenItems(["A", "B"], ["C", "C"], due, np.array([1, 1000]), curve)
    cash = simulate_open_book(items, days=3, draws=draws, seed=4).cumsum(axis=1)
    for day in range(3):
        both = float((cash[:, day] == 1001).mean())
        exact = stats.multivariate_normal.cdf(ndtri(curve[:, day]), cov=[[1, rho], [rho, 1]])
        assert both == pytest.approx(exact, abs=3 * math.sqrt(exact * (1 - exact) / draws) + 0.001)


def slow_reference(book: OpenItems, days: int, draws: int, seed: int, shares: Shares) -> np.ndarray:
    """The simulation as the formula says it, one draw and one item after the other, in double precision."""

    def shock(stream: str, key: str) -> list[float]:
        return normals(seed, stream, key_codes([key]), draws)[0].tolist()

    cash = np.zeros((draws, days), dtype=np.int64)
    keys = batch_keys(book.parent_id, book.due_day)
    for row, invoice in enumerate(book.invoice_id):
        terms = (
            (shares.everybody, shock("everybody", "all")), (shares.customer, shock("customer", book.parent_id[row])),
            (shares.batch, shock("batch", keys[row])), (shares.own, shock("item", invoice)),
        )  # fmt: skip
        quantile = [float(ndtri(p)) for p in book.cdf[row, :days]]
        for draw in range(draws):
            z = sum(math.sqrt(share) * values[draw] for share, values in terms)
            day = next((j for j in range(days) if quantile[j] >= z), None)
            if day is not None:
                cash[draw, day] += int(book.amount_minor[row])
    return cash


def test_the_fast_way_is_the_slow_way_but_for_the_grid() -> None:
    """Of 100 payments fewer than one falls a day off, on the other side of a step of the grid."""
    book = replace(random_items(40, 6), amount_minor=np.ones(40, dtype=np.int64))
    fast = simulate_open_book(book, days=DAYS, draws=100, seed=8)
    slow = slow_reference(book, DAYS, 100, 8, Shares())
    assert np.abs(fast - slow).sum() / 2 < 40 * 100 / 100
    assert fast.sum() == pytest.approx(slow.sum(), rel=0.003)


def test_normals_of_single_draws_are_those_of_all_draws() -> None:
    codes = key_codes(["a", "b"])
    everything = normals(3, "s", codes, 1001)
    assert np.array_equal(everything[:, [0, 7, 998]], normals(3, "s", codes, np.array([0, 7, 998])))
    assert np.array_equal(everything[:, 401:999], normals_between(3, "s", codes, 401, 999))
    long = normals(3, "s", key_codes(["c"]), 40_000)[0]
    assert stats.kstest(long, "norm").pvalue > 0.01
    lanes = long.reshape(-1, 4)
    assert np.abs(np.corrcoef(lanes.T) - np.eye(4)).max() < 0.04


def test_certain_and_impossible_items_come_always_and_never() -> None:
    curves = np.array([[0.0, 0.0, 0.0], [0.0, 1.0, 1.0]])
    items = OpenItems(["never", "tomorrow"], ["A", "B"], np.array([20_000, 20_000]), np.array([700, 50]), curves)
    assert (simulate_open_book(items, days=3, draws=500, seed=1) == [0, 50, 0]).all()
    assert not_expected(items) == 700


def test_a_negative_amount_is_refused_by_name() -> None:
    items = OpenItems(["A", "B"], ["C", "C"], np.array([1, 1]), np.array([5, -1]), np.ones((2, 3)))
    with pytest.raises(ValueError, match="item B has a negative amount"):
        simulate_open_book(items, days=3, draws=10, seed=0)


def test_a_horizon_of_no_days_and_a_due_day_far_away_are_no_errors() -> None:
    book = replace(random_items(3, 1), due_day=np.full(3, 93_600))  # in the year 2226
    assert simulate_open_book(book, days=0, draws=10, seed=0).shape == (10, 0)
    assert simulate_open_book(book, days=5, draws=10, seed=0).shape == (10, 5)


def test_without_items_and_past_there_is_no_cash() -> None:
    bands = forecast_cash(no_items(14), no_past_(), days=14, draws=50, seed=0)
    assert bands.draws_minor.sum() == bands.open_mean_minor.sum() == bands.new_mean_minor.sum() == 0


def past_book(order: np.ndarray | None = None) -> PastInvoices:
    rng = np.random.default_rng(1)
    n, as_of = 900, 20_454
    order = np.arange(n) if order is None else order
    issue = as_of - 1 - rng.integers(0, 210, n)
    paid = np.where(issue + 20 < as_of, issue + 20, np.iinfo(np.int64).max)
    names = np.array([f"C{k % 9}" for k in range(n)], dtype=object)
    ids = np.array([f"I{k}" for k in range(n)], dtype=object)
    history = IssuedHistory(as_of, issue[order], paid[order], rng.integers(1, 10**6, n)[order])
    return PastInvoices(history, names[order], (issue + 30)[order], invoice_id=ids[order])


def test_the_order_of_past_invoices_changes_no_byte() -> None:
    from duecourse.science.forecast import simulate_inflow

    whole = simulate_inflow(past_book(), days=40, draws=200, seed=3)
    shuffled = simulate_inflow(past_book(np.random.default_rng(0).permutation(900)), days=40, draws=200, seed=3)
    assert np.array_equal(whole, shuffled)
    assert whole.sum() > 0


def test_what_is_not_paid_within_the_lags_is_not_paid_at_their_end() -> None:
    """Half of the invoices is never paid: 170 days bring half of the volume, and not the rest of it on day 120."""
    from duecourse.science.forecast import simulate_inflow
    from duecourse.science.forecast.issued import NOT_PAID

    issue = np.repeat(20_454 - np.arange(1, 300), 2)
    paid = np.where(np.arange(len(issue)) % 2 == 0, issue + 5, NOT_PAID)
    paid = np.where(paid < 20_454, paid, NOT_PAID)
    names = np.array([f"C{k}" for k in range(len(issue))], dtype=object)
    past = PastInvoices(IssuedHistory(20_454, issue, paid, np.full(len(issue), 100)), names, issue)
    cash = simulate_inflow(past, days=170, draws=200, seed=1)
    assert cash[:, 125:].sum(axis=1).mean() == pytest.approx(45 * 100, rel=0.1)

"""The bridge between two forecasts: hand-worked steps, and sums that are right to the cent whatever happened."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from duecourse.science.forecast import IssuedHistory, OpenItems
from duecourse.science.forecast.bridge import BAND, STEPS, Side, bridge, by_step, movers
from duecourse.science.forecast.cash import in_whole_units, open_mean
from duecourse.science.forecast.inflow import inflow_mean
from duecourse.science.forecast.issued import NOT_PAID
from duecourse.science.forecast.received import COLUMNS

THEN, NOW = date(2026, 6, 1), date(2026, 6, 3)
EPOCH = date(1970, 1, 1)
NO_HISTORY = IssuedHistory(0, *(np.zeros(0, np.int64) for _ in range(3)))


def items(rows: dict[str, tuple[str, int, list[float]]]) -> OpenItems:
    """invoice -> payer, amount, payment curve."""
    return OpenItems(
        invoice_id=list(rows), parent_id=[row[0] for row in rows.values()],
        due_day=np.full(len(rows), 20_000, np.int64),
        amount_minor=np.array([row[1] for row in rows.values()], np.int64),
        cdf=np.array([row[2] for row in rows.values()]) if rows else np.zeros((0, 4)),
    )  # fmt: skip


def side(as_of: date, rows: dict[str, tuple[str, int, list[float]]], **more: object) -> Side:
    book = items(rows)
    mean = open_mean(book, book.cdf.shape[1]) if rows else np.zeros(4, np.int64)
    return replace(Side(as_of, book, NO_HISTORY, mean), **more)


def received(*rows: tuple[str, str, date, int]) -> pl.DataFrame:
    """invoice, payer, day, amount."""
    known = THEN - timedelta(days=30)
    return pl.DataFrame([(i, p, "EUR", known, day, minor) for i, p, day, minor in rows], schema=COLUMNS, orient="row")


def steps_of(frame: pl.DataFrame) -> dict[str, int]:
    return {step: minor for step, minor in by_step(frame).iter_rows() if minor}


def test_cash_that_came_early_leaves_the_window_and_time_brings_the_others_nearer() -> None:
    """A (100.00) was paid before the window; B (200.00) was not, so that 3/4 instead of 1/2 of it are expected."""
    curve = [0.0, 1 / 3, 1 / 2, 1.0]
    before = side(THEN, {"A": ("C1", 10_000, curve), "B": ("C2", 20_000, curve)})
    after = side(NOW, {"B": ("C2", 20_000, [0.25, 1.0])})
    cash = received(("A", "C1", THEN + timedelta(days=1), 10_000))
    window = (THEN + timedelta(days=3), THEN + timedelta(days=3))
    steps = bridge(before, after, cash, window)
    assert steps_of(steps) == {"cash_received": -5_000, "time_passing": 5_000}
    assert movers(steps).rows() == [("C1", -5_000, "cash_received"), ("C2", 5_000, "time_passing")]


def test_cash_that_came_inside_the_window_counts_for_the_outlook() -> None:
    before = side(THEN, {"A": ("C1", 10_000, [0.25, 0.5, 0.75, 1.0])})
    cash = received(("A", "C1", THEN, 10_000))
    steps = bridge(before, side(NOW, {}), cash, (THEN, THEN + timedelta(days=1)))
    assert steps_of(steps) == {"cash_received": 5_000}


def test_each_kind_of_change_stands_on_its_own_line() -> None:
    """A: half credited. B: same amount, slower curve. C: new. D: promised. The same model except for the refit of B."""
    flat = [0.5, 1.0]
    before = side(THEN, {key: (f"K{key}", 10_000, [0.0, 0.0, *flat]) for key in "ABD"})
    after = side(
        NOW,
        {"A": ("KA", 5_000, flat), "B": ("KB", 10_000, [0.1, 1.0]), "C": ("KC", 4_000, flat),
         "D": ("KD", 10_000, [1.0, 1.0])},
        old_curves=np.array([flat, [0.2, 1.0], flat, [1.0, 1.0]]), promised=frozenset("D"),
    )  # fmt: skip
    steps = bridge(before, after, received(), (NOW, NOW))
    assert set(steps.rows()) == {
        ("new_invoices", "KC", 2_000),
        ("credits_disputes_promises", "KA", -2_500),
        ("credits_disputes_promises", "KD", 5_000),
        ("changed_curves", "KB", -3_000),
        ("model_refit", "KB", -1_000),
    }


def test_a_certain_payment_that_did_not_come_is_due_on_the_first_day() -> None:
    before = side(THEN, {"A": ("C1", 10_000, [0.0, 1.0, 1.0, 1.0])})
    after = side(NOW, {"A": ("C1", 10_000, [1.0, 1.0])})
    assert steps_of(bridge(before, after, received(), (NOW, NOW))) == {"time_passing": 10_000}


def test_invoices_that_were_issued_leave_the_inflow_part() -> None:
    """Steady business: what the inflow part set aside for two days is taken out as the new invoices come in."""
    then, now = ((day - EPOCH).days for day in (THEN, NOW))
    issue = np.arange(then - 140, now)
    paid = np.where(issue + 5 < then, issue + 5, NOT_PAID)
    amount = np.full(len(issue), 10_000)
    old = issue < then
    history = IssuedHistory(then, issue[old], paid[old], amount[old])
    later = IssuedHistory(now, issue, np.where(issue + 5 < now, issue + 5, NOT_PAID), amount)
    before = Side(THEN, items({}), history, in_whole_units(inflow_mean(history, 10)))
    rows = {f"I{day}": ("C", 10_000, [0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0]) for day in range(2)}
    after = side(NOW, rows)
    mean = after.mean_minor + in_whole_units(inflow_mean(later, 8))
    steps = bridge(before, replace(after, history=later, mean_minor=mean), received(), (NOW, NOW + timedelta(days=7)))
    found = steps_of(steps)
    assert abs(found.get("new_invoices", 0)) < 1_000  # 200.00 came in, 200.00 had been set aside
    assert abs(found.get("inflow_rate", 0)) < 1_000
    assert steps.filter(pl.col("step") == "new_invoices").height == 2  # both the customer and the inflow part moved


def _day(rng: np.random.Generator, gap: int) -> date:
    return THEN + timedelta(days=int(rng.integers(-3, gap + 1)))


def random_change(seed: int) -> tuple[Side, Side, pl.DataFrame, tuple[date, date]]:
    """Two forecasts with anything between them: payments in full and in part, credits, new and vanished invoices."""
    rng = np.random.default_rng(seed)
    gap, days, n = int(rng.integers(0, 9)), int(rng.integers(10, 60)), int(rng.integers(0, 25))
    now = THEN + timedelta(days=gap)

    def curves(count: int) -> np.ndarray:
        steps = rng.random((count, days)) * (rng.random((count, days)) < 0.3)
        return np.cumsum(steps, axis=1) / np.maximum(steps.sum(axis=1, keepdims=True), 1.0)

    def book(ids: list[str], cdf: np.ndarray) -> OpenItems:
        return OpenItems(
            ids, [f"C{int(i[1:]) % 7}" for i in ids], np.full(len(ids), 20_000),
            rng.integers(1, 1_000_000, len(ids)), cdf,
        )  # fmt: skip

    def shown(as_of: date, of: OpenItems, history: IssuedHistory) -> np.ndarray:
        return open_mean(of, days) + in_whole_units(inflow_mean(history, days))

    def issued(as_of: date) -> IssuedHistory:
        today, count = (as_of - EPOCH).days, int(rng.integers(1, 60))
        issue = today - rng.integers(1, 200, count)
        paid = np.where(rng.random(count) < 0.7, np.minimum(issue + rng.integers(0, 40, count), today - 1), NOT_PAID)
        return IssuedHistory(today, issue, np.maximum(paid, issue), rng.integers(1, 100_000, count))

    old_ids = [f"I{k}" for k in range(n)]
    new_ids = [i for i in old_ids if rng.random() < 0.6] + [f"I{100 + k}" for k in range(int(rng.integers(0, 6)))]
    old, new = book(old_ids, curves(n)), book(new_ids, curves(len(new_ids)))
    then_history, now_history = issued(THEN), issued(now)
    paying = [i for i in [*old_ids, "I300"] if rng.random() < 0.5]
    cash = received(
        *((i, f"C{int(i[1:]) % 7}", _day(rng, gap), int(rng.integers(1, 900_000)))
          for i in paying)
    )  # fmt: skip
    first = THEN + timedelta(days=int(rng.integers(0, days - 1)))
    window = (first, first + timedelta(days=int(rng.integers(0, (THEN - first).days + days))))
    refit = curves(len(new_ids)) if rng.random() < 0.5 else None
    before = Side(THEN, old, then_history, shown(THEN, old, then_history), p50_minor=int(rng.integers(0, 10**7)))
    after = Side(now, new, now_history, shown(now, new, now_history), old_curves=refit,
                 promised=frozenset(new_ids[::3]), p50_minor=int(rng.integers(0, 10**7)))  # fmt: skip
    return before, after, cash, window


def test_the_steps_add_up_to_the_cent_in_1000_random_changes() -> None:
    def expected(one: Side, window: tuple[date, date]) -> int:
        return sum(int(minor) for k, minor in enumerate(one.mean_minor)
                   if window[0] <= one.as_of + timedelta(days=k) <= window[1])  # fmt: skip

    moved = 0
    for seed in range(1_000):
        before, after, cash, window = random_change(seed)
        steps = bridge(before, after, cash, window)
        came = cash.filter(
            pl.col("received_on").is_between(max(THEN, window[0]), min(after.as_of - timedelta(days=1), window[1]))
        ).get_column("amount_minor").sum()  # fmt: skip
        change = expected(after, window) + came - expected(before, window)
        on_mean = steps.filter(pl.col("step") != BAND)
        assert on_mean.get_column("change_minor").sum() == change
        assert by_step(steps).get_column("step").to_list() == [*STEPS, BAND]
        assert before.p50_minor is not None
        assert after.p50_minor is not None
        assert steps.get_column("change_minor").sum() == after.p50_minor + came - before.p50_minor
        moved += change != 0
    assert moved > 900


def test_forecasts_in_the_wrong_order_are_refused() -> None:
    before, after, cash, window = random_change(1)
    assert after.as_of > before.as_of
    with pytest.raises(ValueError, match="before <= after"):
        bridge(after, before, cash, window)

"""The oracle: exact against brute force and closed form, uniform PIT, blind to the future."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from duecourse.core.ids import key_codes
from duecourse.science.simulate import Truth, load_world, simulate, true_cdf
from duecourse.science.simulate.fates import NEVER, live_through
from duecourse.science.simulate.orders import Orders
from duecourse.science.simulate.pay_calendar import cleared_by_parts, day_number, pay_calendar

DAY = date(2026, 5, 6)


def _open_rows(truth: Truth, day: int) -> np.ndarray:
    company = truth.company
    closed = np.where(company.fates.cleared != NEVER, company.fates.cleared, company.fates.written_off)
    return np.flatnonzero((company.orders.issued < day) & (closed >= day))


def _days_to_payment(truth: Truth, rows: np.ndarray, day: int) -> np.ndarray:
    cleared = truth.company.fates.cleared[rows]
    return np.where(cleared == NEVER, 1_000_000, cleared - day)


def _chi_square(curves: np.ndarray, after: np.ndarray) -> float:
    """Of the randomised PIT in ten bins (9 degrees of freedom)."""
    n, horizon = curves.shape
    edges = np.concatenate([np.zeros((n, 1)), curves, np.ones((n, 1))], axis=1)
    at = np.minimum(after, horizon)
    low, high = edges[np.arange(n), at], edges[np.arange(n), at + 1]
    values = low + np.random.default_rng(4).uniform(size=n) * (high - low)
    counts = np.histogram(values, 10, (0, 1))[0]
    return float(((counts - n / 10) ** 2 / (n / 10)).sum())


@pytest.mark.parametrize("world", ["base", "healthy", "exponential"])
@pytest.mark.parametrize("knows", ["all", "observables"])
def test_the_pit_of_the_truth_is_uniform(world: str, knows: str) -> None:
    statistic = cases = 0.0
    for seed in (1, 2):
        truth = simulate(load_world(world), customers=300, months=18, seed=seed).truth
        rows = _open_rows(truth, day_number(DAY))
        curves = true_cdf(truth, [truth.company.orders.ids[row] for row in rows], DAY, knows=knows)  # type: ignore[arg-type]
        statistic += _chi_square(curves, _days_to_payment(truth, rows, day_number(DAY)))
        cases += rows.size
    assert cases > 500
    assert statistic < 42.3  # chi-square with 18 degrees of freedom: p = .001


def test_curves_are_distributions() -> None:
    truth = simulate(load_world("base"), customers=150, months=18, seed=9).truth
    ids = [truth.company.orders.ids[row] for row in _open_rows(truth, day_number(DAY))]
    for knows in ("all", "observables"):
        curves = true_cdf(truth, ids, DAY, knows=knows)  # type: ignore[arg-type]
        assert curves.shape == (len(ids), 178)
        assert np.isfinite(curves).all()
        assert curves.min() >= 0
        assert curves.max() <= 1
        assert np.diff(curves, axis=1).min() > -1e-9
        weekend = np.diff(curves, axis=1, prepend=0.0)[:, [3, 4, 10, 11]]  # DAY is a Wednesday
        assert np.abs(weekend).max() < 1e-9


def test_knowing_the_payers_is_worth_something_and_history_nearly_as_much() -> None:
    crps = {"all": [], "observables": []}
    for seed in (1, 2):
        truth = simulate(load_world("base"), customers=250, months=18, seed=seed).truth
        rows = _open_rows(truth, day_number(DAY))
        after = _days_to_payment(truth, rows, day_number(DAY))
        happened = after[:, None] <= np.arange(120)
        for knows, values in crps.items():
            curves = true_cdf(truth, [truth.company.orders.ids[row] for row in rows], DAY, knows=knows, horizon=120)  # type: ignore[arg-type]
            values.append(((curves - happened) ** 2).sum(axis=1).mean())
    assert np.mean(crps["all"]) < np.mean(crps["observables"]) < 1.1 * np.mean(crps["all"])


def test_the_exact_curve_equals_brute_force_of_many_futures() -> None:
    """Every invoice lives through 400 futures (payers like its own, other draws): shares paid in time equal F."""
    futures = 400
    world = load_world("base")
    truth = simulate(world, customers=60, months=2, seed=2).truth
    company = truth.company
    curves = true_cdf(truth, company.orders.ids, company.orders.issued, knows="all", horizon=150)
    payer = np.repeat(company.orders.customer, futures)
    codes = key_codes(str(number) for number in range(payer.size))
    alike = replace(
        company.customers, ids=[], codes=codes, country=company.customers.country[payer],
        kind=company.customers.kind[payer], intercept=company.customers.intercept[payer],
        schedule=company.customers.schedule[payer], call_weekday=company.customers.call_weekday[payer],
    )  # fmt: skip
    orders = Orders(
        np.arange(payer.size), codes, np.repeat(company.orders.issued, futures), np.repeat(company.orders.due, futures),
        np.repeat(company.orders.amount_minor, futures),
    )  # fmt: skip
    fates = live_through(world, alike, orders, truth.calendar, seed=77)
    after = np.where(fates.cleared == NEVER, 1_000_000, fates.cleared - orders.issued)
    paid = (after[:, None] <= np.arange(150)).reshape(-1, futures, 150).mean(axis=1)
    standard_error = np.sqrt(np.maximum(curves * (1 - curves), 1e-4) / futures)
    deviation = (np.abs(paid - curves) / standard_error)[:, ::5]
    assert curves.shape[0] > 60
    assert deviation.max() < 5
    assert 0.5 < deviation[:, 5:].mean() < 0.95  # .80 for normal errors


def test_the_exponential_world_is_its_closed_form() -> None:
    truth = simulate(load_world("exponential"), customers=60, months=12, seed=1).truth
    rows = _open_rows(truth, day_number(DAY))
    curves = true_cdf(truth, [truth.company.orders.ids[row] for row in rows], DAY)
    rates = np.array([kind.rate_per_day for kind in truth.company.world.types.values()])
    rate = rates[truth.company.customers.kind[truth.company.orders.customer[rows]]]
    expected = 1 - np.exp(-rate[:, None] * (np.arange(178) + 1))
    assert np.allclose(curves, expected, atol=1e-12)


def test_the_null_world_is_the_same_for_everybody() -> None:
    truth = simulate(load_world("null"), customers=60, months=12, seed=1).truth
    rows = _open_rows(truth, day_number(DAY))
    curves = true_cdf(truth, [truth.company.orders.ids[row] for row in rows], DAY, knows="observables")
    assert np.allclose(curves, 1 - np.exp(-0.03 * (np.arange(178) + 1)), atol=1e-9)


def test_facts_from_the_day_on_change_nothing() -> None:
    """The oracle that knows the ledger must not see later payments, disputes or promises."""
    truth = simulate(load_world("base"), customers=120, months=12, seed=8).truth
    day = day_number(DAY)
    rows = _open_rows(truth, day)
    ids = [truth.company.orders.ids[row] for row in rows]
    fates = truth.company.fates

    def blurred(values: np.ndarray) -> np.ndarray:
        return np.where(values >= day, 10 * values, values)

    promised = fates.promised
    known = promised.called_on < day
    later = replace(
        fates,
        cleared=blurred(fates.cleared),
        dispute_opened=blurred(fates.dispute_opened),
        dispute_resolved=blurred(fates.dispute_resolved),
        written_off=blurred(fates.written_off),
        promised=replace(
            promised,
            invoice=promised.invoice[known],
            called_on=promised.called_on[known],
            due_on=promised.due_on[known],
            kept=1 - promised.kept[known],
        ),
    )
    other = replace(truth, company=replace(truth.company, fates=later))
    for knows in ("all", "observables"):
        assert np.array_equal(true_cdf(truth, ids, DAY, knows=knows), true_cdf(other, ids, DAY, knows=knows))  # type: ignore[arg-type]


def test_an_invoice_that_is_not_open_is_refused() -> None:
    truth = simulate(load_world("base"), customers=20, months=6, seed=1).truth
    with pytest.raises(ValueError, match="is not open on its day"):
        true_cdf(truth, [truth.company.orders.ids[0]], date(2026, 11, 1))
    with pytest.raises(KeyError):
        true_cdf(truth, ["INV-0"], DAY)


def test_pay_run_tables_hold_all_the_mass() -> None:
    world = load_world("base")
    calendar = pay_calendar(world, date(2026, 1, 5), date(2026, 11, 2))
    inside = slice(0, calendar.weeks - 40)
    full = cleared_by_parts(calendar.first, calendar.rest, world.cash.part)
    for table in (calendar.first, calendar.rest, full):
        assert np.allclose(table[:, inside].sum(axis=2), 1, atol=1e-12)

"""Scenarios on a simulated book: what moves, what must not, and that a difference holds nothing but the scenario."""

from __future__ import annotations

import json
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from duecourse.core.errors import NotEnoughData
from duecourse.science.forecast import simulate_inflow
from duecourse.science.forecast.scenarios import Comparison, ScenarioCash, scenario_summary, scenario_tables
from duecourse.science.forecast.scenarios.draws import Run, World, inflow_cash
from duecourse.science.forecast.scenarios.moves import MoreInvoiced
from support.what_if import AS_OF, DAYS, DRAWS, SEED, ask, simulated_base

NET_60 = '[[step]]\nkind = "terms"\ncustomers = {who}\nfrom = 2026-11-02\nto_net = 60\n'


def of(result: ScenarioCash, currency: str, end: str = "single") -> Comparison:
    (found,) = (one for one in result.comparisons if (one.currency, one.end) == (currency, end))
    return found


def same_as_base(one: Comparison) -> bool:
    return not one.difference_draws_minor.any() and not one.difference_mean_minor.any()


def test_an_empty_scenario_differs_by_exactly_nothing() -> None:
    result = ask("")
    assert [one.currency for one in result.comparisons] == ["EUR", "GBP", "USD"]
    for one in result.comparisons:
        assert same_as_base(one)
        band = simulated_base().bands[one.currency]
        assert np.array_equal(one.base_draws_minor, band.draws_minor)
        assert np.array_equal(one.base_mean_minor, band.open_mean_minor + band.new_mean_minor)


@pytest.mark.parametrize("currency", ["EUR", "GBP", "USD"])
def test_the_copies_of_the_inflow_are_those_of_the_base_forecast(currency: str) -> None:
    """Nothing may drift apart: scenarios redraw what the forecast drew, to the minor unit."""
    base = simulated_base()
    book = ask("").resolved.book
    nobody = np.zeros(len(book.roster.ids), dtype=bool)
    worlds = [World("a"), World("b", (MoreInvoiced(~nobody, 0, 1.0),))]
    drawn = inflow_cash(base.past[currency], worlds, (book, Run(DAYS, DRAWS, SEED, base.shares)))
    expected = simulate_inflow(base.past[currency], days=DAYS, draws=DRAWS, seed=SEED, shares=base.shares)
    for one in drawn:
        assert np.abs(one.draws - expected).max() <= 1
    assert drawn[0].mean[:DAYS].sum() > 0


def test_longer_terms_move_cash_in_time_and_change_no_total() -> None:
    """Days late kept: less arrives in the window, the same in the end. Pay-days kept: nothing moves."""
    result = ask(NET_60.format(who='"all"'))
    for currency in ("EUR", "GBP", "USD"):
        late, kept = of(result, currency, "due"), of(result, currency, "issue")
        assert same_as_base(kept)
        assert late.difference_mean_minor.sum() < 0
        assert abs(late.change.mean.sum()) < 0.01
        assert late.change.mean[DAYS:].sum() == pytest.approx(-late.change.mean[:DAYS].sum())
        assert late.change.issued.sum() == pytest.approx(0, abs=1e-6)
        assert not late.change.forgone.any()


def test_open_invoices_move_only_on_request() -> None:
    new = of(ask(NET_60.format(who='"all"')), "EUR", "due")
    both = of(ask(NET_60.format(who='"all"') + "open_invoices = true\n"), "EUR", "due")
    first_days = slice(0, 14)
    assert not new.difference_mean_minor[:1].any()
    assert both.difference_mean_minor[first_days].sum() < new.difference_mean_minor[first_days].sum()
    assert abs(both.change.mean.sum()) < 0.01


def test_a_scenario_of_one_customer_touches_only_its_own_draws() -> None:
    """C00010 bills in EUR: other currencies do not move by a cent, and in EUR only its own money does."""
    base = simulated_base()
    customer = busiest(base.view.table("invoices"), "EUR")
    result = ask(f'[[step]]\nkind = "loss"\ncustomers = ["{customer}"]\n')
    assert same_as_base(of(result, "GBP"))
    assert same_as_base(of(result, "USD"))
    lost = of(result, "EUR")
    assert (lost.difference_draws_minor <= 0).all()
    alone = ask(f'[[step]]\nkind = "delay"\ncustomers = ["{customer}"]\ndays = 365\n')
    # A year's delay takes the same cash out of the window as losing the customer does.
    assert np.abs(of(alone, "EUR").draws_minor - lost.draws_minor).max() <= 1


def busiest(invoices: pl.DataFrame, currency: str) -> str:
    mine = invoices.filter(pl.col("currency") == currency).group_by("customer_id").len()
    return str(mine.sort(["len", "customer_id"], descending=True).get_column("customer_id")[0])


def test_losing_the_top_customer_loses_the_largest() -> None:
    invoices = simulated_base().view.table("invoices")
    recent = invoices.filter((pl.col("currency") == "EUR") & (pl.col("issued_on") >= AS_OF - timedelta(days=182)))
    totals = recent.group_by("customer_id").agg(pl.col("amount_minor").sum()).sort("amount_minor", descending=True)
    top = totals.get_column("customer_id")[0]
    by_rank = of(ask('[[step]]\nkind = "loss"\ntop = 1\n'), "EUR")
    by_name = of(ask(f'[[step]]\nkind = "loss"\ncustomers = ["{top}"]\n'), "EUR")
    assert np.array_equal(by_rank.draws_minor, by_name.draws_minor)
    assert by_rank.change.issued.sum() < 0


def test_losing_orders_leaves_open_invoices_as_they_were() -> None:
    result = of(ask('[[step]]\nkind = "loss"\ntop = 1\nopen_invoices = "paid"\n'), "EUR")
    everything = of(ask('[[step]]\nkind = "loss"\ntop = 1\n'), "EUR")
    assert not result.difference_draws_minor[:, 0].any()
    assert everything.change.mean.sum() < result.change.mean.sum() < 0


def test_a_shock_lowers_what_comes_early_and_more_of_it_more() -> None:
    mild, hard = (of(ask(f'[[step]]\nkind = "shock"\nseverity = {size}\n'), "EUR") for size in (1, 2))
    first_weeks = slice(0, 28)
    p50 = [
        np.median(one[:, first_weeks].sum(axis=1))
        for one in (mild.base_draws_minor, mild.draws_minor, hard.draws_minor)
    ]
    assert p50[0] > p50[1] > p50[2]
    means = [one.mean_minor[first_weeks].sum() for one in (mild, hard)]
    assert mild.base_mean_minor[first_weeks].sum() > means[0] > means[1]


def test_a_shock_with_customers_that_never_pay_and_less_business() -> None:
    plain = of(ask('[[step]]\nkind = "shock"\nseverity = 1\n'), "EUR")
    customer = busiest(simulated_base().view.table("invoices"), "EUR")
    worse = of(ask(f'[[step]]\nkind = "shock"\nseverity = 1\ninflow_factor = 0.5\nnever = ["{customer}"]\n'), "EUR")
    assert worse.mean_minor.sum() < plain.mean_minor.sum()
    assert worse.change.issued[:DAYS].sum() < 0
    assert not plain.change.issued.any()


def test_more_volume_is_more_cash_by_the_same_factor() -> None:
    result = of(ask('[[step]]\nkind = "volume"\nfactor = 1.5\nfrom = 2026-11-02\n'), "EUR")
    new = simulated_base().bands["EUR"].new_mean_minor.sum()
    assert result.difference_mean_minor.sum() == pytest.approx(0.5 * new, abs=2)
    assert (result.difference_draws_minor >= 0).all()


def test_a_discount_brings_cash_forward_and_costs_what_it_gives_away() -> None:
    """Low and high take-up are the ends; the total falls by exactly the discounts."""
    step = '[[step]]\nkind = "discount"\ncustomers = "all"\nfrom = 2026-11-02\npercent = 2\ndays = 10\n'
    result = ask(step)
    low, high = (of(result, "EUR", end) for end in ("take_up_low", "take_up_high"))
    for one in (low, high):
        assert one.difference_mean_minor[:28].sum() > 0
        assert one.change.mean.sum() == pytest.approx(-one.change.forgone.sum(), abs=0.01)
    # Nobody has a past with discounts: .10 and .40 of the same invoices.
    assert high.change.forgone.sum() == pytest.approx(4 * low.change.forgone.sum())
    told = ask(step + "take_up = 0.1\n")
    assert np.array_equal(of(told, "EUR").draws_minor, low.draws_minor)


def test_steps_act_in_their_order() -> None:
    """Terms of 30 become 60 and then 90; the other way round the first step finds nobody left on its terms."""
    step = '[[step]]\nkind = "terms"\ncustomers = "all"\nfrom = 2026-11-02\nfrom_net = {}\nto_net = {}\n'
    twice = of(ask(step.format(30, 60) + step.format(60, 90)), "GBP", "due")
    turned = of(ask(step.format(60, 90) + step.format(30, 60)), "GBP", "due")
    assert twice.difference_mean_minor.sum() < turned.difference_mean_minor.sum() < 0


def test_a_delay_comes_later_on_a_day_on_which_the_customer_pays() -> None:
    result = of(ask('[[step]]\nkind = "delay"\ntop = 30\ndays = 9\n'), "EUR")
    assert result.mean_minor[:9].max() <= 1  # a minor unit of rounding
    assert not result.draws_minor[:, :9].any()
    paid = np.flatnonzero(result.mean_minor > 1).tolist()
    weekdays = [(AS_OF + timedelta(days=day)).weekday() for day in paid]
    assert not {5, 6} & set(weekdays)
    assert abs(result.change.mean.sum()) < 0.01


MEASURED = """[[step]]
kind = "collections"
uplift = "uplift.toml"
"""


def test_more_contact_without_a_measured_effect_is_refused() -> None:
    with pytest.raises(NotEnoughData, match="what is needed: an uplift file"):
        ask('[[step]]\nkind = "collections"\n')
    with pytest.raises(NotEnoughData, match="what is needed"):
        ask(MEASURED)


def test_the_tables_agree_with_the_base_forecast_and_with_themselves() -> None:
    result = ask(NET_60.format(who='"all"'))
    daily, weekly = scenario_tables([result], AS_OF)
    sides = [
        f"{side}_{value}_minor"
        for side in ("base", "scenario", "difference")
        for value in ("p10", "p50", "p90", "mean")
    ]
    assert daily.columns == ["scenario", "end", "date", "currency", *sides]
    assert weekly.columns == ["scenario", "end", "week_start", "currency", *sides]
    assert (daily.height, weekly.height) == (3 * 2 * 91, 3 * 2 * 13)
    means = daily.select(pl.col("base_mean_minor") + pl.col("difference_mean_minor") - pl.col("scenario_mean_minor"))
    assert means.to_series().to_list() == [0] * daily.height
    eur = pl.col("currency") == "EUR", pl.col("end") == "due"
    first = weekly.filter(*eur).row(0, named=True)
    known = simulated_base().bands["EUR"].window(0, 7)
    assert (first["base_p10_minor"], first["base_p50_minor"], first["base_p90_minor"]) == known
    assert daily.filter(*eur)["difference_mean_minor"].sum() == weekly.filter(*eur)["difference_mean_minor"].sum()


def test_the_summary_says_what_it_is_worth() -> None:
    """Terms: what has not come is in the receivables; DSO rises; nothing is lost in the end."""
    summary = scenario_summary(ask(NET_60.format(who='"all"')), simulated_base())
    json.dumps(summary)
    late, kept = (one for one in summary["effects"] if one["currency"] == "EUR")
    assert late["working_capital"]["mean_minor"] == pytest.approx(-late["difference"]["mean_minor"], abs=1)
    assert (
        late["working_capital"]["p10_minor"]
        <= late["working_capital"]["mean_minor"]
        <= late["working_capital"]["p90_minor"]
    )
    assert late["dso_change_days"] > 1
    assert late["capital_cost_minor"] > 0
    assert late["in_the_end_mean_minor"] == 0
    assert late["lowest"]["mean_minor"] < 0
    assert date.fromisoformat(late["lowest"]["date"]) >= AS_OF
    assert kept["dso_change_days"] == 0
    assert summary["ends"] == {
        "due": "payments move with the due date",
        "issue": "customers pay as long after the issue as before",
    }
    assert summary["steps"] == ["Invoices of all customers issued from 2026-11-02 on are net 60."]

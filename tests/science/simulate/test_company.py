"""The simulated books: reproducible, whole, and nothing before its cause."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from duecourse.core.errors import UsageError
from duecourse.ledger.as_of import Ledger
from duecourse.ledger.balances import invoice_balances
from duecourse.ledger.checks import invariant_problems
from duecourse.ledger.schema import TABLES
from duecourse.science.simulate import Simulated, load_world, simulate, world_from, world_names
from duecourse.science.simulate.fates import NEVER
from duecourse.science.simulate.pay_calendar import day_number


@pytest.fixture(scope="module")
def base() -> Simulated:
    return simulate(load_world("base"), customers=300, months=18, seed=5)


def test_the_same_world_size_and_seed_give_the_same_ledger(base: Simulated) -> None:
    again = simulate(load_world("base"), customers=300, months=18, seed=5)
    for name, frame in base.ledger.tables.items():
        assert frame.equals(again.ledger.table(name), null_equal=True), name
    other = simulate(load_world("base"), customers=300, months=18, seed=6)
    assert not base.ledger.table("invoices").equals(other.ledger.table("invoices"), null_equal=True)


def test_more_customers_leave_the_first_ones_as_they_were(base: Simulated) -> None:
    more = simulate(load_world("base"), customers=340, months=18, seed=5)
    few, many = base.truth.company, more.truth.company
    kept = many.orders.customer < 300
    assert np.array_equal(few.orders.codes, many.orders.codes[kept])
    assert np.array_equal(few.fates.cleared, many.fates.cleared[kept])
    assert np.array_equal(few.customers.schedule, many.customers.schedule[:300])


def test_switching_one_mechanism_off_moves_no_draw_of_the_others() -> None:
    world = load_world("base")
    plain = world.as_json() | {"ends_on": world.ends_on, "cash": {"part": 0.0, "short": 0.0, "credit_note": 0.0}}
    with_parts = simulate(world, customers=120, months=12, seed=3).truth.company
    without = simulate(world_from(plain), customers=120, months=12, seed=3).truth.company
    assert np.array_equal(with_parts.fates.decided, without.fates.decided)
    assert np.array_equal(with_parts.fates.posted, without.fates.posted)
    assert np.array_equal(with_parts.orders.amount_minor, without.orders.amount_minor)
    assert (with_parts.fates.part < 1).sum() > 10
    assert (without.fates.part < 1).sum() == 0
    assert (without.claims.short_minor > 0).sum() == 0


@pytest.mark.parametrize("name", world_names())
def test_every_world_keeps_the_invariants_of_the_ledger(name: str) -> None:
    simulated = simulate(load_world(name), customers=80, months=9, seed=11)
    assert invariant_problems(simulated.ledger) == ()
    assert simulated.ledger.table("invoices").height > 50


def test_money_is_conserved_to_the_minor_unit(base: Simulated) -> None:
    end = base.truth.company.world.ends_on
    view = base.ledger.as_of(end)
    allocated = view.table("allocations").filter(pl.col("source_kind") == "payment")
    per_payment = allocated.group_by("source_id").agg(pl.col("amount_minor").sum().alias("used"))
    payments = view.table("payments").join(per_payment, left_on="payment_id", right_on="source_id", how="left")
    unapplied = payments.filter(pl.col("used").fill_null(0) != pl.col("amount_minor"))
    # Cash that is not yet applied was received at most some weeks before the end.
    assert unapplied.filter(pl.col("received_on") < end - timedelta(days=30)).height == 0
    balances = invoice_balances(view)
    applied = view.table("allocations")["amount_minor"].sum()
    assert balances["amount_minor"].sum() == balances["open_minor"].sum() + applied


def test_the_books_show_the_true_payment_day(base: Simulated) -> None:
    company = base.truth.company
    end = day_number(company.world.ends_on)
    paid = (company.fates.cleared != NEVER) & (company.fates.cleared < end)
    expected = dict(zip(np.array(company.orders.ids)[paid].tolist(), company.fates.cleared[paid].tolist(), strict=True))
    balances = invoice_balances(base.ledger.as_of(company.world.ends_on))
    shown = {
        invoice_id: day_number(day)
        for invoice_id, day in balances.select("invoice_id", "paid_on").drop_nulls().iter_rows()
    }
    assert shown == expected


def test_nothing_is_recorded_before_it_happened_or_after_the_end(base: Simulated) -> None:
    end = base.truth.company.world.ends_on
    for name, frame in base.ledger.tables.items():
        own = TABLES[name].known_from
        if own is None:
            continue
        assert frame.filter(pl.col("recorded_at").dt.date() < pl.col(own).cast(pl.Date)).height == 0, name
        assert frame.filter(pl.col("recorded_at").dt.date() >= end).height == 0, name


def test_no_event_comes_before_its_cause(base: Simulated) -> None:
    tables = base.ledger.tables
    first = tables["invoices"].group_by("invoice_id").agg(pl.all().sort_by("recorded_at").first())
    moved = tables["allocations"].join(first, on="invoice_id", suffix="_invoice")
    assert moved.height == tables["allocations"].height
    assert moved.filter(pl.col("applied_on") < pl.col("issued_on")).height == 0
    assert moved.filter(pl.col("recorded_at") < pl.col("recorded_at_invoice")).height == 0
    from_payment = tables["allocations"].join(tables["payments"], left_on="source_id", right_on="payment_id")
    assert from_payment.filter(pl.col("applied_on") < pl.col("received_on")).height == 0
    assert from_payment.filter(pl.col("recorded_at") < pl.col("recorded_at_right")).height == 0
    closing = tables["disputes"].filter(pl.col("closed_on").is_not_null())
    assert closing.filter(pl.col("recorded_at").dt.date() < pl.col("closed_on")).height == 0


def test_each_promise_was_given_in_a_call_that_reached_somebody(base: Simulated) -> None:
    promises = base.ledger.table("promises")
    calls = base.ledger.table("activities").filter((pl.col("channel") == "call") & (pl.col("outcome") == "reached"))
    made = promises.join(calls, left_on=["customer_id", "recorded_at"], right_on=["customer_id", "occurred_at"])
    assert promises.height > 50
    assert made.height == promises.height
    about = made.filter(pl.col("invoice_ids").list.set_difference("invoice_ids_right").list.len() > 0)
    assert about.height == 0


def test_nothing_is_cleared_on_a_weekend(base: Simulated) -> None:
    applied = base.ledger.table("allocations").filter(pl.col("source_kind") == "payment")
    assert applied.filter(pl.col("applied_on").dt.weekday() > 5).height == 0


def test_the_healthy_world_lies_in_its_bands() -> None:
    """Bands of the simulator specification, section 10, on one seed of the standard size."""
    company = simulate(load_world("healthy"), seed=1).truth.company
    fates, orders = company.fates, company.orders
    lost = fates.written_off != NEVER
    late = np.where(lost, 10_000, fates.cleared - orders.due)
    assert 0.45 <= (late > 0).mean() <= 0.55
    assert 0.12 <= (late > 30).mean() <= 0.22
    assert 0.05 <= (late > 60).mean() <= 0.12
    assert 0.03 <= (late > 90).mean() <= 0.08
    assert 0.005 <= orders.amount_minor[lost].sum() / orders.amount_minor.sum() <= 0.02
    assert 9 <= late[~lost].mean() <= 18
    assert 12 <= np.median(late[~lost & (late > 0)]) <= 25
    assert 0.04 <= (fates.dispute_opened != NEVER).mean() <= 0.10
    assert 0.55 <= fates.promised.kept.mean() <= 0.75


def test_all_tables_of_the_example_are_filled_and_in_the_declared_types(base: Simulated) -> None:
    assert set(base.ledger.tables) == {
        "customers", "contacts", "invoices", "credits", "payments", "allocations", "activities", "promises", "disputes",
    }  # fmt: skip
    for name, frame in base.ledger.tables.items():
        assert frame.height > 0
        assert Ledger.from_frames({name: frame}).table(name).schema == frame.schema


def test_mail_addresses_lie_under_example(base: Simulated) -> None:
    emails = base.ledger.table("contacts")["email"]
    assert emails.str.contains(r"^[a-z0-9.-]+@[a-z0-9-]+\.example$").all()


def test_an_unknown_world_is_refused_with_the_names_that_exist() -> None:
    with pytest.raises(UsageError, match="unknown world 'atlantis': expected one of base, exponential, healthy"):
        load_world("atlantis")


def test_a_world_with_an_unknown_value_or_wrong_shares_is_refused() -> None:
    world = load_world("base").as_json() | {"ends_on": date(2026, 11, 2)}
    with pytest.raises(ValueError, match="unknown value 'colour'"):
        world_from(world | {"colour": "red"})
    with pytest.raises(ValueError, match=r"world\.runs: shares must sum to 1"):
        world_from(world | {"runs": {"weekly": 0.5, "fortnightly": 0.1, "month_end": 0.1, "daily": 0.1}})
    with pytest.raises(ValueError, match=r"world\.bank is missing"):
        world_from({key: value for key, value in world.items() if key != "bank"})


def test_a_company_needs_a_customer_and_a_month() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        simulate(load_world("base"), customers=0, months=12, seed=1)

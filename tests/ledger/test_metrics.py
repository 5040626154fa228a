"""Worked examples and properties of the measures; ``test_metrics_oracle`` compares all of them with SQL."""

from __future__ import annotations

import inspect
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from duecourse.ledger import metrics
from duecourse.ledger.balances import invoice_balances
from duecourse.ledger.metrics import Books, Return
from duecourse.ledger.metrics.books import add_months, trend_days
from duecourse.ledger.metrics.definitions import definition
from support.books import activity, allocation, books, dispute, invoice, known, payment, promise
from support.random_books import AS_OF, random_ledger

MEASURES = [
    getattr(metrics, name)
    for name in metrics.__all__
    if inspect.isfunction(getattr(metrics, name))
    and name not in ("trend", "carried_by", "late_items", "promise_outcomes")
]


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.__name__)
def test_every_measure_states_its_formula_unit_caution_and_source_and_the_reference_says_the_same(
    measure: object,
) -> None:
    about = definition(measure)  # type: ignore[arg-type]
    reference = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "metrics.md").read_text(encoding="utf-8")
    assert f"| `{about.name}` | {about.formula} | {about.unit} | {about.caution} | {about.source} |" in reference


def test_working_capital_freed_and_bad_debt_avoided() -> None:
    freed = metrics.working_capital_freed(dso_before_days=55, dso_after_days=38, yearly_sales_minor=5_000_000_00)
    assert freed == 232_876_71  # 232,877 in whole units
    assert metrics.bad_debt_avoided(ratio_before=0.02, ratio_after=0.008, yearly_sales_minor=5_000_000_00) == 60_000_00


def test_price_of_two_ten_net_thirty() -> None:
    price = metrics.early_payment_price(discount_percent=2, discount_days=10, real_pay_days=30)
    assert (round(price.simple, 3), round(price.effective, 3)) == (0.372, 0.446)
    late = metrics.early_payment_price(discount_percent=2, discount_days=10, real_pay_days=43)
    assert round(late.simple, 3) == 0.226
    for wrong in ({"discount_percent": 0}, {"discount_percent": 100}, {"real_pay_days": 10}):
        with pytest.raises(ValueError, match="discount"):
            metrics.early_payment_price(**{"discount_percent": 2, "discount_days": 10, "real_pay_days": 30, **wrong})


def test_roi_cannot_tell_when_a_term_is_unknown() -> None:
    terms = {"capital_freed_minor": 1_000_00, "cost_of_capital": 0.1, "bad_debt_avoided_minor": 50_00,
             "cost_saved_minor": 0, "revenue_kept_minor": 0, "cost_minor": 100_00}  # fmt: skip
    assert metrics.roi(Return(**terms)) == 0.5  # type: ignore[arg-type]
    assert metrics.roi(Return(**{**terms, "revenue_kept_minor": None})) is None  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="cost"):
        metrics.roi(Return(**{**terms, "cost_minor": 0}))  # type: ignore[arg-type]


def test_expected_loss_is_a_provision_matrix_and_wants_every_rate() -> None:
    rates = {"current": 0.001, "91+": 0.2}
    assert metrics.expected_loss(exposure_minor={"current": 100_000, "91+": 1_003}, loss_rate=rates) == 301
    with pytest.raises(KeyError):
        metrics.expected_loss(exposure_minor={"1-30": 5}, loss_rate=rates)


def test_dso_of_a_steady_book_is_its_paying_time() -> None:
    rows = []
    for number in range(400):  # 1,000.00 a day, each paid after 45 days, 30 days terms
        issued = date(2025, 1, 1) + timedelta(days=number)
        rows.append(invoice(f"I{number:03}", 100_000, issued.isoformat()))
        rows.append(allocation(f"I{number:03}", 100_000, (issued + timedelta(days=45)).isoformat()))
    view = Books(known("2026-02-01", *rows))
    assert metrics.dso_simple(view)["dso_days"].item() == pytest.approx(45)
    assert metrics.dso_countback(view)["dso_days"].item() == pytest.approx(45)
    assert metrics.best_possible_dso(view)["best_possible_dso_days"].item() == pytest.approx(30)
    assert metrics.average_days_delinquent(view)["average_days_delinquent_days"].item() == pytest.approx(15)
    assert metrics.days_to_pay(view)["days_to_pay_days"].item() == 45
    assert metrics.days_beyond_terms(view)["days_beyond_terms_days"].item() == 15
    assert metrics.kaplan_meier_median(view)["km_median_days"].item() == 45


def test_cei_is_100_exactly_when_nothing_is_past_due_at_the_end() -> None:
    rows = [invoice("I1", 500, "2026-01-01"), allocation("I1", 500, "2026-01-20"), invoice("I2", 700, "2026-01-10")]
    assert metrics.cei(known("2026-02-01", *rows))["cei_percent"].item() == 100
    past_due = metrics.cei(known("2026-02-01", *rows, invoice("I3", 300, "2025-12-01")))
    assert past_due["cei_percent"].item() == pytest.approx(500 / 800 * 100)
    nothing = metrics.cei(known("2026-02-01", invoice("I1", 500, "2026-01-25")))
    assert (nothing["cei_percent"].item(), nothing["missing"].item()) == (
        None,
        "nothing was there to collect in the period",
    )


def test_an_amount_due_today_is_current_and_the_buckets_turn_on_their_days() -> None:
    rows = [
        invoice(f"I{late}", 10**number, "2025-01-01", (date(2026, 3, 1) - timedelta(days=late)).isoformat())
        for number, late in enumerate((0, 1, 30, 31, 60, 61, 90, 91))
    ]
    frame = metrics.ageing(known("2026-03-01", *rows))
    assert frame["open_minor"].to_list() == [1, 110, 11_000, 1_100_000, 10_000_000]
    assert frame["invoices"].to_list() == [1, 2, 2, 2, 1]


def test_a_figure_of_a_past_day_counts_late_booked_money_on_its_own_day() -> None:
    view = known("2026-04-01", invoice("I1", 900, "2026-01-01"),
                 allocation("I1", 900, "2026-02-10", recorded_at="2026-03-15"))  # fmt: skip
    restated = Books(view).receivables(date(2026, 3, 1))
    assert restated["receivable_minor"].item() == 0
    assert Books(view).receivables(date(2026, 2, 10))["receivable_minor"].item() == 900
    believed = books(invoice("I1", 900, "2026-01-01"),
                     allocation("I1", 900, "2026-02-10", recorded_at="2026-03-15")).as_of(date(2026, 3, 1))  # fmt: skip
    assert metrics.past_due_share(believed)["receivable_minor"].item() == 900


def test_share_late_counts_only_what_can_be_known() -> None:
    rows = [invoice("OLD", 100, "2025-10-01", "2025-11-01"), invoice("NEW", 100, "2026-02-01", "2026-02-27")]
    view = Books(known("2026-03-01", *rows))
    steps = {more: metrics.late_share(view, more_than_days=more)["invoices"].item() for more in metrics.LATE_STEPS}
    assert steps == {0: 2, 5: 1, 30: 1, 60: 1, 89: 1}


def test_kept_promises_count_money_until_the_grace_is_over() -> None:
    rows = [
        *(invoice(f"I{n}", 1_000, "2026-01-01", customer_id=f"C{n}") for n in range(5)),
        *(promise(f"P{n}", 1_000, "2026-02-02", "2026-02-06", customer_id=f"C{n}") for n in range(5)),
        allocation("I0", 1_000, "2026-02-10"),  # Friday + 2 business days = Tuesday the 10th
        allocation("I1", 1_000, "2026-02-11"),  # one day too late
        allocation("I2", 500, "2026-02-06"),
        allocation("I3", 499, "2026-02-06"),
        promise("P4b", 1_000, "2026-02-05", "2026-03-30", customer_id="C4"),
    ]
    view = known("2026-03-01", *rows)
    outcomes = dict(metrics.promise_outcomes(view).select("promise_id", "outcome").rows())
    assert outcomes == {"P0": "kept", "P1": "broken", "P2": "part_kept", "P3": "broken", "P4": "superseded"}
    rate = metrics.promise_kept_rate(view)
    assert rate["kept_count_share"].item() == 0.25
    assert rate["kept_amount_share"].item() == pytest.approx(1_999 / 4_000)


def test_unapplied_cash_is_what_no_allocation_uses() -> None:
    view = known(
        "2026-03-01", invoice("I1", 1_000, "2026-01-01"), payment("P1", 1_000, "2026-02-20"),
        payment("P2", 300, "2026-02-20", customer_id=None), payment("P3", 50, "2026-02-20", status="returned"),
        allocation("I1", 600, "2026-02-20", source_id="P1"),
    )  # fmt: skip
    row = metrics.unapplied_share(view).row(0, named=True)
    assert (row["unapplied_minor"], row["unidentified_minor"], row["receipts_minor"]) == (400, 300, 1_300)


def test_contacts_are_not_called_an_effect_and_notes_are_no_contacts() -> None:
    view = known(
        "2026-03-01", invoice("I1", 1_000, "2026-01-01"), invoice("I2", 1_000, "2026-01-01", customer_id="C2"),
        activity("A1", "email", "2026-02-01"), activity("A2", "note", "2026-02-01", customer_id="C2"),
        allocation("I1", 1_000, "2026-02-15"),
    )  # fmt: skip
    row = metrics.collection_effectiveness_rate(view).row(0, named=True)
    assert (row["contacted"], row["paid"]) == (1, 1)
    assert "never call it the effect" in definition(metrics.collection_effectiveness_rate).caution


def test_dispute_time_and_favour() -> None:
    rows = [invoice(f"I{n}", 1_000, "2026-01-01") for n in range(3)]
    rows += [
        dispute("I0", "2026-01-10", 100, closed_on="2026-01-20", outcome="valid"),
        dispute("I1", "2026-01-10", 100, closed_on="2026-01-30", outcome="invalid"),
        dispute("I2", "2026-01-10", 250),
    ]
    row = metrics.dispute_cycle(known("2026-03-01", *rows)).row(0, named=True)
    assert (row["closed"], row["open"], row["dispute_days_median"], row["favour_ratio"]) == (2, 1, 15, 0.5)
    waiting = metrics.days_deductions_outstanding(known("2026-03-01", *rows)).row(0, named=True)
    assert waiting["days_deductions_outstanding"] == pytest.approx(250 / 450 * 90)


def test_carried_by_counts_the_fewest() -> None:
    assert metrics.carried_by(pl.Series([10, 80, 10])) == 1
    assert metrics.carried_by(pl.Series([25, 25, 25, 25])) == 4
    assert metrics.carried_by(pl.Series([], dtype=pl.Int64)) is None
    assert metrics.carried_by(pl.Series([0, 0])) is None


def test_months_end_where_the_calendar_does() -> None:
    assert add_months(date(2024, 3, 31), -1) == date(2024, 2, 29)
    assert add_months(date(2025, 11, 30), 3) == date(2026, 2, 28)
    assert trend_days(date(2026, 3, 1))[-2:] == (date(2026, 2, 1), date(2026, 3, 1))
    assert trend_days(date(2026, 3, 17))[0] == date(2025, 4, 1)


def test_a_trend_has_thirteen_points_and_takes_the_options_of_its_measure() -> None:
    view = Books(random_ledger(1).as_of(AS_OF))
    frame = metrics.trend(metrics.dso_countback, view, by=("customer_id",), min_invoices=3)
    assert frame["on"].unique().sort().to_list() == list(trend_days(AS_OF))
    assert frame.filter(on=AS_OF).drop("on").equals(metrics.dso_countback(view, by=("customer_id",), min_invoices=3))


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="no level 'region'"):
        metrics.dso_simple(known("2026-03-01", invoice()), by=("region",))
    with pytest.raises(ValueError, match="no level 'entity_id'"):
        metrics.unapplied_share(known("2026-03-01", invoice()), by=("entity_id",))


@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 10_000))
def test_parts_add_up_at_every_level(seed: int) -> None:
    view = random_ledger(seed, invoices=30).as_of(AS_OF)
    prepared = Books(view)
    issued = invoice_balances(view).filter(pl.col("issued_on") < AS_OF)
    whole = dict(issued.group_by("currency").agg(pl.col("open_minor").sum()).rows())
    for by in ((), ("entity_id",), ("segment",), ("customer_id",)):
        owed = prepared.receivables(by=by)
        assert {k: v for k, v in owed.group_by("currency").agg(pl.col("receivable_minor").sum()).rows() if v} == {
            k: v for k, v in whole.items() if v
        }
        buckets = metrics.ageing(prepared, by=by)
        assert buckets["open_minor"].sum() == sum(whole.values())
        simple, best, late = (
            measure(prepared, by=by)[column]
            for measure, column in (
                (metrics.dso_simple, "dso_days"),
                (metrics.best_possible_dso, "best_possible_dso_days"),
                (metrics.average_days_delinquent, "average_days_delinquent_days"),
            )
        )
        assert (simple - best - late).abs().max() in (None, pytest.approx(0, abs=1e-6))


@settings(max_examples=10, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 10_000))
def test_what_has_no_invoice_stays_in_the_parts(seed: int) -> None:
    """Free credits, promises and cash add up at every level, those of blank entities and unknown payers included."""
    prepared = Books(random_ledger(seed, invoices=30).as_of(AS_OF))
    measures = (
        (metrics.dilution, ("credited_minor", "deducted_minor", "written_off_minor"), metrics.LEVELS),
        (metrics.promise_kept_rate, ("promises", "promised_minor", "arrived_minor"), metrics.LEVELS),
        (metrics.unapplied_share, ("unapplied_minor", "unidentified_minor", "receipts_minor"), metrics.LEVELS[1:]),
    )
    for measure, columns, levels in measures:
        whole = measure(prepared).group_by("currency").agg(pl.col(*columns).sum()).sort("currency")
        for level in levels:
            parts = measure(prepared, by=(level,)).group_by("currency").agg(pl.col(*columns).sum()).sort("currency")
            assert parts.rows() == whole.rows(), (measure.__name__, level)


def test_contact_to_cash_waits_for_half_of_those_contacted() -> None:
    rows = [
        *(invoice(f"I{n}", 10_000, "2025-11-01", customer_id=f"C{n}") for n in range(4)),
        *(activity(f"A{n}", "email", "2026-01-05T09:00:00Z", customer_id=f"C{n}") for n in range(4)),
        activity("A9", "email", "2026-01-09T09:00:00Z", customer_id="C0"),
        allocation("I0", 4_000, "2026-01-12"),
    ]
    one = metrics.contact_to_cash(known("2026-03-01", *rows))
    assert one.select("contacted", "paid", "contact_to_cash_days").row(0) == (4, 1, None)
    assert one["missing"].item() == "fewer than half of those contacted brought cash within 30 days"
    two = metrics.contact_to_cash(known("2026-03-01", *rows, allocation("I1", 100, "2026-01-25")))
    assert two.select("contacted", "paid", "contact_to_cash_days").row(0) == (4, 2, 20)  # 7 and 20 days; the 2nd of 4
    late = metrics.contact_to_cash(known("2026-03-01", *rows, allocation("I1", 100, "2026-02-05")))
    assert late["paid"].item() == 1  # 31 days are longer than everybody was watched


def test_cost_per_unit_belongs_to_the_customers_on_whom_the_minutes_were_spent() -> None:
    rows = [
        invoice("I1", 100_000, "2025-12-01", customer_id="C1"), invoice("I2", 50_000, "2025-12-01", customer_id="C2"),
        allocation("I1", 100_000, "2026-01-20"), allocation("I2", 50_000, "2026-01-20"),
        activity("A1", "call", "2026-01-05T09:00:00Z", minutes=30.0),
    ]  # fmt: skip
    view = known("2026-03-01", *rows)
    whole = metrics.cost_per_unit_collected(view, hourly_cost_minor=6_000, tools_minor=1_500)
    assert whole.select("minutes", "cost_minor", "collected_minor", "cost_per_unit").row(0) == (
        30,
        4_500,
        150_000,
        0.03,
    )
    parts = metrics.cost_per_unit_collected(view, by=("customer_id",), hourly_cost_minor=6_000, tools_minor=1_500)
    assert parts.select("customer_id", "cost_minor", "cost_per_unit").rows() == [("C1", 3_000, 0.03), ("C2", 0, 0.0)]


def test_a_contact_counts_in_the_entities_of_its_customer_and_only_their_cash_answers_it() -> None:
    rows = [
        invoice("I1", 100, "2025-12-01", entity_id="E1"), invoice("I2", 100, "2025-12-01", entity_id="E2"),
        activity("A1", "email", "2026-01-05T09:00:00Z"), allocation("I2", 100, "2026-01-09"),
    ]  # fmt: skip
    found = metrics.collection_effectiveness_rate(known("2026-03-01", *rows), by=("entity_id",))
    assert found.select("entity_id", "contacted", "paid").rows() == [("E1", 1, 0), ("E2", 1, 1)]
    assert metrics.collection_effectiveness_rate(known("2026-03-01", *rows)).select("contacted", "paid").row(0) == (
        1,
        1,
    )

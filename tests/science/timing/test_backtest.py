"""A backtest sees the past as it was, caps what is not known yet, and gives the printed figures of the data's page."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date

import numpy as np
import polars as pl
import pytest

from duecourse.core.errors import NotEnoughData
from duecourse.ledger.as_of import Ledger, View
from duecourse.science.timing import backtest as module
from duecourse.science.timing.backtest import (
    BacktestPlan,
    CurveModel,
    backtest,
    last_outcome,
    mature_month_starts,
    rolling_backtest,
)
from duecourse.science.timing.backtest_report import BacktestReport
from duecourse.science.timing.case_sets import Outcomes, new_set, open_set, standard_horizon, top_parents
from duecourse.science.timing.empirical import empirical_cdf
from duecourse.science.timing.facts import Facts, facts_from_view
from duecourse.science.timing.landmarks import Landmarks
from duecourse.science.timing.measures import NEVER, measure
from duecourse.science.timing.own_hazard import own_cdf
from duecourse.science.timing.tallies import customer_sizes
from support.books import allocation, books, invoice
from support.payers import payers
from support.realdata import highradius_ledger

SIMPLE = ("due_date", "customer_median", "customer_empirical", "customer_history", "book")


class OwnHistory:
    """A stand-in model: the customer's own distribution."""

    def cdf(self, facts: Facts, landmarks: Landmarks, horizon: int) -> np.ndarray:
        return empirical_cdf(facts, landmarks, horizon, book_day=int(landmarks.known_day.min()))


def stand_in(view: View) -> CurveModel:
    return OwnHistory()


@pytest.fixture(autouse=True)
def no_regressions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Boosted regressions take seconds and are tested elsewhere."""
    monkeypatch.setattr(module.baselines, "IssueDayRegression", lambda *_args, **_options: None)


@pytest.fixture(scope="module")
def book() -> Ledger:
    return payers(customers=30, per_month=4, seed=2)


def run(ledger: Ledger, *days: date, fit: Callable[[View], CurveModel] = stand_in, **plan: object) -> BacktestReport:
    return backtest(ledger, days, plan=BacktestPlan(fit=fit, **plan))  # type: ignore[arg-type]


def test_the_model_is_fitted_on_nothing_later_than_the_snapshot(book: Ledger) -> None:
    seen: list[tuple[date, date | None]] = []

    def fit(view: View) -> CurveModel:
        latest = view.table("allocations").get_column("applied_on").max()
        seen.append((view.as_of, latest))  # type: ignore[arg-type]
        return OwnHistory()

    run(book, date(2025, 6, 1), date(2025, 5, 1), fit=fit)
    seen.sort()  # snapshots run side by side
    assert [as_of for as_of, _ in seen] == [date(2025, 5, 1), date(2025, 6, 1)]
    assert all(latest is not None and latest < as_of for as_of, latest in seen)


def test_open_and_new_sets_hold_what_their_definitions_say(book: Ledger) -> None:
    day = date(2025, 6, 1)
    outcomes = Outcomes.of(book, date(2026, 1, 1))
    view = book.as_of(day)
    opened = open_set(view, facts_from_view(view), outcomes, seed=0, horizon=60)
    new = new_set(day, outcomes, seed=0, horizon=60, new_days=30)
    paid = book.table("allocations").select("invoice_id", "applied_on")
    table = book.table("invoices").join(paid, on="invoice_id", how="left")
    unpaid = pl.col("applied_on").is_null() | (pl.col("applied_on") >= day)
    expected_open = table.filter((pl.col("issued_on") < day) & unpaid).get_column("invoice_id").to_list()
    issued = pl.col("issued_on").is_between(day, date(2025, 6, 30))
    expected_new = table.filter(issued).get_column("invoice_id").to_list()
    assert sorted(opened.facts.invoice_id[opened.landmarks.invoice]) == sorted(expected_open)
    assert sorted(new.facts.invoice_id[new.landmarks.invoice]) == sorted(expected_new)
    applied = dict(zip(paid["invoice_id"], paid["applied_on"], strict=True))
    for one in (opened, new):
        ids = one.facts.invoice_id[one.landmarks.invoice]
        for invoice_id, start, after in zip(ids, one.landmarks.day, one.cases.paid_after, strict=True):
            on = applied.get(invoice_id)
            assert after == (NEVER if on is None else (on - date(1970, 1, 1)).days - start)


def test_predictions_of_the_open_book_are_the_same_from_the_snapshot_and_from_today(book: Ledger) -> None:
    day = date(2025, 6, 1)
    then, now = facts_from_view(book.as_of(day)), facts_from_view(book.as_of(date(2026, 1, 1)))
    rows = np.flatnonzero(then.is_open)
    later_rows = np.searchsorted(now.invoice_id.astype(str), then.invoice_id[rows].astype(str))
    days = np.full(rows.size, then.as_of)
    np.testing.assert_array_equal(
        own_cdf(then, Landmarks(rows, days), 60), own_cdf(now, Landmarks(later_rows, days), 60)
    )


def test_horizons_are_shortened_to_what_is_known_and_say_so(book: Ledger) -> None:
    report = run(book, date(2025, 11, 1), horizon=120)
    sets = report.snapshots[0].sets
    assert report.known_until == date(2026, 1, 1)
    # 61 days are known of the open book, 32 of the last new invoice.
    assert (sets["open"].horizon, sets["new"].horizon, sets["new"].wanted_horizon) == (60, 30, 120)


@pytest.mark.parametrize(
    ("longest", "wanted", "got"), [(62, 60, 60), (33, 60, 30), (6, 60, 0), (200, 178, 178), (45, 45, 45)]
)
def test_standard_horizons(longest: int, wanted: int, got: int) -> None:
    assert standard_horizon(longest, wanted) == got


def test_a_snapshot_that_is_too_young_has_brier_scores_only(book: Ledger) -> None:
    report = run(book, date(2025, 8, 1), date(2025, 12, 29))
    young = report.snapshots[1].sets["open"]
    assert (young.methods, young.cases) == ({}, 0)
    assert "no outcome" in young.not_scored
    assert report.means["open"]["model"]["snapshots"] == 1


def test_nothing_to_compare_is_an_error_that_says_what_to_do(book: Ledger) -> None:
    with pytest.raises(NotEnoughData, match="payments are known until 2025-12-31"):
        run(book, date(2026, 3, 1))
    with pytest.raises(NotEnoughData, match="no payment"):
        last_outcome(books(invoice("I1")))


def test_a_book_too_young_for_a_model_is_still_compared(book: Ledger) -> None:
    def refuse(view: View) -> CurveModel:
        raise NotEnoughData("too few paid invoices")

    report = run(book, date(2025, 6, 1), fit=refuse)
    assert report.snapshots[0].model == "too few paid invoices"
    assert set(report.means["open"]) == set(SIMPLE)
    assert not report.gate.allowed
    assert report.gate.rung == "customer_history"


def test_the_report_is_plain_json_and_the_same_every_time(book: Ledger) -> None:
    days = (date(2025, 6, 1), date(2025, 7, 1))
    first, second = (json.dumps(run(book, *days).to_dict(), allow_nan=False, sort_keys=True) for _ in range(2))
    assert first == second
    plain = json.loads(first)
    assert plain["snapshots"][0]["snapshot"] == "2025-06-01"
    histogram = plain["calibration"]["open"]["customer_empirical"]["pit_histogram"]
    assert sum(histogram) == pytest.approx(1.0)


def test_means_are_plain_means_over_snapshots_and_counts_are_sums(book: Ledger) -> None:
    report = run(book, date(2025, 6, 1), date(2025, 7, 1))
    each = [one.sets["open"].methods["customer_median"] for one in report.snapshots]
    mean = report.means["open"]["customer_median"]
    assert mean["mae"] == pytest.approx((each[0].mae + each[1].mae) / 2)
    assert mean["n"] == each[0].n + each[1].n
    assert mean["ranking"]["late"]["positives"] == sum(one.ranking["late"].positives for one in each)


def test_every_case_is_in_exactly_one_group_of_each_kind(book: Ledger) -> None:
    report = run(book, date(2025, 6, 1))
    found = report.calibration["new"]["model"]
    for groups in found.coverage.values():
        assert sum(group.n for group in groups) == found.n
        assert all(0 <= group.inside <= group.n for group in groups)
    assert [one.days for one in found.by_horizon] == [7, 14, 30, 60]


def test_a_written_off_invoice_is_never_paid_and_a_credited_one_is_lost_from_sight() -> None:
    ledger = books(
        *(invoice(f"I{k}", issued_on="2025-01-01", due_on="2025-01-15") for k in range(4)),
        allocation("I0", 10_000, "2025-02-10"),
        allocation("I1", 10_000, "2025-02-20", "write_off"),
        allocation("I2", 10_000, "2025-02-05", "credit"),
        allocation("I3", 10_000, "2025-06-30"),
    )
    view = ledger.as_of(date(2025, 2, 1))
    one = open_set(view, facts_from_view(view), Outcomes.of(ledger, date(2025, 7, 1)), seed=0, horizon=60)
    assert one.cases.paid_after.tolist() == [9, NEVER, NEVER, 149]
    assert one.cases.known_days.tolist() == [150, 150, 4, 150]
    figures = measure(one.cases, module.baselines.due_date(one), 60, cash=True)
    assert figures is not None
    assert figures.n == 3


def test_a_new_invoice_is_asked_as_it_was_first_recorded() -> None:
    first = invoice("I1", issued_on="2025-03-05", due_on="2025-03-20", recorded_at="2025-03-05")
    ledger = books(
        first, first.also(due_on="2025-06-20", recorded_at="2025-04-20"), allocation("I1", 10_000, "2025-06-21")
    )
    new = new_set(date(2025, 3, 1), Outcomes.of(ledger, date(2025, 7, 1)), seed=0, horizon=60, new_days=30)
    assert new.cases.days_late.tolist() == [-15]


def test_parents_are_followed_to_the_top_and_circles_end() -> None:
    frame = pl.DataFrame({"customer_id": list("abcxy"), "parent_id": ["b", "c", None, "y", "x"]})
    view = Ledger.from_frames({"customers": frame}).as_of(date(2025, 1, 1))
    assert top_parents(view) == {"a": "c", "b": "c", "x": "x", "y": "x"}


def test_customer_sizes_split_what_was_billed() -> None:
    ledger = books(
        *(
            invoice(f"I{k}", amount, issued_on="2025-01-01", customer_id=f"C{k}")
            for k, amount in enumerate((5_000, 3_000, 1_500, 500))
        ),
        invoice("later", 90_000, issued_on="2025-03-01", customer_id="C3"),
    )
    facts = facts_from_view(ledger.as_of(date(2025, 6, 1)))
    assert customer_sizes(facts, facts_from_view(ledger.as_of(date(2025, 2, 1))).as_of).tolist() == [
        "large", "medium", "small", "small",
    ]  # fmt: skip


def test_month_starts_are_mature_after_sixty_days_and_need_history(book: Ledger) -> None:
    facts = facts_from_view(book.as_of(date(2025, 12, 30)))
    starts = mature_month_starts(facts)
    assert starts[-1] == date(2025, 10, 1)  # 1 November + 60 days is 31 December
    assert mature_month_starts(facts_from_view(book.as_of(date(2025, 12, 31))))[-1] == date(2025, 11, 1)
    assert len(starts) <= 6
    cleared = book.table("allocations").filter(pl.col("applied_on") < starts[0]).height
    assert cleared >= 500
    before = (starts[0].replace(day=1)).replace(month=starts[0].month - 1)
    assert book.table("allocations").filter(pl.col("applied_on") < before).height < 500


def test_the_rolling_backtest_is_none_without_any_testable_month(book: Ledger) -> None:
    assert rolling_backtest(book, date(2025, 4, 1), plan=BacktestPlan(fit=stand_in)) is None


def test_the_rolling_backtest_sees_nothing_of_the_day_it_is_asked_on_or_later(book: Ledger) -> None:
    day = date(2025, 11, 1)
    cut = {name: frame.filter(pl.col("recorded_at").dt.date() < day) for name, frame in book.tables.items()}
    plan = BacktestPlan(fit=stand_in)
    whole, known = rolling_backtest(book, day, plan=plan), rolling_backtest(Ledger.from_frames(cut), day, plan=plan)
    assert whole is not None
    assert known is not None
    assert whole.to_dict() == known.to_dict()
    assert not whole.gate.allowed  # the stand-in is no better than the customer's own history: it is that
    assert whole.recalibration.says


@pytest.mark.realdata
def test_the_printed_baselines_of_the_real_set_are_met_to_the_digit() -> None:
    report = run(highradius_ledger(), date(2019, 4, 1), horizon=120)
    opened, new = (report.snapshots[0].sets[name] for name in ("open", "new"))
    assert (opened.cases, opened.horizon, new.cases, new.horizon) == (1755, 120, 3037, 120)
    printed = {
        ("open", "due_date"): ("6.737", ".800", "6.737", ".500", ".835", "21.8/18.9/6.6"),
        ("open", "customer_median"): ("5.519", ".815", "5.519", ".725", ".885", "22.8/14.4/4.7"),
        ("open", "customer_empirical"): ("5.864", ".815", "4.698", ".746", ".876", "9.2/6.8/2.8"),
        ("new", "due_date"): ("4.384", ".847", "4.384", ".500", ".500", ""),
        ("new", "customer_median"): ("3.254", ".851", "3.254", ".747", ".596", ""),
        ("new", "customer_empirical"): ("3.173", ".866", "2.513", ".772", ".629", ""),
    }
    for (name, method), expected in printed.items():
        one = report.snapshots[0].sets[name].methods[method]
        assert one.crps is not None
        shares = (one.within_5, one.crps, one.ranking["late"].auc, one.ranking["late_60"].auc)
        got = (
            f"{one.mae:.3f}", f"{shares[0]:.3f}".lstrip("0"), f"{shares[1]:.3f}", f"{shares[2]:.3f}".lstrip("0"),
            f"{shares[3]:.3f}".lstrip("0"), "/".join(f"{100 * error:.1f}" for error in one.cash_error.values()),
        )  # fmt: skip
        assert got == expected, (name, method)


@pytest.mark.realdata
def test_the_printed_check_of_the_customers_own_distribution_at_sixty_days() -> None:
    days = [date(2019, month, 1) for month in (4, 5, 6, 7)]
    report = run(highradius_ledger(), *days, horizon=60)
    got = [
        (
            opened.cases, f"{opened.methods['customer_empirical'].crps:.2f}",
            f"{opened.methods['customer_empirical'].mae:.2f}",
            f"{100 * opened.methods['customer_empirical'].cash_error['7']:.1f}",
            new.cases, f"{new.methods['customer_empirical'].crps:.2f}", f"{new.methods['customer_empirical'].mae:.2f}",
        )
        for opened, new in ((one.sets["open"], one.sets["new"]) for one in report.snapshots)
    ]  # fmt: skip
    assert got == [
        (1755, "3.58", "4.57", "9.2", 3037, "2.16", "2.80"),
        (1767, "4.09", "5.25", "6.0", 2970, "1.91", "2.45"),
        (1574, "2.92", "4.01", "7.2", 2895, "1.89", "2.48"),
        (1761, "2.85", "3.85", "25.5", 2740, "1.42", "1.86"),  # the table prints 3.86: 3.8546 rounded twice
    ]
    assert report.snapshots[3].sets["new"].horizon == 30


def test_all_methods_are_averaged_over_the_snapshots_that_have_a_model(book: Ledger) -> None:
    def late_only(view: View) -> CurveModel:
        if view.as_of < date(2025, 7, 1):
            raise NotEnoughData("too few paid invoices")
        return OwnHistory()

    report = run(book, date(2025, 6, 1), date(2025, 7, 1), fit=late_only)
    for methods in report.means.values():
        assert next(iter(methods)) == "model"
        assert {figures["snapshots"] for figures in methods.values()} == {1}
        assert len({figures["n"] for figures in methods.values()}) == 1
    assert set(report.snapshots[0].sets["open"].methods) == set(SIMPLE)

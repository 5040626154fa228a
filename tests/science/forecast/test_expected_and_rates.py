"""Order book and schedules, groups, converted totals, holidays and the month: strict files and exact sums."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.support.small_books import AS_OF, Book

from duecourse.core.calendar import epoch_day
from duecourse.core.errors import BadInput
from duecourse.ledger.as_of import View
from duecourse.ledger.single_table import read_single_table
from duecourse.science.forecast import Extras, cash_tables, forecast_book, group_table, open_items, past_invoices
from duecourse.science.forecast.cash import CashBands
from duecourse.science.forecast.converted import RATES, converted_table, rate_findings, rates_on
from duecourse.science.forecast.expected import EXPECTED, expected_findings, with_expected
from duecourse.science.forecast.groups import OTHERS, adding_up
from duecourse.science.forecast.inflow import expected_scale, history_notes, inflow_mean, issue_volume
from duecourse.science.forecast.inflow_calendar import month_factors, month_position
from duecourse.science.forecast.inflow_draws import PastInvoices, simulate_inflow
from duecourse.science.forecast.issued import NOT_PAID, IssuedHistory
from duecourse.science.timing.predict import predict

HEAD = "customer_id,amount,currency,terms_days,issue_on,start_on,every_months,until_on,order_reference,additional\n"


def expected(tmp_path: Path, *lines: str) -> pl.DataFrame:
    file = tmp_path / "expected.csv"
    file.write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")
    return read_single_table(file, EXPECTED, expected_findings)


def weekly_book(weeks: int = 30) -> Book:
    """1,000.00 to each of two customers every Monday, paid 0 to 8 days late."""
    made = Book().customer("C1", segment="x").customer("C2")
    for week in range(1, weeks + 1):
        paid_late = 3 * week % 9 if week > 6 else None
        for customer in ("C1", "C2"):
            made.invoice(f"{customer}-{week:02}", customer, days_late=7 * week - 30, paid_late=paid_late,
                         entity_id="north" if customer == "C1" else None)  # fmt: skip
    return made


def test_an_order_enters_with_its_issue_day_and_leaves_the_other_curves_alone(tmp_path: Path) -> None:
    view = weekly_book().view()
    rows = expected(tmp_path, f"C1,500.00,EUR,30,{AS_OF + timedelta(days=3)},,,,,")
    more, notes = with_expected(view, rows)
    assert notes == ["1 expected invoices enter with their issue dates"]
    before, after = (open_items(each, predict(None, each).curves)["EUR"] for each in (view, more))
    place = [row for row, name in enumerate(after.invoice_id) if name.startswith("expected ")]
    assert len(place) == 1
    assert after.amount_minor[place[0]] == 50_000
    assert after.cdf[place[0], 2] == 0  # not before it is issued
    assert after.cdf[place[0], 40] > 0.5
    others = np.delete(np.arange(len(after.invoice_id)), place)
    assert [after.invoice_id[k] for k in others] == before.invoice_id
    assert np.array_equal(after.cdf[others], before.cdf)


def test_a_schedule_is_followed_from_as_of_to_the_end_of_the_curves(tmp_path: Path) -> None:
    rows = expected(tmp_path, "C1,100.00,EUR,14,,2025-01-31,1,2026-09-30,,", "NEW,7,JPY,0,,2026-08-15,3,,,")
    more, notes = with_expected(weekly_book().view(), rows)
    added = more.table("invoices").filter(pl.col("invoice_id").str.starts_with("expected "))
    euro = added.filter(pl.col("currency") == "EUR").get_column("issued_on").to_list()
    assert euro == [date(2026, 6, 30), date(2026, 7, 31), date(2026, 8, 31), date(2026, 9, 30)]
    yen = added.filter(pl.col("currency") == "JPY").select("issued_on", "amount_minor", "due_on").rows()
    assert yen == [(date(2026, 8, 15), 7, date(2026, 8, 15)), (date(2026, 11, 15), 7, date(2026, 11, 15))]
    assert notes[-1].startswith("1 of their customers have no invoice in the books")


def test_an_expected_invoice_that_the_books_hold_is_not_counted_again(tmp_path: Path) -> None:
    made = weekly_book().invoice("X", "C1", days_late=-20, order_reference="PO-7")
    rows = expected(
        tmp_path,
        f"C1,900.00,EUR,30,{AS_OF + timedelta(days=9)},,,,PO-7,",  # on an invoice of the books
        f"C1,900.00,EUR,30,{AS_OF - timedelta(days=1)},,,,,",  # its day has passed
        f"C1,900.00,EUR,30,{AS_OF},,,,PO-8,",
    )
    more, notes = with_expected(made.view(), rows)
    assert more.table("invoices").height == made.view().table("invoices").height + 1
    assert notes == [
        "1 expected invoices enter with their issue dates",
        f"1 expected invoices have an issue date before {AS_OF} and were left to the books",
        "1 expected invoices are in the books already and were left out",
    ]


def test_orders_replace_usual_business_unless_they_are_additional(tmp_path: Path) -> None:
    view = weekly_book().view()
    volumes = {}
    for additional in ("", "true"):
        rows = expected(tmp_path, f"C1,1000.00,EUR,30,{AS_OF},,,,,{additional}")
        more, _ = with_expected(view, rows)
        volumes[additional] = issue_volume(past_invoices(more)["EUR"].history, 14)[[0, 7]].tolist()
    assert volumes == {"": [100_000, 200_000], "true": [200_000, 200_000]}


def test_a_currency_with_orders_only_is_forecast_from_them(tmp_path: Path) -> None:
    rows = expected(tmp_path, f"C1,80.000,KWD,30,{AS_OF + timedelta(days=1)},,,,,")
    more, _ = with_expected(weekly_book().view(), rows)
    bands = forecast_book(more, predict(None, more).curves, days=91, draws=200, seed=0)
    assert set(bands) == {"EUR", "KWD"}
    assert bands["KWD"].open_mean_minor.sum() == 0
    assert 0 < bands["KWD"].new_mean_minor.sum() <= 80_000
    assert bands["KWD"].draws_minor.max() <= 80_000


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("C1,-5,EUR,30,2026-06-03,,,,,", "amount"), ("C1,nan,EUR,30,2026-06-03,,,,,", "amount"),
        ("C1,1.001,EUR,30,2026-06-03,,,,,", "amount"), ("C1,12 000,EUR,30,2026-06-03,,,,,", "amount"),
        ("C1,1e30,EUR,30,2026-06-03,,,,,", "amount"), ("C1,5,XYZ,30,2026-06-03,,,,,", "currency"),
        ("C1,5,EUR,-1,2026-06-03,,,,,", "terms_days"), ("C1,5,EUR,30,2226-06-03,,,,,", "issue_on"),
        ("C1,5,EUR,30,,,,,,", "issue_on"), ("C1,5,EUR,30,2026-06-03,2026-06-03,1,,,", "issue_on"),
        ("C1,5,EUR,30,,2026-06-03,,,,", "every_months"), ("C1,5,EUR,30,2026-06-03,,2,,,", "every_months"),
        ("C1,5,EUR,30,,2026-06-03,1,2026-05-01,,", "until_on"), (",5,EUR,30,2026-06-03,,,,,", "customer_id"),
    ],
)  # fmt: skip
def test_a_bad_order_is_refused_with_its_row_and_column(tmp_path: Path, line: str, column: str) -> None:
    with pytest.raises(BadInput) as seen:
        expected(tmp_path, "C1,5,EUR,30,2026-06-03,,,,,", line)
    assert [(problem.row, problem.column) for problem in seen.value.problems] == [(3, column)]
    assert seen.value.exit_code == 3


def test_missing_and_misspelt_columns_and_files_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "expected.csv"
    file.write_text("customer_id,amount,currency,terms\nC1,5,EUR,30\n", encoding="utf-8")
    with pytest.raises(BadInput) as seen:
        read_single_table(file, EXPECTED, expected_findings)
    assert {problem.column for problem in seen.value.problems} == {"terms_days", "terms"}
    with pytest.raises(BadInput, match="There is no file"):
        read_single_table(tmp_path / "absent.csv", EXPECTED, expected_findings)


def test_groups_share_the_draws_and_add_up_to_the_cent() -> None:
    made = weekly_book()
    view = made.view()
    extras = Extras(segments={"C1": "prompt", "C2": "chronic"})
    bands = forecast_book(view, predict(None, view).curves, days=30, draws=300, seed=2, extras=extras)
    plain = forecast_book(view, predict(None, view).curves, days=30, draws=300, seed=2)
    assert np.array_equal(bands["EUR"].draws_minor, plain["EUR"].draws_minor)
    table = group_table({"EUR": bands["EUR"].groups}, AS_OF)
    assert table.select("dimension", "key").unique().sort("dimension", "key").rows() == [
        ("customer", "C1"), ("customer", "C2"), ("entity", ""), ("entity", "north"), ("segment", "chronic"),
        ("segment", "prompt"),
    ]  # fmt: skip
    weekly = cash_tables(bands, AS_OF)[1]
    names = ["mean_minor", "open_mean_minor", "new_mean_minor"]
    for dimension in ("customer", "entity", "segment"):
        sums = table.filter(pl.col("dimension") == dimension).group_by("week_start").agg(pl.col(names).sum())
        assert sums.sort("week_start").select(names).equals(weekly.select(names))
    bands_only = ["week_start", "p10_minor", "p50_minor", "p90_minor"]
    of_c1, of_prompt = (table.filter(pl.col("key") == key).select(bands_only) for key in ("C1", "prompt"))
    assert of_c1.equals(of_prompt)
    ordered = (pl.col("p10_minor") <= pl.col("p50_minor")) & (pl.col("p50_minor") <= pl.col("p90_minor"))
    assert table.select(ordered.all()).item()
    tens = table.filter(pl.col("dimension") == "customer").group_by("week_start").agg(pl.col("p10_minor").sum())
    assert tens.get_column("p10_minor").sum() != weekly.get_column("p10_minor").sum()  # quantiles do not add up


def test_a_group_alone_is_the_group_in_the_whole() -> None:
    view = weekly_book().view()
    extras = Extras(segments={})
    bands = forecast_book(view, predict(None, view).curves, days=28, draws=200, seed=2, extras=extras)["EUR"]
    everything = next(group for group in bands.groups if group.dimension == "segment")
    assert everything.keys == ("",)
    by_week = [bands.window(first, first + 7) for first in range(0, 28, 7)]
    assert everything.bands_minor[0].tolist() == [list(each) for each in by_week]


def test_small_customers_beyond_the_largest_stand_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("duecourse.science.forecast.groups.LARGEST", 2)
    made = Book()
    for number, minor in enumerate((5_000, 90_000, 70_000, 6_000)):
        made.customer(f"C{number}").invoice(f"I{number}", f"C{number}", days_late=0, minor=minor)
    view = made.view()
    bands = forecast_book(view, predict(None, view).curves, days=14, draws=200, seed=2, extras=Extras(segments={}))
    customers = next(group for group in bands["EUR"].groups if group.dimension == "customer")
    assert customers.keys == ("C1", "C2", OTHERS)
    assert customers.open_mean_minor.sum() == bands["EUR"].open_mean_minor.sum()


def test_whole_units_add_up_whatever_the_rounding() -> None:
    parts = np.array([[0.4, 1.6], [0.4, 2.5], [0.4, 0.0]])
    assert adding_up(parts, np.array([1, 3])).sum(axis=0).tolist() == [1, 3]
    assert adding_up(parts, np.array([5, 4])).sum(axis=0).tolist() == [5, 4]
    assert adding_up(np.array([[3.2, 3.2]]), np.array([2, 9])).tolist() == [[2, 9]]


def rates(tmp_path: Path, *lines: str) -> pl.DataFrame:
    file = tmp_path / "rates.csv"
    file.write_text("date,currency,rate\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return read_single_table(file, RATES, rate_findings)


def test_the_newest_rate_before_as_of_is_used_and_later_ones_are_not(tmp_path: Path) -> None:
    rows = rates(
        tmp_path, f"{AS_OF - timedelta(days=2)},USD,0.9", f"{AS_OF},USD,0.91", f"{AS_OF + timedelta(days=1)},USD,5"
    )
    assert rates_on(rows, ["EUR", "USD"], "EUR", AS_OF) == {"EUR": Decimal(1), "USD": Decimal("0.91")}


@pytest.mark.parametrize("days", [-8, 1])
def test_a_missing_rate_names_the_currency_and_the_day(tmp_path: Path, days: int) -> None:
    rows = rates(tmp_path, f"{AS_OF + timedelta(days=days)},USD,0.9")
    with pytest.raises(BadInput, match=f"No rate of USD to EUR for {AS_OF}") as seen:
        rates_on(rows, ["EUR", "USD"], "EUR", AS_OF)
    assert seen.value.exit_code == 3


@pytest.mark.parametrize("line", ["2026-06-01,USD,0", "2026-06-01,USD,-1", "2026-06-01,USD,inf", "2026-06-01,USD,0,9"])
def test_a_bad_rate_is_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(BadInput, match=r"rates\.csv"):
        rates(tmp_path, line)


def test_two_rates_of_one_day_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="one rate per currency and day"):
        rates(tmp_path, "2026-06-01,USD,1", "2026-06-01,USD,2")


def bands_of(amount: int, draws: np.ndarray) -> CashBands:
    mean = np.zeros(7, dtype=np.int64)
    mean[2] = amount
    return CashBands(mean, np.zeros(7, dtype=np.int64), draws)


def test_currencies_are_converted_draw_by_draw_with_their_decimals() -> None:
    """1,000 yen (no decimals) at .006 are 6.00 euro; the band is that of the sum, not the sum of the bands."""
    yen = np.zeros((11, 7), dtype=np.int64)
    yen[:, 0] = np.arange(0, 1100, 100)
    euro = np.zeros((11, 7), dtype=np.int64)
    euro[:, 3] = np.arange(1000, -100, -100)
    bands = {"EUR": bands_of(501, euro), "JPY": bands_of(1000, yen)}
    table = converted_table(bands, {"EUR": Decimal(1), "JPY": Decimal("0.006")}, "EUR", AS_OF)
    low, high = np.quantile(yen[:, 0] * 0.6 + euro[:, 3], (0.1, 0.9))
    assert table.rows() == [(AS_OF, "EUR", round(low), 800, round(high), 1101, 1101, 0)]


def daily_history(days: int, amount: np.ndarray, as_of: int, holidays: np.ndarray) -> IssuedHistory:
    issue = as_of - np.arange(days, 0, -1, dtype=np.int64)
    return IssuedHistory(as_of, issue, np.full(days, NOT_PAID), amount.astype(np.int64), holidays=holidays)


def test_holidays_bring_what_past_holidays_brought_and_do_not_lower_their_weekday() -> None:
    as_of = epoch_day(date(2026, 6, 1))
    past, coming = as_of - 21, as_of + 7
    amount = np.full(210, 1000)
    amount[-21] = 250
    history = daily_history(210, amount, as_of, np.array([past, coming]))
    volume = issue_volume(history, 15)
    assert volume[0] == pytest.approx(1000)  # the Monday is not lower for the holiday three weeks ago
    assert volume[7] == pytest.approx(250)
    quiet = daily_history(210, np.full(210, 1000), as_of, np.array([coming]))
    assert issue_volume(quiet, 15)[7] == 0


def test_draws_follow_the_factors_of_the_mean() -> None:
    as_of = epoch_day(date(2026, 6, 1))
    amount = np.full(210, 1000)
    amount[-21] = 250
    history = daily_history(210, amount, as_of, np.array([as_of - 21, as_of + 7]))
    paid = IssuedHistory(as_of, history.issue_day, history.issue_day, history.amount_minor, history.holidays)
    past = PastInvoices(paid, np.array([f"C{k}" for k in range(210)], dtype=object), history.issue_day + 30)
    drawn = simulate_inflow(past, days=15, draws=400, seed=1).mean(axis=0)
    assert drawn == pytest.approx(inflow_mean(paid, 15), rel=0.02)
    assert drawn[7] == pytest.approx(250, rel=0.02)


def test_a_month_end_business_is_seen_after_two_years_and_not_before() -> None:
    as_of = epoch_day(date(2026, 6, 1))
    for days, seen in ((800, True), (500, False)):
        day = as_of - np.arange(days, 0, -1, dtype=np.int64)
        amount = np.where(month_position(day) == 4, 5000, 1000)
        history = daily_history(days, amount, as_of, np.zeros(0, np.int64))
        scale = expected_scale(history, 30)
        if not seen:
            assert scale.tolist() == [1.0] * 30
            continue
        assert scale[-1] > 3 * scale[14]  # 28 to 30 June against the middle
        assert issue_volume(history, 30)[-1] == pytest.approx(5000, rel=0.1)
        assert issue_volume(history, 30).sum() == pytest.approx(27 * 1000 + 3 * 5000, rel=0.05)


def test_the_same_business_every_day_has_no_month_factors() -> None:
    first = epoch_day(date(2024, 1, 1))
    assert month_factors(first, np.full(800, 1000.0), np.zeros(0, np.int64)) == pytest.approx(np.ones(5))


def test_positions_in_the_month() -> None:
    days = [date(2026, 2, day) for day in (1, 3, 4, 10, 11, 20, 21, 25, 26, 28)]
    assert month_position(np.array([epoch_day(day) for day in days])).tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]


def view_of(weeks: int) -> View:
    return weekly_book(weeks).view()


@pytest.mark.parametrize(
    ("weeks", "says"),
    [(3, "without a pattern of weekdays"), (6, "are a rough guess"), (20, "instead of 26"), (30, "fewer than 200")],
)
def test_too_little_history_says_what_is_done_instead(weeks: int, says: str) -> None:
    assert any(says in line for line in history_notes(past_invoices(view_of(weeks))["EUR"].history, "EUR"))

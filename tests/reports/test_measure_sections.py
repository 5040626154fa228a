"""The measures and the customers over twelve months: what stands where, and what is said where nothing is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import polars as pl
import pytest

from duecourse.reports import audit_page, run_page
from duecourse.reports.sections.customer_trends import SHOWN, customer_trend_values
from duecourse.reports.sections.customers import change_values
from duecourse.reports.sections.honesty import calibration_pictures
from duecourse.reports.sections.measures import measure_values
from duecourse.reports.sections.outlook import forecast_values
from duecourse.reports.sections.trends import trend_pictures
from duecourse.reports.wording import Wording
from support.audit_samples import audit_dict
from support.report_samples import backtest, deterioration, empty_report, run_report

HOSTILE = "<script>alert('x')</script>"


def test_a_measure_stands_with_its_year_and_its_definition() -> None:
    (book,) = measure_values(run_report())["books"]
    line = next(line for line in book.lines if line.figure["key"] == "dso_countback")
    assert (line.then, line.now) == ("35.4 days", "38.4 days")
    assert "35.4 days to 38.4 days" in line.spark
    assert book.lead == "DSO is 38.4 days, 3.0 days more than on 1 Sep 2025; 21.4 % of the open amount is past due."
    assert [figure["key"] for figure in book.absent] == ["at_risk_rate"]
    html = run_page.render(run_report())
    assert '<th scope="col" class="n">1 Sep 2025</th><th scope="col" class="n">Now</th>' in html
    assert 'title="AR / S * n. Caution: moves with sales."' in html
    assert "<strong>At-risk rate</strong>: n/a because no cohort is 90 days old" in html


def test_segments_stand_by_what_they_owe_and_one_group_is_no_table() -> None:
    report = run_report()
    (book,) = measure_values(report)["books"]
    (table,) = book.groups
    assert (table.heading, [key for key, _ in table.lines]) == ("By customer segment", ["Not given", "key accounts"])
    assert table.lines[0][1][:3] == ["$900,000", "–", "38.4 days"]
    alone = report.measures.filter(~((pl.col("level") == "segment") & (pl.col("key") == "")))
    (book,) = measure_values(replace(report, measures=alone))["books"]
    assert book.groups == []


def test_customers_that_deteriorate_come_first_then_those_that_owe_most() -> None:
    values = customer_trend_values(run_report())
    ((currency, lines, more, months),) = values["books"]
    assert (currency, values["flagged"], values["judged"], len(months)) == ("USD", 5, 6, 13)
    assert [line.state for line in lines] == ["later"] * 5 + ["steady"] + ["unjudged"] * (SHOWN - 6)
    assert [line.customer_id for line in lines[:6]] == ["C0000", "C0001", "C0002", "C0004", "C0005", "C0003"]
    assert more == 60 - SHOWN
    first = lines[0]
    assert (first.change, first.dso, first.dso_months[2], first.late_months[:3]) == ("7", "40.0", "–", ["–"] * 3)
    html = run_page.render(run_report())
    assert '<span class="tag strong">7 days later</span>' in html
    assert "5 customers of 6 with enough history pay later than before by more than chance explains" in html


def test_a_customer_with_few_invoices_shows_its_days_to_pay_instead_of_a_dso() -> None:
    report = run_report()
    assert report.audit is not None
    book = report.audit["books"][0]
    few = {**book["customers"][0], "dso_days": None, "dso_trend_days": [None] * 13, "days_to_pay_days": 41.25}
    audit = {**report.audit, "books": [{**book, "customers": [few]}]}
    ((_, lines, _, _),) = customer_trend_values(replace(report, audit=audit))["books"]
    assert lines[0].dso == "41.2 to pay"
    assert lines[0].dso_spark == ""


def test_a_large_share_is_a_warning_only_with_deterioration() -> None:
    report = run_report()
    ((_, people, _),) = change_values(report)["largest"]
    large = {one.customer_id: one.share for one in people if one.share >= 0.1}
    later = set(deterioration().filter("deteriorating")["customer_id"])
    assert large, "the sample has no large customer"
    assert {one.customer_id for one in people if one.is_warning} == set(large) & later
    calm = replace(report, deterioration=deterioration().with_columns(deteriorating=pl.lit(value=False)))
    ((_, people, _),) = change_values(calm)["largest"]
    assert not any(one.is_warning for one in people)
    assert "Large and deteriorating" in run_page.render(report)
    assert "Large and deteriorating" not in run_page.render(calm)


def test_a_hostile_segment_or_customer_stays_text() -> None:
    report = run_report()
    measures = report.measures.with_columns(key=pl.when(pl.col("key") != "").then(pl.lit(HOSTILE)).otherwise("key"))
    html = run_page.render(replace(report, measures=measures, names=dict.fromkeys(report.names, HOSTILE)))
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_nothing_measured_says_the_next_step() -> None:
    html = run_page.render(empty_report())
    assert "Nothing was measured." in html
    assert "No customer owes anything, and none pays later than before." in html


def test_the_forecast_adds_up_means_and_never_quantiles() -> None:
    report = run_report()
    weekly = report.cash_weekly.with_columns(new_mean_minor=pl.lit(1_000), mean_minor=pl.col("open_mean_minor") + 1_000)
    (book,) = forecast_values(replace(report, cash_weekly=weekly))["books"]
    assert (book.new_minor, book.mean_minor) == (13_000, book.total_minor + 13_000)
    html = run_page.render(replace(report, cash_weekly=weekly))
    assert '<th scope="col" class="n">To be issued</th>' in html
    assert "To be issued" not in run_page.render(report)


def test_the_audit_draws_a_year_of_dso_cei_and_past_due_share() -> None:
    audit = audit_dict(currencies=("USD",))
    pictures = trend_pictures(audit["books"][0], Wording())
    assert [picture.caption.split(",")[0] for picture in pictures] == [
        "DSO", "Collection effectiveness index", "Past-due share", "Days to pay and days beyond terms",
    ]  # fmt: skip
    assert "past due 22.2 to 21.9" in pictures[2].wide
    assert pictures[1].note == "AR / S * n. Caution: moves with sales."
    html = audit_page.render(audit)
    assert html.count("<summary>What it is") == 4


@pytest.mark.parametrize("points", [[], [{"month": date(2026, 9, 1).isoformat(), "past_due_minor": 0}]])
def test_a_trend_without_figures_draws_nothing(points: list[dict[str, object]]) -> None:
    assert trend_pictures({"currency": "USD", "trend": points, "figures": []}, Wording()) == []


def test_groups_of_numbers_stand_in_their_order() -> None:
    report = backtest()
    groups = [{"group": one, "n": 10, "inside": 8} for one in ("0", "1-2", "10 or more", "3-9")]
    report["calibration"]["open"]["model"]["coverage"] = {"paid_before": groups}
    picture = calibration_pictures(report, "open", "model", Wording())[-1]
    assert picture.caption == "Inside the band, by invoices that the customer had paid before"
    assert [row[0] for row in picture.figures] == ["0", "1-2", "3-9", "10 or more"]

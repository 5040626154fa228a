"""Frozen forecasts are scored by hand-worked measures, only when mature, and never twice differently."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duecourse.core.errors import BadInput
from duecourse.science.forecast import OpenItems, Shares
from duecourse.science.forecast.archive import add_scores
from duecourse.science.forecast.dependence import CANDIDATES, choose, fit_dependence, judge_candidates
from duecourse.science.forecast.drift import drift_alarms
from duecourse.science.forecast.frozen import ForecastRecord
from duecourse.science.forecast.open_book import INDEPENDENT, simulate_open_book
from duecourse.science.forecast.scoring import (
    SCORE_COLUMNS,
    crps_of_sample,
    is_mature,
    latest,
    measures,
    misses,
    score,
    verdicts,
)
from support.frozen_records import AS_OF, came, record

NOTHING = pl.DataFrame(schema=SCORE_COLUMNS)
LATER = AS_OF + timedelta(days=100)
SAMPLE = tuple(range(100, 200))


def test_a_window_is_mature_three_days_after_its_last_day() -> None:
    """0-7 ends on the 6th day after; the 9th is the last on which late postings count; the 10th can score."""
    assert not is_mature(AS_OF, 7, AS_OF + timedelta(days=9))
    assert is_mature(AS_OF, 7, AS_OF + timedelta(days=10))
    one = record(("total", 0, 7, "model", 150, SAMPLE), ("total", 7, 14, "model", 150, SAMPLE))
    assert score(one, came((0, 1)), AS_OF + timedelta(days=9)).height == 0
    assert score(one, came((0, 1)), AS_OF + timedelta(days=10)).get_column("first_day").to_list() == [0]


def test_only_the_cash_of_the_window_of_the_part_and_of_the_currency_counts() -> None:
    one = record(("open", 0, 7, "model", 1, None), ("total", 0, 7, "model", 1, None))
    known, unknown = came((-1, 1), (0, 20), (6, 300), (7, 4_000)), came((2, 50_000), known_before=False)
    foreign = came((2, 600_000), currency="USD")
    scores = score(one, pl.concat([known, unknown, foreign]), LATER)
    assert dict(scores.select("part", "actual_minor").iter_rows()) == {"open": 320, "total": 50_320}


def test_the_measures_of_one_window_by_hand() -> None:
    """A = 200 and 100 against P = 150 and 120: WAPE 70/300, APE (1/4 + 1/5)/2, bias -30/300."""
    first = record(("total", 0, 7, "model", 150, SAMPLE))
    second = record(("total", 0, 7, "model", 120, SAMPLE), as_of=AS_OF + timedelta(days=7))
    cash = came((0, 200), (8, 100))
    scores = pl.concat([score(one, cash, LATER) for one in (first, second)])
    row = measures(scores).row(0, named=True)
    assert row["snapshots"] == 2
    assert row["wape"] == pytest.approx(70 / 300)
    assert row["ape"] == pytest.approx((0.25 + 0.2) / 2)
    assert row["accuracy"] == pytest.approx(1 - 0.225)
    assert row["worst_ape"] == pytest.approx(0.25)
    assert row["bias"] == pytest.approx(-30 / 300)
    assert (row["coverage"], row["below"], row["above"]) == (0.0, 0.5, 0.5)
    assert row["width"] == pytest.approx((79 / 200 + 79 / 100) / 2, abs=0.01)
    assert row["wape_p50"] == pytest.approx(100 / 300, abs=0.01)
    assert scores.get_column("pinball_50")[0] == pytest.approx(0.5 * (200 - 150) / 200, abs=0.005)


def test_a_method_without_band_has_no_coverage_and_nothing_received_no_share() -> None:
    one = record(("total", 0, 7, "last_4", 150, None), ("total", 0, 7, "model", 150, SAMPLE))
    by_method = {row["method"]: row for row in measures(score(one, came(), LATER)).iter_rows(named=True)}
    assert by_method["last_4"]["coverage"] is None
    assert by_method["model"]["coverage"] == 0.0
    assert by_method["model"]["ape"] is None
    assert by_method["model"]["wape"] is None


@given(st.lists(st.integers(0, 1_000), min_size=1, max_size=30), st.integers(-100, 1_100))
def test_crps_of_a_sample_is_the_energy_form(sample: list[int], actual: int) -> None:
    """mean |x - A| - mean |x - x'| / 2 over all pairs, the slow definition."""
    x = np.array(sample, dtype=np.float64)
    slow = np.abs(x - actual).mean() - np.abs(x[:, None] - x[None, :]).mean() / 2
    assert crps_of_sample(x, actual) == pytest.approx(slow, abs=1e-9)


def test_a_simple_method_that_was_closer_is_named_and_one_that_was_not_is_not() -> None:
    records, cash = [], []
    for week in range(14):
        day = AS_OF + timedelta(days=7 * week)
        good = 100 if week >= 6 else 300  # the 13-week average is exact in the last 8 of 14 weeks
        records.append(
            record(("total", 0, 7, "model", 120, None), ("total", 0, 7, "last_13", good, None),
                   ("total", 0, 7, "last_week", 500, None), as_of=day)
        )  # fmt: skip
        cash.append(came((0, 100), as_of=day))
    scores = pl.concat([score(one, pl.concat(cash), date(2026, 12, 1)) for one in records])
    assert verdicts(scores) == ["the 13-week average was closer in 8 of the last 14 weeks for the coming week"]
    assert verdicts(scores.filter(pl.col("as_of") < AS_OF + timedelta(days=49))) == []


def test_a_record_survives_json_and_parquet_and_a_changed_one_is_refused() -> None:
    item = ("EUR", "I1", "C1", AS_OF, 12_345, 0.1, 0.2, 0.3, 1 / 3)
    one = record(("total", 0, 7, "model", 150, SAMPLE), ("total", 0, 7, "last_4", 99, None), items=[item])
    again = ForecastRecord.from_json(one.to_json())
    assert again.to_json() == one.to_json()
    assert again.items.equals(one.items)
    assert again.windows.equals(one.windows)
    assert ForecastRecord.from_frame(one.to_frame()).record_id == one.record_id
    changed = one.to_json().replace('"mean_minor":[150', '"mean_minor":[151')
    assert changed != one.to_json()
    with pytest.raises(BadInput, match="changed after it was frozen"):
        ForecastRecord.from_json(changed)
    for broken in ("", "[]", "{}", '{"version": 9}', "null"):
        with pytest.raises(BadInput, match="not a forecast record"):
            ForecastRecord.from_json(broken)


def test_scoring_twice_changes_nothing_and_a_corrected_ledger_adds_a_second_score() -> None:
    one = record(("total", 0, 7, "model", 150, SAMPLE))
    once = add_scores(NOTHING, [one], came((0, 100)), LATER)
    assert once.height == 1
    assert add_scores(once, [one], came((0, 100)), LATER).equals(once)
    assert add_scores(once, [one], came((0, 100)), LATER + timedelta(days=9)).equals(once)
    corrected = add_scores(once, [one], came((0, 130)), LATER + timedelta(days=9))
    assert corrected.get_column("actual_minor").to_list() == [100, 130]
    assert corrected.head(1).equals(once)
    assert latest(corrected).get_column("actual_minor").to_list() == [130]
    assert add_scores(corrected, [one], came((0, 100)), LATER).equals(corrected)  # an earlier day teaches nothing


def test_a_scored_record_that_was_changed_or_removed_raises() -> None:
    one = record(("total", 0, 7, "model", 150, SAMPLE))
    once = add_scores(NOTHING, [one], came((0, 100)), LATER)
    for records in ([], [replace(one, seed=1)]):
        with pytest.raises(BadInput, match="removed or changed"):
            add_scores(once, records, came((0, 100)), LATER)


def test_misses_name_the_customers_and_what_the_books_did_not_know() -> None:
    items = [("EUR", f"I{n}", f"C{n}", AS_OF, 1_000, 0.5, 0.75, 1.0, 1.0) for n in range(3)]
    one = record(("open", 0, 7, "model", 1_500, SAMPLE), ("total", 0, 7, "model", 1_700, SAMPLE), items=items)
    cash = pl.concat([came((0, 1_000), (3, 500)), came((4, 90), known_before=False)])
    found = misses(one, cash, 0).select("parent_id", "expected_minor", "received_minor", "miss_minor").rows()
    assert found == [("C0", 500, 1_000, 500), ("C2", 500, 0, -500), (None, 200, 90, -110), ("C1", 500, 500, 0)]
    assert misses(one, cash, 1).filter(pl.col("parent_id") == "C1").row(0)[2] == 250


def test_drift_is_seen_after_some_weeks_of_missing_to_one_side_and_not_before() -> None:
    def weeks(amounts: list[int]) -> pl.DataFrame:
        days = [AS_OF + timedelta(days=7 * week) for week in range(len(amounts))]
        cash = pl.concat([came((0, minor), as_of=day) for day, minor in zip(days, amounts, strict=True)])
        records = [record(("total", 0, 7, "model", 150, SAMPLE), as_of=day) for day in days]
        return pl.concat([score(one, cash, date(2027, 1, 1)) for one in records])

    calm = [140, 160, 150, 120, 180, 145, 155, 130, 170, 150]
    assert drift_alarms(weeks(calm)) == []
    assert drift_alarms(weeks([*calm, 105])) == []  # one bad week is no drift
    (alarm,) = drift_alarms(weeks([*calm, 101, 101, 101]))
    assert (alarm.direction, alarm.currency) == ("less", "EUR")
    assert alarm.since >= AS_OF + timedelta(days=7 * 9)
    assert "less cash came than expected" in str(alarm)
    (more,) = drift_alarms(weeks([*calm, 250, 250, 250, 250]))
    assert more.direction == "more"
    assert drift_alarms(weeks([*calm, 101, 101, 101, *[199] * 12])) != [alarm]


def dependent_records(shares: Shares, count: int) -> tuple[list[ForecastRecord], pl.DataFrame]:
    """Weekly records of one book whose cash really came with ``shares``: 8 payers, 20 invoices each."""
    rows, cash = [], []
    curve = np.minimum(1.0, np.arange(1, 29) / 26)
    for week in range(count):
        day = AS_OF + timedelta(days=7 * week)
        ids = [f"W{week}-{n}" for n in range(160)]
        book = OpenItems(ids, [f"C{n % 8}" for n in range(160)], np.full(160, 20_500 + 7 * (week // 2)),
                         np.full(160, 1_000), np.tile(curve, (160, 1)))  # fmt: skip
        paid = simulate_open_book(book, days=28, draws=1, seed=1_000 + week, shares=shares)[0]
        items = [("EUR", i, p, date(1970, 1, 1) + timedelta(days=int(due)), 1_000, *curve[[6, 13, 20, 27]])
                 for i, p, due in zip(ids, book.parent_id, book.due_day, strict=True)]  # fmt: skip
        rows.append(record(as_of=day, items=items))
        # Scored as if each week's book were its own currency, so that weeks do not mix.
        rows[-1] = replace(rows[-1], items=rows[-1].items.with_columns(pl.lit(f"X{week:02}").alias("currency")))
        moved = [(k, int(minor)) for k, minor in enumerate(paid) if minor]
        cash.append(came(*moved, as_of=day, currency=f"X{week:02}"))
    return rows, pl.concat(cash)


def test_fitted_shares_are_wide_where_customers_pay_together_and_narrow_where_they_do_not() -> None:
    end = date(2027, 1, 1)
    together, cash = dependent_records(Shares(0.05, 0.3, 0.6), 26)
    found = fit_dependence(together, cash, as_of=end)
    assert found.own < 0.5
    alone, cash = dependent_records(INDEPENDENT, 26)
    assert fit_dependence(alone, cash, as_of=end).own > 0.6


def test_fewer_than_13_mature_records_keep_the_default_shares() -> None:
    records, cash = dependent_records(INDEPENDENT, 13)
    end = AS_OF + timedelta(days=7 * 12 + 27 + 4)
    assert judge_candidates(records, cash, as_of=end).height == len(CANDIDATES)
    assert judge_candidates(records, cash, as_of=end - timedelta(days=1)).height == 0
    assert fit_dependence(records, cash, as_of=end - timedelta(days=1)) == Shares()


def test_the_rule_of_choice() -> None:
    """Pinball decides among those in .75-.88; where it is the same, coverage nearest to .80, then the narrower."""
    names = ("everybody", "customer", "batch", "coverage", "pinball", "width")

    def table(*rows: tuple[float, ...]) -> pl.DataFrame:
        return pl.DataFrame(list(rows), schema=dict.fromkeys(names, pl.Float64()), orient="row")

    wide, narrow, bad = (
        (0.05, 0.3, 0.6, 0.86, 0.01, 0.4),
        (0.0, 0.2, 0.5, 0.76, 0.01, 0.3),
        (0.0, 0.0, 0.0, 0.5, 0.001, 0.1),
    )
    assert choose(table(wide, narrow, bad)) == Shares(0.0, 0.2, 0.5)
    assert choose(table(wide, (0.0, 0.2, 0.5, 0.76, 0.02, 0.3), bad)) == Shares(0.05, 0.3, 0.6)
    assert choose(table(bad, (0.03, 0.4, 0.3, 0.95, 0.9, 0.9))) == Shares(0.03, 0.4, 0.3)


@settings(max_examples=20)
@given(st.permutations(range(4)))
def test_the_order_of_records_changes_no_score(order: list[int]) -> None:
    records = [record(("total", 0, 7, "model", 150, SAMPLE), as_of=AS_OF + timedelta(days=7 * k)) for k in range(4)]
    cash = came((0, 100), (8, 120), (15, 140), (22, 160))
    shuffled = add_scores(NOTHING, [records[k] for k in order], cash, LATER)
    assert shuffled.equals(add_scores(NOTHING, records, cash, LATER))

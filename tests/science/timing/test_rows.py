from __future__ import annotations

import numpy as np
import pytest

from duecourse.core.calendar import epoch_day
from duecourse.science.timing.config import TimingConfig
from duecourse.science.timing.facts import Facts, facts_from_view
from duecourse.science.timing.landmarks import Landmarks, training_landmarks
from duecourse.science.timing.rows import Rows, paying_weekdays, periods, thinned, to_paying_day, training_rows
from support.books import allocation, dispute, invoice, known
from support.timing_books import day_of, habit_ledger

CONFIG = TimingConfig()
EVERY_DAY = np.ones(7, dtype=bool)
MONDAY_TO_FRIDAY = np.array([True] * 5 + [False] * 2)
MONDAY = "2026-01-05"


def _rows(facts: Facts, paying: np.ndarray, day: str = MONDAY) -> Rows:
    from datetime import date

    landmarks = Landmarks(np.array([0]), np.array([epoch_day(date.fromisoformat(day))]))
    return training_rows(facts, landmarks, CONFIG, paying)


def _books(as_of: str, *rows: object) -> Facts:
    return facts_from_view(known(as_of, invoice("I1", issued_on=MONDAY), *rows))  # type: ignore[arg-type]


def test_periods_cover_178_days_without_gap() -> None:
    offsets, widths = periods(CONFIG)
    covered = [day for first, width in zip(offsets, widths, strict=True) for day in range(first, first + width)]
    assert covered == list(range(178))
    assert len(offsets) == 64


def test_rows_end_with_the_payment() -> None:
    rows = _rows(_books("2026-03-01", allocation("I1", 10_000, "2026-01-09")), EVERY_DAY)
    assert rows.offset.tolist() == [0, 1, 2, 3, 4]
    assert rows.paid.tolist() == [False, False, False, False, True]


def test_an_open_invoice_is_censored_the_day_before_as_of() -> None:
    rows = _rows(_books("2026-01-09"), EVERY_DAY)
    assert rows.offset.tolist() == [0, 1, 2, 3]
    assert not rows.paid.any()


def test_a_credited_invoice_leaves_before_its_closing_day_and_a_written_off_one_stays() -> None:
    credited = _rows(_books("2026-01-20", allocation("I1", 10_000, "2026-01-08", "credit")), EVERY_DAY)
    written_off = _rows(_books("2026-01-20", allocation("I1", 10_000, "2026-01-08", "write_off")), EVERY_DAY)
    assert credited.offset.tolist() == [0, 1, 2]
    assert written_off.offset.tolist() == list(range(15))
    assert not credited.paid.any()
    assert not written_off.paid.any()


@pytest.mark.parametrize(("as_of", "seen"), [("2026-02-25", 0), ("2026-02-26", 1)])
def test_a_bin_counts_once_it_was_watched_to_its_end_paid_or_not(as_of: str, seen: int) -> None:
    """The first bin of an invoice seen from Monday 5 January is 19 to 25 February; the payment came on the 20th."""
    for rows in ([allocation("I1", 10_000, "2026-02-20")], []):
        found = _rows(_books(as_of, *rows), EVERY_DAY)
        assert (found.width == 7).sum() == seen
        assert found.paid.sum() == (seen if rows else 0)


def test_thinning_keeps_payments_and_the_weight_of_the_days_without() -> None:
    facts = facts_from_view(habit_ledger(customers=6, invoices=400, days=280).as_of(day_of(250)))
    landmarks = training_landmarks(facts, seed=0)
    rows = training_rows(facts, landmarks, CONFIG, EVERY_DAY)
    most = int(rows.paid.sum()) + 1_000
    fewer = thinned(rows, landmarks, facts, most=most, seed=0)
    assert thinned(rows, landmarks, facts, most=len(rows), seed=0) is rows
    assert fewer.paid.sum() == rows.paid.sum()
    assert len(fewer) == pytest.approx(most, rel=0.1)
    assert fewer.weight.sum() == pytest.approx(rows.weight.sum(), rel=0.1)
    assert (np.diff(fewer.owner) >= 0).all()


def test_nobody_pays_on_weekends_and_a_sunday_payment_counts_on_friday() -> None:
    rows = _rows(_books("2026-03-01", allocation("I1", 10_000, "2026-01-11")), MONDAY_TO_FRIDAY)
    assert rows.offset.tolist() == [0, 1, 2, 3, 4]
    assert rows.paid.tolist() == [False, False, False, False, True]


def test_a_payment_on_a_free_day_before_any_paying_day_counts_on_the_next() -> None:
    saturday = np.array([epoch_day(__import__("datetime").date(2026, 1, 10))])
    assert (to_paying_day(saturday, saturday, MONDAY_TO_FRIDAY) - saturday).tolist() == [2]
    assert (to_paying_day(saturday, saturday - 1, MONDAY_TO_FRIDAY) - saturday).tolist() == [-1]


@pytest.mark.parametrize(
    ("as_of", "bins"), [("2026-02-25", 0), ("2026-02-26", 1), ("2026-03-04", 1), ("2026-03-05", 2)]
)
def test_a_bin_needs_to_be_observed_to_its_end(as_of: str, bins: int) -> None:
    """Day 45 is 2026-02-19; the first bin ends on 2026-02-25."""
    rows = _rows(_books(as_of), EVERY_DAY)
    assert (rows.width == 7).sum() == bins
    assert (rows.width == 1).sum() == 45


def test_a_payment_in_a_bin_is_its_event() -> None:
    rows = _rows(_books("2026-06-01", allocation("I1", 10_000, "2026-03-02")), EVERY_DAY)
    assert rows.offset[rows.width == 7].tolist() == [45, 52]
    assert rows.paid[rows.width == 7].tolist() == [False, True]


def test_days_of_a_whole_dispute_have_no_rows_and_those_of_a_partial_one_stay() -> None:
    whole = _rows(_books("2026-01-20", dispute("I1", "2026-01-07", closed_on="2026-01-10")), EVERY_DAY)
    part = _rows(_books("2026-01-20", dispute("I1", "2026-01-07", 4_000, closed_on="2026-01-10")), EVERY_DAY)
    assert whole.offset.tolist() == [0, 1, *range(5, 15)]
    assert part.offset.tolist() == list(range(15))


def test_non_paying_weekdays_are_learnt_from_the_last_year() -> None:
    facts = _books(
        "2026-03-01",
        allocation("I1", 10_000, "2026-01-09"),
        *(
            row
            for number in range(200)
            for row in (
                invoice(f"X{number}", issued_on=MONDAY),
                allocation(f"X{number}", 10_000, f"2026-01-{12 + number % 5}" if number else "2026-01-17"),
            )
        ),
    )
    assert paying_weekdays(facts, CONFIG).tolist() == [True] * 5 + [False] * 2
    assert paying_weekdays(_books("2026-03-01"), CONFIG).all()

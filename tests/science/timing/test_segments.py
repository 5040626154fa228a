"""Segments follow the stated cut-offs, keep to the past, and do not flap."""

from __future__ import annotations

import itertools
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duecourse.science.timing.facts import epoch_day, facts_from_view
from duecourse.science.timing.segments import behaviour_segments
from support.small_books import AS_OF, Book

TODAY = epoch_day(AS_OF)


def segments_of(book: Book) -> dict[str, str]:
    facts = facts_from_view(book.view())
    return dict(zip(facts.customer_ids, behaviour_segments(facts).segment, strict=True))


@pytest.mark.parametrize(
    ("delays", "segment"),
    [
        ([0, 0], "new"),
        ([], "new"),
        ([0, 0, 0], "prompt"),
        ([5] * 10, "prompt"),  # later than 5 days, not from 5 days on
        ([6] + [0] * 9, "prompt"),  # 10 %
        ([6, 6] + [0] * 8, "occasional"),  # 20 %
        ([6] * 6 + [0] * 4, "chronic"),  # 60 %
        ([6] * 5 + [0] * 5, "occasional"),
        ([90, 90] + [0] * 8, "chronic"),  # 20 % late, but 18 days on average
    ],
)
def test_cut_offs(delays: list[int], segment: str) -> None:
    # All paid inside one month, so that the first judgement is the only one.
    book = Book().invoice("open", "C", days_late=3)
    for number, delay in enumerate(delays):
        book.invoice(f"H{number}", "C", days_late=delay + 1 + number % 3, paid_late=delay)
    book.as_of = date(2026, 6, 1)
    assert segments_of(book) == {"C": segment}


def test_payments_older_than_12_months_do_not_count() -> None:
    book = Book().history("C", [0] * 6, first_due=700, every=20).invoice("open", "C", days_late=1)
    assert segments_of(book) == {"C": "new"}


def test_the_future_changes_no_segment() -> None:
    book = Book().history("C", [0, 0, 0, 0, 20, 30, 40, 50, 60, 70], first_due=390, every=30)
    facts = facts_from_view(book.view())
    day = TODAY - 150
    earlier = Book(as_of=AS_OF)
    earlier.rows = book.rows
    then = facts_from_view(earlier.ledger().as_of(AS_OF - timedelta(days=150)))
    assert behaviour_segments(facts, day).segment.tolist() == behaviour_segments(then).segment.tolist()
    with pytest.raises(ValueError, match="after the facts"):
        behaviour_segments(facts, TODAY + 1)


def test_leaving_a_segment_takes_five_points_beyond_the_border() -> None:
    """A customer whose late share moves between 14 and 19 % was prompt and stays prompt; past 20 % it is not."""
    steady = [0] * 36
    for late in range(5, 36, 6):
        steady[late] = 9  # every sixth of 12 in the window: 16.7 %
    assert segments_of(Book().history("C", steady, first_due=36 * 30, every=30)) == {"C": "prompt"}
    # The same share without a past is judged by the plain border.
    assert segments_of(Book().history("C", [0, 0, 9, 0, 0, 0], first_due=31, every=1)) == {"C": "occasional"}
    worse = [*steady[:24], *([9, 0, 0, 0] * 3)]  # 25 %
    assert segments_of(Book().history("C", worse, first_due=36 * 30, every=30)) == {"C": "occasional"}


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_replay_day_by_day_never_flaps_on_the_border(seed: int) -> None:
    """A share that moves less than the margin changes the segment at most once on a replay of a year."""
    rng = np.random.default_rng(seed)
    # 20 payments a month, 14-17 % late in each: on the border of prompt, inside the margin.
    book = Book(as_of=AS_OF)
    for month in range(20):
        late = set(rng.choice(20, size=int(rng.integers(3, 4)), replace=False).tolist())
        for number in range(20):
            due = 20 * 30 - month * 30 - number
            book.invoice(f"I{month}-{number}", "C", days_late=due + 12, paid_late=8 if number in late else 1)
    facts = facts_from_view(book.view())
    seen = [str(behaviour_segments(facts, day).segment[0]) for day in range(TODAY - 180, TODAY, 9)]
    changes = sum(a != b for a, b in itertools.pairwise(seen))
    assert changes <= 1


def test_sentence_and_frame_say_what_decided() -> None:
    book = Book().history("C", [0, 0, 10, 0], first_due=130, every=20).invoice("N1", "N", days_late=2)
    facts = facts_from_view(book.view())
    frame = behaviour_segments(facts).frame(facts)
    assert frame.get_column("customer_id").to_list() == ["C", "N"]
    assert frame.get_column("sentence").to_list() == [
        "Occasional: of 4 invoices paid in the last 12 months, 25% came more than 5 days late; on average 2 days late.",
        "New: 0 invoices paid in the last 12 months; 3 are needed to know a habit.",
    ]
    assert frame.get_column("late_share").to_list() == [0.25, None]


def test_an_empty_book_has_no_segments() -> None:
    facts = facts_from_view(Book().view())
    assert behaviour_segments(facts).frame(facts).is_empty()

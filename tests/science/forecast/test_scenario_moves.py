"""Moves of single invoices, by hand: shifted days, pay-days, floors, shares, and money that never comes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duecourse.core.calendar import weekday
from duecourse.science.forecast.issued import NOT_PAID
from duecourse.science.forecast.scenarios import moves as acts
from duecourse.science.forecast.scenarios.moves import InvoiceRows, Move, MovedBook, moved_parts
from duecourse.science.forecast.scenarios.roster import Roster, UnknownCustomer

MONDAY = 20_454 - 20_454 % 7 + 4  # an epoch day that is a Monday; day 0 of these tests
# Customer 0 pays on any day, customer 1 on Thursdays only; 2 is the book.
WAIT = np.stack([np.zeros(7, np.int64), (3 - np.arange(7)) % 7, np.zeros(7, np.int64)])
ROSTER = Roster(("C0", "C1", ""), ("Zero", "One Ltd", ""), ("P", "C1", ""), WAIT)
BOOK = MovedBook(ROSTER, MONDAY)
BOTH = np.array([True, True, False])


def rows(*issue: int, customer: int = 0, terms: int = 30) -> InvoiceRows:
    days = np.array(issue, dtype=np.int64)
    return InvoiceRows(np.full(len(days), customer), days, np.full(len(days), terms), days >= 0)


def days(*each: int) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    return np.array([[day] for day in each], dtype=np.int64)


def only(moves: list[Move], invoices: InvoiceRows, paid: np.ndarray[tuple[int, int], np.dtype[np.int64]]) -> list[int]:
    (part,) = moved_parts(moves, invoices, paid, BOOK)
    assert part.weight.tolist() == [1.0] * len(paid)
    return [int(day) for day in part.day.ravel()]


def terms(to_net: int, *, start: int = 0, open_too: bool = False, keeps_lateness: bool = True) -> acts.NewTerms:
    return acts.NewTerms(BOTH, start, to_net, None, open_too, keeps_lateness)


def test_longer_terms_pay_so_much_later() -> None:
    assert only([terms(60)], rows(0, 5), days(30, 50)) == [60, 80]


def test_shorter_terms_never_pay_before_the_invoice_exists() -> None:
    assert only([terms(0)], rows(20), days(25)) == [20]
    assert only([terms(0, open_too=True)], rows(-10), days(3)) == [0]


def test_open_invoices_and_those_issued_before_keep_their_terms() -> None:
    assert only([terms(60, start=10)], rows(-3, 9, 10), days(20, 20, 20)) == [20, 20, 50]


def test_pay_days_are_kept_where_only_the_due_date_moves() -> None:
    assert only([terms(60, keeps_lateness=False)], rows(0), days(33)) == [33]


def test_a_moved_payment_waits_for_the_next_pay_day() -> None:
    """Day 3 is a Thursday; 30 days later is a Saturday, and the customer pays on the Thursday after."""
    (paid,) = only([terms(60)], rows(0, customer=1), days(3))
    assert paid == 38
    assert weekday(np.array([MONDAY + paid]))[0] == 3


def test_what_never_comes_never_comes() -> None:
    later = acts.LaterPayments(BOTH, 0, 9)
    sooner = acts.EarlierWhenLate(BOTH, 0, 9)
    for move in (terms(0), terms(90), later, sooner):
        assert only([move], rows(0), np.array([[NOT_PAID]])) == [NOT_PAID]


def test_delays_begin_on_their_day() -> None:
    assert only([acts.LaterPayments(BOTH, 20, 9)], rows(0, 0), days(19, 20)) == [19, 29]


def test_lost_customers_stop_paying_on_the_day_and_order_nothing() -> None:
    lost = acts.NothingMore(BOTH, 10, orders_nothing=True, pays_nothing=True)
    (part,) = moved_parts([lost], rows(-5, -5, 9, 10), days(9, 10, 40, 40), BOOK)
    assert part.weight.tolist() == [1, 1, 1, 0]
    assert [int(day) for day in part.day.ravel()] == [9, NOT_PAID, NOT_PAID, NOT_PAID]


def test_takers_of_a_discount_pay_early_and_less_and_the_others_as_before() -> None:
    offer = acts.EarlyPayment(BOTH, 0, 0.02, 10, np.full(3, 0.3))
    others, takers = moved_parts([offer], rows(0, 0, -4), days(43, 6, 20), BOOK)
    assert others.weight == pytest.approx([0.7, 0.7, 1.0])
    assert takers.weight == pytest.approx([0.3 * 0.98, 0.3 * 0.98, 0.0])
    assert takers.forgone == pytest.approx([0.006, 0.006, 0.0])
    assert others.day.ravel().tolist() == [43, 6, 20]
    assert takers.day.ravel().tolist()[:2] == [10, 6]  # who paid on day 6 keeps the day, and takes the discount


def test_contact_brings_late_payments_forward_but_not_before_the_due_date() -> None:
    more = acts.EarlierWhenLate(BOTH, 0, 5)
    assert only([more], rows(0, 0, 0), days(29, 32, 50)) == [29, 30, 45]


STEPS = st.lists(
    st.one_of(
        st.builds(terms, st.integers(0, 120), start=st.integers(0, 40), open_too=st.booleans()),
        st.builds(acts.LaterPayments, st.just(BOTH), st.integers(0, 40), st.integers(1, 60)),
        st.builds(acts.EarlierWhenLate, st.just(BOTH), st.integers(0, 40), st.integers(0, 60)),
        st.builds(acts.EarlyPayment, st.just(BOTH), st.integers(0, 40), st.just(0.02), st.integers(0, 30),
                  st.just(np.full(3, 0.25))),
    ),
    max_size=4,
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(STEPS, st.integers(-30, 60), st.integers(0, 1))
def test_whatever_the_steps_amounts_and_the_order_of_payments_are_kept(steps: list[Move], issue: int, who: int) -> None:
    """Paid and forgone add up to the amount, nobody pays before the invoice or today, later stays later."""
    paid = np.append(np.arange(max(issue, 0), 120), NOT_PAID)[None, :]
    parts = moved_parts(steps, rows(issue, customer=who), paid, BOOK)
    assert sum(float(part.weight[0] + part.forgone[0]) for part in parts) == pytest.approx(1.0)
    for part in parts:
        assert (np.diff(part.day[0, :-1]) >= 0).all()
        assert part.day.min() >= max(issue, 0)
        assert part.day[0, -1] == NOT_PAID
        assert (part.day[0, :-1] < 1_000).all()


def test_customers_are_found_by_id_parent_and_name() -> None:
    assert ROSTER.find("C1") == [1]
    assert ROSTER.find("P") == [0]
    assert ROSTER.find("one ltd") == [1]
    with pytest.raises(UnknownCustomer) as caught:
        ROSTER.find("One Ldt")
    assert caught.value.cure == "did you mean 'C1' (One Ltd)?"
    twins = Roster(("A", "B", ""), ("Same", "Same", ""), ("A", "B", ""), WAIT)
    with pytest.raises(UnknownCustomer) as caught:
        twins.find("same")
    assert caught.value.cure == "several bear this name; write one of 'A', 'B'"

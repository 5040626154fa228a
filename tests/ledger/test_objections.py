"""Opt-outs and complaints as the ledger holds them, and what is neither."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
import pytest

from duecourse.ledger.as_of import Ledger
from duecourse.ledger.objections import are_complaints_kept, are_opt_outs_kept, complaints, opt_outs
from duecourse.ledger.plans import broken_plans, instalment_states
from support.small_books import AS_OF, Book


def moment(day: int) -> datetime:
    return datetime(2026, 3, day, 9, tzinfo=UTC)


def test_an_opt_out_is_a_consent_withdrawn_after_the_contact_was_on_file() -> None:
    rows = [
        {"contact_id": "A", "customer_id": "C1", "email_consent": "granted", "recorded_at": None},
        {"contact_id": "A", "customer_id": "C1", "email_consent": "withdrawn", "recorded_at": moment(3)},
        {"contact_id": "B", "customer_id": "C2", "call_consent": "withdrawn", "recorded_at": moment(4)},
        {"contact_id": "D", "customer_id": "C3", "sms_consent": "withdrawn", "recorded_at": None},
        {"contact_id": "E", "customer_id": "C4", "email_consent": "granted", "recorded_at": moment(5)},
    ]
    ledger = Ledger.from_frames({"contacts": pl.DataFrame(rows, infer_schema_length=None)})
    assert opt_outs(ledger.as_of(date(2026, 4, 1))).rows() == [("C1", date(2026, 3, 3))]
    assert opt_outs(ledger.as_of(date(2026, 3, 3))).height == 0  # not known yet
    assert are_opt_outs_kept(ledger.as_of(date(2026, 4, 1)))
    assert not are_opt_outs_kept(Ledger.from_frames({}).as_of(date(2026, 4, 1)))
    unknown = pl.DataFrame([{"contact_id": "A", "customer_id": "C1", "email_consent": "unknown"}])
    assert not are_opt_outs_kept(Ledger.from_frames({"contacts": unknown}).as_of(date(2026, 4, 1)))


@pytest.mark.parametrize("listed", [True, False])
def test_a_complaint_is_what_somebody_read_as_one(listed: bool) -> None:
    read = [["question", "complaint"], ["complaint"], ["thanks"], None]
    rows = {
        "activity_id": ["1", "2", "3", "4"], "customer_id": ["C1", "C2", "C1", "C1"], "channel": ["email"] * 4,
        "direction": ["in", "out", "in", "in"], "occurred_at": [moment(day) for day in (1, 2, 3, 4)],
        "intents": read if listed else [None if one is None else ";".join(one) for one in read],
    }  # fmt: skip
    ledger = Ledger.from_frames({"activities": pl.DataFrame(rows)})
    assert complaints(ledger.as_of(date(2026, 4, 1))).rows() == [("C1", date(2026, 3, 1))]
    without = Ledger.from_frames({"activities": pl.DataFrame(rows).drop("intents")})
    assert complaints(without.as_of(date(2026, 4, 1))).height == 0
    assert are_complaints_kept(ledger.as_of(date(2026, 4, 1)))
    assert not are_complaints_kept(without.as_of(date(2026, 4, 1)))
    unread = Ledger.from_frames({"activities": pl.DataFrame({**rows, "intents": [None] * 4})})
    assert not are_complaints_kept(unread.as_of(date(2026, 4, 1)))  # a column in which nobody ever wrote
    assert complaints(unread.as_of(date(2026, 4, 1))).height == 0


def test_instalments_are_filled_in_the_order_of_their_dates_and_judged_like_promises() -> None:
    book = Book().customer("C1").invoice("I1", "C1", days_late=120, minor=90_000)
    book.add("plans", plan_id="P1", customer_id="C1", agreed_on=date(2026, 3, 1), currency="EUR", invoice_ids=["I1"],
             instalments=["2026-03-10:30000", "2026-04-10:30000", "2026-06-20:30000"])  # fmt: skip
    book.add("payments", payment_id="PY", received_on=date(2026, 3, 9), amount_minor=30_000, currency="EUR",
             customer_id="C1")  # fmt: skip
    book.add("allocations", allocation_id="AL", invoice_id="I1", source_kind="payment", source_id="PY",
             applied_on=date(2026, 3, 9), amount_minor=30_000)  # fmt: skip
    view = book.view()
    assert view.as_of == AS_OF
    states = instalment_states(view)
    assert states.select("plan_id", "due_on", "state").rows() == [
        ("P1", date(2026, 3, 10), "kept"), ("P1", date(2026, 4, 10), "broken"), ("P1", date(2026, 6, 20), "open"),
    ]  # fmt: skip
    broken = broken_plans(view)
    assert set(broken) == {"C1"}
    assert date(2026, 4, 10) < broken["C1"] < AS_OF
    assert broken_plans(Book().customer("C1").view()) == {}


def test_two_instalments_of_one_day_are_two() -> None:
    book = Book().customer("C1").invoice("I1", "C1", days_late=120, minor=90_000)
    book.add("plans", plan_id="P1", customer_id="C1", agreed_on=date(2026, 3, 1), currency="EUR", invoice_ids=["I1"],
             instalments=["2026-03-10:30000", "2026-03-10:20000", "2026-04-10:10000"])  # fmt: skip
    book.add("payments", payment_id="PY", received_on=date(2026, 3, 9), amount_minor=20_000, currency="EUR",
             customer_id="C1")  # fmt: skip
    book.add("allocations", allocation_id="AL", invoice_id="I1", source_kind="payment", source_id="PY",
             applied_on=date(2026, 3, 9), amount_minor=20_000)  # fmt: skip
    states = instalment_states(book.view())
    assert states.select("plan_id", "due_on", "amount_minor", "state").rows() == [
        ("P1", date(2026, 3, 10), 20_000, "kept"), ("P1", date(2026, 3, 10), 30_000, "broken"),
        ("P1", date(2026, 4, 10), 10_000, "broken"),
    ]  # fmt: skip

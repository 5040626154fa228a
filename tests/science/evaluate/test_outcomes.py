"""Outcomes of decisions, read from the ledger as of a day: by hand, censored, and blind to what came later."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from duecourse.ledger.as_of import Ledger
from duecourse.science.evaluate.features import NAMES, features
from duecourse.science.evaluate.outcomes import outcomes

DAY = date(2026, 1, 5)


def after(days: int) -> date:
    return DAY + timedelta(days=days)


def books(*paid: tuple[str, int, int], kind: str = "payment", **invoice: Any) -> Ledger:
    """Invoices A (1,000.00) and B (500.00) EUR and Y (JPY); ``paid``: invoice, days after the decision, minor units."""
    rows = [("A", 100_000, "EUR"), ("B", 50_000, "EUR"), ("Y", 9_000, "JPY")]
    invoices = [
        {"invoice_id": name, "customer_id": "C", "issued_on": after(-60), "due_on": after(-30), "amount_minor": minor,
         "currency": currency, **invoice}
        for name, minor, currency in rows
    ]  # fmt: skip
    allocations = [
        {"allocation_id": f"L{place}", "invoice_id": name, "source_kind": kind, "applied_on": after(days),
         "amount_minor": minor, "source_id": f"P{place}"}
        for place, (name, days, minor) in enumerate(paid)
    ]  # fmt: skip
    frames = {"invoices": pl.DataFrame(invoices)}
    if allocations:
        frames["allocations"] = pl.DataFrame(allocations)
    return Ledger.from_frames(frames)


def asked(*invoice_ids: str) -> pl.DataFrame:
    return pl.DataFrame(
        {"decision_id": ["D"], "decided_on": [DAY], "invoice_ids": [list(invoice_ids)]},
        schema_overrides={"invoice_ids": pl.List(pl.String)},
    )


def of(ledger: Ledger, *invoice_ids: str, days: int = 91) -> dict[str, Any]:
    return outcomes(ledger.as_of(after(days)), asked(*invoice_ids)).row(0, named=True)


def test_two_invoices_by_hand() -> None:
    found = of(books(("A", 7, 100_000), ("B", 28, 50_000)), "A", "B")
    # A arrived in week 1, B on day 28 which is beyond the 4 weeks
    assert found["paid_share"] == pytest.approx(1000 / 1500)
    assert found["weeks_to_pay"] == pytest.approx((1000 * 1 + 500 * 4) / 1500)
    assert found["cash_minor"] == 100_000
    assert (found["currency"], found["open_minor"], found["listed_open"]) == ("EUR", 150_000, 2)


def test_what_was_paid_before_does_not_count_and_what_is_left_does() -> None:
    found = of(books(("A", -3, 60_000), ("A", 0, 20_000)), "A")
    assert found["open_minor"] == 40_000
    assert found["paid_share"] == pytest.approx(0.5)
    assert found["weeks_to_pay"] == 13


def test_never_paid_is_thirteen_weeks_and_nothing() -> None:
    found = of(books(), "A")
    assert (found["paid_share"], found["weeks_to_pay"], found["cash_minor"]) == (0.0, 13.0, 0)


@pytest.mark.parametrize("kind", ["credit", "write_off", "discount"])
def test_what_is_no_money_is_no_payment(kind: str) -> None:
    assert of(books(("A", 7, 100_000), kind=kind), "A")["paid_share"] == 0.0


def test_an_outcome_counts_only_when_its_window_has_passed() -> None:
    ledger = books(("A", 1, 100_000))
    for days, share, weeks in ((27, False, False), (28, True, False), (90, True, False), (91, True, True)):
        found = of(ledger, "A", days=days)
        assert (found["paid_share"] is not None, found["weeks_to_pay"] is not None) == (share, weeks)


def test_currencies_are_never_added() -> None:
    found = of(books(("Y", 7, 9_000)), "A", "B", "Y")
    assert found["paid_share"] == pytest.approx(1 / 3)  # none of two EUR invoices, all of one JPY invoice
    assert found["cash_minor"] is None
    assert found["currency"] is None


def test_nothing_listed_or_nothing_open_is_no_outcome() -> None:
    ledger = books(("A", -3, 100_000))
    for listed in ((), ("A",), ("unknown",)):
        found = of(ledger, *listed)
        assert (found["paid_share"], found["listed_open"]) == (None, 0)


def test_a_payment_recorded_after_as_of_is_not_seen_and_one_taken_back_does_not_count() -> None:
    frames = dict(books(("A", 7, 100_000)).tables)
    late = frames["allocations"].with_columns(
        pl.lit(datetime(2026, 12, 1, tzinfo=UTC)).alias("recorded_at").cast(pl.Datetime("us", "UTC"))
    )
    assert of(Ledger.from_frames({**frames, "allocations": late}), "A")["paid_share"] == 0.0
    back = frames["allocations"].with_columns(pl.lit(after(20)).alias("reversed_on"))
    assert of(Ledger.from_frames({**frames, "allocations": back}), "A")["paid_share"] == 0.0


def test_features_know_nothing_of_the_future() -> None:
    rows = asked("A", "B").with_columns(pl.lit("C").alias("customer_id"))
    before = features(books().as_of(after(91)), rows)
    later = features(books(("A", 1, 100_000), ("B", 0, 50_000)).as_of(after(91)), rows)
    assert before.tolist() == later.tolist()
    known = features(books(("Y", -9, 9_000)).as_of(after(91)), rows)
    place = NAMES.index("log_cleared")
    assert known[0, place] > before[0, place] == 0
    assert before[0, NAMES.index("week_3_5")] == 1  # 30 days late

"""A change of habit is found, chance is not, and a large customer matters only when it also worsens."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from duecourse.ledger.as_of import Ledger
from duecourse.ledger.schema import TABLES
from duecourse.science.timing.deterioration import concentration, deterioration
from duecourse.science.timing.facts import Facts, facts_from_view
from support.small_books import AS_OF, Book


def world(delay: str, *, customers: int, per_month: float, shift: int = 0, seed: int = 3) -> Facts:
    """A book of ``customers`` with own habits; invoices due in the last 90 days are paid ``shift`` days later."""
    rng = np.random.default_rng(seed)
    invoices, allocations = [], []
    for customer in range(customers):
        number = rng.poisson(per_month * 500 / 30)
        due = np.sort(rng.integers(1, 500, number))[::-1]  # days before as_of
        habit = rng.normal(5, 6)
        noise = {
            "normal": lambda n: rng.normal(0, 6, n),
            "skewed": lambda n: rng.lognormal(1.5, 1.0, n) - 5,
            "rare_and_huge": lambda n: np.where(rng.random(n) < 0.08, rng.exponential(50, n), rng.normal(0, 4, n)),
        }[delay](number)
        late = np.round(habit + noise).astype(int) + np.where(due <= 90, shift, 0)
        for row, (before, days) in enumerate(zip(due.tolist(), late.tolist(), strict=True)):
            key = f"C{customer:04}-{row:04}"
            due_on = AS_OF - timedelta(days=before)
            invoices.append((key, f"C{customer:04}", due_on - timedelta(days=30), due_on, 1000, "EUR"))
            if days < before:  # paid before as_of; the others are open and censored
                allocations.append((f"A{key}", key, "payment", due_on + timedelta(days=days), 1000))
    frames = {
        "invoices": pl.DataFrame(
            invoices, orient="row",
            schema=["invoice_id", "customer_id", "issued_on", "due_on", "amount_minor", "currency"],
        ),
        "allocations": pl.DataFrame(
            allocations, orient="row",
            schema=["allocation_id", "invoice_id", "source_kind", "applied_on", "amount_minor"],
        ),
    }  # fmt: skip
    assert set(frames) <= set(TABLES)
    return facts_from_view(Ledger.from_frames(frames).as_of(AS_OF))


@pytest.mark.parametrize("delay", ["normal", "skewed", "rare_and_huge"])
@pytest.mark.parametrize("per_month", [1.5, 6.0])
def test_in_a_world_without_change_at_most_5_percent_are_flagged(delay: str, per_month: float) -> None:
    changes = deterioration(world(delay, customers=500, per_month=per_month))
    assert changes.height > 300
    assert changes.get_column("deteriorating").mean() <= 0.05  # type: ignore[operator]
    covers = (changes.get_column("low_days") <= 0) & (changes.get_column("high_days") >= 0)
    assert covers.mean() >= 0.88  # type: ignore[operator]


def test_a_real_change_is_found_although_the_late_ones_are_still_open() -> None:
    changes = deterioration(world("normal", customers=150, per_month=6.0, shift=15))
    assert changes.get_column("deteriorating").mean() >= 0.9  # type: ignore[operator]
    flagged = changes.filter("deteriorating")
    assert (flagged.get_column("low_days") > 0).all()
    assert flagged.get_column("sentence").str.contains("later than its own past year").all()


def test_dropping_open_invoices_would_hide_it_and_is_not_done() -> None:
    """A customer that stopped paying two months ago has only prompt payments on its record, and is flagged."""
    book = Book().history("C", [2, 1, 0, 3, 1, 2, 0, 1, 2, 1, 0, 2], first_due=450, every=25)
    for number in range(6):
        book.invoice(f"OPEN{number}", "C", days_late=60 - 8 * number)
    row = deterioration(facts_from_view(book.view())).row(0, named=True)
    assert row["deteriorating"]
    assert row["recent_n"] == 6
    assert row["recent_days_late"] == pytest.approx(40.0)
    assert row["past_days_late"] == pytest.approx(1.25)  # over the same days of observation


def test_too_little_history_gives_no_row() -> None:
    book = Book().history("C", [0] * 5, first_due=300, every=30).invoice("X", "C", days_late=80)
    assert deterioration(facts_from_view(book.view())).is_empty()


def test_credited_and_disputed_invoices_are_nobodys_habit() -> None:
    book = Book().history("C", [0, 1, 2, 1] * 4, first_due=455, every=22)
    for number in range(5):
        book.invoice(f"D{number}", "C", days_late=80 - number)
        book.add("disputes", dispute_id=f"D{number}", invoice_id=f"D{number}", opened_on=AS_OF - timedelta(days=90))
    assert deterioration(facts_from_view(book.view())).is_empty()


def a24(share: float, *, worsening: bool) -> tuple[set[str], set[str]]:
    """Flagged for concentration, flagged for deterioration, in a book where K holds ``share`` of the open amount."""
    book = Book(as_of=AS_OF).history("K", [2, 1, 0, 3, 1, 2, 0, 1, 2, 1, 0, 2], first_due=450, every=25)
    for number in range(5):
        paid = None if worsening else 1
        book.invoice(f"R{number}", "K", days_late=80 - 9 * number, paid_late=paid, minor=1)
    own_open = 5 if worsening else 0
    book.invoice("K-big", "K", days_late=-10, minor=round(share * 1_000_000) - own_open)
    for other in range(25):  # 25 others share the rest, each below the line
        book.invoice(f"O{other}", f"O{other}", days_late=-5, minor=round((1 - share) * 1_000_000) // 25)
    facts = facts_from_view(book.view())
    changes = deterioration(facts)
    flags = set(concentration(facts, changes).get_column("customer_id").to_list())
    return flags, set(changes.filter("deteriorating").get_column("customer_id").to_list())


def test_a24_concentration_is_flagged_only_together_with_deterioration() -> None:
    assert a24(0.18, worsening=True) == ({"K"}, {"K"})
    assert a24(0.18, worsening=False) == (set(), set())
    assert a24(0.03, worsening=True) == (set(), {"K"})


def test_concentration_is_per_currency_and_says_its_share() -> None:
    book = Book().history("K", [1] * 12, first_due=450, every=25)
    for number in range(5):
        book.invoice(f"R{number}", "K", days_late=80 - 9 * number, minor=100)
    book.invoice("Y", "K", days_late=-3, minor=1, currency="JPY")
    book.invoice("Z", "Z", days_late=-3, minor=99, currency="JPY")
    facts = facts_from_view(book.view())
    flags = concentration(facts, deterioration(facts))
    assert flags.select("currency", "open_minor", "share").rows() == [("EUR", 500, 1.0)]
    assert flags.item(0, "sentence").startswith("100 % of the open book and paying ")

from datetime import date

import pytest

from duecourse.ledger.balances import invoice_balances, open_disputes
from support.books import Row, allocation, dispute, invoice, known, payment


def balance(*rows: Row, as_of: str = "2026-06-01") -> dict[str, object]:
    """The balance of the only invoice."""
    return invoice_balances(known(as_of, *rows)).row(0, named=True)


def test_an_untouched_invoice_is_open() -> None:
    row = balance(invoice("I1"))
    assert row["open_minor"] == 10_000
    assert [row[name] for name in ("cleared_on", "cleared_known_on", "closed_as", "paid_on", "paid_known_on")] == [
        None
    ] * 5


def test_part_payments_add_up_and_the_last_one_clears() -> None:
    parts = [invoice("I1"), allocation("I1", 4_000, "2026-02-01"), allocation("I1", 6_000, "2026-03-01")]
    assert balance(*parts, as_of="2026-03-01")["open_minor"] == 6_000
    row = balance(*parts)
    assert (row["open_minor"], row["applied_minor"], row["cleared_on"]) == (0, 10_000, date(2026, 3, 1))
    assert row["closed_as"] == "paid"


def test_a_reversed_allocation_reopens_the_invoice() -> None:
    rows = [invoice("I1"), allocation("I1", 10_000, "2026-02-01", reversed_on="2026-02-20")]
    assert balance(*rows, as_of="2026-02-20")["closed_as"] == "paid"
    assert balance(*rows, as_of="2026-02-21")["open_minor"] == 10_000
    assert balance(*rows, as_of="2026-02-21")["cleared_on"] is None


def test_an_allocation_dated_ahead_does_not_count_yet() -> None:
    rows = [invoice("I1"), allocation("I1", 10_000, "2026-03-01", recorded_at="2026-02-01")]
    assert balance(*rows, as_of="2026-03-01")["open_minor"] == 10_000
    assert balance(*rows, as_of="2026-03-02")["open_minor"] == 0


@pytest.mark.parametrize(
    ("parts", "closed_as"),
    [
        ({"payment": 10_000}, "paid"),
        ({"payment": 9_800, "discount": 200}, "paid"),
        ({"withholding": 6_000, "payment": 4_000}, "paid"),
        ({"credit": 10_000}, "credited"),
        ({"credit": 6_000, "payment": 4_000}, "credited"),
        ({"credit": 4_000, "payment": 6_000}, "paid"),
        ({"write_off": 10_000}, "written_off"),
        ({"write_off": 4_000, "credit": 3_000, "payment": 3_000}, "written_off"),
        ({"write_off": 5_000, "payment": 5_000}, "written_off"),
    ],
)
def test_closed_as_is_decided_by_the_larger_part(parts: dict[str, int], closed_as: str) -> None:
    rows = [allocation("I1", minor, "2026-02-01", kind) for kind, minor in parts.items()]
    row = balance(invoice("I1"), *rows)
    assert (row["closed_as"], row["cleared_on"]) == (closed_as, date(2026, 2, 1))


def test_an_invoice_over_nothing_is_closed_from_the_start() -> None:
    row = balance(invoice("I1", 0, recorded_at="2026-01-09"))
    assert (row["open_minor"], row["cleared_on"], row["closed_as"]) == (0, date(2026, 1, 1), "paid")
    assert row["cleared_known_on"] == date(2026, 1, 9)


def test_over_allocation_never_shows_a_negative_balance() -> None:
    assert balance(invoice("I1", 50), allocation("I1", 70, "2026-02-01"))["open_minor"] == 0


def test_paid_on_is_the_day_cash_reached_95_percent() -> None:
    parts = [("payment", 9_499, "2026-02-01"), ("payment", 1, "2026-02-09"), ("write_off", 500, "2026-04-01")]
    row = balance(invoice("I1"), *(allocation("I1", minor, day, kind) for kind, minor, day in parts))
    assert (row["paid_on"], row["cleared_on"], row["closed_as"]) == (date(2026, 2, 9), date(2026, 4, 1), "paid")


def test_exactly_95_percent_is_enough_and_less_is_not() -> None:
    for amount in (20, 100, 340, 1_000_000_000_000_020):
        enough = amount * 95 // 100
        assert balance(invoice("I1", amount), allocation("I1", enough, "2026-02-01"))["paid_on"] == date(2026, 2, 1)
        assert balance(invoice("I1", amount), allocation("I1", enough - 1, "2026-02-01"))["paid_on"] is None


def test_disputed_amounts_are_not_needed_for_paid_on() -> None:
    row = balance(invoice("I1"), dispute("I1", "2026-01-10", 4_000), allocation("I1", 5_700, "2026-02-01"))
    assert (row["paid_on"], row["open_minor"]) == (date(2026, 2, 1), 4_300)


def test_a_credited_invoice_was_never_paid() -> None:
    row = balance(invoice("I1"), allocation("I1", 10_000, "2026-02-01", "credit"))
    assert (row["paid_on"], row["paid_known_on"]) == (None, None)


def test_clearing_is_known_when_the_last_part_was_recorded() -> None:
    parts = [
        allocation("I1", 5_000, "2026-02-01", recorded_at="2026-03-01"),
        allocation("I1", 5_000, "2026-02-05", recorded_at="2026-02-05"),
    ]
    row = balance(invoice("I1"), *parts)
    assert (row["cleared_on"], row["cleared_known_on"]) == (date(2026, 2, 5), date(2026, 3, 1))
    assert (row["paid_on"], row["paid_known_on"]) == (date(2026, 2, 5), date(2026, 3, 1))


def test_payment_is_known_on_the_first_day_on_which_the_known_cash_sufficed() -> None:
    """The part that was applied first was recorded last: until then the books had seen 56 of 100."""
    parts = [
        allocation("I1", 4_000, "2026-02-01", recorded_at="2026-04-01"),
        allocation("I1", 5_600, "2026-02-05", recorded_at="2026-02-06"),
        allocation("I1", 400, "2026-05-01", "discount"),
    ]
    row = balance(invoice("I1"), *parts)
    assert (row["paid_on"], row["paid_known_on"]) == (date(2026, 2, 5), date(2026, 4, 1))


def test_every_visible_invoice_has_one_row_in_order() -> None:
    view = known(
        "2026-06-01", invoice("I3"), invoice("I1"), invoice("I2", recorded_at="2026-07-01"),
        allocation("I1", 1, "2026-02-01"), allocation("I1", 2, "2026-02-02"), payment("P", 5, "2026-02-01"),
    )  # fmt: skip
    assert invoice_balances(view)["invoice_id"].to_list() == ["I1", "I3"]


def test_disputes_are_at_most_the_invoice_and_a_closed_one_is_none() -> None:
    view = known(
        "2026-06-01", invoice("I1"), invoice("I2"), invoice("I3"),
        dispute("I1", "2026-01-10", 8_000), dispute("I1", "2026-01-11", 8_000),
        dispute("I2", "2026-01-10", closed_on="2026-05-31"), dispute("I3", "2026-01-10", closed_on="2026-06-01"),
    )  # fmt: skip
    assert open_disputes(view).rows() == [("I1", 10_000), ("I3", 10_000)]

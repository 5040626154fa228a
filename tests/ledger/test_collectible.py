from datetime import date

import pytest

from duecourse.ledger.collectible import collectible
from duecourse.ledger.free_money import free_money
from support.books import Row, allocation, credit, dispute, invoice, known, payment, plan, promise

AS_OF = "2026-03-01"
PARTS = ["disputed_minor", "promised_minor", "planned_minor", "netted_minor", "collectible_minor"]
# The oldest first: I1 falls due before I2 and I3.
I1, I2, I3 = (invoice(f"I{n}", due_on=f"2026-02-0{n}") for n in (1, 2, 3))


def divided(*rows: Row, as_of: str = AS_OF) -> dict[str, tuple[int, ...]]:
    """invoice_id -> disputed, promised, planned, netted, collectible; they always add up to the open amount."""
    frame = collectible(known(as_of, *rows))
    assert (frame["open_minor"] == frame.select(PARTS).sum_horizontal()).all()
    return {row[0]: row[1:] for row in frame.select("invoice_id", *PARTS).iter_rows()}


def test_all_of_an_untouched_invoice_may_be_asked_for() -> None:
    assert divided(I1) == {"I1": (0, 0, 0, 0, 10_000)}


def test_closed_invoices_are_not_listed() -> None:
    assert divided(I1, allocation("I1", 10_000, "2026-02-01")) == {}


def test_disputed_amounts_leave_and_never_exceed_what_is_open() -> None:
    assert divided(I1, dispute("I1", "2026-02-05", 3_000))["I1"] == (3_000, 0, 0, 0, 7_000)
    assert divided(I1, dispute("I1", "2026-02-05"))["I1"] == (10_000, 0, 0, 0, 0)
    paid = allocation("I1", 8_000, "2026-02-10")
    assert divided(I1, dispute("I1", "2026-02-05", 3_000), paid)["I1"] == (2_000, 0, 0, 0, 0)
    assert divided(I1, dispute("I1", "2026-02-05", closed_on="2026-02-20"))["I1"] == (0, 0, 0, 0, 10_000)


@pytest.mark.parametrize(
    ("due_on", "held"),
    [("2026-03-20", 4_000), ("2026-03-01", 4_000), ("2026-02-27", 4_000), ("2026-02-26", 4_000), ("2026-02-25", 0)],
)
def test_a_promise_holds_to_the_end_of_its_grace(due_on: str, held: int) -> None:
    """Two business days after Thursday 26 February is Monday 2 March; after Wednesday 25 it is Friday 27."""
    rows = [I1, promise("M", 4_000, "2026-02-20", due_on, invoice_ids=["I1"])]
    assert divided(*rows)["I1"] == (0, held, 0, 0, 10_000 - held)


def test_money_that_came_for_a_promise_frees_its_hold() -> None:
    rows = [
        I1,
        promise("M", 4_000, "2026-02-10", "2026-03-20", invoice_ids=["I1"]),
        allocation("I1", 1_500, "2026-02-20"),
    ]
    assert divided(*rows)["I1"] == (0, 2_500, 0, 0, 6_000)


def test_a_promise_fills_the_oldest_of_its_invoices_first() -> None:
    rows = [I3, I2, I1, promise("M", 13_000, "2026-02-20", "2026-03-20", invoice_ids=["I3", "I2"])]
    assert {name: parts[1] for name, parts in divided(*rows).items()} == {"I1": 0, "I2": 10_000, "I3": 3_000}
    whole = [I3, I2, I1, promise("M", 13_000, "2026-02-20", "2026-03-20")]
    assert {name: parts[1] for name, parts in divided(*whole).items()} == {"I1": 10_000, "I2": 3_000, "I3": 0}


def test_two_parts_of_one_promise_hold_both() -> None:
    parts = [promise(name, 6_000, "2026-02-20", due, invoice_ids=["I1", "I2"])
             for name, due in (("M", "2026-03-10"), ("N", "2026-03-20"))]  # fmt: skip
    assert {name: held[1] for name, held in divided(I1, I2, *parts).items()} == {"I1": 10_000, "I2": 2_000}


def test_a_promise_in_another_currency_or_of_another_customer_holds_nothing() -> None:
    for change in ({"currency": "EUR"}, {"customer_id": "C2"}):
        rows = [I1, promise("M", 4_000, "2026-02-20", "2026-03-20", invoice_ids=["I1"]).also(**change)]
        assert divided(*rows)["I1"][1] == 0


def test_instalments_from_today_on_are_not_asked_for() -> None:
    rows = [I1, plan("L", "2026-02-05", ["2026-02-28:2000", "2026-03-01:3000", "2026-04-01:3000"], invoice_ids=["I1"])]
    assert divided(*rows)["I1"] == (0, 0, 6_000, 0, 4_000)


def test_unapplied_cash_is_netted_oldest_first() -> None:
    assert divided(I2, I1, payment("P", 12_000, "2026-02-10")) == {
        "I1": (0, 0, 0, 10_000, 0),
        "I2": (0, 0, 0, 2_000, 8_000),
    }


def test_only_what_is_left_of_a_payment_is_netted() -> None:
    rows = [I1, I2, payment("P", 12_000, "2026-02-10"), allocation("I1", 10_000, "2026-02-10", source_id="P")]
    assert divided(*rows) == {"I2": (0, 0, 0, 2_000, 8_000)}


def test_money_applied_without_a_link_is_not_counted_again() -> None:
    rows = [I1, I2, payment("P", 12_000, "2026-02-10"), allocation("I1", 10_000, "2026-02-10")]
    assert divided(*rows) == {"I2": (0, 0, 0, 2_000, 8_000)}


@pytest.mark.parametrize(
    "change",
    [{"status": "returned"}, {"customer_id": None}, {"customer_id": "C2"}, {"currency": "EUR"}, {"received_on": AS_OF},
     {"recorded_at": AS_OF}, {"voided_at": "2026-02-20"}],
)  # fmt: skip
def test_cash_that_is_not_netted(change: dict[str, str | None]) -> None:
    assert divided(I1, payment("P", 12_000, "2026-02-10").also(**change))["I1"][3] == 0


def test_a_credit_is_netted_against_its_own_invoice_first() -> None:
    rows = [I1, I2, credit("K", 4_000, "2026-02-10", invoice_id="I2")]
    assert {name: parts[3] for name, parts in divided(*rows).items()} == {"I1": 0, "I2": 4_000}
    larger = [I1, I2, credit("K", 14_000, "2026-02-10", invoice_id="I2")]
    assert {name: parts[3] for name, parts in divided(*larger).items()} == {"I1": 4_000, "I2": 10_000}
    free = [I1, I2, credit("K", 4_000, "2026-02-10")]
    assert {name: parts[3] for name, parts in divided(*free).items()} == {"I1": 4_000, "I2": 0}


def test_currencies_are_never_netted_across() -> None:
    euro = invoice("E1", due_on="2026-01-31", currency="EUR")
    assert divided(I1, euro, payment("P", 3_000, "2026-02-10"))["E1"] == (0, 0, 0, 0, 10_000)


def test_entities_are_never_netted_across() -> None:
    two = [I1.also(entity_id="A"), I2.also(entity_id="B")]
    in_doubt = payment("P", 3_000, "2026-02-10")
    assert {name: parts[3] for name, parts in divided(*two, in_doubt).items()} == {"I1": 0, "I2": 0}
    assert free_money(known(AS_OF, *two, in_doubt)).select("entity_known", "free_minor").rows() == [(False, 3_000)]
    told_by_allocation = allocation("I2", 1_000, "2026-02-10", source_id="P")
    netted = {name: parts[3] for name, parts in divided(*two, in_doubt, told_by_allocation).items()}
    assert netted == {"I1": 0, "I2": 2_000}
    told_by_credit = credit("K", 12_000, "2026-02-10", invoice_id="I2")
    assert {name: parts[3] for name, parts in divided(*two, told_by_credit).items()} == {"I1": 0, "I2": 10_000}


def test_a_credit_that_names_an_invoice_of_another_account_is_not_netted_there() -> None:
    for change in ({"currency": "EUR"}, {"customer_id": "C2"}):
        assert divided(I1, credit("K", 4_000, "2026-02-10", invoice_id="I1").also(**change))["I1"][3] == 0


def test_the_parts_come_off_one_after_the_other() -> None:
    rows = [
        I1, dispute("I1", "2026-02-05", 5_000), promise("M", 3_000, "2026-02-20", "2026-03-20", invoice_ids=["I1"]),
        plan("L", "2026-02-05", ["2026-04-01:1500"]), payment("P", 9_000, "2026-02-10"),
    ]  # fmt: skip
    assert divided(*rows)["I1"] == (5_000, 3_000, 1_500, 500, 0)


def test_rows_are_sorted_and_nothing_is_no_row() -> None:
    assert list(divided(I3, I1, I2)) == ["I1", "I2", "I3"]
    assert collectible(known(date(2025, 1, 1), I1)).height == 0

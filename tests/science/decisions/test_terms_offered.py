"""Terms on a ledger: only within the envelope, to those whom the lot lets have offers; guarded, logged, explained."""

from __future__ import annotations

import json
from datetime import date, timedelta
from functools import cache

import polars as pl
import pytest

from duecourse.ledger.as_of import View
from duecourse.ledger.autonomy import NOT_OFFERED_BY_LOT
from duecourse.ledger.schema import ARMS
from duecourse.science.decisions import Arm, Capacity, Plan, plan
from duecourse.science.decisions.contact_points import gather
from duecourse.science.decisions.envelope import DiscountTerms, Envelope, PlanTerms, may_have_offers
from duecourse.science.decisions.mask import mask
from duecourse.science.decisions.offers import discounts_spent, past_offers
from duecourse.science.decisions.points import ContactPoint
from duecourse.science.decisions.terms_offered import days_to_usual_payment, terms_offered
from duecourse.science.language import draft_worklist
from support.small_books import AS_OF, Book, moment, prediction

DISCOUNT = DiscountTerms(2.0, 10, 10**9, "head of credit")
PLAN = PlanTerms(3, 90, 0.3, "head of credit")
ARMS_LISTED = {"email_soft": Arm(30, 0), "email_discount": Arm(30, 0), "call_plan": Arm(0, 15)}


def capacity(discount: DiscountTerms | None = DISCOUNT, terms: PlanTerms | None = PLAN, *,
             share: float = 1.0) -> Capacity:  # fmt: skip
    return Capacity(420, 7, 0.10, ARMS_LISTED, terms=Envelope(discount, terms, share))


def late(name: str = "C1", days: int = 30) -> Book:
    return Book().customer(name).history(name, [40] * 8).invoice("I1", name, days_late=days, minor=200_000)


def point_of(book: Book) -> ContactPoint:
    view = book.view()
    return gather(view, prediction(view, {}), cost_of_capital=0.1)[0]


def offered(book: Book, days_ago: int, *, arm: str = "email_discount", invoice: str = "OLD", customer: str = "C1",
            percent: float = 2.0, **row: object) -> Book:  # fmt: skip
    on = AS_OF - timedelta(days_ago)
    nested = {"discount_percent": percent, "take_by": str(on + timedelta(10)), "most_minor": 4_000}
    return book.add(
        "decisions", decision_id=f"O{days_ago}{arm}", decided_at=moment(AS_OF, -days_ago, 7), customer_id=customer,
        arm=arm, invoice_ids=[invoice], currency="EUR", nested=json.dumps(nested), **row,
    )  # fmt: skip


def reasons(book: Book, arm: str, terms: Capacity | None = None) -> str:
    return mask(point_of(book), terms or capacity()).get(arm, "")


def test_terms_exist_only_with_an_envelope_that_names_them() -> None:
    assert reasons(late(), "email_discount") == ""
    assert reasons(late(), "call_plan") == ""
    assert reasons(late(), "email_discount", capacity(None)) == "no approved terms envelope"
    assert reasons(late(), "call_plan", capacity(terms=None)) == "no approved terms envelope"
    assert reasons(late(), "call_plan", Capacity(420, 7, 0.1, ARMS_LISTED)) == "no approved terms envelope"


def test_who_may_have_offers_is_drawn_once_by_customer_in_the_stated_share() -> None:
    names = [f"C{number}" for number in range(4000)]
    drawn = [name for name in names if may_have_offers(name, 0.5)]
    assert len(drawn) / 4000 == pytest.approx(0.5, abs=0.03)
    assert {name for name in names if may_have_offers(name, 0.2)} <= set(drawn)
    kept = next(name for name in names if name not in drawn)
    assert reasons(late(kept), "email_discount", capacity(share=0.5)) == NOT_OFFERED_BY_LOT
    assert reasons(late(kept), "call_plan", capacity(share=0.5)) == NOT_OFFERED_BY_LOT
    assert reasons(late(kept), "email_soft", capacity(share=0.5)) == ""


def test_nobody_is_taught_to_wait_for_the_next_offer() -> None:
    assert "one offer in 12 months" in reasons(offered(late(), 364), "email_discount")
    assert "one offer in 12 months" in reasons(offered(late(), 364), "call_plan")
    assert reasons(offered(late(), 365), "email_discount") == ""
    twice = offered(late(), 400, invoice="I1")
    assert reasons(twice, "email_discount") == "a discount was offered before for an invoice that is still open"
    assert reasons(twice, "call_plan") == ""
    never_left = offered(late(), 30, executed_arm="none")
    assert reasons(never_left, "email_discount") == ""
    assert reasons(offered(late(), 30, not_executed_reason="a person"), "email_discount") == ""
    assert reasons(offered(late(), 30, stratum="shadow"), "email_discount") == ""
    made_instead = offered(late(), 30, arm="email_soft", executed_arm="call_plan")
    assert "one offer in 12 months" in reasons(made_instead, "email_discount")  # a person's offer is one too
    assert [one.arm for one in past_offers(made_instead.view())] == ["call_plan"]
    by_hand = offered(late(), 30, stratum="shadow", executed_arm="email_discount")
    assert "one offer in 12 months" in reasons(by_hand, "email_discount")


def test_terms_that_say_nothing_sensible_are_no_terms_but_the_offer_counts() -> None:
    nested = '{"discount_percent": NaN, "take_by": "soon", "most_minor": 1e400}'
    for stated in (nested, '{"discount_percent": -5, "most_minor": -4000, "take_by": 7}', "[]", "soon"):
        book = late().add("decisions", decision_id="O", decided_at=moment(AS_OF, -30, 7), customer_id="C1",
                          arm="email_discount", invoice_ids=["OLD"], currency="EUR", nested=stated)  # fmt: skip
        found = past_offers(book.view())
        assert [(one.percent, one.take_by, one.most_minor) for one in found] == [(None, None, 0)]
        assert "one offer in 12 months" in reasons(book, "email_discount")
        assert discounts_spent(book.view(), {"EUR": 1.0}) == 0


def test_a_later_offer_is_never_better() -> None:
    stingy = offered(late(), 400, percent=1.5)
    one = terms_offered(point_of(stingy), "email_discount", capacity(), AS_OF)
    assert one is not None
    assert one.percent == 1.5
    assert one.most_minor == 3_000
    generous = terms_offered(point_of(offered(late(), 400, percent=5.0)), "email_discount", capacity(), AS_OF)
    assert generous is not None
    assert generous.percent == 2.0


@pytest.mark.parametrize(("days_ago", "paid", "barred"), [(200, 0, True), (200, 50_000, False), (390, 0, False)])
def test_no_plan_within_a_year_of_a_broken_one(days_ago: int, paid: int, barred: bool) -> None:
    book = late()
    agreed, due = AS_OF - timedelta(days_ago + 30), AS_OF - timedelta(days_ago)
    book.add("plans", plan_id="P1", customer_id="C1", agreed_on=agreed, currency="EUR",
             instalments=[f"{due}:50000"], invoice_ids=["I1"], approved_by="CFO")  # fmt: skip
    if paid:
        book.add("payments", payment_id="PP", received_on=due, amount_minor=paid, currency="EUR", customer_id="C1")
        book.add("allocations", allocation_id="AA", invoice_id="I1", source_kind="payment", source_id="PP",
                 applied_on=due, amount_minor=paid)  # fmt: skip
    said = reasons(book, "call_plan")
    assert ("no other within 12 months" in said) is barred
    assert reasons(book, "email_discount") == ""


def test_the_cost_of_a_year_is_told_from_the_customers_own_day() -> None:
    """The day of habit where it is still to come, else that of the curve."""
    point = point_of(late(days=10))  # usually 40 days late, so in 30 days
    assert point.habit.usual_days == 40
    assert days_to_usual_payment(point) == 30
    one = terms_offered(point, "email_discount", capacity(), AS_OF)
    assert one is not None
    assert one.yearly_simple == pytest.approx(2 / 98 * 365 / 20)  # the textbook's 2/10 net 30
    assert one.yearly_effective == pytest.approx(0.446, abs=0.001)
    assert one.words == (
        "2 % off for payment by 2026-06-11 instead of about 2026-07-01: costs 37.2% a year (44.6% with interest on "
        "interest); head of credit approves"
    )
    soon = terms_offered(point, "email_discount", capacity(DiscountTerms(2.0, 30, 0, "CFO")), AS_OF)
    assert soon is not None
    assert (soon.yearly_simple, soon.yearly_effective) == (None, None)
    assert "nothing is brought forward" in soon.words
    agreed = terms_offered(point, "call_plan", capacity(), AS_OF)
    assert agreed is not None
    assert agreed.words == "up to 3 instalments within 90 days, at least 30% at once; head of credit approves"
    assert (agreed.by, agreed.first_percent) == (date(2026, 8, 30), 30.0)
    assert terms_offered(point, "email_soft", capacity(), AS_OF) is None
    nearly = point_of(late(days=35))
    assert nearly.carrying is not None
    assert nearly.carrying.outlook.p50_days is not None
    assert nearly.carrying.outlook.p50_days > 5
    assert days_to_usual_payment(nearly) == 5
    overdue = point_of(late(days=60))
    assert overdue.carrying is not None
    assert days_to_usual_payment(overdue) == overdue.carrying.outlook.p50_days


def test_running_offers_count_at_their_worst_and_ended_ones_at_what_was_kept() -> None:
    running = offered(late(), 5).view()
    assert discounts_spent(running, {"EUR": 1.0}) == 4_000
    ended = offered(late(), 60, invoice="C1-H007")
    assert discounts_spent(ended.view(), {"EUR": 1.0}) == 0
    ended.add("allocations", allocation_id="DD", invoice_id="I1", source_kind="discount",
              applied_on=AS_OF - timedelta(3), amount_minor=1_500)  # fmt: skip
    taken = offered(ended, 20, invoice="I1").view()
    assert discounts_spent(taken, {"EUR": 2.0}) == 3_000
    mixed = {"EUR": 2.0, "JPY": 0.01}  # what was kept back counts in the currency of its invoice
    in_yen = pl.when(pl.col("customer_id") == "C1").then(pl.lit("JPY"))
    frames = {**taken.tables, "decisions": taken.table("decisions").with_columns(currency=in_yen)}
    assert discounts_spent(View(taken.as_of, frames), mixed) == 3_000
    assert discounts_spent(offered(late(), 365).view(), {"EUR": 1.0}) == 0
    assert [one.take_by for one in past_offers(running)] == [AS_OF + timedelta(5)]


def evidence() -> Book:
    """Seventy customers who paid at once when offered a discount, by lot, and else never; ten who had no offer."""
    book = Book()
    for number in range(80):
        name = f"C{number:02}"
        book.customer(name).history(name, [25, 40] * 4, first_due=520)
        book.invoice(f"{name}-0", name, days_late=20 + number % 9, minor=100_000)
        for week in (8, 16, 24) if number < 70 else ():
            worked = (number + week // 8) % 2 == 0
            key = f"{name}-{week}"
            book.invoice(key, name, days_late=7 * week + 10, paid_late=13 if worked else None)
            if not worked:
                book.add("allocations", allocation_id=f"W-{key}", invoice_id=key, source_kind="write_off",
                         applied_on=AS_OF - timedelta(7 * week - 35), amount_minor=100_000)  # fmt: skip
            book.add(
                "decisions", decision_id=key, decided_at=moment(AS_OF, -7 * week, 7), customer_id=name,
                invoice_ids=[key], arm="email_discount" if worked else "none",
                propensities=json.dumps({"none": 0.5, "email_discount": 0.5}), currency="EUR",
                executed_arm="email_discount" if worked else "none", executed_at=moment(AS_OF, -7 * week, 9),
            )  # fmt: skip
    return book


@cache
def made(limit: int = 10**9, share: float = 1.0) -> Plan:
    view = evidence().view()
    terms = capacity(DiscountTerms(1.0, 14, limit, "head of credit"), None, share=share)
    return plan(view, prediction(view, {}), policy="learned", capacity=terms, seed=1, drafter=draft_worklist)


def test_offers_that_are_known_to_work_are_made_marked_for_a_person_and_logged() -> None:
    rows = made().worklist.filter(pl.col("arm") == "email_discount").to_dicts()
    assert rows
    assert {row["customer_id"] for row in rows} <= {f"C{number}" for number in range(70, 80)}
    log = {row["customer_id"]: row for row in made().decisions.iter_rows(named=True)}
    for row in rows:
        assert row["needs_human"] == "policy"
        assert (row["offer_percent"], row["offer_by"]) == (1.0, AS_OF + timedelta(14))
        assert row["terms"].startswith("1 % off for payment by 2026-06-15")
        assert "15. Juni 2026 bei uns eingehen, ziehen wir 1" in made().drafts[row["draft"]]
        kept = json.loads(log[row["customer_id"]]["nested"])
        assert (kept["discount_percent"], kept["take_by"], kept["most_minor"]) == (1.0, "2026-06-15", 1_000)
        assert json.loads(log[row["customer_id"]]["propensities"])["email_discount"] > 0
    for name, row in log.items():
        spread, masked = json.loads(row["propensities"]), json.loads(row["masked"])
        assert set(spread) | set(masked) == set(ARMS)
        if name < "C70":
            assert "one offer in 12 months" in masked["email_discount"]
    others = made().worklist.filter(pl.col("arm") != "email_discount")
    assert others.get_column("terms").null_count() == others.height


def test_the_yearly_limit_and_the_lot_hold() -> None:
    def offers(found: Plan) -> int:
        return sum(json.loads(text).get("email_discount", 0) > 0 for text in found.decisions.get_column("propensities"))

    assert offers(made()) > 2
    assert offers(made(limit=2_500)) == 2  # each may cost 1,000
    assert offers(made(limit=0)) == 0
    kept = made(share=0.5).decisions
    for row in kept.iter_rows(named=True):
        by_lot = NOT_OFFERED_BY_LOT in json.loads(row["masked"]).get("email_discount", "")
        assert by_lot is not may_have_offers(row["customer_id"], 0.5)

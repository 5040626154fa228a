"""The sentence beside each row: short, singular and plural right, and never at odds with the facts."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from datetime import timedelta

from duecourse.science.decisions.habit import Habit
from duecourse.science.decisions.points import ContactHistory, ContactPoint, Disputes, OpenItem
from duecourse.science.decisions.stake import Outlook
from duecourse.science.decisions.why import LONGEST, self_cure_detail, why
from support.small_books import AS_OF


def point(days_late: int, habit: Habit, outlook: Outlook, **more: object) -> ContactPoint:
    item = OpenItem("I", "C", "EUR", AS_OF - timedelta(days_late), days_late, 1000, 1000, 0, 0, 0, 0, "occasional",
                    "book", outlook)  # fmt: skip
    base = ContactPoint("C", "C", ("C",), (item,), None, False, habit, ContactHistory(), Disputes(), "EUR",
                        {"EUR": 1000.0})  # fmt: skip
    return replace(base, **more)


def outlook(p50: int | None) -> Outlook:
    return Outlook(0.4, 0.1, 0, p50, None if p50 is None else p50 + 9, 178)


def test_the_sentences_of_the_requirement() -> None:
    late = point(15, Habit(10, 15, 20, 0, True), outlook(4))
    assert why(late, "email_soft") == "15 days over; usual for this customer is 10; expected in about 4 days."
    one = point(1, Habit(0, 0, 20, 0, True), outlook(1))
    assert why(one, "email_soft") == (
        "1 day over; usually pays on the due date; 1 day beyond its own habit; expected today or tomorrow."
    )
    first = point(8, Habit(-1, 0, 20, 0, False), outlook(None))
    assert why(first, "email_soft") == "8 days over; late for the first time; not expected within 178 days."
    new = point(3, Habit(6, 9, 1, 0, True), outlook(2))
    assert why(new, "email_soft") == "3 days over; no payment habit known yet; expected in about 2 days."
    early = point(0, Habit(-1, 0, 9, 0, True), outlook(2))
    assert why(early, "email_soft") == "Due today; usually pays 1 day early; expected in about 2 days."
    held = point(9, Habit(1, 2, 9, 0, True), outlook(2), disputes=Disputes(1, 1, {"EUR": 123456}))
    assert why(held, "route_dispute") == "1 open dispute holds €1,234.56; settle that before asking for the rest."
    asked = point(9, Habit(1, 2, 9, 0, True), outlook(2), history=ContactHistory(unanswered_days=1))
    assert why(asked, "send_documents") == (
        "They wrote yesterday and have no answer; answer and send the papers, no reminder."
    )


def with_older(one: ContactPoint, older_days: int) -> ContactPoint:
    """The same contact point with a leftover of one unit that is older than its main invoice."""
    old = replace(one.items[0], invoice_id="OLD", days_late=older_days, collectible_minor=1, open_minor=1)
    return replace(one, items=(old, *one.items))


def test_an_older_leftover_is_told_apart_from_the_invoice_that_is_meant() -> None:
    late = with_older(point(655, Habit(10, 15, 20, 0, True), outlook(4)), 662)
    assert late.days_late_max == 662
    assert why(late, "email_soft") == (
        "Invoice I is 655 days over, the oldest 662 days; usual for this customer is 10; "
        "640 days beyond its own habit; expected in about 4 days."
    )
    long = replace(late, items=tuple(replace(item, invoice_id="N" * 30) for item in late.items))
    assert why(long, "email_soft").startswith("The main invoice is 655 days over, the oldest 662 days; ")
    soon = with_older(point(-3, Habit(10, 15, 20, 0, True), outlook(4)), 40)
    assert why(soon, "email_soft").startswith("Invoice I is due in 3 days, the oldest 40 days; ")


def random_point(draw: random.Random) -> ContactPoint:
    days_late = draw.choice([draw.randint(-7, 5), draw.randint(-7, 400)])
    usual = draw.randint(-10, 40)
    habit = Habit(usual, usual + draw.randint(0, 30), draw.randint(0, 50), 0, draw.random() < 0.8)
    p50 = draw.choice([None, 0, 1, draw.randint(0, 177)])
    one = point(
        days_late, habit, outlook(p50), broken_promise_days=draw.choice([None, 3]),
        disputes=draw.choice([Disputes(), Disputes(draw.randint(1, 12), 1, {"EUR": draw.randint(1, 10**15)})]),
        history=ContactHistory(unanswered_days=draw.choice([None, 0, 1, 29])),
    )  # fmt: skip
    return with_older(one, days_late + draw.randint(1, 90)) if draw.random() < 0.3 else one


def test_no_contradiction_in_ten_thousand_sentences() -> None:
    draw = random.Random(7)
    for _ in range(10_000):
        one = random_point(draw)
        arm = draw.choice(["email_soft", "call_service", "route_dispute", "send_documents"])
        if arm == "route_dispute" and not one.disputes.number:
            continue
        for text in (why(one, arm), self_cure_detail(one)):
            check(text, one)


def check(text: str, one: ContactPoint) -> None:
    days_late = one.items[-1].days_late
    if oldest := re.search(r"the oldest (\d+) day", text):
        assert int(oldest.group(1)) == one.days_late_max > days_late
    elif f"{days_late} day" in text and days_late > 0:
        assert one.days_late_max == days_late
    assert len(text) <= LONGEST, text
    assert text.endswith(".")
    assert "  " not in text
    assert not re.search(r"\b1 (days|disputes)\b", text), text
    assert not re.search(r"\b(0|[2-9]|\d\d+) (day|open dispute)\b", text), text
    assert not re.search(r"-\d", text), text
    if over := re.search(r"(\d+) days? over", text):
        assert int(over.group(1)) == days_late > 0
    if "due in" in text.lower() or "due today" in text.lower():
        assert days_late <= 0
        assert "over;" not in text
        assert "beyond" not in text
    if beyond := re.search(r"(\d+) days? beyond its own habit", text):
        assert int(beyond.group(1)) == days_late - max(one.habit.late_end_days, 0) > 0
        usual = re.search(r"usual for this customer is (\d+)", text)
        assert usual is None or int(usual.group(1)) < days_late
    if "first time" in text:
        assert not one.habit.ever_late
        assert "usual" not in text
    if "no payment habit" in text:
        assert not one.habit.is_known
        assert "usual" not in text
        assert "beyond" not in text
    if about := re.search(r"expected in about (\d+) days", text):
        assert int(about.group(1)) == one.items[-1].outlook.p50_days
    assert text.count("xpected") <= 1

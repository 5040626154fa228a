from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from duecourse.science.timing import reasons as telling
from duecourse.science.timing.config import TimingConfig
from duecourse.science.timing.facts import facts_from_view
from duecourse.science.timing.feature_groups import GROUPS
from duecourse.science.timing.features import Features
from duecourse.science.timing.ladder import CUSTOMER_HISTORY, MODEL
from duecourse.science.timing.landmarks import open_landmarks
from duecourse.science.timing.model import TimingModel, fit
from duecourse.science.timing.reason_texts import WEEKDAYS, ReasonFacts, count_text, reason_facts, reason_text
from duecourse.science.timing.reasons import habit_reasons, largest_reasons, reasons_in_days
from support.books import Row, allocation, invoice, known
from support.timing_books import day_of, habit_ledger

CAUSAL = re.compile(
    r"\b(because|caus\w*|due to|owing to|thanks to|therefore|hence|thus|so that|leads? to|led to|drives?|driven"
    r"|makes?|effects?|affects?|results?|since|will)\b"
)
EXAMPLE = ReasonFacts(
    paid_count=12, usual_delay=8.0, last_three_delay=8.0, days_since_payment=5,
    weekday_payments=(0, 0, 1, 11, 0, 0, 0), month_day_payments=(12, *([0] * 30)), other_open=0, other_overdue=0,
    newer_paid=2, same_due_paid=0, amount_ratio=3.0, partly_paid=False, events=(),
)  # fmt: skip


def test_the_reviewed_examples() -> None:
    told = {group: reason_text(group, EXAMPLE) for group in GROUPS}
    assert told == {
        "habit": "usually pays 8 days after due",
        "recent change": "the last payment came 5 days ago",
        "pay-days": "pays on Thursdays",
        "account now": "no other invoice is open",
        "skipped": "newer invoices were paid, this one was not",
        "amount": "3 times the usual amount",
        "events": "no dispute, promise or returned payment",
    }


@pytest.mark.parametrize(
    ("group", "changes", "text"),
    [
        ("habit", {"usual_delay": 1.2}, "usually pays 1 day after due"),
        ("habit", {"usual_delay": -1.0}, "usually pays 1 day before due"),
        ("habit", {"usual_delay": -0.4}, "usually pays on the due day"),
        ("habit", {"paid_count": 1, "usual_delay": 2.0}, "paid its only invoice so far 2 days after due"),
        ("habit", {"paid_count": 0, "usual_delay": None}, "has not paid an invoice yet"),
        ("recent change", {"last_three_delay": 14.3}, "the last 3 were paid 14 days after due on average"),
        ("recent change", {"days_since_payment": 1}, "the last payment came 1 day ago"),
        ("recent change", {"days_since_payment": 0}, "the last payment came today"),
        ("pay-days", {"weekday_payments": (0, 0, 0, 8, 4, 0, 0), "month_day_payments": (1,) * 12 + (0,) * 19},
         "mostly pays on Thursdays"),
        ("pay-days", {"weekday_payments": (3, 3, 3, 3, 0, 0, 0)}, "mostly pays around the 1st"),
        ("pay-days",
         {"weekday_payments": (3, 3, 3, 3, 0, 0, 0), "month_day_payments": (0,) * 20 + (5, 4, 3) + (0,) * 8},
         "mostly pays around the 22nd"),
        ("pay-days", {"weekday_payments": (3, 3, 3, 3, 0, 0, 0), "month_day_payments": (1,) * 12 + (0,) * 19},
         "pays on various days"),
        ("pay-days", {"weekday_payments": (0, 2, 0, 0, 0, 0, 0)}, "no pay-days known yet"),
        ("account now", {"other_open": 4, "other_overdue": 1}, "1 other invoice is overdue"),
        ("account now", {"other_open": 4, "other_overdue": 3}, "3 other invoices are overdue"),
        ("account now", {"other_open": 1}, "1 other invoice is open, none overdue"),
        ("skipped", {"newer_paid": 1}, "a newer invoice was paid, this one was not"),
        ("skipped", {"partly_paid": True}, "newer invoices were paid, this one not in full"),
        ("skipped", {"newer_paid": 0}, "no newer invoice was paid in the last 30 days"),
        ("skipped", {"newer_paid": 0, "same_due_paid": 1},
         "an invoice due at the same time was paid, this one was not"),
        ("skipped", {"newer_paid": 0, "same_due_paid": 2},
         "invoices due at the same time were paid, this one was not"),
        ("amount", {"amount_ratio": 1.52}, "1.5 times the usual amount"),
        ("amount", {"amount_ratio": 9.97}, "10 times the usual amount"),
        ("amount", {"amount_ratio": 0.3}, "30 % of the usual amount"),
        ("amount", {"amount_ratio": 0.004}, "less than 1 % of the usual amount"),
        ("amount", {"amount_ratio": 1.1}, "about the usual amount"),
        ("amount", {"amount_ratio": None}, "no usual amount known yet"),
        ("events", {"events": ("partial_dispute", "promise_broken")},
         "a part of the amount is disputed and a promise was not kept"),
    ],
)  # fmt: skip
def test_singular_plural_and_sides(group: str, changes: dict[str, object], text: str) -> None:
    assert reason_text(group, replace(EXAMPLE, **changes)) == text  # type: ignore[arg-type]


def test_ten_thousand_sentences_never_contradict_their_facts() -> None:
    rng = np.random.default_rng(20)
    told = 0
    for _ in range(1_500):
        facts = _random_facts(rng)
        for group in GROUPS:
            text = reason_text(group, facts)
            _CHECKS[group](text, facts)
            assert not CAUSAL.search(text), text
            assert text == text.strip()
            assert text[0].islower() or text[0].isdigit(), text
            assert not re.search(r"\b1 (\w+ )?(days|invoices)\b|\b(0|[2-9]|\d{2,}) (\w+ )?(day|invoice)\b", text), text
            told += 1
    assert told >= 10_000


def _random_facts(rng: np.random.Generator) -> ReasonFacts:
    paid = int(rng.choice([0, 1, 2, 3, 4, 8, 30, 400]))
    seen = paid > 0
    weekdays = rng.multinomial(paid, rng.dirichlet(np.full(7, rng.choice([0.05, 0.3, 5]))))
    month_days = rng.multinomial(paid, rng.dirichlet(np.full(31, rng.choice([0.02, 0.2, 5]))))
    usual = float(np.round(rng.normal(4, 12) * 2) / 2)
    others = int(rng.choice([0, 1, 2, 17, 900]))
    kinds = ["whole_dispute", "partial_dispute", "promise_live", "promise_broken", "payment_returned",
             "calls_unanswered", "all_contacts_bounce"]  # fmt: skip
    return ReasonFacts(
        paid_count=paid,
        usual_delay=usual if seen else None,
        last_three_delay=usual + float(rng.normal(0, 5)) if paid >= 3 else None,
        days_since_payment=int(rng.choice([0, 1, 2, 35, 400])) if seen else None,
        weekday_payments=tuple(weekdays.tolist()),
        month_day_payments=tuple(month_days.tolist()),
        other_open=others,
        other_overdue=int(rng.integers(0, others + 1)),
        newer_paid=int(rng.choice([0, 0, 1, 2, 9])),
        same_due_paid=int(rng.choice([0, 0, 1, 2])),
        amount_ratio=float(np.exp(rng.normal(0, 2))) if seen else None,
        partly_paid=bool(rng.random() < 0.3),
        events=tuple(sorted(kind for kind in kinds if rng.random() < 0.2)),
    )


def _days_late(text: str) -> float:
    if "on the due day" in text:
        return 0.0
    found = re.search(r"(\d+) days? (after|before) due", text)
    assert found, text
    assert found[1] != "0"
    return float(found[1]) * (1 if found[2] == "after" else -1)


def _check_habit(text: str, facts: ReasonFacts) -> None:
    if facts.usual_delay is None:
        assert text == "has not paid an invoice yet"
        return
    assert ("only" in text) == (facts.paid_count == 1)
    assert abs(_days_late(text) - facts.usual_delay) <= 0.5


def _check_recent(text: str, facts: ReasonFacts) -> None:
    if text.startswith("the last 3"):
        assert facts.paid_count >= 3
        assert facts.last_three_delay is not None
        assert abs(_days_late(text) - facts.last_three_delay) <= 0.5
    elif facts.days_since_payment is None:
        assert facts.paid_count == 0
        assert text == "no payment yet"
    else:
        ago = 0 if "today" in text else int(re.findall(r"\d+", text)[0])
        assert ago == facts.days_since_payment


def _check_pay_days(text: str, facts: ReasonFacts) -> None:
    named = [place for place, name in enumerate(WEEKDAYS) if name in text]
    around = re.search(r"around the (\d+)(st|nd|rd|th)", text)
    if named:
        share = facts.weekday_payments[named[0]] / facts.paid_count
        assert share >= (0.5 if "mostly" in text else 0.9)
    elif around:
        day = int(around[1]) - 1
        near = sum(facts.month_day_payments[place % 31] for place in (day - 1, day, day + 1))
        assert near / facts.paid_count >= 0.5
        endings = {1: "st", 21: "st", 31: "st", 2: "nd", 22: "nd", 3: "rd", 23: "rd"}
        assert around[2] == endings.get(day + 1, "th")
    elif text == "no pay-days known yet":
        assert facts.paid_count < 3
    else:
        assert text == "pays on various days"
        assert max(facts.weekday_payments) < 0.9 * facts.paid_count


def _check_account(text: str, facts: ReasonFacts) -> None:
    number = int((re.findall(r"^\d+", text) or ["0"])[0])
    if "none overdue" in text:
        assert (number, facts.other_overdue) == (facts.other_open, 0)
    elif "overdue" in text:
        assert number == facts.other_overdue > 0
    else:
        assert facts.other_open == 0


def _check_skipped(text: str, facts: ReasonFacts) -> None:
    if text.startswith("no newer"):
        assert facts.newer_paid == facts.same_due_paid == 0
        return
    assert ("not in full" in text) == facts.partly_paid
    count = facts.newer_paid if "newer" in text else facts.same_due_paid
    assert count > 0
    assert ("were paid" in text) == (count > 1)
    assert ("newer" in text) == (facts.newer_paid > 0)


def _check_amount(text: str, facts: ReasonFacts) -> None:
    ratio = facts.amount_ratio
    if ratio is None:
        assert text == "no usual amount known yet"
    elif "times" in text:
        assert float(text.split()[0]) == pytest.approx(ratio, rel=0.05)
        assert ratio > 1
    elif "less than" in text:
        assert ratio < 0.01
    elif "%" in text:
        assert abs(float(text.split()[0]) / 100 - ratio) <= 0.005
        assert ratio < 1
    else:
        assert text == "about the usual amount"
        assert 0.6 < ratio < 1.6


def _check_events(text: str, facts: ReasonFacts) -> None:
    words = {"whole_dispute": "whole amount", "partial_dispute": "a part", "promise_live": "is promised",
             "promise_broken": "not kept", "payment_returned": "was returned", "calls_unanswered": "calls",
             "all_contacts_bounce": "e-mails"}  # fmt: skip
    assert {kind for kind, word in words.items() if word in text} == set(facts.events)
    assert text.startswith("no dispute") == (not facts.events)


_CHECKS = {
    "habit": _check_habit,
    "recent change": _check_recent,
    "pay-days": _check_pay_days,
    "account now": _check_account,
    "skipped": _check_skipped,
    "amount": _check_amount,
    "events": _check_events,
}


def test_counting_words() -> None:
    assert [count_text(count, "day") for count in (0, 1, 2)] == ["0 days", "1 day", "2 days"]


def test_at_most_three_reasons_of_a_day_or_more_the_largest_first() -> None:
    told = largest_reasons([("a", 1.0), ("b", -4.26), ("c", 0.99), ("d", 2.0), ("e", 1.0), ("f", 8.0)])
    assert told == [
        {"reason": "f", "days": 8.0},
        {"reason": "b", "days": -4.3},
        {"reason": "d", "days": 2.0},
    ]


def test_without_such_a_reason_it_says_so() -> None:
    assert largest_reasons([("a", 0.9), ("b", -0.1)]) == [{"reason": "like its norm", "days": 0.0}]
    small = largest_reasons([("a", 0.9), ("b", 0.8)])
    assert small == [{"reason": "several small differences from its norm", "days": 1.7}]


def test_facts_of_the_texts_are_those_of_the_books() -> None:
    """Two invoices paid 2 and 6 days late on Fridays, 300.00 and 100.00; a newer one paid, this one of 600.00 not."""
    paid: list[Row] = [
        invoice("A", issued_on="2026-01-01", due_on="2026-01-14", amount_minor=30_000),
        allocation("A", 30_000, "2026-01-16"),
        invoice("B", issued_on="2026-01-02", due_on="2026-01-17", amount_minor=10_000),
        allocation("B", 10_000, "2026-01-23"),
        invoice("N", issued_on="2026-01-05", due_on="2026-02-05", amount_minor=20_000),
        allocation("N", 20_000, "2026-01-30"),
        invoice("O", issued_on="2026-01-04", due_on="2026-01-20", amount_minor=5_000),
    ]
    asked = invoice("I", issued_on="2026-01-04", due_on="2026-01-25", amount_minor=60_000)
    facts = facts_from_view(known("2026-02-02", asked, *paid))
    open_book = open_landmarks(facts)
    assert facts.invoice_id[open_book.invoice].tolist() == ["I", "O"]
    features = Features(facts, horizon=178, groups=facts.groups)
    told = reason_facts(features, open_book, feature_set="full", promised=np.zeros(2, dtype=bool))[0]
    assert (told.paid_count, told.usual_delay, told.last_three_delay) == (3, 2.0, pytest.approx((2 + 6 - 6) / 3))
    assert told.days_since_payment == 3
    assert told.weekday_payments == (0, 0, 0, 0, 3, 0, 0)
    assert [day + 1 for day, count in enumerate(told.month_day_payments) if count] == [16, 23, 30]
    assert (told.other_open, told.other_overdue, told.newer_paid, told.same_due_paid) == (1, 1, 1, 0)
    assert told.amount_ratio == pytest.approx(3.0, rel=1e-3)
    assert not told.partly_paid
    assert reason_text("skipped", told) == "a newer invoice was paid, this one was not"
    assert reason_text("pay-days", told) == "pays on Fridays"


@pytest.fixture(scope="module")
def model() -> TimingModel:
    view = habit_ledger(customers=25, invoices=1100, days=280).as_of(day_of(240))
    return fit(view, config=TimingConfig(bags=1, rounds=25), threads=1)


def test_only_the_largest_on_rung_model_are_explained(model: TimingModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "EXPLAINED", 5)
    view = habit_ledger(customers=25, invoices=1100, days=280).as_of(day_of(240))
    facts = facts_from_view(view)
    asked = open_landmarks(facts)
    rungs = np.full(len(asked), MODEL, dtype=object)
    rungs[::2] = CUSTOMER_HISTORY
    texts = reasons_in_days(model, facts, asked, rungs, seed=0)
    assert len(texts) == len(asked)
    by_amount = sorted(np.flatnonzero(rungs == MODEL), key=lambda row: -facts.open_minor[asked.invoice[row]])
    explained = set(by_amount[:5])
    habit = habit_reasons(facts, asked)
    for row, text in enumerate(texts):
        told = json.loads(text)
        assert all(set(reason) == {"reason", "days"} for reason in told)
        if row in explained:
            assert 1 <= len(told) <= 3
            assert [abs(one["days"]) for one in told] == sorted((abs(one["days"]) for one in told), reverse=True)
        else:
            assert told == habit[row]
    alone = reasons_in_days(None, facts, asked, rungs, seed=0)
    assert [json.loads(text) for text in alone] == [habit[row] for row in range(len(asked))]


def test_habit_against_the_book_without_a_model() -> None:
    """The book's median delay is 2 days; one customer's is 9, the other's is 2 as well."""
    rows: list[Row] = []
    for number in range(5):
        for customer, late in (("C1", 9), ("C2", 2)):
            name = f"{customer}-{number}"
            rows += [
                invoice(name, customer_id=customer, issued_on="2026-01-01", due_on="2026-01-10"),
                allocation(name, 10_000, f"2026-01-{10 + late}"),
            ]
    extra = [invoice("C2-x", customer_id="C2", issued_on="2026-01-01", due_on="2026-01-10"),
             allocation("C2-x", 10_000, "2026-01-12")]  # fmt: skip
    asked = [invoice("X", customer_id="C1", issued_on="2026-02-01", due_on="2026-02-20"),
             invoice("Y", customer_id="C2", issued_on="2026-02-01", due_on="2026-02-20")]  # fmt: skip
    facts = facts_from_view(known("2026-02-02", *rows, *extra, *asked))
    assert habit_reasons(facts, open_landmarks(facts)) == {
        0: [{"reason": "usually pays 9 days after due", "days": 7.0}],
        1: [{"reason": "usually pays 2 days after due", "days": 0.0}],
    }


def test_without_any_payment_the_reason_says_so() -> None:
    asked = invoice("X", customer_id="C1", issued_on="2026-02-01", due_on="2026-02-20")
    facts = facts_from_view(known("2026-02-02", asked))
    assert habit_reasons(facts, open_landmarks(facts)) == {
        0: [{"reason": "no payment of this customer is known yet", "days": 0.0}]
    }

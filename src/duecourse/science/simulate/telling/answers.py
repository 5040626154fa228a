"""What an answer says: sentences by intent, from what really happened where something did, else by base rates.

Base rates follow the one published count of replies to collections mail (payment status 31 %, invoice administration
20 %, information 7 %; docs/science/simulated-words.md); all others are assumptions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from duecourse.science.simulate.telling.accounts import account_of
from duecourse.science.simulate.telling.composing import Sentence, say
from duecourse.science.simulate.telling.directory import (
    Bill,
    Customer,
    Directory,
    Person,
    amount_text,
    colleague_of,
    named_bills,
)
from duecourse.science.simulate.telling.facts import Facts
from duecourse.science.simulate.telling.keyed import Fortune
from duecourse.science.simulate.telling.words import data, day_text, long_day

# [A] besides what the facts give; the payment_status share is what is left.
USUAL = {
    "invoice_copy_request": 0.15, "purchase_order_or_vendor_form": 0.085, "statement_request": 0.045, "question": 0.075,
    "extension_request": 0.045, "acknowledgement": 0.055, "thanks": 0.02, "conditional_promise": 0.025,
    "bank_detail_question": 0.012, "bank_detail_change": 0.004, "bank_detail_fraud": 0.006, "injection": 0.008,
    "hostile": 0.008, "legal_representation": 0.003,
}  # fmt: skip
SHORT_OF_CASH = {"payment_plan_request": 0.14, "hardship": 0.12, "extension_request": 0.14}
SECOND = ("invoice_copy_request", "question", "thanks", "statement_request")
SECOND_SHARE, PARTLY_SAID, ADVICE_SHARE = 0.16, 0.5, 0.12
FIRST_LINE = {"en": "item 1", "de": "Position 1", "fr": "l'article 1", "nl": "regel 1", "es": "la línea 1"}
OF_A_PART = ("pricing", "shortage", "damage", "quality", "freight")  # reasons that rarely hold a whole bill back
# Intents that are worded in more than one way.
_INTENT = {"bank_detail_fraud": "bank_detail_change", "payment_run": "payment_status", "injection": "other"}


@dataclass(frozen=True)
class Asked:
    """One contact of the house: row of ``activities``, who got it, and the invoices it was about."""

    row: Mapping[str, Any]
    customer: Customer
    author: Person
    bills: list[Bill]

    @property
    def day(self) -> date:
        """The day of the contact."""
        day: date = self.row["occurred_at"].date()
        return day


def answer_to(asked: Asked, facts: Facts, directory: Directory, fortune: Fortune) -> list[Sentence]:
    """What is answered to a mail: promises and disputes of that day first, then what payments say, then the usual."""
    ids = [bill.invoice_id for bill in asked.bills]
    said = [_promise(asked, row, fortune) for row in facts.promised(asked.day, ids)]
    said += [dispute_sentence(asked.customer, asked.author, row, directory, facts)
             for row in facts.disputed(asked.day, ids)[:3]]  # fmt: skip
    if not said:
        said = [_sentence(asked, _usual(asked, facts, ids, fortune), facts, fortune)]
    if fortune.chance("second", SECOND_SHARE):
        extra = fortune.pick("second intent", SECOND)
        if extra not in [each.intent for each in said]:
            said.append(_sentence(asked, extra, facts, fortune))
    return said


def _promise(asked: Asked, row: Mapping[str, Any], fortune: Fortune) -> Sentence:
    known = {bill.invoice_id: bill for bill in asked.bills}
    bills = [known[each] for each in row["invoice_ids"] if each in known]
    fewer = len(bills) < len(asked.bills)
    intent = "partial_promise" if fewer and fortune.chance("partly", PARTLY_SAID) else "promise_to_pay"
    slots = {
        "amount": amount_text(row["amount_minor"], asked.customer),
        "invoices": named_bills(bills, asked.author.style, asked.customer.language),
        "day": long_day(row["due_on"], asked.customer.language, asked.customer.country),
    }
    return Sentence(intent, say(asked.customer.language, "intent", intent, fortune, slots))


def dispute_sentence(
    customer: Customer, author: Person, row: Mapping[str, Any], directory: Directory, facts: Facts
) -> Sentence:
    """The claim of a dispute (a row of ``disputes``) in the customer's words."""
    bill = directory.bills[row["invoice_id"]]
    slots = dispute_slots(customer, author, row, bill, facts)
    words = data(customer.language)
    reason = row["reason"] if row["reason"] in words["why"] else "other"
    why = words["why"][reason].format_map(slots)
    kind = reason
    if row["dispute_id"].startswith("DS"):
        kind = "short"
    elif reason in OF_A_PART and row["disputed_minor"] == bill.amount_minor:
        kind = "whole"
    fortune = Fortune(0, row["dispute_id"])  # the claim of a case is worded once, wherever it is told
    return Sentence("dispute", say(customer.language, "dispute", kind, fortune, slots | {"why": why}))


def dispute_slots(customer: Customer, author: Person, row: Mapping[str, Any], bill: Bill, facts: Facts
                  ) -> dict[str, str]:  # fmt: skip
    """Words about a dispute and its invoice."""
    return {
        "invoice": bill.named(author.style), "amount": amount_text(row["disputed_minor"] or 0, customer),
        "article": facts.articles.get(bill.invoice_id, ("", FIRST_LINE[customer.language]))[1], "po": bill.po_number,
    }  # fmt: skip


def _usual(asked: Asked, facts: Facts, ids: list[str], fortune: Fortune) -> str:
    """The wording of an answer without a promise or dispute."""
    if facts.just_paid(asked.day, ids):
        return "already_paid"
    if facts.just_decided(asked.day, ids):
        return "remittance_advice" if fortune.chance("advice", ADVICE_SHARE) else "payment_run"
    shares = dict(USUAL)
    if facts.sort_of.get(asked.customer.customer_id) in ("cash", "insolvent"):
        shares |= SHORT_OF_CASH
    draw = fortune.roll("usual")
    for wording, share in shares.items():
        draw -= share
        if draw < 0:
            return wording
    return "payment_status"


def _sentence(asked: Asked, wording: str, facts: Facts, fortune: Fortune) -> Sentence:
    slots = _slots(asked, wording, facts, fortune)
    return Sentence(_INTENT.get(wording, wording), say(asked.customer.language, "intent", wording, fortune, slots))


def _slots(asked: Asked, wording: str, facts: Facts, fortune: Fortune) -> dict[str, str]:
    customer, style = asked.customer, asked.author.style
    ids = [bill.invoice_id for bill in asked.bills]
    about = asked.bills
    if wording == "already_paid":
        chosen = set(facts.just_paid(asked.day, ids))
        about = [bill for bill in asked.bills if bill.invoice_id in chosen] or asked.bills
    elif wording in ("payment_run", "remittance_advice"):
        chosen = set(facts.just_decided(asked.day, ids))
        about = [bill for bill in asked.bills if bill.invoice_id in chosen] or asked.bills
    bill = fortune.pick("which", about) if about else None
    paid = facts.received.get(bill.invoice_id, asked.day) - timedelta(days=1) if bill else asked.day
    paid -= timedelta(days=max(paid.weekday() - 4, 0))
    advice = "; ".join(f"{one.named(style)} {amount_text(one.amount_minor, customer)}" for one in about[:5])
    total = sum(one.amount_minor for one in asked.bills)
    return {
        "invoice": bill.named(style) if bill else customer.customer_id, "account": customer.customer_id,
        "invoices": named_bills(asked.bills, style, customer.language) or customer.customer_id,
        "amount": amount_text(total, customer), "paid": day_text(paid, customer.language, customer.country),
        "advice": advice, "po": bill.po_number if bill else "", "n": str(3 + fortune.below("instalments", 4)),
        "sku": facts.articles.get(bill.invoice_id, ("1", ""))[0] if bill else "1", "company": customer.name,
        "colleague": colleague_of(customer, fortune), "iban": account_of("DE", fortune, "fraud"),
    }  # fmt: skip


def event_sentence(asked: Asked, what: str, facts: Facts, fortune: Fortune) -> Sentence:
    """What is written when somebody opts out, complains, fails or is the wrong person."""
    wording = {"opt_out": "cease_contact", "insolvent": "insolvency", "wrong_person": "wrong_contact"}.get(what, what)
    return _sentence(asked, wording, facts, fortune)

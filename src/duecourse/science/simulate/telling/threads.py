"""Threads about disputes: claim, answer of the house, evidence, outcome, last word; quoted history, attachments.

Two to six messages, none before its cause: the claim when the dispute opens, the outcome when it closes. The house
writes on the case page (channel ``portal``), so that a case is never counted as a reminder. ``disputes`` gain an owner
and, when they close, a root cause.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl

from duecourse.science.simulate.telling.answers import dispute_sentence, dispute_slots
from duecourse.science.simulate.telling.composing import Occasion, Sentence, Written, compose, say
from duecourse.science.simulate.telling.conversations import Talk, at_time, business_day
from duecourse.science.simulate.telling.directory import Bill, Customer, Person, amount_text, house_name, house_phone
from duecourse.science.simulate.telling.keyed import Fortune
from duecourse.science.simulate.telling.outgoing import opened
from duecourse.science.simulate.telling.people import MANAGERS
from duecourse.science.simulate.telling.words import data, day_text

OWNERS = {
    "pricing": "pricing desk", "freight": "pricing desk", "shortage": "logistics desk",
    "not_received": "logistics desk", "damage": "logistics desk", "quality": "quality desk",
    "missing_document": "accounts receivable", "duplicate": "accounts receivable",
}  # fmt: skip
CAUSES = {
    "pricing": ("price_master", "contract_not_loaded"), "shortage": ("picking", "proof_missing"),
    "not_received": ("carrier_delay", "address_data"), "damage": ("carrier_damage", "picking"),
    "quality": ("product_quality", "order_entry"), "missing_document": ("proof_missing", "address_data"),
    "freight": ("order_entry", "contract_not_loaded"), "duplicate": ("duplicate_billing", "order_entry"),
}  # fmt: skip
ASKED_SHARE, EVIDENCE_SHARE, LAST_WORD_SHARE, CLAIM_BY_MAIL, OBJECTION_SHARE = 0.55, 0.6, 0.5, 0.6, 0.6
HISTORY_LINES = 14


@dataclass
class Case:
    """One dispute while its thread is written: rows of ``disputes`` (opening, closing or None) and the last message."""

    opening: dict[str, Any]
    closing: dict[str, Any] | None
    customer: Customer
    author: Person
    bill: Bill
    fortune: Fortune
    last: str = ""
    last_on: date | None = None
    number: int = 0

    @property
    def ends(self) -> date:
        """The day of the outcome; far away while there is none."""
        return self.closing["closed_on"] if self.closing else date.max


def told_disputes(disputes: pl.DataFrame, talk: Talk, told_in_answers: set[str]) -> pl.DataFrame:
    """``disputes`` with owner and root cause; the threads are left in ``talk``.

    ``told_in_answers``: disputes whose claim stands in an answer to a reminder already.
    """
    first = disputes.sort("recorded_at").unique("dispute_id", keep="first", maintain_order=True).sort("dispute_id")
    closed = disputes.filter(pl.col("closed_on").is_not_null()).sort("recorded_at")
    ends = {row["dispute_id"]: row for row in closed.iter_rows(named=True)}
    for row in first.iter_rows(named=True):
        bill = talk.directory.bills[row["invoice_id"]]
        customer = talk.directory.customers[bill.customer_id]
        if customer.people:
            fortune = talk.luck.own(row["dispute_id"])
            author = customer.people[-1] if fortune.chance("buyer writes", 0.3) else customer.people[0]
            case = Case(row, ends.get(row["dispute_id"]), customer, author, bill, fortune)
            _thread(case, talk, told=row["dispute_id"] in told_in_answers)
    return _with_owner_and_cause(disputes, talk)


def _with_owner_and_cause(disputes: pl.DataFrame, talk: Talk) -> pl.DataFrame:
    owners: list[str] = []
    causes: list[str | None] = []
    columns = disputes.select("dispute_id", "reason", "outcome", "closed_on").iter_rows()
    for own, reason, outcome, closed_on in columns:
        owners.append(OWNERS.get(reason, "accounts receivable"))
        fortune = talk.luck.own(own)
        if closed_on is None:
            causes.append(None)
        elif outcome in ("invalid", "withdrawn"):
            causes.append("customer_error" if fortune.chance("error", 0.7) else "unknown")
        else:
            causes.append(fortune.pick("cause", CAUSES.get(reason, ("unknown",))))
    return disputes.with_columns(
        pl.Series("owner", owners, dtype=pl.String), pl.Series("root_cause", causes, dtype=pl.String)
    )


def _thread(case: Case, talk: Talk, *, told: bool) -> None:
    fortune, opened_on = case.fortune, case.opening["opened_on"]
    short = case.opening["dispute_id"].startswith("DS")
    if not told and (not short or fortune.chance("claim by mail", CLAIM_BY_MAIL)):
        when = at_time(business_day(opened_on + timedelta(days=1 if short else 0)), 7, 2, fortune)
        _claim(case, talk, when)
    day = business_day(opened_on + timedelta(days=1 + fortune.below("acknowledged", 2) + short))
    if day < case.ends:
        move = "ask" if fortune.chance("asked", ASKED_SHARE) else "acknowledge"
        move = "short" if short and not case.last else move
        _house(case, talk, move, at_time(day, 9, 6, fortune))
        answered = business_day(day + timedelta(days=2 + fortune.below("evidence days", 4)))
        if answered < case.ends and fortune.chance("evidence", EVIDENCE_SHARE):
            _customer(case, talk, "evidence", at_time(answered, 7, 9, fortune))
    if case.closing is None:
        return
    outcome = case.closing["outcome"] or "withdrawn"
    _house(case, talk, outcome, at_time(business_day(case.ends), 18, 1, fortune))
    objects = outcome == "invalid" and fortune.chance("objects", OBJECTION_SHARE)
    if objects or (outcome in ("valid", "partly_valid") and fortune.chance("last word", LAST_WORD_SHARE)):
        after = business_day(case.ends + timedelta(days=3 + fortune.below("last days", 3)))
        _customer(case, talk, "objection" if objects else "thanks", at_time(after, 7, 9, fortune))


def _claim(case: Case, talk: Talk, when: datetime) -> None:
    said = dispute_sentence(case.customer, case.author, case.opening, talk.directory, talk.facts)
    words = data(case.customer.language)["thread"]
    reason = case.opening["reason"]
    file = words["attachments"].get(reason, words["attachments"]["other"])
    _mail(case, talk, [said], when, file if reason != "not_received" else "")


def _customer(case: Case, talk: Talk, move: str, when: datetime) -> None:
    slots = dispute_slots(case.customer, case.author, case.opening, case.bill, talk.facts)
    text = say(case.customer.language, "thread", move, case.fortune, slots)
    words = data(case.customer.language)["thread"]["attachments"]
    file = words.get(case.opening["reason"], words["other"]) if move == "evidence" else ""
    intent = {"evidence": "dispute", "objection": "complaint"}.get(move, move)
    _mail(case, talk, [Sentence(intent, text)], when, file)


def _mail(case: Case, talk: Talk, said: list[Sentence], when: datetime, file: str) -> None:
    """A message of the customer, with what it attaches and the message that it answers."""
    words = data(case.customer.language)["thread"]
    subject = ("Re: " if case.last else "") + words["subject"].format(invoice=case.bill.invoice_id)
    occasion = Occasion(case.customer, case.author, None, "", subject)
    written = compose(occasion, said, talk.luck.own(f"{case.opening['dispute_id']}/{case.number}"))
    text = written.text
    if file:
        number = case.bill.invoice_id.removeprefix("INV-")
        text += "\n\n" + words["attached"].format(file=file.format(n=number))
    text += _history(case, house_wrote=True)
    row = _row(case, "email", "in", when, text)
    talk.add(row | {"contact_id": case.author.contact_id})
    talk.known(row, Written(text, written.spans), case.customer, case.author.style)
    case.last, case.last_on = written.text, when.date()


def _house(case: Case, talk: Talk, move: str, when: datetime) -> None:
    """A message of the case desk; the outcome names the credit note."""
    words = data(case.customer.language)
    row, closing = case.opening, case.closing or {}
    slots = {
        "invoice": case.bill.invoice_id, "case": row["dispute_id"], "credit": closing.get("credit_id") or "",
        "amount": amount_text(row["disputed_minor"] or 0, case.customer),
        "valid": amount_text(closing.get("valid_minor") or 0, case.customer),
        "owner": case.fortune.pick("desk", MANAGERS),
    }  # fmt: skip
    body = say(case.customer.language, "thread", move, case.fortune, slots)
    out = words["out"]
    closing_words = out["closing"][0].format(
        collector=case.customer.collector, house=house_name(case.customer.currency),
        phone=house_phone(case.customer.currency),
    )  # fmt: skip
    subject = ("Re: " if case.last else "") + words["thread"]["subject"].format(invoice=case.bill.invoice_id)
    greeting = out["greeting"][0].format(contact=case.author.name)
    text = f"{subject}\n\n{greeting}\n\n{opened(body, case.customer.language)}\n\n{closing_words}"
    if move == "invalid":
        number = case.bill.invoice_id.removeprefix("INV-")
        text += "\n\n" + words["thread"]["attached"].format(file=words["thread"]["proof"].format(n=number))
    whole = text + _history(case, house_wrote=False)
    talk.add(
        _row(case, "portal", "out", when, whole) | {"contact_id": case.author.contact_id, "template": f"case_{move}"}
    )
    case.last, case.last_on = text, when.date()


def _history(case: Case, *, house_wrote: bool) -> str:
    """The message before, quoted; empty for the first one and for people who cut it off."""
    if not case.last or case.last_on is None or not case.fortune.chance(f"history {case.number}", 0.8):
        return ""
    who = house_name(case.customer.currency) if house_wrote else case.author.name
    day = day_text(case.last_on, case.customer.language, case.customer.country)
    line: str = data(case.customer.language)["quoted"]["line"].format(sent=day, house=who)
    kept = case.last.split("\n")[2 : 2 + HISTORY_LINES]
    return "\n\n" + line + "\n" + "\n".join(f"> {each}".rstrip() for each in kept)


def _row(case: Case, channel: str, direction: str, when: datetime, text: str) -> dict[str, Any]:
    case.number += 1
    return {
        "activity_id": f"CASE-{case.opening['dispute_id']}-{case.number}", "customer_id": case.customer.customer_id,
        "channel": channel, "direction": direction, "occurred_at": when, "invoice_ids": [case.bill.invoice_id],
        "text": text,
    }  # fmt: skip

"""Conversations: the words of every contact in ``activities``, and the answers, notices and notes that follow it.

Rows that exist keep their facts and gain text and contact. New rows: answers to mails (outcome ``replied``), opt-outs,
complaints, notices of insolvency, bounces, automatic replies, and the collectors' notes on them (channel ``note``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import polars as pl

from duecourse.science.simulate.telling.answers import Asked, answer_to, event_sentence
from duecourse.science.simulate.telling.composing import Occasion, Sentence, Written, compose
from duecourse.science.simulate.telling.directory import Customer, Directory
from duecourse.science.simulate.telling.facts import Facts
from duecourse.science.simulate.telling.keyed import Fortune, Luck
from duecourse.science.simulate.telling.notes import answer_note, call_note, spoken_promise
from duecourse.science.simulate.telling.notices import automatic_reply, bounce_notice
from duecourse.science.simulate.telling.outgoing import outgoing_text

LAST_MINUTE = 16 * 60 + 50  # promises of a day are written down at 17:00
AWAY_SHARE, UNNOTED_SHARE, SAME_DAY_SHARE = 0.03, 0.06, 0.55
NOTE_MINUTES = 3.0


@dataclass
class Talk:
    """What is being written: new rows, texts by activity, quotes by promise, and the truth of messages."""

    facts: Facts
    directory: Directory
    luck: Luck
    rows: list[dict[str, Any]] = field(default_factory=list)
    truth: list[dict[str, Any]] = field(default_factory=list)
    quotes: dict[str, tuple[str, str]] = field(default_factory=dict)

    def add(self, row: dict[str, Any]) -> None:
        """A new row, if it happened before the end of the book."""
        if row["occurred_at"].date() < self.facts.as_of:
            self.rows.append(row | {"recorded_at": row["occurred_at"]})

    def known(self, row: dict[str, Any], written: Written, customer: Customer, style: str) -> None:
        """The truth of a message that is in the book."""
        if row["occurred_at"].date() < self.facts.as_of:
            self.truth.append({
                "activity_id": row["activity_id"], "customer_id": customer.customer_id, "language": customer.language,
                "style": style, "intents": [intent for intent, _, _ in written.spans],
                "spans": [f"{start}:{end}" for _, start, end in written.spans],
            })  # fmt: skip


def converse(activities: pl.DataFrame, talk: Talk) -> pl.DataFrame:
    """``activities`` with ``contact_id`` and ``text``; what follows from them is left in ``talk``."""
    contacts: list[str | None] = []
    texts: list[str | None] = []
    for row in activities.iter_rows(named=True):
        customer = talk.directory.customers[row["customer_id"]]
        fortune = talk.luck.own(row["activity_id"])
        person = customer.people[0] if customer.people else None
        contacts.append(row["contact_id"] or (person.contact_id if person else None))
        if person is None:
            texts.append(None)
            continue
        bills = [talk.directory.bills[each] for each in row["invoice_ids"] or []]
        asked = Asked(row, customer, person, bills)
        if row["channel"] == "call":
            texts.append(_called(asked, talk, fortune))
        else:
            text = outgoing_text(row, customer, person, talk.directory, fortune)
            texts.append(text)
            _after(asked, text, talk, fortune)
    return activities.with_columns(
        pl.Series("contact_id", contacts, dtype=pl.String), pl.Series("text", texts, dtype=pl.String)
    )


def _called(asked: Asked, talk: Talk, fortune: Fortune) -> str:
    """The note on a call; promises given in it are quoted."""
    ids = [bill.invoice_id for bill in asked.bills]
    reached = asked.row["outcome"] == "reached"
    promised = talk.facts.promised(asked.day, ids) if reached else []
    for row in promised:
        talk.quotes[row["promise_id"]] = ("call", spoken_promise(asked, row, fortune))
    disputed = talk.facts.disputed(asked.day, ids) if reached else []
    return call_note(asked, promised, disputed, fortune)


def _after(asked: Asked, text: str, talk: Talk, fortune: Fortune) -> None:
    """What comes back for a mail, a text or a letter."""
    happened = talk.facts.events.get((asked.day, asked.customer.customer_id), ())
    if asked.row["channel"] == "email" and ("bounced" in happened or asked.row["outcome"] == "bounced"):
        talk.add(bounce_notice(asked, fortune))
        return
    if asked.row["outcome"] == "replied":
        _reply(asked, text, talk, fortune)
    elif asked.row["channel"] == "email" and fortune.chance("away", AWAY_SHARE):
        talk.add(automatic_reply(asked, text, fortune))
    for what in happened:
        if what in ("opt_out", "complaint", "wrong_person"):
            _write(asked, [event_sentence(asked, what, talk.facts, fortune)], what, text, talk=talk)


def _reply(asked: Asked, text: str, talk: Talk, fortune: Fortune) -> None:
    said = answer_to(asked, talk.facts, talk.directory, fortune)
    written = _write(asked, said, "reply", text, talk=talk)
    for row in talk.facts.promised(asked.day, [bill.invoice_id for bill in asked.bills]):
        at = next((span for span in written.spans if span[0] in ("promise_to_pay", "partial_promise")), None)
        sentences = [written.text[start:end] for what, start, end in written.spans if "promise" in what]
        numbered = [each for each in sentences if _tells(each, row["invoice_ids"])]
        if at is not None:
            talk.quotes[row["promise_id"]] = ("email", (numbered or sentences)[0])


def _tells(sentence: str, invoice_ids: list[str]) -> bool:
    return any(each.removeprefix("INV-") in sentence for each in invoice_ids)


def _write(asked: Asked, said: list[Sentence], kind: str, text: str, *, talk: Talk) -> Written:
    """One mail of the customer and the note on it."""
    key = f"{kind[:3].upper()}-{asked.row['activity_id'].removeprefix('ACT-')}"
    fortune = talk.luck.own(key)
    subject, _, before = text.partition("\n\n")
    occasion = Occasion(asked.customer, asked.author, asked.day, before, f"Re: {subject}" if before else "")
    written = compose(occasion, said, fortune)
    bound = any("promise" in each.intent or each.intent == "dispute" for each in said)
    when = answer_time(asked.row["occurred_at"], fortune, same_day=bound)
    row = {
        "activity_id": key, "customer_id": asked.customer.customer_id, "channel": "email", "direction": "in",
        "occurred_at": when, "contact_id": asked.author.contact_id, "invoice_ids": asked.row["invoice_ids"],
        "text": written.text,
    }  # fmt: skip
    talk.add(row)
    talk.known(row, written, asked.customer, asked.author.style)
    if not fortune.chance("unnoted", UNNOTED_SHARE) or said[0].intent in ("cease_contact", "insolvency"):
        note = answer_note(asked, said[0], talk.facts, fortune)
        later = row | {"activity_id": f"NOT-{key}", "channel": "note", "direction": "out", "text": note,
                       "minutes": NOTE_MINUTES, "occurred_at": note_time(when, fortune)}  # fmt: skip
        talk.add(later)
    return written


def answer_time(sent: datetime, fortune: Fortune, *, same_day: bool) -> datetime:
    """When an answer comes: the same day or one of the next two business days."""
    if same_day or fortune.chance("same day", SAME_DAY_SHARE):
        left = max(LAST_MINUTE - sent.hour * 60 - sent.minute, 2)
        return sent + timedelta(minutes=1 + fortune.below("answered in", left - 1))
    day = business_day(sent.date() + timedelta(days=1 + fortune.below("days", 2)))
    return at_time(day, 6, 10, fortune)


def note_time(when: datetime, fortune: Fortune) -> datetime:
    """When a collector has read a mail of ``when``: the next business day."""
    return at_time(business_day(when.date() + timedelta(days=1)), 7, 8, fortune)


def business_day(day: date) -> date:
    """That day, or the Monday after it."""
    return day + timedelta(days=7 - day.weekday()) if day.weekday() > 4 else day


def at_time(day: date, first_hour: int, hours: int, fortune: Fortune) -> datetime:
    """A time of that day (UTC), minutes drawn."""
    minute = fortune.below(f"minute {day}", 60 * hours)
    return datetime.combine(day, time(first_hour + minute // 60, minute % 60), tzinfo=UTC)

"""The words of what the house sends: mails, texts and letters of the reminders, in the customer's language."""

from __future__ import annotations

from typing import Any

from duecourse.science.simulate.telling.directory import (
    Bill,
    Customer,
    Directory,
    Person,
    amount_text,
    house_name,
    house_phone,
)
from duecourse.science.simulate.telling.keyed import Fortune
from duecourse.science.simulate.telling.words import data, day_text

ROWS_AT_MOST = 12
_BY_TONE = {"soft": "email_soft", "neutral": "email_neutral", "firm": "email_firm", "final": "email_firm"}


def outgoing_text(row: dict[str, Any], who: Customer, person: Person | None, directory: Directory, fortune: Fortune
                  ) -> str:  # fmt: skip
    """The text of an outgoing mail, text message or letter (a row of ``activities``)."""
    bills = sorted((directory.bills[each] for each in row["invoice_ids"] or []), key=lambda one: one.due_on)
    words = data(who.language)["out"]
    slots = _slots(who, person, bills)
    if row["channel"] == "sms":
        return str(fortune.pick("sms", words["sms"])).format_map(slots)
    name = _template(row)
    slots["table"] = _table(who, bills)
    body = str(fortune.pick("body", words[name])).format_map(slots)
    greeting = words["greeting"][0].format_map(slots)
    closing = words["closing"][0].format_map(slots)
    subject = words["subject"][name].format_map(slots)
    return f"{subject}\n\n{greeting}\n\n{opened(body, who.language)}\n\n{closing}"


def opened(body: str, language: str) -> str:
    """The first letter after a salutation: small in German, a capital elsewhere."""
    return body if language == "de" else body[:1].upper() + body[1:]


def _template(row: dict[str, Any]) -> str:
    """The wording for the arm, or for channel and tone where the arm has none of its own."""
    arm = (row["template"] or "").removeprefix("house_")
    if row["channel"] == "letter":
        return "letter_formal"
    return arm if arm in ("email_discount", "send_documents") else _BY_TONE[row["tone"] or "soft"]


def _slots(who: Customer, person: Person | None, bills: list[Bill]) -> dict[str, str]:
    oldest = day_text(bills[0].due_on, who.language, who.country) if bills else ""
    return {
        "account": who.customer_id, "contact": person.name if person else who.name, "collector": who.collector,
        "house": house_name(who.currency), "phone": house_phone(who.currency), "count": str(len(bills)),
        "total": amount_text(sum(bill.amount_minor for bill in bills), who), "due": oldest,
    }  # fmt: skip


def _table(who: Customer, bills: list[Bill]) -> str:
    words = data(who.language)["out"]
    rows = [
        words["row"].format(
            invoice=bill.invoice_id, issued=day_text(bill.issued_on, who.language, who.country),
            due=day_text(bill.due_on, who.language, who.country), amount=amount_text(bill.amount_minor, who),
        )
        for bill in bills[:ROWS_AT_MOST]
    ]  # fmt: skip
    if len(bills) > ROWS_AT_MOST:
        rows.append(words["more"].format(n=len(bills) - ROWS_AT_MOST))
    return "\n".join(rows)

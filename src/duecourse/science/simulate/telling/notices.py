"""What machines write back: bounces of mail servers and automatic replies of people who are away."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from duecourse.science.simulate.telling.answers import Asked
from duecourse.science.simulate.telling.directory import colleague_of
from duecourse.science.simulate.telling.keyed import Fortune
from duecourse.science.simulate.telling.words import data, day_text

CODES = (
    ("550 5.1.1 user unknown", "5.1.1"), ("552 5.2.2 mailbox full", "5.2.2"),
    ("550 5.7.1 rejected by policy", "5.7.1"), ("451 4.4.1 connection timed out", "4.4.1"),
)  # fmt: skip
HARD_SHARE = 0.7


def bounce_notice(asked: Asked, fortune: Fortune) -> dict[str, Any]:
    """The notice of non-delivery for a mail (RFC 3464 in short), minutes after it."""
    code, status = CODES[0] if fortune.chance("hard", HARD_SHARE) else fortune.pick("code", CODES)
    host = asked.author.email.rpartition("@")[2] or "mail.example"
    text = str(data(asked.customer.language)["intent"]["bounced"])
    return _row(asked, "BNC", fortune) | {
        "text": text.format(host=f"mx.{host}", email=asked.author.email, code=code, status=status)
    }


def automatic_reply(asked: Asked, text: str, fortune: Fortune) -> dict[str, Any]:
    """Out of office: until when and who stands in; ``text`` is the mail that it answers."""
    customer = asked.customer
    words = data(customer.language)["intent"]
    until = asked.day + timedelta(days=2 + fortune.below("away days", 18))
    until += timedelta(days=7 - until.weekday()) if until.weekday() > 4 else timedelta()
    said = str(fortune.pick("away text", words["out_of_office"])).format(
        until=day_text(until, customer.language, customer.country), colleague=colleague_of(customer, fortune)
    )
    subject = words["out_of_office_subject"] + text.partition("\n")[0]
    return _row(asked, "OOO", fortune) | {"text": f"{subject}\n\n{said}\n\n{asked.author.name}\n{customer.name}"}


def _row(asked: Asked, kind: str, fortune: Fortune) -> dict[str, Any]:
    return {
        "activity_id": f"{kind}-{asked.row['activity_id'].removeprefix('ACT-')}",
        "customer_id": asked.customer.customer_id, "channel": "email", "direction": "in",
        "occurred_at": asked.row["occurred_at"] + timedelta(seconds=20 + fortune.below("seconds", 300)),
        "contact_id": asked.author.contact_id, "invoice_ids": asked.row["invoice_ids"],
    }  # fmt: skip

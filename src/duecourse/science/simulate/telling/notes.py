"""Collectors' notes on calls and answers: short, with the abbreviations of the trade, each in its author's manner."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from duecourse.science.simulate.telling.answers import Asked
from duecourse.science.simulate.telling.composing import Sentence, say
from duecourse.science.simulate.telling.directory import Person, amount_text, role_text
from duecourse.science.simulate.telling.facts import Facts
from duecourse.science.simulate.telling.keyed import Fortune
from duecourse.science.simulate.telling.words import data, long_day, money

SLIP_SHARE = 0.35


def call_note(
    asked: Asked, promised: Sequence[Mapping[str, Any]], disputed: Sequence[Mapping[str, Any]], fortune: Fortune
) -> str:
    """The note on a call with this outcome."""
    words = data("notes")
    outcome = asked.row["outcome"]
    if outcome == "reached":
        kind = "promise" if promised else "dispute" if disputed else "other"
        lines = words["reached"][kind]
    else:
        lines = words["missed"].get(outcome, words["missed"]["no_answer"])
    slots = _slots(asked, fortune) | _about(asked, promised, disputed)
    return in_manner(str(fortune.pick("note", lines)).format_map(slots), asked, fortune)


def answer_note(asked: Asked, said: Sentence, facts: Facts, fortune: Fortune) -> str:
    """The note on an answer that was read; a promise is noted with its day, a dispute with its reason."""
    words = data("notes")
    lines = words["answered"].get(said.intent, words["answered"]["other"])
    ids = [bill.invoice_id for bill in asked.bills]
    slots = _slots(asked, fortune) | _about(asked, facts.promised(asked.day, ids), facts.disputed(asked.day, ids))
    return in_manner(str(fortune.pick("note", lines)).format_map(slots), asked, fortune)


def _about(
    asked: Asked, promised: Sequence[Mapping[str, Any]], disputed: Sequence[Mapping[str, Any]]
) -> dict[str, str]:
    """Words about the first promise, else about the first dispute."""
    if promised:
        row = promised[0]
        return {"date": f"{row['due_on']:%d/%m}", "amount": _amount(asked, row["amount_minor"]),
                "count": str(len(row["invoice_ids"])), "invoice": row["invoice_ids"][0]}  # fmt: skip
    if disputed:
        row, reasons = disputed[0], data("notes")["reasons"]
        return {"invoice": row["invoice_id"], "amount": _amount(asked, row["disputed_minor"] or 0),
                "reason": reasons.get(row["reason"], reasons["other"])}  # fmt: skip
    return {}


def spoken_promise(asked: Asked, row: Mapping[str, Any], fortune: Fortune) -> str:
    """What was said on the telephone when this promise was given."""
    language, country = asked.customer.language, asked.customer.country
    slots = {
        "day": long_day(row["due_on"], language, country),
        "amount": amount_text(row["amount_minor"], asked.customer),
    }
    return say(language, "said", "promise", fortune, slots)


def in_manner(text: str, asked: Asked, fortune: Fortune) -> str:
    """The note as this collector types it, with initials."""
    collector = data("house")["collectors"].get(asked.customer.collector)
    if collector is None:
        return text
    style, words = collector["style"], data("notes")["slips"]
    if style == "lower":
        text = text.lower()
    if style == "slips" and fortune.chance("typing", SLIP_SHARE):
        for right, wrong in zip(words["from"], words["to"], strict=True):
            text = text.replace(f" {right} ", f" {wrong} ")
    if style == "terse":
        text = re.split(r"\. (?=[A-Z])", text)[0].rstrip(".")
    return f"{text} {collector['initials']}" if style != "short" else f"{collector['initials']}: {text}"


def _slots(asked: Asked, fortune: Fortune) -> dict[str, str]:
    author: Person = asked.author
    bill = fortune.pick("which", asked.bills) if asked.bills else None
    total = sum(one.amount_minor for one in asked.bills)
    return {
        "first": author.first, "role": role_text(author, "en").lower(), "count": str(len(asked.bills)),
        "amount": _amount(asked, total), "invoice": bill.invoice_id if bill else asked.customer.customer_id,
        "reason": "", "date": f"{long_day(asked.day, 'en')}",
    }  # fmt: skip


def _amount(asked: Asked, minor: int) -> str:
    """A round amount, as one writes it down while talking."""
    return money(minor, asked.customer.currency, "en").split(".")[0]

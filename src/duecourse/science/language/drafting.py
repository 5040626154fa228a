"""``draft``: an e-mail, letter, text message or call script from reviewed templates; numbers only from the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import polars as pl

from duecourse.core.money import Money
from duecourse.ledger.as_of import View
from duecourse.science.language.facts import FactReader, MessageFacts, TermsFacts
from duecourse.science.language.rendering import invoice_table, written_amounts, written_date, written_percent
from duecourse.science.language.templates import fill, template

EMAILS = ("email_soft", "email_neutral", "email_firm", "email_discount", "send_documents")
CALLS = ("call_service", "call_firm", "call_plan")
TERMS_COLUMNS = ("offer_percent", "offer_by", "plan_instalments", "plan_by", "plan_first_percent")
LONGEST_SUBJECT = 78
# Placeholders that stand for whole sentences of the template, not for one fact.
SENTENCES = ("status", "situation", "spoken", "sender", "contact_or_payables")


def draft_worklist(view: View, worklist: pl.DataFrame, *, sender: str = "") -> dict[str, str]:
    """File name -> draft for every row of ``worklist`` that names a draft.

    ``worklist`` has customer_id, invoice_ids, contact_id, arm and draft, and for offers ``TERMS_COLUMNS``. ``sender``
    signs; without one the department does.
    """
    reader = FactReader(view)
    drafts = {}
    for row in worklist.filter(pl.col("draft") != "").iter_rows(named=True):
        facts = reader.read(row["customer_id"], row["invoice_ids"], row["contact_id"], sender=sender)
        drafts[row["draft"]] = draft(replace(facts, terms=_terms(row)), row["arm"])
    return drafts


def _terms(row: Mapping[str, Any]) -> TermsFacts | None:
    percent, offer_by, instalments, plan_by, first = (row.get(name) for name in TERMS_COLUMNS)
    if offer_by is not None:
        return TermsFacts(offer_by, percent=percent)
    return None if plan_by is None else TermsFacts(plan_by, instalments=instalments, first_percent=first)


def draft(facts: MessageFacts, arm: str) -> str:
    """The whole text of one draft, ending in a line break.

    Call scripts exist in English and are marked with the language to speak; everything else is in the customer's.
    Raises ValueError for an arm without a template, a reminder without an invoice to remind of, or an offer without
    its terms.
    """
    if not facts.lines and arm != "send_documents":
        raise ValueError("a reminder needs at least one invoice on which something may be asked for")
    if arm in EMAILS:
        return _email(facts, arm)
    if arm == "letter_formal":
        return _letter(facts)
    if arm == "sms_soft":
        return _text_message(facts)
    if arm in CALLS:
        return _call_script(facts, arm)
    raise ValueError(f"there is no template for {arm!r}")


def message_values(facts: MessageFacts, texts: Mapping[str, Any]) -> dict[str, str]:
    """Placeholder -> rendered fact in the language of ``texts``."""
    locale, conjunction = facts.locale, texts["and"]
    asked = facts.total_overdue or facts.total
    values = {
        "contact": facts.contact_name,
        "contact_or_payables": facts.contact_name or texts["payables"],
        "sender": facts.sender or texts["sender"],
        "count": str(len(facts.lines)),
        "overdue": str(len(facts.overdue)),
        "reply_by": written_date(facts.reply_by, locale),
        "total_overdue": written_amounts(asked, locale, conjunction) if asked else "",
    }
    if facts.lines:
        first = (facts.overdue or facts.lines)[0]
        values |= {"invoice": first.invoice_id, "due": written_date(first.due_on, locale)}
    if facts.last_contact_on is not None:
        values["last_contact"] = written_date(facts.last_contact_on, locale)
    for name, amounts in (("disputed", facts.disputed), ("promised", facts.promised), ("netted", facts.netted)):
        if amounts:
            values[name] = written_amounts(amounts, locale, conjunction)
    values |= _terms_values(facts, conjunction)
    values["status"] = fill(texts[_status(facts)], values) if facts.lines else ""
    earlier = fill(texts["earlier"], values) if facts.last_contact_on is not None else ""
    values["situation"] = f"{values['status']} {earlier}".strip()
    return values


def _terms_values(facts: MessageFacts, conjunction: str) -> dict[str, str]:
    """Placeholder -> rendered figure of what is offered; empty when nothing is."""
    terms, locale = facts.terms, facts.locale
    if terms is None:
        return {}
    by = written_date(terms.by, locale)
    if terms.percent is not None:
        off = tuple(
            Money(full.minor - less.minor, full.currency)
            for full, less in zip(facts.total_overdue, facts.discounted, strict=True)
        )
        return {
            "offer_by": by, "offer_percent": written_percent(terms.percent, locale),
            "offer_total": written_amounts(facts.discounted, locale, conjunction) if off else "",
            "offer_off": written_amounts(off, locale, conjunction) if off else "",
        }  # fmt: skip
    return {
        "plan_by": by, "plan_instalments": str(terms.instalments or ""),
        "plan_first": written_percent(terms.first_percent or 0.0, locale),
    }  # fmt: skip


def _status(facts: MessageFacts) -> str:
    """Which sentence says how things stand, so that number and verb agree."""
    count, overdue = len(facts.lines), len(facts.overdue)
    if overdue == 0:
        return "status_not_due_one" if count == 1 else "status_not_due"
    if count == 1:
        return "status_one"
    if overdue == count:
        return "status_all"
    return "status_some_one" if overdue == 1 else "status_some"


def _email(facts: MessageFacts, arm: str) -> str:
    texts = template(facts.language)
    values = message_values(facts, texts)
    # Documents answer a question, or go out unasked where a copy may be what is missing.
    unasked = arm == "send_documents" and facts.lines and not facts.they_wrote
    text = "send_copies" if unasked else arm
    head = [f"{texts['to']}: {_recipient(facts, texts)}", f"{texts['subject']}: {_subject(facts, texts[text], values)}"]
    return _joined(
        ["\n".join(head), _greeting(texts, values), *_body(facts, texts, text, values), _closing(texts, values)]
    )


def _letter(facts: MessageFacts) -> str:
    """The firm text on paper: addressed and dated, the subject as its heading."""
    texts = template(facts.language)
    values = message_values(facts, texts)
    to = "\n".join(part for part in (facts.party_name, facts.contact_name, facts.address) if part)
    subject = _subject(facts, texts["email_firm"], values)
    body = _body(facts, texts, "email_firm", values)
    return _joined([to, written_date(facts.today, facts.locale), subject, _greeting(texts, values), *body,
                    _closing(texts, values)])  # fmt: skip


def _text_message(facts: MessageFacts) -> str:
    texts = template(facts.language)
    form = "one" if len(facts.overdue or facts.lines) == 1 else "many"
    return fill(texts["sms_soft"][form], message_values(facts, texts)) + "\n"


def _call_script(facts: MessageFacts, arm: str) -> str:
    texts = template("en")
    spoken = facts if facts.language == "en" else _in_english(facts)
    values = message_values(spoken, texts)
    values["spoken"] = fill(texts["spoken_one" if len(spoken.overdue or spoken.lines) == 1 else "spoken_many"], values)
    who = ", ".join(part for part in (spoken.contact_name, spoken.party_name) if part)
    head = [f"Call: {who}", f"Phone: {spoken.phone or 'no number in the data'}"]
    if facts.language != "en":
        head.append(f"Language of the customer: {facts.language}")
    lines = [fill(line, values) for line in texts[arm]["lines"]]
    notes = [f"If they ask: {note}" for note in _notes(spoken, texts, values)]
    return _joined(["\n".join(head), invoice_table(spoken, texts["table"]), "\n".join(lines), *notes])


def _in_english(facts: MessageFacts) -> MessageFacts:
    return replace(facts, language="en", locale="en_GB")


def _recipient(facts: MessageFacts, texts: Mapping[str, Any]) -> str:
    name = facts.contact_name or facts.party_name
    return f"{name} <{facts.email}>" if facts.email else f"{name} ({texts['no_address']})"


def _subject(facts: MessageFacts, texts: Mapping[str, str], values: Mapping[str, str]) -> str:
    if len(facts.lines) == 1:
        subject = fill(texts["subject_one"], values)
        if len(subject) <= LONGEST_SUBJECT:
            return subject
    return texts["subject_many"]


def _greeting(texts: Mapping[str, str], values: Mapping[str, str]) -> str:
    return fill(texts["greeting_named" if values["contact"] else "greeting"], values)


def _closing(texts: Mapping[str, str], values: Mapping[str, str]) -> str:
    return fill(texts["closing"], values)


def _body(facts: MessageFacts, texts: Mapping[str, Any], arm: str, values: Mapping[str, str]) -> list[str]:
    before = [fill(paragraph, values) for paragraph in texts[arm]["before"]]
    after = [fill(paragraph, values) for paragraph in texts[arm]["after"]]
    table = [invoice_table(facts, texts["table"])] if facts.lines else []
    return [*before, *table, *_notes(facts, texts, values), *after]


def _notes(facts: MessageFacts, texts: Mapping[str, Any], values: Mapping[str, str]) -> list[str]:
    """What the amounts leave out and why, in one paragraph; nothing where there is nothing to say."""
    notes = [f"note_{name}" for name in ("disputed", "promised", "netted") if name in values]
    if facts.overdue and len(facts.overdue) < len(facts.lines):
        notes.insert(0, "note_upcoming")
    return [" ".join(fill(texts[note], values) for note in notes)] if notes else []


def _joined(paragraphs: list[str]) -> str:
    return "\n\n".join(paragraphs) + "\n"

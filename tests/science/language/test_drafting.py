"""Drafts read well, list every invoice, and state nothing that is not in the ledger, whatever the ledger holds."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duecourse.core.money import Money
from duecourse.science.language import (
    FactReader,
    InvoiceLine,
    MessageFacts,
    TermsFacts,
    draft,
    draft_worklist,
    verify,
)
from duecourse.science.language.facts import LANGUAGES, clean, locale_of
from duecourse.science.language.templates import PLACEHOLDERS, fill, template
from support.books import activity, invoice, known
from support.small_books import AS_OF, Book

ARMS = ("email_soft", "email_neutral", "email_firm", "send_documents", "sms_soft", "letter_formal", "call_service",
        "call_firm")  # fmt: skip
LOCALE = {"en": "en_GB", "de": "de_DE", "fr": "fr_FR", "es": "es_ES", "nl": "nl_NL"}


def facts(language: str = "en", **more: object) -> MessageFacts:
    lines = (
        InvoiceLine("INV-1037", date(2026, 4, 1), date(2026, 5, 1), Money(425_000, "EUR"), 31),
        InvoiceLine("INV-1040", date(2026, 5, 5), date(2026, 6, 4), Money(1_999, "EUR"), -3),
    )
    base = MessageFacts(
        "Muster GmbH", "Kim Berg", "ap@muster.example", "+49 30 1234567", "Hafenstr. 7, Berlin", language,
        LOCALE[language], lines, (), (), (), AS_OF, date(2026, 6, 10), None,
    )  # fmt: skip
    return replace(base, **more)


@pytest.mark.parametrize("language", LANGUAGES)
def test_documents_thank_for_a_message_only_where_there_was_one(language: str) -> None:
    asked, unasked = (draft(facts(language, they_wrote=wrote), "send_documents") for wrote in (True, False))
    texts = template(language)
    assert texts["send_documents"]["before"][0] in asked
    assert texts["send_documents"]["subject_many"] in asked
    assert texts["send_documents"]["before"][0] not in unasked
    assert texts["send_copies"]["subject_many"] in unasked
    assert all("INV-1037" in text for text in (asked, unasked))


def test_their_last_word_counts_as_a_question_until_somebody_answers() -> None:
    recent = activity("A1", "email", "2026-05-02T09:00:00", direction="in")
    ours = activity("A2", "email", "2026-05-03T09:00:00")
    call = activity("A3", "call", "2026-05-04T09:00:00", direction="in")
    old = activity("A4", "email", "2026-04-30T09:00:00", direction="in")  # 32 days before: no question any more
    for rows, wrote in (([recent], True), ([recent, ours], False), ([ours, call], False), ([old], False), ([], False)):
        reader = FactReader(known("2026-06-01", invoice("I1"), *rows))
        assert reader.read("C1", ["I1"], None).they_wrote is wrote


def test_a_soft_mail_reads_like_this() -> None:
    one = facts(lines=facts().lines[:1])
    assert draft(one, "email_soft") == (
        "To: Kim Berg <ap@muster.example>\n"
        "Subject: Open invoice INV-1037\n"
        "\n"
        "Hello Kim Berg,\n"
        "\n"
        "Invoice INV-1037 was due on 1 May 2026 and is still open in our books. It may simply have slipped through, or "
        "your payment may already be on its way.\n"
        "\n"
        "Invoice   Date        Due            To pay\n"
        "INV-1037  1 Apr 2026  1 May 2026  €4,250.00\n"
        "\n"
        "Could you let me know when we can expect payment? If you need a copy, or if something is not right, just "
        "reply to this message and I will look into it at once.\n"
        "\n"
        "If you have paid in the meantime, thank you, and please disregard this message.\n"
        "\n"
        "Kind regards,\n"
        "Accounts Receivable\n"
    )


def test_what_is_disputed_promised_netted_or_not_due_is_said_and_not_asked_for() -> None:
    held = facts(disputed=(Money(50_000, "EUR"),), promised=(Money(7, "EUR"),), netted=(Money(300, "EUR"),))
    text = draft(held, "email_firm")
    assert "Of the 2 open invoices below, one is past its due date." in text
    assert "€500.00 that you have queried is not part of this" in text
    assert "€0.07 that we have agreed a date for" in text
    assert "€3.00 of credits and payments" in text
    assert "not due yet are listed so that you see your whole account" in text
    assert "Please pay €4,250.00 by 10 June 2026." in text  # only what is overdue
    assert "€4,269.99" in text  # the total of the table


def test_amounts_of_two_currencies_are_never_added() -> None:
    yen = InvoiceLine("Y-1", date(2026, 4, 1), date(2026, 5, 1), Money(1500, "JPY"), 31)
    dinar = InvoiceLine("K-1", date(2026, 4, 1), date(2026, 5, 1), Money(1500, "KWD"), 31)
    text = draft(facts(lines=(facts().lines[0], yen, dinar)), "email_neutral")
    assert "payment of €4,250.00, JP¥1,500 and KWD" in text
    assert "1.500" in text
    assert len([line for line in text.splitlines() if line.startswith("Total")]) == 3


def test_earlier_contact_is_mentioned_only_when_there_was_one() -> None:
    assert "We last contacted you" not in draft(facts(), "email_firm")
    told = draft(facts(last_contact_on=date(2026, 5, 11)), "email_firm")
    assert "We last contacted you about your account on 11 May 2026." in told


DISCOUNT = TermsFacts(date(2026, 6, 11), percent=2.5)
PLAN = TermsFacts(date(2026, 8, 30), instalments=3, first_percent=30.0)


def test_an_offer_says_what_is_paid_what_is_taken_off_and_until_when() -> None:
    text = draft(facts(terms=DISCOUNT), "email_discount")
    assert "If €4,143.75 reach us by 11 June 2026, we take 2.5% (€106.25) off" in text  # 2.5 % of the overdue 4,250.00
    assert "INV-1040" in text  # the whole account stays on the list
    script = draft(facts(terms=PLAN), "call_plan")
    assert "up to 3 instalments, the last by 30 August 2026, at least 30% of the debt at once" in script
    assert "prepare a plan for €4,250.00" in script
    assert "106.25" not in script


@pytest.mark.parametrize("language", LANGUAGES)
def test_offers_verify_in_every_language_and_only_with_their_own_figures(language: str) -> None:
    for arm, terms in (("email_discount", DISCOUNT), ("call_plan", PLAN)):
        one = facts(language, terms=terms)
        text = draft(one, arm)
        assert verify(text, one) == []
        assert "{" not in text
        assert verify(text, facts(language))  # without the terms these figures are nobody's
        with pytest.raises(ValueError, match="is not available here"):
            draft(facts(language), arm)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("arm", ARMS)
def test_every_cell_resolves_lists_every_invoice_and_verifies(language: str, arm: str) -> None:
    for lines in (facts().lines, facts().lines[:1], facts().lines[1:]):
        one = facts(language, lines=lines, last_contact_on=date(2026, 5, 11), disputed=(Money(5, "EUR"),))
        text = draft(one, arm)
        assert verify(text, one) == []
        assert "{" not in text
        assert "  ." not in text
        assert "!" not in text
        if arm != "sms_soft":
            assert all(line.invoice_id in text for line in lines)
        words = len(re.findall(r"\w+", text.split("\n\n", 1)[1])) if arm.startswith("email") else 0
        assert words <= 180 + 12 * len(lines)
        if arm == "sms_soft":
            assert len(text) <= 306
        if arm.startswith("email"):
            assert len(text.splitlines()[1].split(": ", 1)[1]) <= 78


@pytest.mark.parametrize("language", LANGUAGES)
def test_templates_hold_no_figure_and_only_known_placeholders(language: str) -> None:
    def texts(value: object) -> list[str]:
        if isinstance(value, str):
            return [value]
        parts = value.values() if isinstance(value, dict) else value
        assert isinstance(parts, (list, type({}.values())))
        return [text for part in parts for text in texts(part)]

    for text in texts(dict(template(language))):
        assert not any(char.isdigit() for char in text), text
        assert set(re.findall(r"\{([^}]*)\}", text)) <= PLACEHOLDERS
    assert set(template(language)) >= set(template("de"))


@pytest.mark.parametrize("text", ["{sender.__class__}", "{0}", "{}", "{total_overdue!r}", "{count:>9}", "{unknown}"])
def test_placeholders_know_no_expressions(text: str) -> None:
    with pytest.raises(ValueError, match="is not available here"):
        fill(text, {"sender": "x", "count": "1", "total_overdue": "2"})


def test_a_value_is_never_read_for_placeholders() -> None:
    assert fill("{sender}", {"sender": "{count}", "count": "9"}) == "{count}"


def test_a_reminder_needs_an_invoice_and_an_arm_a_template() -> None:
    with pytest.raises(ValueError, match="at least one invoice"):
        draft(facts(lines=()), "email_soft")
    with pytest.raises(ValueError, match="no template for 'escalate'"):
        draft(facts(), "escalate")
    assert "Thank you for your message" in draft(facts(lines=()), "send_documents")


NAMES = [
    "شركة الأمل", "עברית בע״מ", "株式会社 東京", "Bobby\r\nBcc: everyone@example.com", "{sender} {count}",
    "A\u202eB\u200b", "=cmd|' /C calc'!A0", "Émile & Søn <b>x</b>", "Firma 3000 GmbH", "İstanbul A.Ş.", "¼ Ltd ²",
    "pay to DE89 3704 0044", "court 9 lawyer",
]  # fmt: skip
hostile = st.text(st.characters(codec="utf-8"), max_size=40) | st.sampled_from(NAMES)
amounts = st.tuples(st.integers(1, 10**15), st.sampled_from(["EUR", "USD", "JPY", "KWD", "CHF", "INR"]))


@settings(max_examples=250, deadline=None)
@given(
    st.lists(st.tuples(hostile.filter(clean), amounts, st.integers(-7, 400)), min_size=1, max_size=8),
    st.tuples(hostile, hostile, hostile), st.sampled_from(ARMS), st.sampled_from(LANGUAGES),
    st.sampled_from(["CH", "IN", "US", "BE", "JP", "SA", ""]),
)  # fmt: skip
def test_every_figure_in_a_draft_of_hostile_facts_is_a_fact(
    rows: list[tuple[str, tuple[int, str], int]], names: tuple[str, str, str], arm: str, language: str, country: str
) -> None:
    lines = tuple(
        InvoiceLine(clean(key), AS_OF - timedelta(late + 30), AS_OF - timedelta(late), Money(*amount), late)
        for key, amount, late in rows
    )
    party, person, sender = (clean(name) for name in names)
    one = facts(language, lines=lines, party_name=party, contact_name=person, sender=sender,
                locale=locale_of(language, country), disputed=(Money(*rows[0][1]),))  # fmt: skip
    text = draft(one, arm)
    assert verify(text, one) == []
    if arm != "sms_soft":
        for line in lines:
            assert any(line.asked.format(locale) in text for locale in (one.locale, "en_GB"))


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.tuples(hostile.filter(bool), amounts, st.integers(-7, 400)), min_size=1, max_size=6,
             unique_by=lambda row: row[0]),
    hostile, hostile, st.sampled_from(ARMS), st.sampled_from(LANGUAGES), st.booleans(),
)  # fmt: skip
def test_every_figure_in_a_draft_of_a_hostile_ledger_is_a_fact(
    rows: list[tuple[str, tuple[int, str], int]], name: str, person: str, arm: str, language: str, contacted: bool
) -> None:
    book = Book().add("customers", customer_id="C", name=name, language=language, country="CH")
    book.add("contacts", contact_id="K", customer_id="C", name=person, email=f"{name}@x.example", role="payables")
    for key, (minor, currency), late in rows:
        book.invoice(key, "C", days_late=late, minor=minor, currency=currency)
    if contacted:
        book.contacted("C", days_ago=9)
    one = FactReader(book.view()).read("C", [key for key, _, _ in rows], "K")
    text = draft(one, arm)
    assert verify(text, one) == []
    assert not any(unicodedata.category(char) in ("Cf", "Cs") for char in text)
    assert "\r" not in text
    assert not any(line.startswith("Bcc") for line in text.splitlines())
    # An independent look: the amounts that stand in the table are exactly the ledger's.
    if arm != "sms_soft":
        for _, (minor, currency), _ in rows:
            written = {Money(minor, currency).format(locale) for locale in (one.locale, "en_GB")}
            assert any(form in text for form in written)


@pytest.mark.parametrize(
    ("planted", "kind"),
    [("Please pay €4,251.00.", "number"), ("until 11 June 2026", "number"), ("a fee of 5 %", "number"),
     ("see www.example.com/pay", "address"), ("write to x@evil.example", "address"), ("INV-10377", "number"),
     ("or we go to court", "threat"), ("Ｐay ９９", "number"), ("hidden\u200bword", "hidden"), ("٤٥ دينار", "number"),
     ("4,250.00", "number"), ("€", "sign"), ("1037", "number"), ("1 May 20265", "number"), ("half ½", "number"),
     ("20 €4,250.00,5", "number")],
)  # fmt: skip
def test_planted_faults_are_caught(planted: str, kind: str) -> None:
    one = facts()
    good = draft(one, "email_firm")
    assert verify(good, one) == []
    assert kind in {
        violation.kind for violation in verify(good.replace("Kind regards", f"{planted}\nKind regards"), one)
    }


def test_language_and_locale_follow_contact_then_customer_then_country() -> None:
    book = Book()
    for name, language, country in (("A", "fr-CA", "CA"), ("B", None, "AT"), ("C", "pl", None), ("D", "de", "CH")):
        book.add("customers", customer_id=name, language=language, country=country)
        book.invoice(f"I{name}", name, days_late=3)
    book.add("contacts", contact_id="K", customer_id="A", language="nl")
    reader = FactReader(book.view())
    assert [reader.read(name, [f"I{name}"], None).locale for name in "ABCD"] == ["fr_CA", "de_AT", "en_GB", "de_CH"]
    assert reader.read("A", ["IA"], "K").language == "nl"


def test_what_may_not_be_asked_for_is_not_in_the_draft() -> None:
    book = (
        Book().customer("C").invoice("OPEN", "C", days_late=9, minor=500).invoice("HELD", "C", days_late=9, minor=700)
    )
    book.add("disputes", dispute_id="D", invoice_id="HELD", opened_on=AS_OF - timedelta(2))
    worklist = pl.DataFrame({
        "customer_id": ["C"], "invoice_ids": [["OPEN", "HELD"]], "contact_id": ["C-ap"], "arm": ["email_soft"],
        "draft": ["00001.txt"],
    })  # fmt: skip
    drafts = draft_worklist(book.view(), worklist, sender="Ada of Accounts")
    assert list(drafts) == ["00001.txt"]
    assert "OPEN" in drafts["00001.txt"]
    assert "HELD" not in drafts["00001.txt"]
    assert "Ada of Accounts" in drafts["00001.txt"]
    assert draft_worklist(book.view(), worklist.with_columns(draft=pl.lit(""))) == {}


def test_clean_keeps_letters_of_every_script_and_nothing_hidden() -> None:
    assert clean("  a\tb\r\nc\u202e\u200bd ") == "a b cd"
    assert clean("株式会社 東京 שלום") == "株式会社 東京 שלום"
    assert clean(None) == ""
    assert len(clean("x" * 500)) == 80

"""``verify``: everything in a text that is no fact of its message; what it finds blocks an approval.

Every number, amount, date, currency sign, address and link must equal a rendered fact. The same check serves drafts
from templates, drafts that a person has edited, and later those of a language model.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace

from duecourse.core.money import Money
from duecourse.science.language.drafting import SENTENCES, message_values
from duecourse.science.language.facts import MessageFacts
from duecourse.science.language.rendering import table_date, written_date
from duecourse.science.language.templates import template

# Words that threaten; none may stand outside a fact, in any tone. Per language, whole words or stems (ending in *).
FORBIDDEN = {
    "en": "court lawsuit sue legal attorney lawyer solicitor bailiff seize* arrest* blacklist* penalt* prosecut*",
    "de": "gericht* klage* anwalt* anwält* rechtsanw* inkasso* mahnbescheid* pfänd* schufa vollstreck* strafe*",
    "fr": "tribunal* justice avocat* huissier* poursuite* saisie* contentieux pénalité*",
    "es": "tribunal* juzgado* demanda* abogad* embarg* judicial* moroso* penaliza* sanción*",
    "nl": "rechtbank* rechter* advoca* incasso* deurwaarder* beslag* dagvaard* boete*",
}
_NUMBER_CATEGORIES = ("Nd", "Nl", "No")
_URL = re.compile(r"(?i)\b(?:https?|ftp|www)\b[:.]\S*|\S+@\S+")


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing in a text that no fact supports: its kind (number, address, sign, hidden, threat) and the text."""

    kind: str
    text: str


def verify(text: str, facts: MessageFacts) -> list[Violation]:
    """All violations in ``text``, in order of kind; an empty list means that every figure in it is a fact."""
    found = [
        Violation("hidden", f"U+{ord(char):04X}") for char in text
        if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn") and char != "\n"
    ]  # fmt: skip
    rest = _without_facts(text, facts)
    found += [Violation("address", match.group()) for match in _URL.finditer(rest)]
    found += [Violation("number", token) for token in rest.split() if _has_number(token)]
    currencies = {line.asked.currency for line in facts.lines}
    found += [Violation("sign", char) for char in rest if unicodedata.category(char) == "Sc" or char == "%"]
    found += [Violation("sign", code) for code in sorted(currencies) if re.search(rf"\b{code}\b", rest)]
    found += [Violation("threat", word) for word in _threats(rest, sorted({facts.language, "en"}))]
    return found


def allowed_texts(facts: MessageFacts) -> set[str]:
    """Every rendered form of every fact of the message, in its own language and in English (call scripts)."""
    allowed = {facts.party_name, facts.contact_name, facts.email, facts.phone, facts.address, facts.sender}
    for language, locale in {(facts.language, facts.locale), ("en", "en_GB")}:
        allowed |= _amounts_and_dates(facts, locale)
        allowed |= {value for name, value in message_values(_as(facts, language, locale), template(language)).items()
                    if name not in SENTENCES}  # fmt: skip
    allowed |= {line.invoice_id for line in facts.lines}
    return {unicodedata.normalize("NFC", text) for text in allowed if text}


def _amounts_and_dates(facts: MessageFacts, locale: str) -> set[str]:
    amounts: Iterable[Money] = (
        *(line.asked for line in facts.lines), *facts.total, *facts.total_overdue, *facts.disputed, *facts.promised,
        *facts.netted,
    )  # fmt: skip
    days = [facts.today, facts.reply_by, *(line.issued_on for line in facts.lines)]
    days += [line.due_on for line in facts.lines]
    days += [facts.last_contact_on] if facts.last_contact_on is not None else []
    written = {amount.format(locale) for amount in amounts}
    return written | {form(day, locale) for day in days for form in (written_date, table_date)}


def _as(facts: MessageFacts, language: str, locale: str) -> MessageFacts:
    return replace(facts, language=language, locale=locale)


def _without_facts(text: str, facts: MessageFacts) -> str:
    """The text with every whole occurrence of a rendered fact taken out, the longest first."""
    allowed = sorted(allowed_texts(facts), key=lambda item: (-len(item), item))
    # Whole: neither inside a word or a longer number, nor next to a separator that continues one.
    pattern = "|".join(re.escape(item) for item in allowed)
    return re.sub(rf"(?<!\w)(?<!\d[.,'’\u00a0\u202f/-])(?:{pattern})(?!\w)(?![.,'’\u00a0\u202f/-]\d)", " ", text)


def _has_number(token: str) -> bool:
    return any(unicodedata.category(char) in _NUMBER_CATEGORIES for char in unicodedata.normalize("NFKC", token))


def _threats(rest: str, languages: Iterable[str]) -> list[str]:
    words = set(re.findall(r"\w+", rest.lower()))
    found = []
    for language in languages:
        for stem in FORBIDDEN[language].split():
            hits = {word for word in words if (word.startswith(stem[:-1]) if stem.endswith("*") else word == stem)}
            found += sorted(hits)
    return found

"""``compose``: one mail of a customer from greeting, opener, sentences of intents, tail and signature.

The grammar is intent x language x style of the author; the words lie in ``data/<language>.toml``. Where each intent's
sentence stands in the text is kept: that is the truth by which a reader of replies is judged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from duecourse.science.simulate.telling.directory import Customer, Person, house_name, role_text
from duecourse.science.simulate.telling.keyed import Fortune
from duecourse.science.simulate.telling.words import data, day_text

QUOTES, QUOTED_LINES, TYPING_SLIP = 0.4, 9, 0.2
PLAINLY = ("formal", "terse", "official")  # styles whose openers suit any matter
UNHAPPY = ("dispute", "complaint", "hardship", "wrong_contact")
ABRUPT = ("cease_contact", "hostile", "bank_detail_fraud", "injection", "legal_representation", "insolvency")


@dataclass(frozen=True)
class Sentence:
    """What is said and what it means."""

    intent: str
    text: str


@dataclass(frozen=True)
class Written:
    """A text with the place of every intent: (intent, start, end) in characters."""

    text: str
    spans: tuple[tuple[str, int, int], ...]

    def sentence(self, intent: str) -> str:
        """The sentence of an intent; empty when there is none."""
        return next((self.text[start:end] for what, start, end in self.spans if what == intent), "")


@dataclass(frozen=True)
class Occasion:
    """Who writes, for whom, and what it answers: ``sent_on`` and ``before`` of our last message, if any."""

    customer: Customer
    author: Person
    sent_on: date | None
    before: str = ""
    subject: str = ""


def say(
    language: str, table: str, key: str, fortune: Fortune, slots: Mapping[str, str]
) -> str:  # fmt: skip
    """One wording of ``[table] key`` in that language with its slots filled. Raises KeyError for an unknown slot."""
    return str(fortune.pick(f"{table} {key}", data(language)[table][key])).format_map(slots)


def compose(occasion: Occasion, sentences: Sequence[Sentence], fortune: Fortune) -> Written:
    """The mail; sentences in the order given, the first of them decides how polite the frame is."""
    customer, author = occasion.customer, occasion.author
    words = data(customer.language)
    frame = (words["styles"] | words["held_out"])[author.style]
    slots = _slots(occasion)
    intent = sentences[0].intent
    bare = intent in ABRUPT or (intent in UNHAPPY and author.style not in PLAINLY) or occasion.sent_on is None
    opener = "" if bare else fortune.pick("opener", frame["opener"]).format_map(slots)
    tail = "" if intent in (*ABRUPT, *UNHAPPY, "thanks") else fortune.pick("tail", frame["tail"])
    head = fortune.pick("greeting", frame["greeting"]).format_map(slots)
    text = f"{occasion.subject}\n\n" if occasion.subject else ""
    text += f"{head}\n\n" if head else ""
    text += opener + ("\n" if author.style == "lower" else " ") if opener else ""
    begins_small = customer.language == "de" and head.endswith(",") and not opener
    spans = []
    for number, sentence in enumerate(sentences):
        shown = _in_style(sentence.text, author.style, fortune, number)
        if number == 0 and begins_small:
            shown = _small(shown)
        spans.append((sentence.intent, len(text), len(text) + len(shown)))
        text += shown + ("\n" if author.style == "chatty" and number + 1 < len(sentences) else " ")
    text = text.rstrip() + (f" {tail}" if tail else "")
    closing = fortune.pick("closing", frame["closing"])
    signed = fortune.pick("signature", frame["signature"]).format_map(slots)
    # A phone's own line comes after the name.
    ending = f"{signed}\n{closing}" if author.style == "lower" else f"{closing}\n{signed}"
    text += f"\n\n{ending.strip()}"
    return Written(text + _quoted(occasion, fortune), tuple(spans))


def _small(text: str) -> str:
    """A German sentence after a comma: its first word small unless it is a name or noun."""
    first = text.split(" ", 1)[0]
    return text[:1].lower() + text[1:] if first.lower().rstrip(",") in data("house")["german_small"] else text


def _slots(occasion: Occasion) -> dict[str, str]:
    customer, author = occasion.customer, occasion.author
    sent = day_text(occasion.sent_on, customer.language, customer.country) if occasion.sent_on else ""
    return {
        "sent": sent, "account": customer.customer_id, "collector": customer.collector or house_name(customer.currency),
        "name": author.name, "first": author.first, "family": author.family, "company": customer.name,
        "role": role_text(author, customer.language), "place": customer.place, "phone": author.phone,
    }  # fmt: skip


def _in_style(text: str, style: str, fortune: Fortune, number: int) -> str:
    """A sentence as that author types it."""
    if style in ("lower", "breathless"):
        text = text[:1].lower() + text[1:].rstrip(".")
    if style in ("lower", "terse") and fortune.chance(f"typing {number}", TYPING_SLIP):
        words = text.split(" ")
        long = [at for at, word in enumerate(words) if len(word) > 5 and word.isalpha()]
        if long:
            at = fortune.pick(f"slip {number}", long)
            word = words[at]
            middle = 1 + fortune.below(f"letter {number}", len(word) - 3)
            words[at] = word[:middle] + word[middle + 1] + word[middle] + word[middle + 2 :]
            text = " ".join(words)
    return text


def _quoted(occasion: Occasion, fortune: Fortune) -> str:
    """Our message below theirs, with quotation marks as mail programs set them; cut after some lines."""
    if not occasion.before or occasion.sent_on is None or not fortune.chance("quotes", QUOTES):
        return ""
    customer = occasion.customer
    line: str = data(customer.language)["quoted"]["line"].format(
        sent=day_text(occasion.sent_on, customer.language, customer.country), house=house_name(customer.currency)
    )
    kept = occasion.before.split("\n")[:QUOTED_LINES]
    return "\n\n" + line + "\n" + "\n".join(f"> {each}".rstrip() for each in kept)

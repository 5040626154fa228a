"""Messages of a told ledger: true to what happened, with the place of every intent, nobody's words used twice."""

import re

import polars as pl

from duecourse.science.simulate.living import ledger_of
from duecourse.science.simulate.living.background import background_of
from duecourse.science.simulate.telling import tell
from duecourse.science.simulate.telling.answers import USUAL
from duecourse.science.simulate.telling.directory import HELD_OUT, STYLES
from duecourse.science.simulate.telling.words import LANGUAGES, data
from support.told_companies import small_house, told_house


def _incoming() -> pl.DataFrame:
    return told_house().ledger.table("activities").filter(pl.col("direction") == "in")


def test_every_reply_is_answered_to_a_mail_that_was_replied_to() -> None:
    activities = told_house().ledger.table("activities")
    replied = activities.filter(pl.col("outcome") == "replied")["activity_id"].str.slice(4)
    answers = _incoming().filter(pl.col("activity_id").str.starts_with("REP-"))
    assert set(answers["activity_id"].str.slice(4)) <= set(replied)
    assert answers.height >= replied.len() - 5  # those of the last days are still to come
    contacts = activities.filter(pl.col("activity_id").str.starts_with("ACT-"))
    sent = contacts.select(pl.col("activity_id").str.slice(4).alias("number"), pl.col("occurred_at").alias("sent"))
    both = answers.with_columns(pl.col("activity_id").str.slice(4).alias("number")).join(sent, on="number")
    assert both.filter(pl.col("occurred_at") <= pl.col("sent")).height == 0


def test_the_span_of_an_intent_holds_its_sentence() -> None:
    truth = told_house().truth["messages"].join(_incoming(), on="activity_id")
    assert truth.height == told_house().truth["messages"].height > 50
    for text, intents, spans in truth.select("text", "intents", "spans").iter_rows():
        assert len(intents) == len(spans) > 0
        for span in spans:
            start, end = map(int, span.split(":"))
            assert end - start > 0
            assert text[start:end] == text[start:end].strip()
            assert "\n" not in text[start:end]


def test_a_written_promise_is_quoted_from_the_mail_that_holds_it() -> None:
    promises = told_house().ledger.table("promises")
    assert set(promises["source"]) <= {"email", "call"}
    written = promises.filter(pl.col("source") == "email")
    texts = _incoming()["text"].to_list()
    assert written.height > 3
    for quote in written["quote"].to_list():
        assert any(quote in text for text in texts), quote
    assert promises.filter(pl.col("quote").is_null()).height == 0


def test_a_promise_names_its_day_and_a_dispute_its_invoice() -> None:
    activities = told_house().ledger.table("activities")
    for row in told_house().ledger.table("promises").iter_rows(named=True):
        assert re.search(rf"\b{row['due_on'].day}\b", row["quote"]), row["quote"]
    claims = activities.filter(pl.col("activity_id").str.starts_with("CASE-") & (pl.col("direction") == "in"))
    assert claims.height > 20
    for text, ids in claims.select("text", "invoice_ids").iter_rows():
        assert ids[0].removeprefix("INV-") in text


def test_a_thread_follows_its_dispute_and_names_the_credit_that_was_given() -> None:
    ledger = told_house().ledger
    cases = ledger.table("activities").filter(pl.col("activity_id").str.starts_with("CASE-")).with_columns(
        pl.col("activity_id").str.extract(r"CASE-(D[DS]-\d+)-").alias("dispute_id")
    )  # fmt: skip
    opened = ledger.table("disputes").group_by("dispute_id").agg(pl.col("opened_on").first(), pl.col("credit_id").max())
    both = cases.join(opened, on="dispute_id", how="left")
    assert both.filter(pl.col("occurred_at").dt.date() < pl.col("opened_on")).height == 0
    assert both.group_by("dispute_id").len()["len"].max() <= 6
    granted = both.filter(pl.col("template").is_in(["case_valid", "case_partly_valid"]))
    assert granted.height > 3
    for text, credit in granted.select("text", "credit_id").iter_rows():
        assert credit in text


def test_no_two_customers_send_the_same_words() -> None:
    texts = _incoming().select("customer_id", "text").unique()
    assert texts["text"].n_unique() == texts.height


def test_no_slot_is_left_open_and_addresses_are_invented() -> None:
    texts = told_house().ledger.table("activities")["text"].drop_nulls()
    assert not texts.str.contains(r"\{[a-z_]+\}").any()
    found = {each for text in texts.to_list() for each in re.findall(r"@[\w.-]+", text)}
    assert all(each.rstrip(".").endswith((".example", ".test")) for each in found)


def test_held_out_styles_are_only_written_when_asked_for() -> None:
    assert set(told_house().truth["messages"]["style"]) <= set(STYLES)
    other = tell(ledger_of(small_house()), background_of(small_house()), held_out=True)
    assert set(other.truth["messages"]["style"]) <= {*HELD_OUT, "formal"}  # administrators always write formally
    known = set(told_house().ledger.table("activities").filter(pl.col("direction") == "in")["text"])
    assert not known & set(
        other.ledger.table("activities").filter(pl.col("activity_id").str.starts_with("REP"))["text"]
    )


def test_all_languages_have_the_same_tables_and_slots() -> None:
    """A wording that exists in one language exists in all, with the same slots."""
    english = data("en")
    for language in LANGUAGES:
        words = data(language)
        assert set(words) == set(english), language
        for table in ("intent", "dispute", "why", "thread", "out", "said"):
            assert set(words[table]) == set(english[table]), f"{language} {table}"
        for style in (*STYLES, *HELD_OUT):
            own = (words["styles"] | words["held_out"])[style]
            assert set(own) == {"greeting", "opener", "tail", "closing", "signature"}
        for intent, wordings in words["intent"].items():
            if isinstance(wordings, list):
                allowed = {slot for text in english["intent"][intent] for slot in re.findall(r"\{(\w+)\}", text)}
                used = {slot for text in wordings for slot in re.findall(r"\{(\w+)\}", text)}
                assert used <= allowed | {"account", "invoice"}, f"{language} {intent}"
    assert sum(USUAL.values()) < 0.7  # the rest is payment status

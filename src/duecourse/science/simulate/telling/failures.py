"""Notices of insolvency: what an administrator writes on the day the house learns of it, and the note on it."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from duecourse.science.simulate.telling.answers import Asked, event_sentence
from duecourse.science.simulate.telling.composing import Occasion, compose
from duecourse.science.simulate.telling.conversations import NOTE_MINUTES, Talk, at_time, business_day, note_time
from duecourse.science.simulate.telling.notes import answer_note


def told_failures(events: pl.DataFrame, talk: Talk) -> None:
    """A letter and a note for every insolvency among ``events``, left in ``talk``."""
    for own, day in events.filter(pl.col("what") == "insolvent").select("customer_id", "day").iter_rows():
        customer = talk.directory.customers[own]
        if not customer.people:
            continue
        fortune = talk.luck.own(f"failed {own} {day}")
        when = at_time(business_day(day), 7, 6, fortune)
        author = replace(customer.people[0], style="formal")
        asked = Asked({"occurred_at": when}, customer, author, [])
        said = event_sentence(asked, "insolvent", talk.facts, fortune)
        written = compose(Occasion(customer, author, None), [said], fortune)
        row = {
            "activity_id": f"INS-{own}", "customer_id": own, "channel": "letter", "direction": "in",
            "occurred_at": when, "contact_id": author.contact_id, "text": written.text,
        }  # fmt: skip
        talk.add(row)
        talk.known(row, written, customer, author.style)
        talk.add(row | {
            "activity_id": f"NOT-INS-{own}", "channel": "note", "direction": "out", "minutes": NOTE_MINUTES,
            "text": answer_note(asked, said, talk.facts, fortune), "occurred_at": note_time(when, fortune),
        })  # fmt: skip

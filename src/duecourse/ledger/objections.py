"""What shows that contacts go too far: people who opt out, and people who complain.

An opt-out is a consent withdrawn after the contact was first on file. A complaint is a message or note of theirs that
somebody read as one: ``complaint`` among the ``intents`` of an incoming activity, a column that ledgers may have.
"""

from __future__ import annotations

import polars as pl

from duecourse.ledger.as_of import View

COMPLAINT = "complaint"
_CONSENTS = ("email_consent", "sms_consent", "call_consent")


def are_opt_outs_kept(view: View) -> bool:
    """Whether the books say anything about consents: where they do not, no opt-out was seen and none is ruled out."""
    said = view.table("contacts").select(pl.any_horizontal(pl.col(_CONSENTS).is_in(["granted", "withdrawn"])))
    return bool(said.to_series().any())


def are_complaints_kept(view: View) -> bool:
    """Whether anybody read incoming messages for what they mean: without that, silence is no absence of complaints."""
    activities = view.table("activities")
    return "intents" in activities.columns and bool(activities.get_column("intents").is_not_null().any())


def opt_outs(view: View) -> pl.DataFrame:
    """customer_id and ``on``, the day a consent of one of its contacts was withdrawn; sorted by both."""
    refused = pl.any_horizontal(pl.col(_CONSENTS) == "withdrawn").fill_null(False)
    later = pl.col("first_recorded_at").is_null() | (pl.col("first_recorded_at") < pl.col("recorded_at"))
    return _days(view.table("contacts").filter(refused & pl.col("recorded_at").is_not_null() & later), "recorded_at")


def complaints(view: View) -> pl.DataFrame:
    """customer_id and ``on``, the day of each incoming activity that was read as a complaint; sorted by both."""
    incoming = view.table("activities").filter(pl.col("direction") == "in")
    if not are_complaints_kept(view):
        return _days(incoming.clear(), "occurred_at")
    intents = pl.col("intents")
    if incoming.schema["intents"] == pl.String:  # a CSV file writes lists with semicolons
        intents = intents.str.split(";")
    return _days(incoming.filter(intents.list.contains(COMPLAINT).fill_null(False)), "occurred_at")


def _days(rows: pl.DataFrame, moment: str) -> pl.DataFrame:
    return rows.select("customer_id", pl.col(moment).dt.date().alias("on")).sort("customer_id", "on")

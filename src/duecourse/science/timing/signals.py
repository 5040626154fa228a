"""Dated facts that shift the hazard of single invoices: broken promises, partial disputes, returned payments, calls.

Trees cannot learn rare facts on one book, so each enters as an offset on the logit of the hazard with a prior size.
They are signals, not effects of what a collector did, and their sizes are assumptions of ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from duecourse.core.calendar import epoch_day
from duecourse.ledger.as_of import View

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

NEVER = 10_000_000
SIGNAL_DAYS = 60  # how long a broken promise or a returned payment speaks
PROMISE_GRACE_DAYS = 4  # two business days after the promised day, at most four calendar days
SETTLEMENT_LAG_DAYS = 3  # from sent to seen where the method of payment is not known
UNANSWERED_IN_A_ROW = 3
# kind -> mean of the prior on the logit scale; those of ``CONTACT_KINDS`` are left out of the set ``no_contact``
OFFSETS: Mapping[str, float] = {
    "all_contacts_bounce": -0.4,
    "calls_unanswered": -0.2,
    "promise_broken": -0.5,
    "partial_dispute": -0.4,
    "payment_returned": -0.5,
}
OFFSET_SD: Mapping[str, float] = {
    "all_contacts_bounce": 0.3,
    "calls_unanswered": 0.2,
    "promise_broken": 0.3,
    "partial_dispute": 0.3,
    "payment_returned": 0.3,
}
CONTACT_KINDS = frozenset({"all_contacts_bounce", "calls_unanswered"})


@dataclass(frozen=True)
class Signals:
    """One entry per signal and invoice, sorted by invoice: row into Facts, kind, and the days [from_day, to_day).

    ``from_day`` is the first day as of which the books knew it.
    """

    invoice: IntArray
    kind: npt.NDArray[np.object_]
    from_day: IntArray
    to_day: IntArray


def signals_from_view(view: View, invoices: pl.DataFrame) -> Signals:
    """All signals of ``view`` for ``invoices`` (sorted as in Facts, with paid_known_on and closed days)."""
    rows = invoices.select("invoice_id", "customer_id").with_row_index("row")
    customer_wide = pl.concat([_returned(view), _unanswered(view), _bounced(view)], how="vertical_relaxed")
    found = pl.concat(
        [
            customer_wide.join(rows, on="customer_id", how="inner").select("row", "kind", "from_day", "to_day"),
            _partial_disputes(view)
            .join(rows, on="invoice_id", how="inner")
            .select("row", "kind", "from_day", "to_day"),
            _broken_promises(view, invoices, rows),
        ],
        how="vertical_relaxed",
    ).sort("row", "kind", "from_day", "to_day")
    return Signals(
        found.get_column("row").to_numpy().astype(np.int64),
        np.array(found.get_column("kind").to_list(), dtype=object),
        found.get_column("from_day").to_numpy().astype(np.int64),
        found.get_column("to_day").to_numpy().astype(np.int64),
    )


def _day(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.Date).to_physical().cast(pl.Int64)


def _known_from() -> pl.Expr:
    """First day as of which a row is visible."""
    return pl.col("recorded_at").dt.date().to_physical().cast(pl.Int64) + 1


def _partial_disputes(view: View) -> pl.DataFrame:
    amounts = view.table("invoices").select("invoice_id", "amount_minor")
    return (
        view.table("disputes")
        .join(amounts, on="invoice_id", how="inner")
        .filter(pl.col("disputed_minor") < pl.col("amount_minor"))
        .select(
            "invoice_id",
            pl.lit("partial_dispute").alias("kind"),
            pl.max_horizontal(_day("opened_on"), _known_from()).alias("from_day"),
            _day("closed_on").fill_null(NEVER).alias("to_day"),
        )
    )


def _returned(view: View) -> pl.DataFrame:
    """Payments that the bank took back, for the customer's whole account."""
    return (
        view.table("payments")
        .filter((pl.col("status") == "returned") & pl.col("customer_id").is_not_null())
        .select("customer_id", pl.lit("payment_returned").alias("kind"), _known_from().alias("from_day"))
        .with_columns((pl.col("from_day") + SIGNAL_DAYS).alias("to_day"))
    )


def _unanswered(view: View) -> pl.DataFrame:
    """From the third call in a row that nobody answered until the customer is heard again."""
    contacts = (
        view.table("activities")
        .with_columns(_known_from().alias("from_day"))
        .with_columns(
            (
                (pl.col("channel") == "call")
                & (pl.col("direction") == "out")
                & pl.col("outcome").is_in(["no_answer", "voicemail"])
            ).alias("missed"),
            (
                (pl.col("direction") == "in") | pl.col("outcome").is_in(["reached", "replied"]).fill_null(value=False)
            ).alias("heard"),
        )
        .filter(pl.col("missed").fill_null(value=False) | pl.col("heard"))
        .sort("customer_id", "occurred_at", "activity_id")
        .with_columns(pl.col("heard").cum_sum().over("customer_id").alias("spell"))
    )
    ends = contacts.filter("heard").select(
        "customer_id", (pl.col("spell") - 1).alias("spell"), pl.col("from_day").alias("to_day")
    )
    return (
        contacts.filter(~pl.col("heard"))
        .with_columns(pl.int_range(pl.len()).over("customer_id", "spell").alias("nth"))
        .filter(pl.col("nth") == UNANSWERED_IN_A_ROW - 1)
        .join(ends, on=["customer_id", "spell"], how="left")
        .select(
            "customer_id",
            pl.lit("calls_unanswered").alias("kind"),
            "from_day",
            pl.col("to_day").fill_null(NEVER),
        )
    )


def _bounced(view: View) -> pl.DataFrame:
    """From the day on which the last contact with an address had its mail returned, while none got through again."""
    mails = (
        view.table("activities")
        .filter((pl.col("channel") == "email") & pl.col("contact_id").is_not_null() & pl.col("outcome").is_not_null())
        .with_columns(_known_from().alias("from_day"))
        .sort("customer_id", "contact_id", "occurred_at", "activity_id")
        .group_by("customer_id", "contact_id", maintain_order=True)
        .agg(pl.col("outcome").last(), pl.col("from_day").last())
        .filter(pl.col("outcome") == "bounced")
    )
    return (
        view.table("contacts")
        .filter(pl.col("email").is_not_null())
        .join(mails.select("contact_id", "from_day"), on="contact_id", how="left")
        .group_by("customer_id")
        .agg(pl.col("from_day").max(), pl.col("from_day").is_null().any().alias("another_way"))
        .filter(~pl.col("another_way"))
        .select("customer_id", pl.lit("all_contacts_bounce").alias("kind"), "from_day", pl.lit(NEVER).alias("to_day"))
    )


def _broken_promises(view: View, invoices: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """60 days from the end of a promise's grace for each invoice it covered that was not paid by then."""
    wait = SETTLEMENT_LAG_DAYS + PROMISE_GRACE_DAYS
    paid = invoices.select("invoice_id", _day("paid_known_on").fill_null(NEVER).alias("paid_known"))
    return (
        covered_invoices(view, invoices)
        .join(paid, on="invoice_id", how="inner")
        .with_columns((pl.col("due_day") + wait + 1).alias("from_day"))
        .with_columns(pl.max_horizontal("from_day", "known_from").alias("from_day"))
        .filter((pl.col("paid_known") >= pl.col("from_day") - 1) & (pl.col("from_day") <= epoch_day(view.as_of)))
        .join(rows, on="invoice_id", how="inner")
        .select(
            "row",
            pl.lit("promise_broken").alias("kind"),
            "from_day",
            (pl.col("from_day") + SIGNAL_DAYS).alias("to_day"),
        )
    )


def covered_invoices(view: View, invoices: pl.DataFrame) -> pl.DataFrame:
    """promise_id, invoice_id, customer_id, promised_day, due_day, known_from, amount_minor: what each promise covers.

    A promise that names no invoice covers all of the customer's in its currency that were issued by then and unpaid.
    """
    promises = view.table("promises").select(
        "promise_id",
        "customer_id",
        "invoice_ids",
        "currency",
        "amount_minor",
        _day("promised_on").alias("promised_day"),
        _day("due_on").alias("due_day"),
        _known_from().alias("known_from"),
    )
    columns = ["promise_id", "invoice_id", "customer_id", "promised_day", "due_day", "known_from", "amount_minor"]
    named = (
        promises.filter(pl.col("invoice_ids").list.len() > 0)
        .explode("invoice_ids")
        .rename({"invoice_ids": "invoice_id"})
        .select(columns)
    )
    own = invoices.select(
        "customer_id",
        "currency",
        "invoice_id",
        _day("issued_on").alias("issued_day"),
        _day("paid_on").fill_null(NEVER).alias("paid_day"),
    )
    general = (
        promises.filter(pl.col("invoice_ids").list.len().fill_null(0) == 0)
        .join(own, on=["customer_id", "currency"], how="inner")
        .filter((pl.col("issued_day") <= pl.col("promised_day")) & (pl.col("paid_day") >= pl.col("promised_day")))
        .select(columns)
    )
    return pl.concat([named, general]).sort("promise_id", "invoice_id")

"""Where each promise to pay stands, from its dates and from money that arrived; nothing stores it.

open -> due -> kept / part_kept / broken; open, due -> superseded / withdrawn (glossary, section 4).

* ``open`` until the day it falls due, ``due`` from then on until it is judged. ``kept`` as soon as it has fallen due
  and all of it arrived; judged at the latest after ``judged_after`` = due_on + settlement lag + grace: ``part_kept``
  from half of the amount, otherwise ``broken``.
* The settlement lag is that of the customer's most frequent payment method (days from "sent" to "seen").
* Money that counts arrived from the day of the promise on: payments, with discounts, fees, withheld tax and rounding
  that belong to them, on the named invoices; unapplied cash of the customer too, for the earliest promise first.
  Promises of one day over the same invoices are parts of one promise and share the money in the order they fall due.
* ``superseded`` by a promise made on a later day over one of the same invoices (a promise that names none covers the
  whole account), unless it was kept before or already judged: an overdue promise that is replaced counts as broken.
* ``withdrawn`` by a newer version with the amount 0. A voided row never was a promise and is not listed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import polars as pl

from duecourse.core.calendar import epoch_days, holiday_days, shift_business_days
from duecourse.ledger.as_of import View
from duecourse.ledger.balances import live_allocations
from duecourse.ledger.free_money import unapplied_payments

# Days from "sent" to "seen" before a customer's own are known (glossary, section 2).
SETTLEMENT_DAYS: Mapping[str, int] = MappingProxyType(
    {"ach": 3, "wire": 2, "sepa": 1, "card": 2, "cheque": 14, "direct_debit": 14, "cash": 14, "other": 14}
)
PAID_WITH = ("payment", "discount", "withholding", "fee", "rounding")
_LIST = pl.List(pl.String())


@dataclass(frozen=True, slots=True)
class PromiseRules:
    """Policy for promises: business days of grace, share that makes a part, settlement days per payment method."""

    grace_business_days: int = 2
    part_kept_percent: int = 50
    settlement_days: Mapping[str, int] = field(default_factory=lambda: SETTLEMENT_DAYS)


DEFAULT_RULES = PromiseRules()


def promise_states(view: View, rules: PromiseRules = DEFAULT_RULES) -> pl.DataFrame:
    """One row per promise known at ``view.as_of``, sorted by promise_id.

    Columns: promise_id, customer_id, currency, promised_on, due_on, invoice_ids (null: the whole account),
    amount_minor, arrived_minor and remaining_minor (they add up to amount_minor), grace_until (due_on + grace),
    judged_after (due_on + settlement lag + grace), superseded_on (null unless a later promise replaced it) and state.
    """
    promises = (
        view.table("promises")
        .select("promise_id", "customer_id", "currency", "promised_on", "due_on", "amount_minor",
                pl.when(pl.col("invoice_ids").list.len() > 0).then(pl.col("invoice_ids").list.sort()))
        .join(_settlement(view, rules), on="customer_id", how="left")
        .with_columns(pl.col("lag").fill_null(rules.settlement_days["other"]))
    )  # fmt: skip
    promises = _with_limits(view, promises, rules).join(_superseded_on(promises), on="promise_id", how="left")
    arrived = _arrived(view, promises)
    amount = pl.col("amount_minor")
    return (
        promises.join(arrived, on="promise_id", how="left")
        .with_columns(pl.col("arrived_minor").fill_null(0))
        .with_columns((amount - pl.col("arrived_minor")).alias("remaining_minor"))
        .with_columns(_state(view, rules).alias("state"))
        .with_columns(pl.when(pl.col("state") == "superseded").then(pl.col("superseded_on")).alias("superseded_on"))
        .select(
            "promise_id", "customer_id", "currency", "promised_on", "due_on", "invoice_ids", "amount_minor",
            "arrived_minor", "remaining_minor", "grace_until", "judged_after", "superseded_on", "state",
        )
        .sort("promise_id")
    )  # fmt: skip


def _state(view: View, rules: PromiseRules) -> pl.Expr:
    today = pl.lit(view.as_of)
    complete = pl.col("remaining_minor") == 0
    part = pl.col("arrived_minor") * 100 >= pl.col("amount_minor") * rules.part_kept_percent
    return (
        pl.when(pl.col("amount_minor") == 0)
        .then(pl.lit("withdrawn"))
        .when(pl.col("superseded_on").is_not_null() & ~complete & (pl.col("superseded_on") <= pl.col("judged_after")))
        .then(pl.lit("superseded"))
        .when(today < pl.col("due_on"))
        .then(pl.lit("open"))
        .when(complete)
        .then(pl.lit("kept"))
        .when(today <= pl.col("judged_after"))
        .then(pl.lit("due"))
        .when(part)
        .then(pl.lit("part_kept"))
        .otherwise(pl.lit("broken"))
    )


def _settlement(view: View, rules: PromiseRules) -> pl.DataFrame:
    """customer_id, lag: settlement days of the method that the customer used most (the slowest of equal ones)."""
    days = pl.col("method").replace_strict(dict(rules.settlement_days), default=rules.settlement_days["other"])
    return (
        view.table("payments")
        .drop_nulls(["customer_id", "method"])
        .group_by("customer_id", "method")
        .agg(pl.len().alias("times"))
        .with_columns(days.cast(pl.Int64).alias("lag"))
        .sort("customer_id", "times", "lag", descending=[False, True, True])
        .unique("customer_id", keep="first", maintain_order=True)
        .select("customer_id", "lag")
    )


def _with_limits(view: View, promises: pl.DataFrame, rules: PromiseRules) -> pl.DataFrame:
    """``promises`` with grace_until and judged_after, by the business days of the customer's country."""
    countries = view.table("customers").select("customer_id", "country")
    placed = promises.join(countries, on="customer_id", how="left").sort("promise_id")
    parts = [_limits(part, rules) for part in placed.partition_by("country", maintain_order=True)]
    return pl.concat(parts) if parts else _limits(placed, rules)


def _limits(promises: pl.DataFrame, rules: PromiseRules) -> pl.DataFrame:
    """The two limits for promises of one country (null: no public holidays are known)."""
    due = epoch_days(promises.get_column("due_on"))
    seen = due + promises.get_column("lag").to_numpy()
    holidays = epoch_days([])
    country = promises.get_column("country")[0] if promises.height else None
    if country is not None:
        first, last = promises.select(
            pl.col("due_on").min(), pl.col("due_on").max().dt.offset_by("120d").alias("to")
        ).row(0)
        holidays = holiday_days(country, first, last)
    limits = {
        "grace_until": shift_business_days(due, rules.grace_business_days, holidays),
        "judged_after": shift_business_days(seen, rules.grace_business_days, holidays),
    }
    return promises.drop("country").with_columns(
        pl.Series(name, days, dtype=pl.Int32).cast(pl.Date) for name, days in limits.items()
    )


def _superseded_on(promises: pl.DataFrame) -> pl.DataFrame:
    """promise_id, superseded_on: the first later day on which a promise over one of the same invoices was made."""
    made = promises.filter(pl.col("amount_minor") > 0).sort("promised_on")
    keys = ["customer_id", "currency"]
    later_day = pl.col("promised_on").alias("superseded_on")
    per_invoice = made.drop_nulls("invoice_ids").explode("invoice_ids")
    whole_account = made.filter(pl.col("invoice_ids").is_null())
    replaced = [
        _next_later(per_invoice, per_invoice.select(*keys, "invoice_ids", "promised_on", later_day), "invoice_ids"),
        _next_later(made, whole_account.select(*keys, "promised_on", later_day)),
        _next_later(whole_account, made.select(*keys, "promised_on", later_day)),
    ]
    return pl.concat(replaced).group_by("promise_id").agg(pl.col("superseded_on").min())


def _next_later(earlier: pl.DataFrame, later: pl.DataFrame, *more_keys: str) -> pl.DataFrame:
    keys = ["customer_id", "currency", *more_keys]
    return (
        earlier.select("promise_id", "promised_on", *keys)
        .join_asof(
            later, on="promised_on", by=keys, strategy="forward", allow_exact_matches=False, check_sortedness=False
        )
        .select("promise_id", "superseded_on")
        .drop_nulls()
    )


def _arrived(view: View, promises: pl.DataFrame) -> pl.DataFrame:
    """promise_id, arrived_minor: money in time for each promise, at most its amount.

    In time: not before the promise, not after ``judged_after``, and before the day on which it was superseded.
    """
    last_day = pl.min_horizontal("judged_after", pl.col("superseded_on").dt.offset_by("-1d"))
    asked = promises.filter(pl.col("amount_minor") > 0).with_columns(
        last_day.alias("last_day"), pl.col("invoice_ids").list.join(";").fill_null("").alias("scope")
    )
    on_invoices = _in_time(asked, _applied_money(view), "applied_minor")
    unapplied = _in_time(asked.with_columns(pl.lit(None, dtype=_LIST).alias("invoice_ids")), unapplied_payments(view)
                         .select("customer_id", "currency", pl.col("received_on").alias("arrived_on"), "free_minor")
                         .rename({"free_minor": "amount"}), "unapplied_minor")  # fmt: skip
    shared = ["customer_id", "currency", "promised_on", "scope"]
    amount = pl.col("amount_minor")
    by_due = (
        asked.join(on_invoices, on="promise_id", how="left")
        .join(unapplied, on="promise_id", how="left")
        .with_columns(pl.col("applied_minor", "unapplied_minor").fill_null(0))
        .sort("due_on", "promised_on", "promise_id")
        .with_columns((amount.cum_sum().over(shared) - amount).alias("earlier_minor"))
        .with_columns((pl.col("applied_minor") - pl.col("earlier_minor")).clip(0, amount).alias("applied_minor"))
        .with_columns((amount - pl.col("applied_minor")).alias("lacking_minor"))
    )
    waiting = pl.col("lacking_minor").cum_sum().over("customer_id", "currency") - pl.col("lacking_minor")
    from_unapplied = (pl.col("unapplied_minor") - waiting).clip(0, pl.col("lacking_minor"))
    return by_due.select("promise_id", (pl.col("applied_minor") + from_unapplied).alias("arrived_minor"))


def _applied_money(view: View) -> pl.DataFrame:
    """customer_id, currency, invoice_id, arrived_on, amount of live allocations that pay; by the day money came in."""
    received = view.table("payments").select(pl.col("payment_id").alias("source_id"), "received_on")
    return (
        live_allocations(view)
        .filter(pl.col("source_kind").is_in(PAID_WITH))
        .join(view.table("invoices").select("invoice_id", "customer_id", "currency"), on="invoice_id", how="inner")
        .join(received, on="source_id", how="left")
        .select("customer_id", "currency", "invoice_id", pl.coalesce("received_on", "applied_on").alias("arrived_on"),
                pl.col("amount_minor").alias("amount"))
    )  # fmt: skip


def _in_time(promises: pl.DataFrame, money: pl.DataFrame, name: str) -> pl.DataFrame:
    """promise_id and the sum of ``money`` of its customer, currency and named invoices that came in time."""
    keys = ["customer_id", "currency"]
    columns = ["promise_id", *keys, "promised_on", "last_day"]
    account = promises.filter(pl.col("invoice_ids").is_null()).select(columns).join(money, on=keys, how="inner")
    pairs = [account.select("promise_id", "promised_on", "last_day", "arrived_on", "amount")]
    if "invoice_id" in money.columns:
        named = promises.drop_nulls("invoice_ids").select(*columns, pl.col("invoice_ids").alias("invoice_id"))
        on_named = named.explode("invoice_id").join(money, on=[*keys, "invoice_id"], how="inner")
        pairs.append(on_named.select(pairs[0].columns))
    in_time = pl.col("arrived_on").is_between(pl.col("promised_on"), pl.col("last_day"))
    return pl.concat(pairs).filter(in_time).group_by("promise_id").agg(pl.col("amount").sum().alias(name))

"""What contacting customers takes and what follows it. None of these is an effect: self-cures count as successes.

All need the table ``activities``. A contact is an outgoing activity that is not a note. Customers belong to every
currency in which they have an invoice.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import polars as pl

from duecourse.ledger.metrics.books import Books, Source, add_months, books_of, check_levels, result
from duecourse.ledger.metrics.collection import live_at
from duecourse.ledger.metrics.delays import paid_between

CUSTOMER_LEVELS = ("segment", "parent_id", "customer_id")
MESSAGE_CHANNELS = ("email", "sms", "letter", "portal")
HUMAN_CHANNELS = ("call", "meeting", "note")
WINDOW_DAYS = 90
NO_ACTIVITIES = "needs the table activities (who was contacted, when, how)"
NO_CONTACTS = "no contact is old enough to tell what followed"


def contacts(books: Books, start: date, end: date) -> pl.DataFrame:
    """Outgoing activities but notes with ``occurred_on`` in [start, end); the columns of ``activities``."""
    return (
        books.view.table("activities")
        .with_columns(pl.col("occurred_at").dt.date().alias("occurred_on"))
        .filter(
            (pl.col("direction") == "out")
            & (pl.col("channel") != "note")
            & pl.col("occurred_on").is_between(start, end, closed="left")
        )
    )


def cash_days(books: Books, day: date, customers: pl.DataFrame) -> pl.DataFrame:
    """customer_id, currency, paid_on: the days before ``day`` on which these customers' invoices received money."""
    theirs = books.invoices.join(customers, on="customer_id", how="semi").select(
        "invoice_id", "customer_id", "currency"
    )
    return (
        live_at(books, day)
        .filter(pl.col("source_kind") == "payment")
        .join(theirs, on="invoice_id", how="inner")
        .select("customer_id", "currency", pl.col("applied_on").alias("paid_on"))
        .unique()
    )


def collection_effectiveness_rate(
    source: Source, *, at: date | None = None, by: Sequence[str] = (), days: int = 14
) -> pl.DataFrame:
    """Collection effectiveness rate = contacted customers that paid within h days / contacted customers; h = 14.

    Contacts of the 90 days that ended ``days`` days before ``at``; paid = any allocation of a payment 0 to h days
    after one of these contacts. Unit: share. Caution: counts self-cures as wins; never call it the effect of a
    contact. Columns: levels, currency, contacted, paid, collection_rate, missing.
    """
    return _followed(source, at, by, days, "collection_rate")


def response_rate(source: Source, *, at: date | None = None, by: Sequence[str] = (), days: int = 7) -> pl.DataFrame:
    """Response rate = customers that answered, clicked, paid or promised within 7 days / customers messaged.

    Messages are e-mail, SMS, letter and portal of the 90 days that ended ``days`` days before ``at``. Unit: share.
    Caution: opens do not count; paying is not necessarily an answer. Columns: levels, currency, contacted, paid
    (= responded), response_rate, missing.
    """
    return _followed(source, at, by, days, "response_rate")


def _followed(source: Source, at: date | None, by: Sequence[str], days: int, name: str) -> pl.DataFrame:
    check_levels(by, CUSTOMER_LEVELS)
    books = books_of(source)
    day = at or books.view.as_of
    end = day - timedelta(days=days)
    reached = contacts(books, end - timedelta(days=WINDOW_DAYS), end)
    groups = books.invoices.select("customer_id", "segment", "parent_id", "currency").unique()
    signs = [cash_days(books, day, reached.select("customer_id").unique())]
    if name == "response_rate":
        reached = reached.filter(pl.col("channel").is_in(MESSAGE_CHANNELS))
        answers = _answers(books, day).join(groups.select("customer_id", "currency"), on="customer_id", how="inner")
        signs.append(answers.select("customer_id", "currency", "paid_on"))
    touched = reached.select("customer_id", "occurred_on").unique().join(groups, on="customer_id", how="inner")
    soon = (pl.col("paid_on") - pl.col("occurred_on")).dt.total_days().is_between(0, days)
    followed = (
        touched.join(pl.concat(signs), on=["customer_id", "currency"], how="inner")
        .filter(soon)
        .select("customer_id", "currency")
        .unique()
        .with_columns(pl.lit(value=True).alias("followed"))
    )
    sums = (
        touched.drop("occurred_on")
        .unique()
        .join(followed, on=["customer_id", "currency"], how="left")
        .group_by(*by, "currency")
        .agg(
            pl.len().cast(pl.Int64()).alias("contacted"),
            pl.col("followed").fill_null(value=False).sum().cast(pl.Int64()).alias("paid"),
        )
    )
    return result(
        books.fill(sums, by, "contacted", "paid"),
        name,
        pl.col("paid") / pl.col("contacted"),
        (pl.lit(books.view.table("activities").height == 0), NO_ACTIVITIES),
        (pl.col("contacted") == 0, NO_CONTACTS),
    )


def _answers(books: Books, day: date) -> pl.DataFrame:
    """customer_id, paid_on (the day): incoming activities, clicks and replies, and promises before ``day``."""
    activities = books.view.table("activities").with_columns(pl.col("occurred_at").dt.date().alias("paid_on"))
    active = activities.filter((pl.col("direction") == "in") | pl.col("outcome").is_in(["clicked", "replied"]))
    promised = books.view.table("promises").select("customer_id", pl.col("promised_on").alias("paid_on"))
    return pl.concat([active.select("customer_id", "paid_on"), promised]).filter(pl.col("paid_on") < day)


def accounts_worked_per_day(source: Source, *, at: date | None = None, days: int = WINDOW_DAYS) -> pl.DataFrame:
    """Accounts worked per day = (customer, day) pairs with a contact / days with any contact, last 90 days.

    Unit: count. Caution: asked for by the field, but contacts per day can be gamed; cash per hour is the honest
    measure. One row: worked, days_with_contacts, accounts_per_day, missing.
    """
    books = books_of(source)
    day = at or books.view.as_of
    pairs = contacts(books, day - timedelta(days=days), day).select("customer_id", "occurred_on").unique()
    frame = pl.DataFrame({"worked": [pairs.height], "days_with_contacts": [pairs["occurred_on"].n_unique()]})
    return result(
        frame,
        "accounts_per_day",
        pl.col("worked") / pl.col("days_with_contacts"),
        (pl.lit(books.view.table("activities").height == 0), NO_ACTIVITIES),
        (pl.col("worked") == 0, f"nobody was contacted in the last {days} days"),
    )


def touchless_share(
    source: Source, *, at: date | None = None, by: Sequence[str] = (), months: int = 12
) -> pl.DataFrame:
    """Touchless share = invoices paid with no human action / invoices paid, last 12 months.

    A human action is a call, a meeting, a note, or any activity with minutes, between issue and clearing, that names
    the invoice or (naming none) its customer. Unit: share. Caution: work that nobody logged looks touchless.
    Columns: levels, currency, cleared, touched, touchless_share, missing.
    """
    check_levels(by)
    books = books_of(source)
    day = at or books.view.as_of
    paid = paid_between(books, add_months(day, -months), day)
    human = (
        books.view.table("activities")
        .filter(pl.col("channel").is_in(HUMAN_CHANNELS) | (pl.col("minutes") > 0))
        .select("customer_id", pl.col("occurred_at").dt.date().alias("worked_on"), "invoice_ids")
    )
    named = (
        human.filter(pl.col("invoice_ids").list.len() > 0)
        .explode("invoice_ids")
        .select(pl.col("invoice_ids").alias("invoice_id"), "worked_on")
        .join(paid.select("invoice_id", "item", "issued_on", "cleared_on"), on="invoice_id", how="inner")
    )
    general = human.filter(pl.col("invoice_ids").list.len().fill_null(0) == 0).join(
        paid.select("customer_id", "item", "issued_on", "cleared_on"), on="customer_id", how="inner"
    )
    between = pl.col("worked_on").is_between(pl.col("issued_on"), pl.col("cleared_on"))
    touched = pl.concat([rows.filter(between).select("item") for rows in (named, general)]).unique()
    sums = paid.group_by(*by, "currency").agg(
        pl.len().cast(pl.Int64()).alias("cleared"),
        pl.col("item").is_in(touched.get_column("item").implode()).sum().cast(pl.Int64()).alias("touched"),
    )
    return result(
        books.fill(sums, by, "cleared", "touched"),
        "touchless_share",
        1 - pl.col("touched") / pl.col("cleared"),
        (pl.lit(books.view.table("activities").height == 0), NO_ACTIVITIES),
        (pl.col("cleared") == 0, f"no invoice was paid in the last {months} months"),
    )


def cost_per_unit_collected(
    source: Source,
    *,
    at: date | None = None,
    hourly_cost_minor: int | None = None,
    channel_cost_minor: int = 0,
    tools_minor: int = 0,
    days: int = WINDOW_DAYS,
) -> pl.DataFrame:
    """Cost per unit collected = (labour minutes * rate + channel cost + tools) / cash collected, last 90 days.

    Minutes are those of the activities; ``channel_cost_minor`` is per contact, ``tools_minor`` for the period, all in
    the currency of the result. Unit: share (0.01 = one cent per unit of money). Caution: minutes nobody logged are
    free here; only for a book with one currency, since a minute belongs to none. Columns: currency, minutes,
    contacts, cost_minor, collected_minor, cost_per_unit, missing.
    """
    books = books_of(source)
    day = at or books.view.as_of
    start = day - timedelta(days=days)
    worked = books.view.table("activities").filter(
        pl.col("occurred_at").dt.date().is_between(start, day, closed="left")
    )
    minutes = float(worked.get_column("minutes").sum() or 0.0)
    count = contacts(books, start, day).height
    cost = round(minutes / 60 * (hourly_cost_minor or 0)) + count * channel_cost_minor + tools_minor
    cash = (
        live_at(books, day)
        .filter((pl.col("source_kind") == "payment") & (pl.col("applied_on") >= start))
        .join(books.invoices.select("invoice_id", "currency"), on="invoice_id", how="inner")
        .group_by("currency")
        .agg(pl.col("amount_minor").sum().alias("collected_minor"))
    )
    frame = books.fill(cash, (), "collected_minor").with_columns(
        pl.lit(minutes).alias("minutes"),
        pl.lit(count, pl.Int64()).alias("contacts"),
        pl.lit(cost, pl.Int64()).alias("cost_minor"),
    )
    return result(
        frame,
        "cost_per_unit",
        pl.col("cost_minor") / pl.col("collected_minor"),
        (pl.lit(minutes == 0), "needs the minutes of activities"),
        (pl.lit(hourly_cost_minor is None), "needs the cost of an hour of collection work"),
        (pl.lit(frame.height > 1), "needs a book with one currency: minutes belong to none"),
        (pl.col("collected_minor") <= 0, f"no cash was collected in the last {days} days"),
    )

"""What contacting customers takes and what follows it. None of these is an effect: self-cures count as successes.

All need the table ``activities``. A contact is an outgoing activity that is not a note. Customers belong to every
currency, and at the level of entities to every entity, in which they have an invoice.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import polars as pl

from duecourse.ledger.metrics.books import CUSTOMER_LEVELS, Books, Source, add_months, books_of, check_levels, result
from duecourse.ledger.metrics.collection import live_at
from duecourse.ledger.metrics.delays import paid_between

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


def cash_days(books: Books, day: date, owner: Sequence[str], customers: pl.DataFrame) -> pl.DataFrame:
    """The columns ``owner`` and paid_on: the days before ``day`` on which these customers' invoices received money."""
    theirs = books.invoices.join(customers, on="customer_id", how="semi").select("invoice_id", *owner)
    return (
        live_at(books, day)
        .filter(pl.col("source_kind") == "payment")
        .join(theirs, on="invoice_id", how="inner")
        .select(*owner, pl.col("applied_on").alias("paid_on"))
        .unique()
    )


def _owner(by: Sequence[str]) -> list[str]:
    """Whose cash answers a contact: the customer's in one currency and, where asked for, one entity."""
    return ["customer_id", "currency", *(level for level in by if level == "entity_id")]


def _touched(books: Books, reached: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """Who was contacted when: ``_owner``, segment, parent_id, occurred_on; one row per day."""
    groups = books.invoices.select("segment", "parent_id", *_owner(by)).unique()
    return reached.select("customer_id", "occurred_on").unique().join(groups, on="customer_id", how="inner")


def collection_effectiveness_rate(
    source: Source, *, at: date | None = None, by: Sequence[str] = (), days: int = 14
) -> pl.DataFrame:
    """Collection effectiveness rate = contacted customers that paid within h days / contacted customers; h = 14.

    Contacts of the 90 days that ended ``days`` days before ``at``; paid = any allocation of a payment 0 to h days
    after one of these contacts. Unit: share. Caution: counts self-cures as wins; never call it the effect of a
    contact. Source: practice of collection teams; h and the window are ours. Columns: levels, currency, contacted,
    paid, collection_rate, missing.
    """
    return _followed(source, at, by, days, "collection_rate")


def response_rate(source: Source, *, at: date | None = None, by: Sequence[str] = (), days: int = 7) -> pl.DataFrame:
    """Response rate = customers that answered, clicked, paid or promised within 7 days / customers messaged.

    Messages are e-mail, SMS, letter and portal of the 90 days that ended ``days`` days before ``at``. Unit: share.
    Caution: opens do not count; paying is not necessarily an answer. Source: practice of collection teams; 7 days are
    ours. Columns: levels, currency, contacted, paid (= responded), response_rate, missing.
    """
    return _followed(source, at, by, days, "response_rate")


def _followed(source: Source, at: date | None, by: Sequence[str], days: int, name: str) -> pl.DataFrame:
    check_levels(by)
    books = books_of(source)
    day = at or books.view.as_of
    end = day - timedelta(days=days)
    reached = contacts(books, end - timedelta(days=WINDOW_DAYS), end)
    owner = _owner(by)
    signs = [cash_days(books, day, owner, reached.select("customer_id").unique())]
    if name == "response_rate":
        reached = reached.filter(pl.col("channel").is_in(MESSAGE_CHANNELS))
        owners = books.invoices.select(owner).unique()
        signs.append(_answers(books, day).join(owners, on="customer_id", how="inner").select(*owner, "paid_on"))
    touched = _touched(books, reached, by)
    soon = (pl.col("paid_on") - pl.col("occurred_on")).dt.total_days().is_between(0, days)
    followed = (
        touched.join(pl.concat(signs), on=owner, how="inner")
        .filter(soon)
        .select(owner)
        .unique()
        .with_columns(pl.lit(value=True).alias("followed"))
    )
    sums = (
        touched.drop("occurred_on")
        .unique()
        .join(followed, on=owner, how="left")
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


def contact_to_cash(source: Source, *, at: date | None = None, by: Sequence[str] = (), days: int = 30) -> pl.DataFrame:
    """Contact-to-cash = median days from a customer's first contact to its first cash from then on, h = 30.

    First contact within the 90 days that ended ``days`` days before ``at``, so that everybody was watched for h days;
    without cash in them a customer counts as longer than h. Unit: days. Caution: self-cures count too, so it is no
    effect of the contact; null when fewer than half brought cash within h days. Source: ours, after the field's
    "time from contact to payment". Columns: levels, currency, contacted, paid (within h days),
    contact_to_cash_days, missing.
    """
    check_levels(by)
    books = books_of(source)
    day = at or books.view.as_of
    end = day - timedelta(days=days)
    owner = _owner(by)
    touched = _touched(books, contacts(books, end - timedelta(days=WINDOW_DAYS), end), by)
    first = touched.group_by("segment", "parent_id", *owner).agg(pl.col("occurred_on").min())
    waited = (pl.col("paid_on") - pl.col("occurred_on")).dt.total_days()
    soonest = (
        first.join(cash_days(books, day, owner, first.select("customer_id").unique()), on=owner, how="inner")
        .filter(waited.is_between(0, days))
        .group_by(owner)
        .agg(waited.min().alias("waited"))
    )
    # Nobody knows how long the others will take; half of all is reached among those that paid or not at all.
    half = (pl.len() + 1) // 2
    sums = (
        first.join(soonest, on=owner, how="left")
        .group_by(*by, "currency")
        .agg(
            pl.len().cast(pl.Int64()).alias("contacted"),
            pl.col("waited").count().cast(pl.Int64()).alias("paid"),
            pl.col("waited").drop_nulls().sort().slice(half - 1, 1).first().alias("median"),
        )
    )
    return result(
        books.fill(sums, by, "contacted", "paid"),
        "contact_to_cash_days",
        pl.col("median"),
        (pl.lit(books.view.table("activities").height == 0), NO_ACTIVITIES),
        (pl.col("contacted") == 0, NO_CONTACTS),
        (pl.col("median").is_null(), f"fewer than half of those contacted brought cash within {days} days"),
    ).drop("median")


def accounts_worked_per_day(
    source: Source, *, at: date | None = None, by: Sequence[str] = (), days: int = WINDOW_DAYS
) -> pl.DataFrame:
    """Accounts worked per day = (customer, day) pairs with a contact / days with any contact, last 90 days.

    Unit: count. Caution: asked for by the field, but contacts per day can be gamed; cash per hour is the honest
    measure. Source: practice of collection teams. Columns: levels (a contact has no entity and no currency), worked,
    days_with_contacts, accounts_per_day, missing; one row without levels, else one per group with a contact.
    """
    check_levels(by, CUSTOMER_LEVELS)
    books = books_of(source)
    day = at or books.view.as_of
    pairs = (
        contacts(books, day - timedelta(days=days), day)
        .select("customer_id", "occurred_on")
        .unique()
        .join(books.customers.select(CUSTOMER_LEVELS), on="customer_id", how="left")
        .with_columns(pl.col("segment", "parent_id").fill_null(""))
    )
    figures = (
        pl.len().cast(pl.Int64()).alias("worked"),
        pl.col("occurred_on").n_unique().cast(pl.Int64()).alias("days_with_contacts"),
    )
    return result(
        pairs.group_by(by).agg(figures).sort(by) if by else pairs.select(figures),
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
    the invoice or (naming none) its customer. Unit: share. Caution: work that nobody logged looks touchless. Source:
    the field's touchless or no-touch rate; what counts as human action is ours. Columns: levels, currency, cleared,
    touched, touchless_share, missing.
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
    by: Sequence[str] = (),
    hourly_cost_minor: int | None = None,
    channel_cost_minor: int = 0,
    tools_minor: int = 0,
    days: int = WINDOW_DAYS,
) -> pl.DataFrame:
    """Cost per unit collected = (labour minutes * rate + channel cost + tools) / cash collected, last 90 days.

    Minutes are those of the activities; ``channel_cost_minor`` is per contact, ``tools_minor`` for the period and
    the whole book (below it, tools are left out), all in the currency of the result. Unit: share (0.01 = one cent per
    unit of money). Caution: minutes nobody logged are free here; only for a book with one currency, since a minute
    belongs to none. Source: practice of shared-service benchmarks. Columns: levels (a minute has no entity),
    currency, minutes, contacts, cost_minor, collected_minor, cost_per_unit, missing.
    """
    check_levels(by, CUSTOMER_LEVELS)
    books = books_of(source)
    day = at or books.view.as_of
    keys = [*by, "currency"]
    work = _work(books, day - timedelta(days=days), day, by)
    frame = books.fill(_collected(books, day - timedelta(days=days), day, by), by, "collected_minor")
    currencies = books.groups().height
    joined = frame.join(work, on=by, how="left", maintain_order="left") if by else frame.join(work, how="cross")
    labour = pl.col("minutes") / 60 * (hourly_cost_minor or 0)
    tools = 0 if by else tools_minor
    return result(
        joined.with_columns(pl.col("minutes").fill_null(0.0), pl.col("contacts").fill_null(0)).select(
            *keys,
            "minutes",
            "contacts",
            (labour.round().cast(pl.Int64()) + pl.col("contacts") * channel_cost_minor + tools).alias("cost_minor"),
            "collected_minor",
        ),
        "cost_per_unit",
        pl.col("cost_minor") / pl.col("collected_minor"),
        (pl.lit(work.get_column("minutes").sum() <= 0), "needs the minutes of activities"),
        (pl.lit(hourly_cost_minor is None), "needs the cost of an hour of collection work"),
        (pl.lit(currencies > 1), "needs a book with one currency: minutes belong to none"),
        (pl.col("collected_minor") <= 0, f"no cash was collected in the last {days} days"),
    )


def _work(books: Books, start: date, day: date, by: Sequence[str]) -> pl.DataFrame:
    """Per group minutes (of all activities) and contacts in [start, day); one row without levels."""
    about = books.customers.select(CUSTOMER_LEVELS)
    spent = books.view.table("activities").filter(pl.col("occurred_at").dt.date().is_between(start, day, closed="left"))
    out = (pl.col("direction") == "out") & (pl.col("channel") != "note")
    figures = (pl.col("minutes").sum(), out.sum().cast(pl.Int64()).alias("contacts"))
    rows = spent.join(about, on="customer_id", how="left").with_columns(pl.col("segment", "parent_id").fill_null(""))
    return rows.group_by(by).agg(figures) if by else rows.select(figures)


def _collected(books: Books, start: date, day: date, by: Sequence[str]) -> pl.DataFrame:
    """Per group and currency collected_minor: payments applied in [start, day)."""
    return (
        live_at(books, day)
        .filter((pl.col("source_kind") == "payment") & (pl.col("applied_on") >= start))
        .join(books.invoices.select("invoice_id", *CUSTOMER_LEVELS, "currency"), on="invoice_id", how="inner")
        .group_by(*by, "currency")
        .agg(pl.col("amount_minor").sum().alias("collected_minor"))
    )

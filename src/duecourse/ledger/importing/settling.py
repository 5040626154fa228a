"""Who paid what, when: payments and allocations from paid dates, settled amounts and payment lists.

A settlement that an export states without a day ("paid 120.00") is never given a made-up day in the past: it counts
from the day of the export on, and an invoice that is closed without any day is left out, since it teaches nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from duecourse.ledger.importing.fields import Typed, problem_rows
from duecourse.ledger.importing.outcome import problem_frame

PAYMENT_COLUMNS = (
    "payment_id",
    "received_on",
    "amount_minor",
    "currency",
    "customer_id",
    "method",
    "payer_name",
    "reference",
    "recorded_at",
)
ALLOCATION_COLUMNS = (
    "allocation_id",
    "invoice_id",
    "source_kind",
    "applied_on",
    "amount_minor",
    "source_id",
    "recorded_at",
)
_REFERENCE_MARKS = r"[,;|\s#]+"


@dataclass(frozen=True)
class Settlements:
    """``payments`` and ``allocations`` in the ledger's columns; ``closed_unknown`` invoice ids without any paid day."""

    payments: pl.DataFrame
    allocations: pl.DataFrame
    closed_unknown: pl.Series
    undated: int
    rounded_off: int


def settled_minor() -> pl.Expr:
    """What a row says was settled: its paid amount, else amount less open, else all when it has a paid date."""
    credited = pl.col("credited_amount_minor").fill_null(0)
    return (
        pl.coalesce(
            pl.col("paid_amount_minor"),
            pl.col("amount_minor") - pl.col("open_amount_minor") - credited,
            pl.when(pl.col("cleared_on").is_not_null() | (pl.col("status") == "paid")).then("amount_minor"),
        )
        .fill_null(0)
        .clip(lower_bound=0)
    )


def settle(invoices: pl.DataFrame, paid_rows: pl.DataFrame, listed: pl.DataFrame, exported_on: date) -> Settlements:
    """Payments and allocations of all files.

    ``listed`` (payment_id, received_on, amount_minor, allocated_minor, references ...) are rows of payment lists.
    """
    dated = _from_paid_dates(paid_rows)
    amounts = invoices.select("invoice_id", "amount_minor", "issued_on", invoice_customer="customer_id")
    links = _links(listed, amounts)
    links = _within_invoices(links, amounts, dated)
    listed_payments = _listed_payments(listed)
    remaining = _undated(invoices, dated, links)
    in_part = remaining.filter(pl.col("rest_minor") < pl.col("amount_minor"), ~pl.col("closed") | pl.col("has_days"))
    closed_unknown = remaining.filter(pl.col("closed"), ~pl.col("has_days")).get_column("invoice_id")
    from_export = in_part.select(
        pl.format("U-{}", "invoice_id").alias("payment_id"),
        "invoice_id",
        "customer_id",
        "currency",
        pl.when(pl.col("closed")).then("last_paid_on").otherwise(pl.lit(exported_on)).alias("received_on"),
        pl.col("rest_minor").alias("amount_minor"),
    )
    own = pl.concat([dated, from_export], how="diagonal_relaxed").filter(pl.col("amount_minor") > 0)
    own = own.join(amounts.select("invoice_id", "issued_on"), on="invoice_id", how="left", maintain_order="left")
    # Money that came before the invoice is applied on the day of the invoice: not earlier than there was one.
    own = own.with_columns(applied_on=pl.max_horizontal("received_on", "issued_on")).drop("issued_on")
    payments = pl.concat([_as_payments(own), listed_payments], how="diagonal_relaxed")
    allocations = pl.concat(
        [
            own.select("invoice_id", "amount_minor", "applied_on", source_id="payment_id", recorded_at=_known(own)),
            links.select("invoice_id", "amount_minor", "applied_on", source_id="payment_id", recorded_at=_known(links)),
        ],
        how="diagonal_relaxed",
    ).filter(pl.col("amount_minor") > 0)
    allocations = (
        allocations.sort("invoice_id", "applied_on", "source_id", maintain_order=True)
        .with_columns(
            (pl.int_range(pl.len()).over("invoice_id") + 1).alias("nth"), pl.lit("payment").alias("source_kind")
        )
        .with_columns(pl.format("A-{}-{}", "invoice_id", "nth").alias("allocation_id"))
    )
    credited = _credited(invoices, dated, exported_on)
    allocations = pl.concat(
        [allocations.select(ALLOCATION_COLUMNS), credited.select(ALLOCATION_COLUMNS)], how="vertical_relaxed"
    )
    known = ~pl.col("invoice_id").is_in(closed_unknown.implode())
    open_part = in_part.filter(~pl.col("closed")).height
    return Settlements(
        payments.filter(
            ~pl.col("payment_id").str.starts_with("U-")
            | ~pl.col("payment_id").str.slice(2).is_in(closed_unknown.implode())
        ),
        allocations.filter(known),
        closed_unknown,
        open_part,
        in_part.height - open_part,
    )


def _known(frame: pl.DataFrame) -> pl.Expr:
    """When the books knew: the later of the day itself and the row's own recording time."""
    if "recorded_at" not in frame.columns:
        return pl.lit(None, dtype=pl.Datetime("us", "UTC"))
    day = "applied_on" if "applied_on" in frame.columns else "received_on"
    own_day = pl.col(day).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    return pl.when(pl.col("recorded_at").is_not_null()).then(pl.max_horizontal("recorded_at", own_day))


def _from_paid_dates(rows: pl.DataFrame) -> pl.DataFrame:
    """One payment per row with a paid date; its amount is what the row says was settled."""
    paid = rows.with_columns(settled_minor().alias("settled_minor")).filter(
        pl.col("cleared_on").is_not_null(), pl.col("settled_minor") > 0
    )
    nth = pl.int_range(pl.len()).over("invoice_id")
    return paid.with_columns(nth.alias("nth")).select(
        pl.when(pl.col("nth") > 0)
        .then(pl.format("P-{}-{}", "invoice_id", pl.col("nth") + 1))
        .otherwise(pl.format("P-{}", "invoice_id"))
        .alias("payment_id"),
        "invoice_id",
        "customer_id",
        "currency",
        "recorded_at",
        "method",
        pl.col("cleared_on").alias("received_on"),
        pl.min_horizontal("settled_minor", "amount_minor").alias("amount_minor"),
    )


def _links(listed: pl.DataFrame, amounts: pl.DataFrame) -> pl.DataFrame:
    """payment_id, invoice_id, wanted_minor: each reference of a payment row that names a known invoice.

    A row's money goes to its invoices in the order in which they are named, each up to its amount.
    """
    if listed.height == 0:
        return listed.select("payment_id").with_columns(
            pl.lit(None, pl.String).alias("invoice_id"),
            pl.lit(None, pl.Int64).alias("amount_minor"),
            pl.lit(None, pl.Date).alias("applied_on"),
            pl.lit(None, pl.Datetime("us", "UTC")).alias("recorded_at"),
        )
    rows = listed.with_row_index("line").filter(pl.col("references").is_not_null())
    whole = rows.select("line", pl.col("references").alias("invoice_id"), pl.lit(0).alias("place"))
    words = rows.select("line", pl.col("references").str.split(",").alias("words"))
    tokens = (
        rows.select(
            "line", pl.col("references").str.replace_all(_REFERENCE_MARKS, " ").str.split(" ").alias("invoice_id")
        )
        .explode("invoice_id")
        .with_columns((pl.int_range(pl.len()).over("line") + 1).cast(pl.Int32).alias("place"))
    )
    pieces = words.explode("words").select(
        "line", pl.col("words").str.strip_chars().alias("invoice_id"), pl.lit(0).alias("place")
    )
    named = pl.concat([whole, pieces, tokens], how="vertical_relaxed").filter(pl.col("invoice_id").is_not_null())
    matched = named.join(amounts, on="invoice_id", how="inner", maintain_order="left").sort(
        "line", "place", maintain_order=True
    )
    matched = matched.unique(["line", "invoice_id"], keep="first", maintain_order=True)
    money = pl.coalesce("allocated_minor", "amount_minor")
    joined = matched.join(
        listed.with_row_index("line").select(
            "line", "payment_id", "received_on", "recorded_at", money.alias("money_minor")
        ),
        on="line",
        how="left",
        maintain_order="left",
    )
    before = pl.col("amount_minor").cum_sum().over("line") - pl.col("amount_minor")
    wanted = pl.min_horizontal(pl.col("money_minor") - before, pl.col("amount_minor")).clip(lower_bound=0)
    return joined.select(
        "payment_id",
        "invoice_id",
        wanted.alias("amount_minor"),
        "recorded_at",
        pl.max_horizontal("received_on", "issued_on").alias("applied_on"),
    ).filter(pl.col("amount_minor") > 0)


def _within_invoices(links: pl.DataFrame, amounts: pl.DataFrame, dated: pl.DataFrame) -> pl.DataFrame:
    """The links cut so that no invoice gets more than its amount, earlier payments first."""
    if links.height == 0:
        return links
    # An invoice whose own row has a paid date is settled by that row; the list would pay it twice.
    links = links.filter(~pl.col("invoice_id").is_in(dated.get_column("invoice_id").implode()))
    limit = amounts.select("invoice_id", limit_minor="amount_minor")
    ordered = links.join(limit, on="invoice_id", how="left").sort(
        "invoice_id", "applied_on", "payment_id", maintain_order=True
    )
    before = pl.col("amount_minor").cum_sum().over("invoice_id") - pl.col("amount_minor")
    room = (pl.col("limit_minor") - before).clip(lower_bound=0)
    return (
        ordered.with_columns(pl.min_horizontal("amount_minor", room).alias("amount_minor"))
        .filter(pl.col("amount_minor") > 0)
        .drop("limit_minor")
    )


def _undated(invoices: pl.DataFrame, dated: pl.DataFrame, links: pl.DataFrame) -> pl.DataFrame:
    """Invoices whose stated settlement is more than what has a day: rest_minor, closed, has_days, last_paid_on."""
    days = (
        pl.concat(
            [
                dated.select("invoice_id", "amount_minor", day="received_on"),
                links.select("invoice_id", "amount_minor", day="applied_on"),
            ]
        )
        .group_by("invoice_id")
        .agg(pl.col("amount_minor").sum().alias("dated_minor"), pl.col("day").max().alias("last_paid_on"))
    )
    stated = invoices.with_columns(settled_minor().alias("settled_minor")).join(days, on="invoice_id", how="left")
    rest = pl.min_horizontal("settled_minor", "amount_minor") - pl.col("dated_minor").fill_null(0)
    credited = pl.col("credited_amount_minor").fill_null(0)
    return (
        stated.with_columns(
            rest.alias("rest_minor"),
            (pl.col("settled_minor") + credited >= pl.col("amount_minor")).alias("closed"),
            pl.col("last_paid_on").is_not_null().alias("has_days"),
        )
        .filter(pl.col("rest_minor") > 0)
        .sort("invoice_id")
    )


def _credited(invoices: pl.DataFrame, dated: pl.DataFrame, exported_on: date) -> pl.DataFrame:
    """Allocations of credits that a column states: on the paid day where there is one, else from the export on."""
    last = dated.group_by("invoice_id").agg(
        pl.col("received_on").max().alias("last_paid_on"), pl.col("amount_minor").sum().alias("dated_minor")
    )
    rows = invoices.filter(pl.col("credited_amount_minor") > 0).join(last, on="invoice_id", how="left")
    room = (pl.col("amount_minor") - pl.col("dated_minor").fill_null(0)).clip(lower_bound=0)
    return (
        rows.select(
            pl.format("A-{}-credit", "invoice_id").alias("allocation_id"),
            "invoice_id",
            pl.lit("credit").alias("source_kind"),
            pl.coalesce("last_paid_on", pl.lit(exported_on)).alias("applied_on"),
            pl.min_horizontal("credited_amount_minor", room).alias("amount_minor"),
            pl.lit(None, pl.String).alias("source_id"),
            pl.lit(None, pl.Datetime("us", "UTC")).alias("recorded_at"),
        )
        .filter(pl.col("amount_minor") > 0)
        .sort("invoice_id")
    )


def _as_payments(own: pl.DataFrame) -> pl.DataFrame:
    return own.with_columns(_known(own).alias("recorded_at")).select(
        "payment_id", "received_on", "amount_minor", "currency", "customer_id", "method", "recorded_at"
    )


def _listed_payments(listed: pl.DataFrame) -> pl.DataFrame:
    """One row per payment of the lists; several rows of one payment are its parts."""
    if listed.height == 0:
        return listed.select([name for name in PAYMENT_COLUMNS if name in listed.columns])
    return (
        listed.group_by("payment_id", maintain_order=True)
        .agg(
            pl.when(pl.col("allocated_minor").is_not_null().any())
            .then(pl.max_horizontal(pl.col("amount_minor").max(), pl.col("allocated_minor").sum()))
            .otherwise(pl.col("amount_minor").sum())
            .alias("amount_minor"),
            *(pl.col(name).first() for name in PAYMENT_COLUMNS if name not in ("payment_id", "amount_minor")),
        )
        .with_columns(
            pl.when(pl.col("recorded_at").is_not_null())
            .then(
                pl.max_horizontal(
                    "recorded_at", pl.col("received_on").cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
                )
            )
            .alias("recorded_at")
        )
    )


def payment_records(typed: Typed, known_invoices: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The usable rows of a payment list in the form that ``settle`` takes, and a problem table of rows set aside.

    ``known_invoices`` (invoice_id, customer_id) completes customers of payments that name only an invoice.
    """
    file, header = typed.raw.file, typed.table.header_of
    typed.frame = typed.frame.with_columns(pl.coalesce("customer_id", "customer_name").alias("customer_id"))
    skipped = (pl.col("kind") == "skip").fill_null(False) | (pl.col("status") == "skip").fill_null(False)
    skipped |= pl.col("kind").is_in(["invoice", "credit", "debit_note"]).fill_null(False)
    blank = pl.lit(None, pl.String)
    for name, what in (("received_on", "a payment date"), ("amount_minor", "an amount")):
        unread = pl.col("row").is_in(typed.bad_rows.implode())
        typed.report(
            pl.col(name).is_null() & ~skipped & ~unread,
            header(name.removesuffix("_minor")),
            blank,
            what,
            "fill the cell",
        )
    good = typed.frame.filter(~pl.col("row").is_in(typed.bad_rows.implode()))
    aside = [
        problem_rows(good, skipped, file=file, column=header("kind") or header("status"), value=pl.col("payment_id"),
                     expected="a payment received from a customer", what="left_out"),
    ]  # fmt: skip
    good = good.filter(~skipped)
    values = good.get_column("amount_minor")
    sign = -1 if (values < 0).sum() > (values > 0).sum() else 1  # many programs list payments as negative
    good = good.with_columns(
        pl.col("amount_minor") * sign, pl.col("allocated_amount_minor").abs().alias("allocated_minor")
    )
    aside.append(
        problem_rows(
            good,
            pl.col("amount_minor") <= 0,
            file=file,
            column=header("amount"),
            value=pl.col("amount_minor"),
            expected="money received (refunds and zeros are not payments)",
            what="left_out",
        )
    )
    good = good.filter(pl.col("amount_minor") > 0).with_columns(
        pl.coalesce("payment_id", pl.format("{}-{}", pl.lit(file), "row")).alias("payment_id"),
        pl.col("invoice_id").alias("references"),
    )
    owner = known_invoices.select(references="invoice_id", owner="customer_id")
    good = good.join(owner, on="references", how="left", maintain_order="left").with_columns(
        pl.coalesce("customer_id", "owner").alias("customer_id")
    )
    good = _tell_reused_numbers_apart(good)
    return good, pl.concat([problem_frame(), *aside])


def _tell_reused_numbers_apart(rows: pl.DataFrame) -> pl.DataFrame:
    """Cheque numbers come again: rows of one number but another day or customer are another payment."""
    key = pl.struct("received_on", "customer_id")
    nth = key.rank("dense").over("payment_id")
    return rows.with_columns(
        pl.when(key.n_unique().over("payment_id") > 1)
        .then(pl.format("{}/{}", "payment_id", nth))
        .otherwise("payment_id")
        .alias("payment_id")
    )

"""The books of a simulated company: invoices, payments, allocations, credits, disputes and promises as ledger tables.

Everything is written with the moment at which the books learnt of it; what is recorded after the end of the book is
left out here and kept in the truth alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from duecourse.core.ids import uniform
from duecourse.science.simulate.claims import OUTCOMES, REASONS, Claims
from duecourse.science.simulate.customers import Customers, choose
from duecourse.science.simulate.fates import NEVER, Fates
from duecourse.science.simulate.names import COUNTRIES, PRODUCT_LINES
from duecourse.science.simulate.orders import Orders
from duecourse.science.simulate.pay_calendar import Floats, Ints, monday_of, week_of
from duecourse.science.simulate.world import World

ISSUE_HOUR, CREDIT_HOUR, RECEIPT_HOUR, POSTING_HOUR, DISPUTE_HOUR = 16, 15, 17, 18, 10
PAYMENT_KEYS = ("received", "customer", "posted")
METHODS = {"EUR": ("sepa", "sepa", "wire"), "GBP": ("wire", "wire", "cheque"), "USD": ("ach", "cheque", "wire")}


@dataclass(frozen=True)
class Company:
    """Everything that was drawn for one company; ``book`` is (first day, first day after the end) as day numbers."""

    world: World
    seed: int
    book: tuple[int, int]
    customers: Customers
    orders: Orders
    fates: Fates
    claims: Claims

    @property
    def currency(self) -> npt.NDArray[np.str_]:
        """Currency of each invoice."""
        return np.array(self.customers.currencies)[self.orders.customer]

    @property
    def owner(self) -> npt.NDArray[np.str_]:
        """Customer id of each invoice."""
        return np.array(self.customers.ids)[self.orders.customer]


def days(numbers: Ints) -> pl.Series:
    """A date column from day numbers; NEVER becomes null."""
    return pl.Series(values=numbers).cast(pl.Int32).replace(NEVER, None).cast(pl.Date)


def moments(numbers: Ints, hour: int | Ints, minute: int | Ints = 0) -> pl.Series:
    """A timestamp column (UTC) from day numbers and times of day."""
    seconds = numbers * 86_400 + np.asarray(hour) * 3_600 + np.asarray(minute) * 60
    return pl.Series(values=seconds * 1_000_000).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def known_only(frame: pl.DataFrame, company: Company) -> pl.DataFrame:
    """The rows recorded before the end of the book."""
    end = moments(np.array([company.book[1]]), 0)[0]
    return frame.filter(pl.col("recorded_at") < end)


def invoice_table(company: Company) -> pl.DataFrame:
    """``invoices``, with a second version where a purchase order number was corrected later."""
    world, seed, orders = company.world, company.seed, company.orders
    codes = orders.codes
    late = uniform(seed, "recorded late", codes) < world.recording.invoice_late
    delay = np.where(late, 1 + (4 * uniform(seed, "recorded days", codes)).astype(np.int64), 0)
    # Known before the payer's first week begins, so that nothing is paid before the books know what was billed.
    recorded = np.minimum(orders.issued + delay, np.maximum(monday_of(week_of(orders.issued) + 1) - 1, orders.issued))
    order_number = 10_000 + (89_999 * uniform(seed, "po number", codes)).astype(np.int64)
    line = choose(uniform(seed, "product line", codes), [0.3, 0.25, 0.1, 0.15, 0.2])
    frame = pl.DataFrame({
        "invoice_id": orders.ids,
        "customer_id": company.owner,
        "issued_on": days(orders.issued),
        "due_on": days(orders.due),
        "amount_minor": orders.amount_minor,
        "currency": company.currency,
        "kind": ["invoice"] * orders.issued.size,
        "terms_days": orders.due - orders.issued,
        "po_number": [f"PO-{number}" for number in order_number.tolist()],
        "product_line": [PRODUCT_LINES[at] for at in line.tolist()],
        "line_count": 1 + (uniform(seed, "lines", codes) ** 3 * 20).astype(np.int64),
        "recorded_at": moments(recorded, ISSUE_HOUR),
    }, schema_overrides=dict.fromkeys(
        ("invoice_id", "customer_id", "currency", "kind", "po_number", "product_line"), pl.String
    ))  # fmt: skip
    fixed_after = 5 + (25 * uniform(seed, "corrected days", codes)).astype(np.int64)
    corrected = uniform(seed, "corrected", codes) < world.recording.invoice_corrected
    second = frame.with_columns(
        (pl.col("po_number") + "-A").alias("po_number"),
        moments(orders.issued + fixed_after, ISSUE_HOUR).alias("recorded_at"),
    ).filter(pl.Series(values=corrected))
    return known_only(pl.concat([frame, second]), company)


def credit_table(company: Company) -> pl.DataFrame:
    """``credits``: credit notes, credits that end disputes, and credits for what was paid short."""
    claims, fates = company.claims, company.fates
    parts = [
        _credits(company, "CN", claims.note_on, claims.note_minor, reason="goodwill"),
        _credits(company, "CD", fates.dispute_resolved, claims.dispute_credit_minor, reason="dispute"),
        _credits(company, "CS", claims.short_credited, claims.short_minor, reason="short payment"),
    ]
    return known_only(pl.concat(parts).sort("issued_on", "credit_id", maintain_order=True), company)


def _credits(company: Company, prefix: str, day: Ints, minor: Ints, *, reason: str) -> pl.DataFrame:
    rows = np.flatnonzero((day != NEVER) & (minor > 0))
    ids = company.orders.ids
    return pl.DataFrame(
        {
            "credit_id": [f"{prefix}-{ids[row].removeprefix('INV-')}" for row in rows],
            "customer_id": company.owner[rows],
            "issued_on": days(day[rows]),
            "amount_minor": minor[rows],
            "currency": company.currency[rows],
            "invoice_id": [ids[row] for row in rows],
            "reason": [reason] * rows.size,
            "recorded_at": moments(day[rows], CREDIT_HOUR),
        },
        schema_overrides={"credit_id": pl.String, "invoice_id": pl.String, "reason": pl.String},
    )


def payment_items(company: Company) -> pl.DataFrame:
    """What each payment pays, invoice by invoice, also what is posted or received after the end of the book.

    ``payment_id``, ``row`` and ``invoice_id``, ``customer`` (index), ``received`` and ``posted`` (day numbers),
    ``amount_minor``, ``part`` (0: the whole, 1 and 2: first part and rest); in order of receipt.
    """
    fates, payable = company.fates, company.claims.payable_minor
    first_minor = np.round(payable * fates.part).astype(np.int64)
    rows_first = np.flatnonzero(fates.cleared != NEVER)
    rows_rest = np.flatnonzero((fates.part < 1) & (fates.cleared != NEVER))
    rows = np.concatenate([rows_first, rows_rest])
    minor = np.concatenate([first_minor[rows_first], (payable - first_minor)[rows_rest]])
    received = np.concatenate([fates.received[rows_first], fates.rest_received[rows_rest]])
    posted = np.concatenate([fates.posted[rows_first], fates.rest_posted[rows_rest]])
    part = np.concatenate([np.where(fates.part[rows_first] < 1, 1, 0), np.full(rows_rest.size, 2)])
    items = pl.DataFrame({
        "row": rows, "customer": company.orders.customer[rows], "received": received, "posted": posted,
        "amount_minor": minor, "invoice_id": np.array(company.orders.ids, dtype=np.str_)[rows], "part": part,
    }, schema_overrides={"invoice_id": pl.String}).sort("received", "customer", "posted", "row")  # fmt: skip
    return items.with_columns((pl.struct(PAYMENT_KEYS).rle_id() + 1).alias("number")).with_columns(
        (pl.lit("PAY-") + pl.col("number").cast(pl.String).str.zfill(7)).alias("payment_id")
    )


def payment_tables(company: Company) -> tuple[pl.DataFrame, pl.DataFrame]:
    """``payments`` and their ``allocations``: one payment per customer and arrival, however many invoices it pays."""
    items = payment_items(company)
    payments = items.group_by("payment_id", *PAYMENT_KEYS, maintain_order=True).agg(
        pl.col("amount_minor").sum(), pl.col("invoice_id").alias("invoices")
    )
    allocations = items.select(
        (pl.lit("AL-") + pl.col("payment_id").str.slice(4) + "-" + pl.col("invoice_id").str.slice(4)).alias(
            "allocation_id"
        ),
        "invoice_id",
        pl.lit("payment").alias("source_kind"),
        days(items["posted"].to_numpy()).alias("applied_on"),
        "amount_minor",
        pl.col("payment_id").alias("source_id"),
        moments(items["posted"].to_numpy(), POSTING_HOUR).alias("recorded_at"),
    )
    return known_only(_payment_rows(company, payments), company), known_only(allocations, company)


def _payment_rows(company: Company, payments: pl.DataFrame) -> pl.DataFrame:
    customers = company.customers
    owner = payments["customer"].to_numpy()
    received = payments["received"].to_numpy()
    style = uniform(company.seed, "pay method", customers.codes)
    methods = [
        METHODS[COUNTRIES[country].currency][int(3 * draw)]
        for country, draw in zip(customers.country.tolist(), style.tolist(), strict=True)
    ]
    return payments.select(
        "payment_id",
        days(received).alias("received_on"),
        "amount_minor",
        pl.Series("currency", np.array(customers.currencies)[owner]),
        pl.Series("customer_id", np.array(customers.ids)[owner]),
        pl.Series("method", np.array(methods)[owner]),
        pl.col("invoices").list.join(" ").str.slice(0, 140).alias("remittance_text"),
        pl.lit("cleared").alias("status"),
        moments(received, RECEIPT_HOUR).alias("recorded_at"),
    )


def closing_allocations(company: Company, credit: pl.DataFrame) -> pl.DataFrame:
    """Allocations of credits (each on its day to its invoice) and of write-offs (all that is left)."""
    fates, claims = company.fates, company.claims
    rows = np.flatnonzero(fates.written_off != NEVER)
    left = (company.orders.amount_minor - claims.note_minor - claims.dispute_credit_minor)[rows]
    ids = np.array(company.orders.ids)[rows]
    text = dict.fromkeys(("allocation_id", "invoice_id", "source_kind", "source_id"), pl.String)
    written_off = pl.DataFrame({
        "allocation_id": [f"WO-{each.removeprefix('INV-')}" for each in ids.tolist()],
        "invoice_id": ids.astype(str),
        "source_kind": ["write_off"] * rows.size,
        "applied_on": days(fates.written_off[rows]),
        "amount_minor": left,
        "source_id": [f"JV-{each.removeprefix('INV-')}" for each in ids.tolist()],
        "recorded_at": moments(fates.written_off[rows], POSTING_HOUR),
    }, schema_overrides=text)  # fmt: skip
    credited = credit.select(
        (pl.lit("AL-") + pl.col("credit_id")).alias("allocation_id"),
        "invoice_id",
        pl.lit("credit").alias("source_kind"),
        pl.col("issued_on").alias("applied_on"),
        "amount_minor",
        pl.col("credit_id").alias("source_id"),
        "recorded_at",
    )
    return known_only(pl.concat([credited, written_off]), company)


def dispute_table(company: Company) -> pl.DataFrame:
    """``disputes``: one version when a dispute opens, a second one when it closes."""
    fates, claims = company.fates, company.claims
    before = np.flatnonzero(fates.dispute_opened != NEVER)
    short = np.flatnonzero(claims.short_minor > 0)
    rows = np.concatenate([before, short])
    opened = np.concatenate([fates.dispute_opened[before], fates.posted[short]])
    closed = np.concatenate([claims.dispute_closed[before], claims.short_credited[short]])
    disputed = np.concatenate([claims.disputed_minor[before], claims.short_minor[short]])
    valid = np.concatenate([claims.dispute_credit_minor[before], claims.short_minor[short]])
    outcome = np.concatenate([claims.dispute_outcome[before], np.zeros(short.size, dtype=np.int64)])
    prefix = np.array(["CD"] * before.size + ["CS"] * short.size, dtype="U2")
    hour = np.where(np.arange(rows.size) < before.size, DISPUTE_HOUR, POSTING_HOUR)
    ids = company.orders.ids
    numbers = [ids[row].removeprefix("INV-") for row in rows]
    reason = _reasons(company, rows)
    first: dict[str, Any] = {
        "dispute_id": [f"D{sign[1]}-{number}" for sign, number in zip(prefix.tolist(), numbers, strict=True)],
        "invoice_id": [f"INV-{number}" for number in numbers],
        "opened_on": days(opened),
        "disputed_minor": disputed,
        "reason": [REASONS[at] for at in reason.tolist()],
        "closed_on": pl.Series(values=[None] * rows.size, dtype=pl.Date),
        "outcome": pl.Series(values=[None] * rows.size, dtype=pl.String),
        "valid_minor": pl.Series(values=[None] * rows.size, dtype=pl.Int64),
        "credit_id": pl.Series(values=[None] * rows.size, dtype=pl.String),
        "recorded_at": moments(opened, hour),
    }
    text = dict.fromkeys(("dispute_id", "invoice_id", "reason"), pl.String)
    opening = pl.DataFrame(first, schema_overrides=text)
    credit_ids = [f"{sign}-{number}" for sign, number in zip(prefix.tolist(), numbers, strict=True)]
    closing = opening.with_columns(
        days(closed).alias("closed_on"),
        pl.Series("outcome", [OUTCOMES[at] if at >= 0 else None for at in outcome.tolist()], dtype=pl.String),
        pl.Series("valid_minor", valid),
        pl.Series("credit_id", credit_ids, dtype=pl.String),
        moments(closed, POSTING_HOUR, 30).alias("recorded_at"),
    ).with_columns(pl.when(pl.col("valid_minor") > 0).then("credit_id").alias("credit_id"))
    closing = closing.filter(pl.col("closed_on").is_not_null())
    return known_only(pl.concat([opening, closing]), company)


def _reasons(company: Company, rows: Ints) -> Ints:
    shares: list[float] = [0.3, 0.2, 0.1, 0.1, 0.08, 0.12, 0.05, 0.05]
    draws: Floats = uniform(company.seed, "dispute reason", company.orders.codes[rows])
    return choose(draws, shares)

"""The tables of a ledger directory: columns, kinds, vocabularies, and which date makes a row known.

This is the contract that connectors, importer, science and users share. Columns are added, never renamed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import polars as pl

Kind = Literal[
    "text", "date", "timestamp", "minor", "integer", "number", "boolean", "currency", "country", "list", "json"
]

DTYPES: Mapping[Kind, pl.DataType] = {
    "text": pl.String(),
    "date": pl.Date(),
    "timestamp": pl.Datetime("us", "UTC"),
    "minor": pl.Int64(),
    "integer": pl.Int64(),
    "number": pl.Float64(),
    "boolean": pl.Boolean(),
    "currency": pl.String(),
    "country": pl.String(),
    "list": pl.List(pl.String()),
    "json": pl.String(),
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name with the unit in it, its kind, and the closed vocabulary where there is one."""

    name: str
    kind: Kind = "text"
    required: bool = False
    values: tuple[str, ...] = ()

    @property
    def dtype(self) -> pl.DataType:
        """The Polars type that a column of this kind has in memory."""
        return DTYPES[self.kind]


@dataclass(frozen=True, slots=True)
class Table:
    """One table: its columns, the columns that identify a row, and the date that a missing ``recorded_at`` takes.

    ``known_from`` is None where a row has no date of its own (customers, contacts): such a row without
    ``recorded_at`` has always been known. ``parent`` names the table through which a row without own times is seen.
    ``later`` lists the dates that a row may gain after it was recorded (a reversal, the closing of a dispute), each
    with the columns that become known with it: before that day ``as_of`` shows all of them empty.
    """

    name: str
    key: tuple[str, ...]
    known_from: str | None
    columns: tuple[Column, ...]
    parent: str | None = None
    later: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    by_name: Mapping[str, Column] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {column.name: column for column in self.columns})

    @property
    def dtypes(self) -> dict[str, pl.DataType]:
        """Column name -> Polars type, in the order of the contract."""
        return {column.name: column.dtype for column in self.columns}

    def empty(self) -> pl.DataFrame:
        """A frame of this table without rows."""
        return pl.DataFrame(schema=self.dtypes)


def _columns(kind: Kind, names: str, *, required: bool = False) -> tuple[Column, ...]:
    return tuple(Column(name, kind, required) for name in names.split())


def _need(kind: Kind, names: str) -> tuple[Column, ...]:
    return _columns(kind, names, required=True)


_RECORDED = (Column("recorded_at", "timestamp"), Column("voided_at", "timestamp"))
_VOIDED: Mapping[str, tuple[str, ...]] = {"voided_at": ()}
CONSENT = ("granted", "withdrawn", "unknown")
CHANNELS = ("email", "sms", "call", "letter", "portal", "meeting", "note")
TONES = ("soft", "neutral", "firm", "final")
SOURCE_KINDS = ("payment", "credit", "discount", "write_off", "withholding", "fee", "rounding")
ARMS = (
    "none", "email_soft", "email_neutral", "email_firm", "sms_soft", "letter_formal", "call_service", "call_firm",
    "call_plan", "email_discount", "send_documents", "route_dispute", "escalate",
)  # fmt: skip
DISPUTE_REASONS = (
    "pricing", "shortage", "not_received", "damage", "quality", "return", "promotion", "freight", "cash_discount",
    "tax", "bank_charge", "duplicate", "compliance_penalty", "terms", "missing_document", "set_off", "not_ours",
    "unidentified", "other",
)  # fmt: skip

_TABLES = (
    Table("customers", ("customer_id",), None, (
        *_need("text", "customer_id"),
        *_columns("text", "name parent_id segment industry"), Column("country", "country"),
        *_columns("text", "region postcode language timezone"), Column("currency", "currency"),
        Column("debtor_kind", values=("company", "sole_trader", "consumer", "unknown")),
        *_columns("minor", "credit_limit_minor"), *_columns("date", "since"),
        *_columns("text", "collector account_manager"), *_columns("boolean", "strategic"),
        *_columns("minor", "annual_value_minor"), *_RECORDED,
    ), later=_VOIDED),
    Table("contacts", ("contact_id",), None, (
        *_need("text", "contact_id customer_id"), *_columns("text", "name"),
        Column("role", values=("payables", "buyer", "owner", "executive", "legal", "other")),
        *_columns("text", "email phone mobile address postcode"), Column("country", "country"),
        *_columns("text", "timezone language"), Column("preferred_channel", values=CHANNELS),
        Column("email_consent", values=CONSENT), Column("sms_consent", values=CONSENT),
        Column("call_consent", values=CONSENT), *_RECORDED,
    ), later=_VOIDED),
    Table("invoices", ("invoice_id",), "issued_on", (
        *_need("text", "invoice_id customer_id"), *_need("date", "issued_on due_on"),
        *_need("minor", "amount_minor"), *_need("currency", "currency"),
        *_columns("text", "entity_id"), Column("kind", values=("invoice", "debit_note", "interest", "fee")),
        *_columns("integer", "terms_days"), *_columns("number", "discount_percent"),
        *_columns("integer", "discount_days"), *_columns("text", "po_number order_reference product_line"),
        *_columns("integer", "line_count"), *_columns("boolean", "recurring"), *_columns("text", "delivery_channel"),
        *_columns("date", "delivered_on"), *_RECORDED,
    ), later={"delivered_on": (), **_VOIDED}),
    Table("invoice_lines", ("invoice_id", "line_no"), None, (
        *_need("text", "invoice_id"), *_need("integer", "line_no"), *_columns("text", "sku description"),
        *_columns("number", "quantity"), *_columns("minor", "unit_price_minor amount_minor tax_minor"),
    ), parent="invoices"),
    Table("credits", ("credit_id",), "issued_on", (
        *_need("text", "credit_id customer_id"), *_need("date", "issued_on"), *_need("minor", "amount_minor"),
        *_need("currency", "currency"), *_columns("text", "invoice_id reason"), *_RECORDED,
    ), later=_VOIDED),
    Table("payments", ("payment_id",), "received_on", (
        *_need("text", "payment_id"), *_need("date", "received_on"), *_need("minor", "amount_minor"),
        *_need("currency", "currency"), *_columns("text", "customer_id"),
        Column("method", values=("ach", "wire", "sepa", "cheque", "card", "direct_debit", "cash", "other")),
        *_columns("text", "payer_name payer_account reference remittance_text bank_account"),
        Column("status", values=("cleared", "returned")), *_RECORDED,
    ), later=_VOIDED),
    Table("allocations", ("allocation_id",), "applied_on", (
        *_need("text", "allocation_id invoice_id"), Column("source_kind", required=True, values=SOURCE_KINDS),
        *_need("date", "applied_on"), *_need("minor", "amount_minor"), *_columns("text", "source_id"),
        *_columns("date", "reversed_on"), *_RECORDED,
    ), later={"reversed_on": (), **_VOIDED}),
    Table("activities", ("activity_id",), "occurred_at", (
        *_need("text", "activity_id customer_id"), Column("channel", required=True, values=CHANNELS),
        Column("direction", required=True, values=("out", "in")), *_need("timestamp", "occurred_at"),
        *_columns("text", "decision_id contact_id"), *_columns("list", "invoice_ids"), Column("tone", values=TONES),
        *_columns("text", "template"), *_columns("number", "minutes"),
        Column("outcome", values=("delivered", "bounced", "opened", "clicked", "replied", "reached", "voicemail",
                                  "no_answer", "wrong_party", "refused")),
        *_columns("text", "text"), *_RECORDED,
    ), later=_VOIDED),
    Table("promises", ("promise_id",), "promised_on", (
        *_need("text", "promise_id customer_id"), *_need("date", "promised_on due_on"),
        *_need("minor", "amount_minor"), *_need("currency", "currency"), *_columns("list", "invoice_ids"),
        *_columns("text", "source quote"), *_RECORDED,
    ), later=_VOIDED),
    Table("plans", ("plan_id",), "agreed_on", (
        *_need("text", "plan_id customer_id"), *_need("date", "agreed_on"), *_need("currency", "currency"),
        *_columns("list", "instalments invoice_ids"), *_columns("text", "approved_by"), *_RECORDED,
    ), later=_VOIDED),
    Table("disputes", ("dispute_id",), "opened_on", (
        *_need("text", "dispute_id invoice_id"), *_need("date", "opened_on"), *_columns("minor", "disputed_minor"),
        Column("reason", values=DISPUTE_REASONS), *_columns("text", "root_cause owner"), *_columns("date", "closed_on"),
        Column("outcome", values=("valid", "partly_valid", "invalid", "withdrawn")),
        *_columns("minor", "valid_minor"), *_columns("text", "credit_id"), *_RECORDED,
    ), later={"closed_on": ("outcome", "valid_minor", "credit_id"), **_VOIDED}),
    Table("decisions", ("decision_id",), "decided_at", (
        *_need("text", "decision_id"), *_need("timestamp", "decided_at"), *_need("text", "customer_id"),
        *_columns("list", "invoice_ids"), Column("arm", required=True, values=ARMS),
        *_columns("number", "propensity"), *_columns("json", "propensities masked"),
        *_columns("minor", "expected_gain_minor gain_p10_minor gain_p90_minor"), *_columns("number", "minutes"),
        *_columns("minor", "minute_price_minor"), *_columns("text", "policy policy_version"),
        *_columns("integer", "seed"), *_columns("text", "snapshot_id"), Column("currency", "currency"),
        *_columns("text", "contact_id cluster_id epoch_kind"), Column("executed_arm", values=ARMS),
        *_columns("timestamp", "executed_at"),
        *_columns("text", "not_executed_reason override_by override_reason"), *_columns("json", "nested"),
        *_columns("text", "stratum"), *_columns("integer", "autonomy_level"), *_columns("text", "approval_id"),
        *_columns("number", "eps"), *_columns("integer", "draws"),
        *_columns("text", "posterior_id prior_id mask_version capacity_hash features_hash"),
        *_columns("json", "q_arms dp_arms"), *_RECORDED,
    ), later={"executed_at": ("executed_arm",), **_VOIDED}),
)  # fmt: skip

TABLES: Mapping[str, Table] = {table.name: table for table in _TABLES}

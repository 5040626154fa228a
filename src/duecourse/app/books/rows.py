"""The tables of the ledger as rows of a database, column for column as ``ledger.schema`` declares them (ADR 0036).

Each row belongs to a legal entity and to the load that brought it. Rows are versions: a change is a newer row with a
later ``recorded_at``; ``is_newest`` marks the one that counts today. Money is minor units beside a currency.
"""

from __future__ import annotations

from typing import Any

from django.db import models

from duecourse.ledger import schema


def _text(**more: Any) -> models.TextField[str | None, str | None]:  # noqa: ANN401 - Django's options
    return models.TextField(null=True, **more)


def _choice(values: tuple[str, ...], **more: Any) -> models.CharField[str | None, str | None]:  # noqa: ANN401
    return models.CharField(
        max_length=20, null=True, choices=[(value, value.replace("_", " ")) for value in values], **more
    )


def _day(**more: Any) -> models.DateField[Any, Any]:  # noqa: ANN401
    return models.DateField(null=True, **more)


def _moment() -> models.DateTimeField[Any, Any]:
    return models.DateTimeField(null=True)


def _minor() -> models.BigIntegerField[Any, Any]:
    return models.BigIntegerField(null=True)


def _number() -> models.FloatField[Any, Any]:
    return models.FloatField(null=True)


def _flag() -> models.BooleanField[Any, Any]:
    return models.BooleanField(null=True)


def _list() -> models.JSONField[Any, Any]:
    return models.JSONField(null=True)


def _currency(*, required: bool = False) -> models.CharField[Any, Any]:
    return models.CharField(max_length=3, null=not required)


def _versions(name: str, *key: str) -> list[models.BaseConstraint]:
    """One row per key and time; a row that was always known (no time) is there once too."""
    return [
        models.UniqueConstraint(fields=["legal_entity", *key, "recorded_at"], name=f"books_{name}_version"),
        models.UniqueConstraint(
            fields=["legal_entity", *key], condition=models.Q(recorded_at=None), name=f"books_{name}_always"
        ),
    ]


def _of_customer(name: str) -> models.Index:
    return models.Index(fields=["legal_entity", "customer_id"], name=f"books_{name}_customer")


def _of_invoice(name: str) -> models.Index:
    return models.Index(fields=["legal_entity", "invoice_id"], name=f"books_{name}_invoice")


class LedgerRow(models.Model):
    """What every row of every table has besides its own columns."""

    legal_entity = models.ForeignKey("books.Entity", models.PROTECT, related_name="+", db_index=False)
    load = models.ForeignKey("books.BookLoad", models.PROTECT, null=True, related_name="+")
    is_newest = models.BooleanField(default=True)

    class Meta:
        """Only its children are tables."""

        abstract = True


class Customer(LedgerRow):
    """The account that owes."""

    customer_id = models.TextField()
    name, parent_id, segment, industry = _text(), _text(), _text(), _text()
    country = models.CharField(max_length=2, null=True)
    region, postcode, language, timezone = _text(), _text(), _text(), _text()
    currency = _currency()
    debtor_kind = _choice(("company", "sole_trader", "consumer", "unknown"))
    credit_limit_minor, since = _minor(), _day()
    collector, account_manager, strategic = _text(), _text(), _flag()
    annual_value_minor, recorded_at, voided_at = _minor(), _moment(), _moment()

    class Meta:
        """Versions of a customer."""

        constraints = _versions("customer", "customer_id")


class Contact(LedgerRow):
    """A person or mailbox of a customer, with consent per channel."""

    contact_id, customer_id, name = models.TextField(), models.TextField(), _text()
    role = _choice(("payables", "buyer", "owner", "executive", "legal", "other"))
    email, phone, mobile, address, postcode = _text(), _text(), _text(), _text(), _text()
    country = models.CharField(max_length=2, null=True)
    timezone, language, preferred_channel = _text(), _text(), _choice(schema.CHANNELS)
    email_consent, sms_consent, call_consent = (
        _choice(schema.CONSENT), _choice(schema.CONSENT), _choice(schema.CONSENT)
    )  # fmt: skip
    recorded_at, voided_at = _moment(), _moment()

    class Meta:
        """Versions of a contact; looked up by customer."""

        constraints = _versions("contact", "contact_id")
        indexes = [_of_customer("contact")]


class Invoice(LedgerRow):
    """An open item or one that was: invoice, debit note, interest or fee."""

    invoice_id, customer_id = models.TextField(), models.TextField()
    issued_on, due_on = models.DateField(), models.DateField()
    amount_minor, currency = models.BigIntegerField(), _currency(required=True)
    entity_id, kind = _text(), _choice(("invoice", "debit_note", "interest", "fee"))
    terms_days, discount_percent, discount_days = _minor(), _number(), _minor()
    po_number, order_reference, product_line, line_count = _text(), _text(), _text(), _minor()
    recurring, delivery_channel, delivered_on = _flag(), _text(), _day()
    recorded_at, voided_at = _moment(), _moment()

    class Meta:
        """Versions of an invoice; looked up by customer, listed by date."""

        constraints = _versions("invoice", "invoice_id")
        indexes = [
            _of_customer("invoice"),
            models.Index(fields=["legal_entity", "-issued_on", "invoice_id"], name="books_invoice_issued"),
        ]


class InvoiceLine(LedgerRow):
    """One line of an invoice. It has no time of its own: the newest load counts."""

    invoice_id, line_no = models.TextField(), models.BigIntegerField()
    sku, description, quantity = _text(), _text(), _number()
    unit_price_minor, amount_minor, tax_minor = _minor(), _minor(), _minor()

    class Meta:
        """One newest row per line."""

        constraints = [
            models.UniqueConstraint(
                fields=["legal_entity", "invoice_id", "line_no"], condition=models.Q(is_newest=True),
                name="books_line_newest",
            )
        ]  # fmt: skip


class Credit(LedgerRow):
    """A credit memo, free or tied to an invoice."""

    credit_id, customer_id = models.TextField(), models.TextField()
    issued_on, amount_minor, currency = models.DateField(), models.BigIntegerField(), _currency(required=True)
    invoice_id, reason = _text(), _text()
    recorded_at, voided_at = _moment(), _moment()

    class Meta:
        """Versions of a credit; looked up by customer."""

        constraints = _versions("credit", "credit_id")
        indexes = [_of_customer("credit")]


class Payment(LedgerRow):
    """Money in, once per bank or processor event."""

    payment_id, received_on = models.TextField(), models.DateField()
    amount_minor, currency, customer_id = models.BigIntegerField(), _currency(required=True), _text()
    method = _choice(("ach", "wire", "sepa", "cheque", "card", "direct_debit", "cash", "other"))
    payer_name, payer_account, reference, remittance_text = _text(), _text(), _text(), _text()
    bank_account, status = _text(), _choice(("cleared", "returned"))
    recorded_at, voided_at = _moment(), _moment()

    class Meta:
        """Versions of a payment; looked up by customer."""

        constraints = _versions("payment", "payment_id")
        indexes = [_of_customer("payment")]


class Allocation(LedgerRow):
    """Part of a payment, credit, discount, write-off or other source against an invoice."""

    allocation_id, invoice_id = models.TextField(), models.TextField()
    source_kind = models.CharField(max_length=20, choices=[(kind, kind) for kind in schema.SOURCE_KINDS])
    applied_on, amount_minor, source_id = models.DateField(), models.BigIntegerField(), _text()
    reversed_on, recorded_at, voided_at = _day(), _moment(), _moment()

    class Meta:
        """Versions of an allocation; looked up by invoice."""

        constraints = _versions("allocation", "allocation_id")
        indexes = [_of_invoice("allocation")]


class Activity(LedgerRow):
    """One contact with a customer, out or in, or a note."""

    activity_id, customer_id = models.TextField(), models.TextField()
    channel = models.CharField(max_length=20, choices=[(one, one) for one in schema.CHANNELS])
    direction = models.CharField(max_length=3, choices=[("out", "out"), ("in", "in")])
    occurred_at = models.DateTimeField()
    decision_id, contact_id, invoice_ids = _text(), _text(), _list()
    tone, template, minutes = _choice(schema.TONES), _text(), _number()
    outcome = _choice(schema.TABLES["activities"].by_name["outcome"].values)
    text, recorded_at, voided_at = _text(), _moment(), _moment()

    class Meta:
        """Versions of an activity; looked up by customer."""

        constraints = _versions("activity", "activity_id")
        indexes = [_of_customer("activity")]


class Promise(LedgerRow):
    """A customer's word to pay an amount by a day."""

    promise_id, customer_id = models.TextField(), models.TextField()
    promised_on, due_on = models.DateField(), models.DateField()
    amount_minor, currency, invoice_ids = models.BigIntegerField(), _currency(required=True), _list()
    source, quote, recorded_at, voided_at = _text(), _text(), _moment(), _moment()

    class Meta:
        """Versions of a promise; looked up by customer."""

        constraints = _versions("promise", "promise_id")
        indexes = [_of_customer("promise")]


class InstalmentPlan(LedgerRow):
    """An agreed plan of instalments."""

    plan_id, customer_id, agreed_on = models.TextField(), models.TextField(), models.DateField()
    currency, instalments, invoice_ids = _currency(required=True), _list(), _list()
    approved_by, recorded_at, voided_at = _text(), _moment(), _moment()

    class Meta:
        """Versions of a plan; looked up by customer."""

        constraints = _versions("plan", "plan_id")
        indexes = [_of_customer("plan")]


class Dispute(LedgerRow):
    """A reason why an invoice, or a part of it, is not paid."""

    dispute_id, invoice_id, opened_on = models.TextField(), models.TextField(), models.DateField()
    disputed_minor, reason = _minor(), _choice(schema.DISPUTE_REASONS)
    root_cause, owner, closed_on = _text(), _text(), _day()
    outcome = _choice(("valid", "partly_valid", "invalid", "withdrawn"))
    valid_minor, credit_id, recorded_at, voided_at = _minor(), _text(), _moment(), _moment()

    class Meta:
        """Versions of a dispute; looked up by invoice."""

        constraints = _versions("dispute", "dispute_id")
        indexes = [_of_invoice("dispute")]


class Decision(LedgerRow):
    """One line of the decision log: what was decided about a customer, with its exact propensities."""

    decision_id, decided_at, customer_id = models.TextField(), models.DateTimeField(), models.TextField()
    invoice_ids = _list()
    arm = models.CharField(max_length=20, choices=[(arm, arm) for arm in schema.ARMS])
    propensity, propensities, masked = _number(), _text(), _text()
    expected_gain_minor, gain_p10_minor, gain_p90_minor = _minor(), _minor(), _minor()
    minutes, minute_price_minor, policy, policy_version = _number(), _minor(), _text(), _text()
    seed, snapshot_id, currency = _minor(), _text(), _currency()
    contact_id, cluster_id, epoch_kind = _text(), _text(), _text()
    executed_arm, executed_at = _choice(schema.ARMS), _moment()
    not_executed_reason, override_by, override_reason, nested = _text(), _text(), _text(), _text()
    stratum, autonomy_level, approval_id, eps, draws = _text(), _minor(), _text(), _number(), _minor()
    posterior_id, prior_id, mask_version = _text(), _text(), _text()
    capacity_hash, features_hash, q_arms, dp_arms = _text(), _text(), _text(), _text()
    recorded_at, voided_at = _moment(), _moment()

    class Meta:
        """Versions of a decision; looked up by customer."""

        constraints = _versions("decision", "decision_id")
        indexes = [_of_customer("decision")]


ROWS: dict[str, type[LedgerRow]] = {
    "customers": Customer, "contacts": Contact, "invoices": Invoice, "invoice_lines": InvoiceLine, "credits": Credit,
    "payments": Payment, "allocations": Allocation, "activities": Activity, "promises": Promise,
    "plans": InstalmentPlan, "disputes": Dispute, "decisions": Decision,
}  # fmt: skip

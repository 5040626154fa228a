"""Checks of payments, allocations and credits: money that is impossible, double, or belongs to nothing."""

from __future__ import annotations

import polars as pl

from duecourse.ledger.audit.evidence import Check, Evidence

SAME_PAYMENT = ["customer_id", "received_on", "amount_minor", "currency", "reference"]
SAME_ALLOCATION = ["invoice_id", "source_kind", "source_id", "applied_on", "amount_minor"]


def _payment_not_positive(evidence: Evidence) -> pl.DataFrame:
    return evidence.table("payments").filter(pl.col("amount_minor") <= 0)


def _payment_in_future(evidence: Evidence) -> pl.DataFrame:
    return evidence.table("payments").filter(pl.col("received_on") >= evidence.as_of)


def _unidentified(evidence: Evidence) -> pl.DataFrame:
    return evidence.table("payments").filter(pl.col("customer_id").is_null())


def _duplicate_payment(evidence: Evidence) -> pl.DataFrame:
    used = evidence.table("allocations").get_column("source_id").drop_nulls().unique()
    again = pl.struct(SAME_PAYMENT).is_duplicated()
    # Equal amounts on one day are common where each payment settles its own invoice; an unused twin or the same bank
    # reference is not.
    doubtful = pl.col("reference").is_not_null() | ~pl.col("payment_id").is_in(used.implode())
    rows = evidence.table("payments").filter(again).sort(pl.col("payment_id").is_in(used.implode()), descending=True)
    return rows.filter(~pl.struct(SAME_PAYMENT).is_first_distinct() & doubtful)


def _over_allocated_payment(evidence: Evidence) -> pl.DataFrame:
    day = pl.lit(evidence.as_of)
    live = evidence.payment_allocations.filter(pl.col("reversed_on").is_null() | (pl.col("reversed_on") >= day))
    sums = live.group_by(pl.col("source_id").alias("payment_id")).agg(
        pl.col("amount_minor").sum().alias("allocated_minor")
    )
    rows = evidence.table("payments").join(sums, on="payment_id", how="inner", maintain_order="left")
    return rows.filter((pl.col("allocated_minor") > pl.col("amount_minor")) & (pl.col("amount_minor") > 0))


def _without_invoice(evidence: Evidence) -> pl.DataFrame:
    return evidence.allocations.filter(pl.col("has_invoice").is_null())


def _without_source(evidence: Evidence) -> pl.DataFrame:
    rows = []
    for kind, table, key in (("payment", "payments", "payment_id"), ("credit", "credits", "credit_id")):
        if evidence.holds(table):
            known = evidence.table(table).get_column(key)
            lost = pl.col("source_id").is_null() | ~pl.col("source_id").is_in(known.implode())
            rows.append(evidence.allocations.filter((pl.col("source_kind") == kind) & lost))
    return pl.concat(rows) if rows else evidence.allocations.clear()


def _before_money(evidence: Evidence) -> pl.DataFrame:
    return evidence.payment_allocations.filter(pl.col("applied_on") < pl.col("received_on_p"))


def _reversed_before_applied(evidence: Evidence) -> pl.DataFrame:
    return evidence.allocations.filter(pl.col("reversed_on") < pl.col("applied_on"))


def _allocation_not_positive(evidence: Evidence) -> pl.DataFrame:
    return evidence.allocations.filter(pl.col("amount_minor") <= 0)


def _duplicate_allocation(evidence: Evidence) -> pl.DataFrame:
    same = pl.struct(SAME_ALLOCATION)
    rows = evidence.allocations.filter(pl.col("source_id").is_not_null() & pl.col("reversed_on").is_null())
    return rows.filter(same.is_duplicated() & ~same.is_first_distinct())


def _currency_mix(evidence: Evidence) -> pl.DataFrame:
    return evidence.payment_allocations.filter(pl.col("currency_p") != pl.col("currency_i"))


def _customer_mix(evidence: Evidence) -> pl.DataFrame:
    rows = evidence.payment_allocations.filter(pl.col("customer_id_p") != pl.col("customer_id_i"))
    parents = evidence.table("customers").select("customer_id", "parent_id")
    for side in ("_p", "_i"):
        rows = rows.join(parents.rename({"parent_id": f"parent{side}"}), left_on=f"customer_id{side}",
                         right_on="customer_id", how="left")  # fmt: skip
    head = [pl.coalesce(f"parent{side}", f"customer_id{side}") for side in ("_p", "_i")]
    return rows.filter(head[0] != head[1])


def _credit_not_positive(evidence: Evidence) -> pl.DataFrame:
    return evidence.table("credits").filter(pl.col("amount_minor") <= 0)


def _credit_without_invoice(evidence: Evidence) -> pl.DataFrame:
    tied = evidence.table("credits").filter(pl.col("invoice_id").is_not_null())
    return tied.join(evidence.table("invoices").select("invoice_id"), on="invoice_id", how="anti")


_ALLOCATION = ("allocation_id", "invoice_id", "source_id", "applied_on", "amount_minor")

MONEY_CHECKS = (
    Check(
        "payment_not_positive", "payments", "error", "an amount of zero or below",
        "a payment is above zero; money that goes back is a return or a refund",
        "mark returned payments with status returned and reverse their allocations",
        ("payment_id", "amount_minor", "currency"), _payment_not_positive,
    ),
    Check(
        "over_allocated_payment", "payments", "error", "more of it is allocated than was received",
        "the allocations of a payment must not exceed it",
        "look for a second payment that is missing or an allocation that was booked twice",
        ("payment_id", "amount_minor", "allocated_minor", "currency"), _over_allocated_payment,
    ),
    Check(
        "duplicate_payment", "payments", "warning",
        "same customer, day, amount, currency and reference as another payment (the first one is not counted)",
        "a bank line is imported once: its bank reference is unique",
        "compare with the bank statement before it reduces anybody's balance twice",
        ("payment_id", "customer_id", "received_on", "amount_minor", "currency"), _duplicate_payment,
    ),
    Check(
        "payment_in_future", "payments", "warning", "received on or after the day of the audit",
        "the value date of a payment comes from the bank",
        "correct the date, or give the day of booking as recorded_at",
        ("payment_id", "received_on"), _payment_in_future,
    ),
    Check(
        "unidentified_payment", "payments", "warning", "no customer is known for it",
        "unidentified cash is assigned within two business days",
        "assign the payer: until then somebody is reminded of what has been paid",
        ("payment_id", "received_on", "amount_minor", "currency"), _unidentified,
    ),
    Check(
        "allocation_without_invoice", "allocations", "error", "its invoice is not in the ledger",
        "an allocation needs an existing invoice",
        "export the missing invoices (often: older than the export), or leave these rows out",
        _ALLOCATION, _without_invoice,
    ),
    Check(
        "reversed_before_applied", "allocations", "error", "reversed before it was applied",
        "a reversal is dated on or after what it reverses",
        "correct the dates; such a row counts as never applied",
        ("allocation_id", "applied_on", "reversed_on"), _reversed_before_applied,
    ),
    Check(
        "allocation_not_positive", "allocations", "error", "an amount of zero or below",
        "an allocation is above zero; taking it back is a reversal with its own date",
        "turn negative rows into reversed_on of the row that they take back",
        _ALLOCATION, _allocation_not_positive,
    ),
    Check(
        "currency_mix", "allocations", "error", "payment and invoice are in different currencies",
        "a payment in another currency is exchanged first, with its rate, and then allocated",
        "split the exchange from the allocation",
        ("allocation_id", "invoice_id", "currency_i", "currency_p"), _currency_mix,
    ),
    Check(
        "allocation_without_source", "allocations", "warning", "its payment or credit is not in the ledger",
        "every allocation names the payment or credit that it uses",
        "export payments and credits of the same period as the invoices",
        _ALLOCATION, _without_source,
    ),
    Check(
        "allocation_before_money", "allocations", "warning", "allocated before the money was received",
        "money is allocated after it has arrived",
        "days to pay are counted from the allocation: correct whichever date is wrong",
        ("allocation_id", "invoice_id", "applied_on", "received_on_p"), _before_money,
    ),
    Check(
        "customer_mix", "allocations", "warning",
        "payment and invoice belong to different customers without a common parent",
        "paying for somebody else needs a recorded payer link",
        "record the parent, or the payer as one who pays for this customer",
        ("allocation_id", "customer_id_i", "customer_id_p"), _customer_mix,
    ),
    Check(
        "duplicate_allocation", "allocations", "warning", "same invoice, source, day and amount as another allocation",
        "one payment is allocated to one invoice once a day",
        "reverse the second one if it is a duplicate",
        _ALLOCATION, _duplicate_allocation,
    ),
    Check(
        "credit_not_positive", "credits", "error", "an amount of zero or below",
        "a credit is above zero; more to pay is a debit note",
        "export it as an invoice of kind debit_note",
        ("credit_id", "amount_minor", "currency"), _credit_not_positive,
    ),
    Check(
        "credit_without_invoice", "credits", "warning", "tied to an invoice that is not in the ledger",
        "a credit names an existing invoice or none",
        "export the invoice too, or leave the reference empty",
        ("credit_id", "invoice_id", "amount_minor", "currency"), _credit_without_invoice,
    ),
)  # fmt: skip

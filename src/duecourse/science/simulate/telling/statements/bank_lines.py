"""``bank_lines``: what the bank books on the accounts of the house - customers' payments, what is sent back, all else.

The same payments as in the ledger, each once; refunds and calls back as their own lines; 3-8 % of lines are no payment
of a customer (fees, tax, own transfers ...), and at the end of a month what is left over goes to the treasury.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl

from duecourse.science.simulate.telling.accounts import house_account
from duecourse.science.simulate.telling.keyed import Luck
from duecourse.science.simulate.telling.words import data

SCHEMA: dict[str, Any] = {
    "line_id": pl.String, "account": pl.String, "entity_id": pl.String, "currency": pl.String, "booked_on": pl.Date,
    "value_on": pl.Date, "amount_minor": pl.Int64, "is_reversal": pl.Boolean, "kind": pl.String, "method": pl.String,
    "payment_id": pl.String, "end_to_end_id": pl.String, "payer_name": pl.String, "payer_account": pl.String,
    "text": pl.String,
}  # fmt: skip
_MOVED = ("kind", "method", "payment_id", "end_to_end_id", "payer_name", "payer_account", "text")


def bank_lines(payments: pl.DataFrame, luck: Luck, until: date) -> pl.DataFrame:
    """All lines booked before ``until``, in the order of account, day and id; columns of SCHEMA.

    ``payments`` is the told table of a ledger (all versions). ``amount_minor`` is signed, minus for money going out;
    ``kind`` is payment, returned, refund, treasury or a kind of ``data/bank.toml``.
    """
    first = payments.sort("recorded_at").unique("payment_id", keep="first", maintain_order=True)
    parts = [_received(first), _returned(payments), _refunded(payments)]
    lines = pl.concat([part.select(list(SCHEMA)) for part in parts])
    lines = pl.concat([lines, _others(lines, luck)])
    lines = lines.filter(pl.col("booked_on") < until)
    lines = pl.concat([lines, _sweeps(lines, until)])
    return lines.sort("entity_id", "booked_on", "line_id", maintain_order=True)


def _with_account(lines: pl.DataFrame) -> pl.DataFrame:
    entities = data("house")["entities"]
    accounts = {currency: house_account(entity) for currency, entity in entities.items()}
    ids = {currency: entity["id"] for currency, entity in entities.items()}
    return lines.with_columns(
        pl.col("currency").replace_strict(accounts, return_dtype=pl.String).alias("account"),
        pl.col("currency").replace_strict(ids, return_dtype=pl.String).alias("entity_id"),
    )


def _received(first: pl.DataFrame) -> pl.DataFrame:
    cheque = pl.col("method") == "cheque"
    return _with_account(first.with_columns(
        pl.col("payment_id").alias("line_id"), pl.col("received_on").alias("booked_on"),
        pl.col("received_on").alias("value_on"), pl.lit(value=False).alias("is_reversal"),
        pl.lit("payment").alias("kind"), pl.col("reference").alias("end_to_end_id"),
        pl.when(cheque).then(pl.lit("CHEQUE ") + pl.col("reference")).otherwise("remittance_text").alias("text"),
    ))  # fmt: skip


def _turned(rows: pl.DataFrame, day: pl.Expr, kind: str, text: str, *, is_reversal: bool) -> pl.DataFrame:
    """Lines that send money of payments back on that day."""
    return _with_account(rows.with_columns(
        pl.format("{}-{}", "payment_id", pl.lit(kind)).alias("line_id"), day.alias("booked_on"), day.alias("value_on"),
        (-pl.col("amount_minor")).alias("amount_minor"), pl.lit(is_reversal).alias("is_reversal"),
        pl.lit(kind).alias("kind"), pl.col("reference").alias("end_to_end_id"),
        pl.concat_str(pl.lit(text), pl.col("reference"), separator=" ").alias("text"),
    ))  # fmt: skip


def _returned(payments: pl.DataFrame) -> pl.DataFrame:
    day = pl.col("recorded_at").dt.date()
    return _turned(payments.filter(pl.col("status") == "returned"), day, "returned", "RETURN OF", is_reversal=True)


def _refunded(payments: pl.DataFrame) -> pl.DataFrame:
    rows = payments.filter(pl.col("voided_at").is_not_null())
    return _turned(rows, pl.col("voided_at").dt.date(), "refund", "REFUND PAID TWICE", is_reversal=False)


def _others(lines: pl.DataFrame, luck: Luck) -> pl.DataFrame:
    """Lines of other kinds on days on which customers paid, keyed by those payments."""
    rows = []
    for other in data("bank")["other"]:
        kind = other["kind"]
        chosen = lines.filter(pl.Series(values=luck.of(f"bank {kind}", lines["line_id"]) < other["share"]))
        low, high = other["amount"]
        for row in chosen.iter_rows(named=True):
            fortune = luck.own(f"{kind} {row['line_id']}")
            minor = round(100 * (low + (high - low) * fortune.roll("amount") ** 2))
            texts = other["texts"] if row["currency"] == "EUR" else other["texts"][:1]
            text = fortune.pick("text", texts).format(
                period=f"{row['booked_on']:%m/%Y}", number=10_000 + fortune.below("number", 89_999)
            )
            rows.append(row | {
                "line_id": f"{kind.upper()}-{row['line_id']}", "amount_minor": minor, "is_reversal": False,
                "kind": kind, "method": "wire", "payment_id": None, "end_to_end_id": "NOTPROVIDED",
                "payer_name": other["name"], "payer_account": None, "text": text,
            })  # fmt: skip
    return pl.DataFrame(rows, schema=SCHEMA)


def _sweeps(lines: pl.DataFrame, until: date) -> pl.DataFrame:
    """What an account holds above its floor at the end of a month goes to the treasury on its last business day."""
    said, rows = data("bank"), []
    for currency in sorted(set(lines["currency"].to_list())):
        own = lines.filter(pl.col("currency") == currency).sort("booked_on", "line_id")
        own = own.with_columns(pl.col("booked_on").dt.month_end().alias("end"))
        balance = round(100 * said["opening"][currency])
        for month in own.partition_by("end", maintain_order=True):
            balance += int(month["amount_minor"].sum())
            end = month["end"][0]
            end -= timedelta(days=max(end.weekday() - 4, 0))
            left = balance - round(100 * said["kept"][currency])
            if left > 0 and end < until and end >= month["booked_on"].max():
                balance -= left
                rows.append(month.row(0, named=True) | dict.fromkeys(_MOVED) | {
                    "line_id": f"TREASURY-{end:%Y-%m}-{currency}", "booked_on": end, "value_on": end,
                    "amount_minor": -left, "is_reversal": False, "kind": "treasury", "method": "wire",
                    "end_to_end_id": "NOTPROVIDED", "payer_name": "HARBROOK LENZ TREASURY",
                    "text": "CASH CONCENTRATION",
                })  # fmt: skip
    columns = list(SCHEMA)
    return pl.DataFrame([{name: row[name] for name in columns} for row in rows], schema=SCHEMA)


def opening_minor(currency: str) -> int:
    """Balance of an account before its first line."""
    major: float = data("bank")["opening"][currency]
    return round(100 * major)


def balances(lines: pl.DataFrame) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Balance after each line of one account, minor units."""
    currency = lines["currency"][0]
    result: np.ndarray[Any, np.dtype[np.int64]] = opening_minor(currency) + np.cumsum(lines["amount_minor"].to_numpy())
    return result

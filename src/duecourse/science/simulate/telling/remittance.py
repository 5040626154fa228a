"""What payers write on a payment: ``remittance_text`` in the habits of payers and the forms of banks, and its truth.

Each payer has a habit of naming invoices (in full, the digits, its own order numbers, nothing ...), of parting them and
of writing in capitals; single payments slip (a wrong or transposed digit, somebody else's invoice, a cut list). Part
payments and what was held back are said or not, with a claim number. The amounts are those of the ledger.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import polars as pl

from duecourse.science.simulate.customers import choose
from duecourse.science.simulate.telling.keyed import Fortune, Luck
from duecourse.science.simulate.telling.papers import bank_text
from duecourse.science.simulate.telling.words import data, language_of, plain_number

REFUND_FROM, REFUND_TO = 18, 45
RETURNED_METHODS = ("ach", "sepa", "cheque")


@dataclass(frozen=True)
class Paid:
    """One invoice of a payment as its payer sees it."""

    invoice_id: str
    amount_minor: int
    short_minor: int
    discount_minor: int
    part: int
    po_number: str | None
    delivery_note: str | None

    @property
    def number(self) -> str:
        """The digits of the invoice number."""
        return self.invoice_id.removeprefix("INV-")


@dataclass(frozen=True)
class Habit:
    """How a payer writes: see ``data/remittance.toml``."""

    customer_id: str
    language: str
    names: str
    between: str
    prefix: str
    capitals: bool
    amounts: bool


def habit_of(customer_id: str, language: str, luck: Luck) -> Habit:
    """The habit of one payer."""
    said, fortune = data("remittance"), luck.own(customer_id)
    habits = said["habits"]
    at = int(choose(luck.of("names invoices", [customer_id]), habits["shares"])[0])
    return Habit(
        customer_id, language, habits["names"][at], fortune.pick("between", habits["between"]),
        fortune.pick("prefix", said[language]["prefix"]), fortune.chance("capitals", habits["upper"]),
        fortune.chance("amounts", habits["amounts"]),
    )  # fmt: skip


def told_payments(
    payments: pl.DataFrame, items: pl.DataFrame, invoices: pl.DataFrame, customers: pl.DataFrame, luck: Luck
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """``payments`` with their texts, and the truth of each: invoice_ids, names, slip, residual_kind, residual_minor.

    ``items`` as in ``Background``. ``residual_minor`` is what the payer held back.
    """
    language = {name: language_of(code) for name, code in customers.select("customer_id", "language").iter_rows()}
    habits = {name: habit_of(name, code, luck) for name, code in language.items()}
    paid = _paid(items, invoices)
    texts, truth = [], []
    for payment_id, owner, method in payments.select("payment_id", "customer_id", "method").iter_rows():
        written = _write(habits[owner], paid[payment_id], method, luck.own(payment_id))
        texts.append(written[0])
        truth.append({"payment_id": payment_id, **written[1]})
    schema: dict[str, Any] = {
        "payment_id": pl.String, "invoice_ids": pl.List(pl.String), "names": pl.String, "slip": pl.String,
        "residual_kind": pl.String, "residual_minor": pl.Int64,
    }  # fmt: skip
    told = payments.with_columns(pl.Series("remittance_text", texts, dtype=pl.String))
    return told, pl.DataFrame(truth, schema=schema)


def _paid(items: pl.DataFrame, invoices: pl.DataFrame) -> dict[str, list[Paid]]:
    first = invoices.group_by("invoice_id").agg(pl.col("po_number", "order_reference").sort_by("recorded_at").first())
    rows = items.join(first, on="invoice_id", how="left", maintain_order="left").select(
        "payment_id", "invoice_id", "amount_minor", "short_minor", "discount_minor", "part", "po_number",
        "order_reference",
    )  # fmt: skip
    paid: dict[str, list[Paid]] = {}
    for payment_id, *values in rows.iter_rows():
        paid.setdefault(payment_id, []).append(Paid(*values))
    return paid


def _write(habit: Habit, paid: list[Paid], method: str, fortune: Fortune) -> tuple[str, dict[str, Any]]:
    said = data("remittance")[habit.language]
    slip = _slip(fortune)
    names = "nothing" if slip == "nothing" else habit.names
    if names == "nothing":
        text = fortune.pick("nothing", said["nothing"])
    elif names == "account":
        text = f"{fortune.pick('account', said['account'])} {habit.customer_id}"
    else:
        text = _list(habit, paid, slip, fortune)
    residual, tail = _residual(paid, habit, fortune, said)
    if habit.capitals or method in ("wire", "ach"):
        text, tail = bank_text(text), bank_text(tail)
    told = _through_the_bank(f"{text} {tail}".strip(), method, fortune)
    kept = sum(one.short_minor + one.discount_minor for one in paid)
    ids = [one.invoice_id for one in paid]
    return told, {"invoice_ids": ids, "names": names, "slip": slip, "residual_kind": residual, "residual_minor": kept}


def _slip(fortune: Fortune) -> str:
    """What goes wrong on this payment; empty for nothing."""
    slips, draw = data("remittance")["slips"], fortune.roll("slip")
    for name in ("nothing", "wrong", "transposed", "letter", "foreign"):
        draw -= slips[name]
        if draw < 0:
            return name
    return ""


def _list(habit: Habit, paid: list[Paid], slip: str, fortune: Fortune) -> str:
    """The invoices one after the other; a long list may be cut, a run of numbers written as a range."""
    said = data("remittance")[habit.language]
    shown = [_named(habit, one, fortune) for one in paid]
    at = fortune.below("slip at", len(shown))
    shown[at] = _slipped(shown[at], paid[at], slip, fortune)
    if habit.amounts and len(paid) > 1:
        shown = [f"{each} {plain_number(one.amount_minor, habit.language)}"
                 for each, one in zip(shown, paid, strict=True)]  # fmt: skip
    digits = [int(one.number) for one in paid]
    if not slip and habit.names in ("digits", "prefixed") and len(digits) > 2 and _is_run(digits):
        shown = [f"{digits[0]}-{digits[-1]}"]
    elif len(shown) > 6 and fortune.chance("cut", 0.3):
        kept = 2 + fortune.below("kept", 4)
        shown = [*shown[:kept], fortune.pick("more", said["more"]).format(n=len(paid) - kept)]
    text = habit.between.join(shown)
    if habit.names == "prefixed":
        return f"{habit.prefix} {text}"
    if habit.names in ("order", "delivery"):
        return f"{fortune.pick('what', said[habit.names])} {text}"
    return text


def _is_run(digits: list[int]) -> bool:
    return all(after - before == 1 for before, after in pairwise(digits))


def _named(habit: Habit, one: Paid, fortune: Fortune) -> str:
    if habit.names == "full":
        return one.invoice_id
    if habit.names == "glued":
        return one.invoice_id.replace("-", "")
    if habit.names == "suffix":
        return one.number[-4:]
    if habit.names == "order" and one.po_number:
        return one.po_number.removeprefix("PO-") if fortune.chance("bare", 0.5) else one.po_number
    if habit.names == "delivery" and one.delivery_note:
        return one.delivery_note.removeprefix("DN-")
    return one.number


def _slipped(text: str, own: Paid, slip: str, fortune: Fortune) -> str:
    """A reference with its slip; digits are only changed where there are some."""
    places = [at for at, letter in enumerate(text) if letter.isdigit()]
    if slip == "foreign":
        return f"INV-{max(int(own.number) - 1 - fortune.below('whose', 40), 100_001)}"
    if slip == "letter" and "0" in text:
        return text.replace("0", "O", 1)
    if slip == "wrong" and places:
        at = places[-1 - fortune.below("digit", min(3, len(places)))]
        return f"{text[:at]}{(int(text[at]) + 1 + fortune.below('by', 9)) % 10}{text[at + 1 :]}"
    if slip == "transposed" and len(places) > 1:
        one, two = places[-2:]
        return f"{text[:one]}{text[two]}{text[one]}"
    return text


def _residual(paid: list[Paid], habit: Habit, fortune: Fortune, said: dict[str, Any]) -> tuple[str, str]:
    """Kind of what is not paid, and what the payer says about it (often nothing)."""
    short = sum(one.short_minor for one in paid)
    offered = sum(one.discount_minor for one in paid)
    if short:
        amount = plain_number(short, habit.language)
        claim = f"{fortune.pick('claim', said['claim'])} {40_000 + fortune.below('claim number', 9_999)}"
        if fortune.chance("says why", 0.6):
            return "deduction_known", f"{fortune.pick('less', said['less'])} {amount} {claim}"
        return "short_payment", ""
    if offered:
        return "discount_on_terms", fortune.pick("discount", said["discount"])
    first = any(one.part == 1 for one in paid)
    if first or any(one.part == 2 for one in paid):
        words = said["part" if first else "rest"]
        return "partial_payment" if first else "none", fortune.pick("part", words) if len(paid) == 1 else ""
    return "none", ""


def _through_the_bank(text: str, method: str, fortune: Fortune) -> str:
    """With the bank's prefix and cut to what it lets through."""
    said = data("remittance")
    draw = fortune.roll("bank")
    for prefix, share in said["banks"].get(method, []):
        draw -= share
        if draw < 0:
            text = prefix + text
            break
    draw = fortune.roll("length")
    for length, share in said["lengths"].get(method, [[140, 1.0]]):
        draw -= share
        if draw < 0:
            return text[:length].rstrip()
    return text[:140].rstrip()


def stray_payments(payments: pl.DataFrame, luck: Luck, as_of: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Payments that settle nothing, with their truth (as in ``told_payments``), recorded before ``as_of``.

    Paid twice and refunded weeks later (``voided_at``), or sent again by mistake and called back by the payer's bank.
    """
    slips = data("remittance")["slips"]
    draw = luck.of("stray", payments["payment_id"])
    days = 9 + luck.whole("stray days", payments["payment_id"], 40)
    rows: list[dict[str, Any]] = []
    for row, chance, ahead in zip(payments.iter_rows(named=True), draw.tolist(), days.tolist(), strict=True):
        if chance < slips["duplicate"]:
            rows += _twice(row, ahead)
        elif chance > 1 - slips["returned"] and row["method"] in RETURNED_METHODS:
            rows += _called_back(row, 4 + ahead % 5)
    told = pl.DataFrame(rows, schema=payments.schema | {"voided_at": pl.Datetime("us", "UTC")})
    told = told.filter(pl.col("recorded_at").dt.date() < as_of)
    told = told.with_columns(pl.when(pl.col("voided_at").dt.date() < as_of).then("voided_at").alias("voided_at"))
    truth = told.unique("payment_id", maintain_order=True).select(
        "payment_id", pl.lit(None).cast(pl.List(pl.String)).alias("invoice_ids"), pl.lit("").alias("names"),
        pl.lit("").alias("slip"),
        pl.when(pl.col("payment_id").str.ends_with("-D")).then(pl.lit("duplicate")).otherwise(pl.lit("returned"))
        .alias("residual_kind"), pl.lit(0).cast(pl.Int64).alias("residual_minor"),
    )  # fmt: skip
    return told, truth


def _weekday(day: date) -> date:
    """That day, or the Monday after it."""
    return day + timedelta(days=(7 - day.weekday()) % 7 if day.weekday() > 4 else 0)


def _twice(row: dict[str, Any], ahead: int) -> list[dict[str, Any]]:
    again = _weekday(row["received_on"] + timedelta(days=ahead))
    later = again - row["received_on"]
    refund = timedelta(days=REFUND_FROM + ahead % (REFUND_TO - REFUND_FROM))
    recorded = row["recorded_at"] + later
    return [row | {"payment_id": f"{row['payment_id']}-D", "received_on": again, "recorded_at": recorded,
                   "voided_at": recorded + refund}]  # fmt: skip


def _called_back(row: dict[str, Any], ahead: int) -> list[dict[str, Any]]:
    """Sent a second time by mistake, some days later, and called back by the payer's bank."""
    again = _weekday(row["received_on"] + timedelta(days=ahead))
    recorded = row["recorded_at"] + (again - row["received_on"])
    back = recorded + timedelta(days=2 if again.weekday() < 3 else 4)
    one = row | {"payment_id": f"{row['payment_id']}-R", "received_on": again, "recorded_at": recorded,
                 "voided_at": None}  # fmt: skip
    return [one, one | {"status": "returned", "recorded_at": back}]

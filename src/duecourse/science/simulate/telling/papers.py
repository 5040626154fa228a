"""The empty columns of ``invoices`` and ``payments``: billing company, delivery, payer's name, accounts, references."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from duecourse.science.simulate.customers import choose
from duecourse.science.simulate.names import COUNTRIES, plain
from duecourse.science.simulate.telling.accounts import account_of, house_account
from duecourse.science.simulate.telling.keyed import Luck
from duecourse.science.simulate.telling.words import data

DELIVERY = ("email", "portal", "post", "edi")
DELIVERY_SHARES = [0.62, 0.2, 0.12, 0.06]
NEVER_DELIVERED = 0.01
PARENT_PAYS, TWO_ACCOUNTS, OTHER_ACCOUNT = 0.3, 0.12, 0.25
_HOLDING = {"DE": "{} Beteiligungs GmbH", "GB": "{} Holdings plc", "FR": "Groupe {} SAS", "US": "{} Holdings Corp.",
            "NL": "{} Holding B.V.", "ES": "Grupo {} S.L."}  # fmt: skip


def entity_ids(currency: pl.Series) -> pl.Series:
    """The company of the house that bills in each currency."""
    entities = data("house")["entities"]
    return pl.Series("entity_id", [entities[each]["id"] for each in currency.to_list()], dtype=pl.String)


def told_invoices(invoices: pl.DataFrame, luck: Luck, as_of: date) -> pl.DataFrame:
    """``invoices`` with billing company, delivery note, kind of contract and delivery; only what ``as_of`` can know."""
    ids, owners = invoices["invoice_id"], invoices["customer_id"]
    channel = choose(luck.of("delivery channel", owners), DELIVERY_SHARES)
    posted = channel == DELIVERY.index("post")
    days = np.where(posted, 1 + luck.whole("post days", ids, 4), 0)
    lost = luck.of("never delivered", ids) < NEVER_DELIVERED
    note = 700_000 + ids.str.slice(4).cast(pl.Int64).to_numpy() - 100_000
    arrived = (invoices["issued_on"].cast(pl.Int32) + pl.Series(values=days.astype(np.int32))).cast(pl.Date)
    return invoices.with_columns(
        entity_ids(invoices["currency"]),
        (pl.lit("DN-") + pl.Series(values=note).cast(pl.String)).alias("order_reference"),
        ((pl.col("product_line") == "maintenance") & (pl.col("line_count") == 1)).alias("recurring"),
        pl.Series("delivery_channel", [DELIVERY[at] for at in channel.tolist()], dtype=pl.String),
        pl.Series("delivered_on", arrived),
        pl.Series("lost", lost),
    ).with_columns(
        pl.when((pl.col("delivered_on") < as_of) & ~pl.col("lost")).then("delivered_on").alias("delivered_on")
    ).drop("lost")  # fmt: skip


def holding_name(parent_id: str, luck: Luck) -> str:
    """The name of the parent company with that id (``G``, country, number)."""
    country = next((each for each in COUNTRIES if each.code == parent_id[1:3]), COUNTRIES[0])
    families, number = country.families, int(parent_id[3:])
    first = luck.own(country.code).below("holding", len(families))
    family = families[(first + number) % len(families)]
    if number > len(families):  # a second round takes double names
        family = f"{family}-{families[(first + 7 * number) % len(families)]}"
    return _HOLDING[country.code].format(family)


def payer_columns(payments: pl.DataFrame, customers: pl.DataFrame, luck: Luck) -> pl.DataFrame:
    """``payments`` with payer_name, payer_account, bank_account and reference as the bank shows them."""
    about = {row["customer_id"]: row for row in customers.unique("customer_id").iter_rows(named=True)}
    payers = {each: _payer(row, luck) for each, row in about.items()}
    entities = data("house")["entities"]
    own = {currency: house_account(entity) for currency, entity in entities.items()}
    names, accounts, references = [], [], []
    other = luck.of("other account", payments["payment_id"])
    numbers = luck.whole("bank reference", payments["payment_id"], 10**7)
    columns = payments.select("payment_id", "customer_id", "method", "received_on").iter_rows()
    for (_, owner, method, day), luck_of, number in zip(columns, other.tolist(), numbers.tolist(), strict=True):
        name, first, second, numbered = payers[owner]
        names.append(_shown_name(name, method))
        accounts.append(None if method == "cheque" else second if luck_of < OTHER_ACCOUNT else first)
        references.append(_reference(method, day, number, numbered=numbered))
    return payments.with_columns(
        pl.Series("payer_name", names, dtype=pl.String), pl.Series("payer_account", accounts, dtype=pl.String),
        pl.Series("reference", references, dtype=pl.String),
        pl.col("currency").replace_strict(own, return_dtype=pl.String).alias("bank_account"),
    )  # fmt: skip


def _payer(customer: dict[str, object], luck: Luck) -> tuple[str, str, str, bool]:
    """Name on the bank line, usual and second account, and whether its runs carry numbers."""
    fortune = luck.own(str(customer["customer_id"]))
    factors = data("remittance")["factors"]
    name, country, payer = str(customer["name"]), str(customer["country"]), fortune
    if customer["parent_id"] and fortune.chance("parent pays", PARENT_PAYS):
        parent = str(customer["parent_id"])
        name, payer = holding_name(parent, luck), luck.own(parent)
    elif fortune.chance("factor", factors["share"]):
        name = factors["names"][{"GB": 1, "US": 2}.get(country, 0)]
        payer = luck.own(name)
    first = account_of(country, payer)
    second = account_of(country, payer, "second") if payer.chance("two accounts", TWO_ACCOUNTS) else first
    return name, first, second, fortune.chance("numbered runs", 0.5)


def _shown_name(name: str, method: str) -> str:
    """As the bank passes it on: capitals without accents, cut to what the format holds."""
    length = {"ach": 16, "wire": 35}.get(method, 70)
    return bank_text(name)[:length].strip() if method != "cheque" else name


def bank_text(text: str) -> str:
    """Capitals in the letters that every bank passes on: umlauts and accents spelt out."""
    words = []
    for word in text.split(" "):
        kept = "".join(
            letter if letter.isascii() else plain(letter) or {"ñ": "n", "Ñ": "N"}.get(letter, " ") for letter in word
        )
        words.append(kept)
    return " ".join(words).upper()


def _reference(method: str, day: date, number: int, *, numbered: bool) -> str:
    if method == "cheque":
        return f"{number % 1_000_000:06d}"
    if method == "ach":
        return f"99005187{number:07d}"
    if not numbered:
        return "NOTPROVIDED" if method == "sepa" else f"FT{day:%y%j}{number % 100_000:05d}"
    return f"{'ZL' if method == 'sepa' else 'PR'}-{day:%Y%m%d}-{1 + number % 40:03d}"

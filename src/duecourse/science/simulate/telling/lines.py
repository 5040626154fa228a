"""``invoice_lines``: what was sold on each invoice, from a price list, so that net and tax add up to its amount.

The amount of an invoice belongs to the dynamics and is kept to the minor unit. All lines but the last are articles of
the price list (the customer's discount taken off, quantities whole); the last line is what is left: freight, or work
and sundries, which have no list price. ``amount_minor`` is net of ``tax_minor``; the two sum to the invoice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import polars as pl

from duecourse.core.ids import key_codes
from duecourse.science.simulate.customers import Codes, choose
from duecourse.science.simulate.orders import paired
from duecourse.science.simulate.pay_calendar import Floats, Ints
from duecourse.science.simulate.telling.keyed import Luck
from duecourse.science.simulate.telling.words import LANGUAGES, data, language_of

Texts = npt.NDArray[np.object_]
FREIGHT_AT_MOST = 0.12  # a larger remainder is no freight but work or sundries
ROUND_TO_MINOR = 5
ARTICLES_IN_TURN = 8


@dataclass(frozen=True)
class PriceList:
    """Articles of one product line from the cheapest to the dearest: euro minor units of the first year."""

    sku: Texts
    minor: Floats
    names: dict[str, Texts]
    quantity: tuple[int, int]
    lumps: dict[str, list[str]]
    lump_sku: str


@cache
def price_list(product_line: str) -> PriceList:
    """The articles of a product line of ``data/articles.toml``. Raises KeyError for an unknown one."""
    said = data("articles")[product_line]
    rows: list[tuple[float, str, dict[str, str]]] = []
    for family in said["families"]:
        variants, (low, high) = family["variants"], family["price"]
        for number, variant in enumerate(variants):
            price = 100 * low * (high / low) ** (number / max(len(variants) - 1, 1))
            names = {language: f"{family[language]} {_variant(variant, language)}" for language in LANGUAGES}
            rows.append((price, f"{family['sku']}-{number + 1:02d}", names))
    rows.sort(key=lambda row: (row[0], row[1]))
    first, last = said["quantity"]
    return PriceList(
        sku=np.array([sku for _, sku, _ in rows], dtype=object),
        minor=np.array([price for price, _, _ in rows]),
        names={key: np.array([names[key] for _, _, names in rows], dtype=object) for key in LANGUAGES},
        quantity=(first, last), lumps=said["lump"], lump_sku=f"{said['families'][0]['sku'][0]}-900",
    )  # fmt: skip


def _variant(text: str, language: str) -> str:
    """A size or unit in that language: whole words of ``[terms]``, the longest first."""
    terms = data("articles")["terms"].get(language, {})
    if not terms:
        return text
    pattern = "|".join(sorted(map(re.escape, terms), key=len, reverse=True))
    return re.sub(rf"\b({pattern})\b", lambda found: str(terms[found[0]]), text)


@dataclass(frozen=True)
class Bills:
    """The invoices to be split, one entry each: keys, net rules and words."""

    ids: npt.NDArray[np.object_]
    codes: Codes
    gross_minor: Ints
    count: Ints
    product_line: npt.NDArray[np.object_]
    language: npt.NDArray[np.object_]
    tax: Floats
    price_factor: Floats
    discount_percent: Ints


def invoice_lines(invoices: pl.DataFrame, customers: pl.DataFrame, luck: Luck) -> pl.DataFrame:
    """The lines of every invoice (its first version), sorted by invoice and line number, columns of the contract."""
    bills = _bills(invoices, customers, luck)
    goods = bills.count - 1
    row = np.repeat(np.arange(goods.size), goods)
    number = np.arange(row.size) - np.repeat(np.cumsum(goods) - goods, goods) + 1
    net = np.round(bills.gross_minor / (1 + bills.tax)).astype(np.int64)
    article, price, quantity = _articles(bills, net, row, number, luck)
    amount = price * quantity
    used = np.bincount(row, amount, minlength=goods.size)
    row_bad = (used > 0.985 * net)[row]  # a dear article on a small bill: equal pieces without list price instead
    price = np.where(row_bad, np.maximum(net[row] // bills.count[row], 1), price)
    quantity = np.where(row_bad, 1, quantity)
    article = np.where(row_bad, -1, article)
    amount = price * quantity
    tax = np.round(amount * bills.tax[row]).astype(np.int64)
    left = bills.gross_minor - np.bincount(row, amount + tax, minlength=goods.size).astype(np.int64)
    rest = _last_lines(bills, net, left, luck)
    sku, text = _texts(bills, row, article, luck)
    lines = pl.DataFrame({
        "row": row, "line_no": number, "sku": pl.Series(values=sku, dtype=pl.String),
        "description": pl.Series(values=text, dtype=pl.String), "quantity": quantity.astype(np.float64),
        "unit_price_minor": price, "amount_minor": amount, "tax_minor": tax,
    })  # fmt: skip
    ids = pl.Series("invoice_id", bills.ids, dtype=pl.String)
    both = pl.concat([lines, rest]).sort("row", "line_no")
    return both.select(ids.gather(both["row"]), pl.exclude("row"))


def _bills(invoices: pl.DataFrame, customers: pl.DataFrame, luck: Luck) -> Bills:
    first = invoices.group_by("invoice_id").agg(pl.all().sort_by("recorded_at").first()).sort("invoice_id")
    about = customers.select("customer_id", "country", "region", "language").unique("customer_id", maintain_order=True)
    about = about.with_columns(pl.Series("tax", _tax_rates(customers, luck)), _discounts(customers, luck))
    rows = first.join(about, on="customer_id", how="left", maintain_order="left")
    house = data("house")["prices"]
    years = rows["issued_on"].dt.year().to_numpy() - house["first_year"]
    factor = np.array([house[each] for each in rows["currency"].to_list()]) * house["yearly"] ** years
    ids = rows["invoice_id"].to_numpy()
    return Bills(
        ids=ids, codes=key_codes(rows["invoice_id"]), gross_minor=rows["amount_minor"].to_numpy(),
        count=rows["line_count"].fill_null(1).to_numpy(), product_line=rows["product_line"].to_numpy(),
        language=np.array([language_of(each) for each in rows["language"].to_list()], dtype=object),
        tax=rows["tax"].to_numpy(), price_factor=factor, discount_percent=rows["discount"].to_numpy(),
    )  # fmt: skip


def _tax_rates(customers: pl.DataFrame, luck: Luck) -> Floats:
    """Tax on sales to each customer: home rate of the billing company, sales tax by state, none across borders."""
    house = data("house")
    exempt = luck.of("resale certificate", customers["customer_id"]) < house["sales_tax"]["exempt"]
    rates = []
    columns = customers.select("currency", "country", "region").iter_rows()
    for (currency, country, region), free in zip(columns, exempt.tolist(), strict=True):
        home = house["entities"].get(currency, house["entities"]["EUR"])["country"]
        if country != home:
            rates.append(0.0)
        elif country == "US":
            rates.append(0.0 if free else float(house["sales_tax"].get(region, 0.0)))
        else:
            rates.append(float(house["tax"][country]))
    return np.array(rates)


def _discounts(customers: pl.DataFrame, luck: Luck) -> pl.Series:
    said = data("house")["discounts"]
    at = choose(luck.of("list discount", customers["customer_id"]), said["shares"])
    return pl.Series("discount", np.array(said["percent"])[at])


def _articles(bills: Bills, net: Ints, row: Ints, number: Ints, luck: Luck) -> tuple[Ints, Ints, Ints]:
    """Article (row of its price list), unit price and quantity of each goods line."""
    codes = paired(bills.codes[row], number)
    weight = 0.35 + luck.at("line weight", codes) ** 2
    total = np.bincount(row, weight, minlength=net.size)
    goods_share = 0.92 + 0.05 * luck.at("freight", bills.codes)
    target = weight / total[row] * (goods_share * net)[row]
    factor = (bills.price_factor * (1 - bills.discount_percent / 100))[row]
    draw, first = luck.at("quantity", codes), luck.at("article", bills.codes)[row]
    article, price = np.zeros(row.size, dtype=np.int64), np.zeros(row.size, dtype=np.int64)
    for name in sorted(set(bills.product_line.tolist())):
        mine = np.flatnonzero((bills.product_line == name)[row])
        prices = price_list(name)
        low, high = prices.quantity
        wanted = np.round(low * (high / low) ** draw[mine])
        reach = np.searchsorted(prices.minor, target[mine] / wanted / factor[mine], side="right") - 1
        # Neighbouring lines take different articles: the next cheaper ones in turn.
        turn = (number[mine] + (ARTICLES_IN_TURN * first[mine]).astype(np.int64)) % ARTICLES_IN_TURN
        at = np.maximum(reach - turn % np.maximum(reach + 1, 1), 0)
        listed = np.round(prices.minor[at] * bills.price_factor[row[mine]] / ROUND_TO_MINOR) * ROUND_TO_MINOR
        own = np.round(np.maximum(listed, ROUND_TO_MINOR) * (1 - bills.discount_percent[row[mine]] / 100))
        article[mine], price[mine] = at, np.maximum(own, 1).astype(np.int64)
    quantity = np.maximum(np.floor(target / np.maximum(price, 1)), 1).astype(np.int64)
    return article, price, quantity


def _last_lines(bills: Bills, net: Ints, left: Ints, luck: Luck) -> pl.DataFrame:
    """The line that takes what is left of each bill: freight if it is little, else work or sundries."""
    amount = np.round(left / (1 + bills.tax)).astype(np.int64)
    freight = (bills.count > 1) & (amount < FREIGHT_AT_MOST * net)
    choice = luck.at("lump", bills.codes)
    said = data("articles")
    text: list[str] = []
    columns = zip(bills.product_line, bills.language, choice.tolist(), freight.tolist(), strict=True)
    for product_line, language, draw, is_freight in columns:
        lumps = said[product_line]["lump"][language]
        text.append(said["rest"][language] if is_freight else lumps[int(draw * len(lumps))])
    lump_sku = np.array([price_list(name).lump_sku for name in bills.product_line], dtype=object)
    sku = np.where(freight, "F-900", lump_sku)
    return pl.DataFrame({
        "row": np.arange(amount.size), "line_no": bills.count.astype(np.int64),
        "sku": pl.Series(values=sku, dtype=pl.String), "description": pl.Series(values=text, dtype=pl.String),
        "quantity": np.ones(amount.size), "unit_price_minor": amount, "amount_minor": amount,
        "tax_minor": left - amount,
    })  # fmt: skip


def _texts(bills: Bills, row: Ints, article: Ints, luck: Luck) -> tuple[Texts, Texts]:
    """SKU and description of the goods lines; a discount is said beside the article."""
    sku, text = np.empty(row.size, dtype=object), np.empty(row.size, dtype=object)
    lump = luck.at("lump", bills.codes)
    for name in sorted(set(bills.product_line.tolist())):
        prices = price_list(name)
        for language in LANGUAGES:
            mine = np.flatnonzero(((bills.product_line == name) & (bills.language == language))[row])
            if not mine.size:
                continue
            listed = article[mine] >= 0
            words = np.array(prices.lumps[language], dtype=object)
            other = words[(lump[row[mine]] * words.size).astype(np.int64)]
            percent = bills.discount_percent[row[mine]]
            suffix = np.array([f" (-{each} %)" if each else "" for each in range(101)], dtype=object)[percent]
            sku[mine] = np.where(listed, prices.sku[article[mine]], prices.lump_sku)
            text[mine] = np.where(listed, prices.names[language][article[mine]] + suffix, other)
    return sku, text

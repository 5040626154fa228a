"""Amounts of exports as exact integer minor units: decimal comma or point, thousands marks, signs, CR/DR, symbols.

No float carries money: the digits before and after the decimal mark are read as integers. The mark is decided once per
file from all its amount columns; where ``1,234`` could be two numbers the currency's decimals decide, else a person.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from duecourse.core.money import CURRENCIES, exponent
from duecourse.ledger.importing.dates import BLANK
from duecourse.ledger.importing.outcome import DecimalMark, Guess
from duecourse.ledger.importing.reading import NUMBER_MARK

MAX_WHOLE_DIGITS = 14  # amounts of 10^15 and more are damage, not receivables
NOISE = 1e-5  # of a minor unit: float noise of the exporting program (31270.609999999997)

_SPACES = "[\\s\u00a0\u2000-\u200b\u202f'\u2019\u02bc]+"
_MINUS = "[\u2212\u2013\uff0d]"
_CREDIT = r"(?i)\bcr\.?$|(?<=\d)cr\.?$|\bh$"
SYMBOLS = {"€": "EUR", "£": "GBP", "US$": "USD", "CA$": "CAD", "C$": "CAD", "A$": "AUD", "AU$": "AUD", "NZ$": "NZD",
           "₹": "INR", "₩": "KRW", "zł": "PLN", "Kč": "CZK", "R$": "BRL", "₺": "TRY", "₪": "ILS", "Fr.": "CHF",
           "$": "USD", "¥": "JPY"}  # fmt: skip
# Local words that stand beside an amount without naming one currency of the world.
_LOCAL_WORDS = frozenset("kr rs zl ft lei r fr din tl rm kc s/ lt sfr".split())
DOUBTFUL_SYMBOLS = ("$", "¥")
NAMES = {
    "us dollar": "USD", "usa": "USD", "u.s. dollar": "USD", "united states dollar": "USD", "dollar": "USD",
    "euro": "EUR", "euros": "EUR", "british pound": "GBP", "pound sterling": "GBP", "gb pound": "GBP", "stg": "GBP",
    "canadian dollar": "CAD", "can": "CAD", "canada": "CAD", "australian dollar": "AUD", "new zealand dollar": "NZD",
    "swiss franc": "CHF", "japanese yen": "JPY", "yen": "JPY", "chinese yuan": "CNY", "rmb": "CNY",
    "indian rupee": "INR", "mexican peso": "MXN", "danish krone": "DKK", "swedish krona": "SEK",
    "norwegian krone": "NOK", "polish zloty": "PLN", "singapore dollar": "SGD", "hong kong dollar": "HKD",
    "south african rand": "ZAR", "brazilian real": "BRL",
}  # fmt: skip


@dataclass(frozen=True)
class AmountColumn:
    """The parts of one column, row by row: sign (1/-1), body (digits, points, commas), known (mark is a point), symbol.

    ``body`` is null where the cell is blank; ``bad`` is true where it is no amount.
    """

    header: str
    frame: pl.DataFrame


def split_amounts(header: str, texts: pl.Series) -> AmountColumn:
    """Signs, symbols and digits of every cell of an amount column."""
    raw = pl.col("raw")
    number = raw.str.starts_with(NUMBER_MARK)
    plain = raw.str.strip_chars_start(NUMBER_MARK).str.replace_all(_MINUS, "-")
    plain = pl.when(~plain.str.to_lowercase().is_in([word for word in BLANK if word != "0"])).then(plain)
    step = pl.DataFrame({"raw": texts}).with_columns(number.alias("known"), plain.str.strip_chars().alias("plain"))
    step = step.with_columns(
        pl.col("plain").str.contains(r"(?i)(?:^|[^a-z])cr\.?\)?$").alias("credit"),
        (pl.col("plain").str.starts_with("(") & pl.col("plain").str.ends_with(")")).alias("bracket"),
        pl.col("plain").str.replace(r"(?i)\b?(?:cr|dr)\.?\)?$", "").str.strip_chars(" ()").alias("bare"),
    )
    step = step.with_columns(
        pl.col("bare").str.extract(r"([^\d.,()+\-\s\x{00a0}'’]+)").alias("symbol"),
        pl.col("bare")
        .str.replace_all(_SPACES, "")
        .str.replace_all(r"^[^\d.,+\-]*([+-]?)[^\d.,+\-]*", "$1")
        .str.replace_all(r"[^\d.,+\-]+([+-]?)$", "$1")
        .alias("digits"),
    ).with_columns(
        (pl.col("digits").str.starts_with("-") | pl.col("digits").str.ends_with("-")).alias("minus"),
        pl.col("digits").str.strip_chars("+-").alias("body"),
    )
    strange = {
        text: True for text in step.get_column("symbol").unique().drop_nulls().to_list() if not _is_money_word(text)
    }
    foreign = pl.col("symbol").replace_strict(strange, default=False, return_dtype=pl.Boolean)
    sound = ~foreign.fill_null(False) & pl.col("body").str.contains(r"^(?:\d[\d.,]*|[.,]\d+)$")
    negative = pl.col("minus") ^ (pl.col("bracket") | pl.col("credit"))
    frame = step.select(
        "raw",
        "known",
        "symbol",
        pl.when(pl.col("plain").is_not_null()).then("body").alias("body"),
        (pl.col("plain").is_not_null() & ~sound.fill_null(False)).alias("bad"),
        pl.when(negative.fill_null(False)).then(-1).otherwise(1).alias("sign"),
    )
    return AmountColumn(header, frame)


def _is_money_word(text: str) -> bool:
    """Whether letters or signs beside digits may be a currency; an ``e`` or ``x`` makes the cell no amount."""
    return (
        _currency_code(text) in CURRENCIES
        or text.strip(".").casefold() in _LOCAL_WORDS
        or all(unicodedata.category(mark) == "Sc" for mark in text)
    )


@dataclass(frozen=True)
class MarkFound:
    """``mark`` with the guess to list, or a ``question`` for a person."""

    mark: DecimalMark
    guess: Guess | None = None
    question: str | None = None


def find_decimal_mark(columns: Sequence[AmountColumn], currencies: Sequence[str]) -> MarkFound:
    """Decimal point or comma, from all amount columns of a file and the decimals that its currencies have."""
    bodies = pl.concat([column.frame.filter(~pl.col("known"), ~pl.col("bad")).select("body") for column in columns])
    body = pl.col("body")
    points, commas = body.str.count_matches(r"\."), body.str.count_matches(",")
    facts = (
        bodies.drop_nulls()
        .select(
            comma_last=((points > 0) & (commas > 0) & body.str.contains(r",\d*$")).sum(),
            point_last=((points > 0) & (commas > 0) & body.str.contains(r"\.\d*$")).sum(),
            comma_decimal=((points == 0) & (commas == 1) & ~body.str.contains(r"^[1-9]\d{0,2},\d{3}$")).sum(),
            point_decimal=((commas == 0) & (points == 1) & ~body.str.contains(r"^[1-9]\d{0,2}\.\d{3}$")).sum(),
            commas_many=((points == 0) & (commas > 1)).sum(),
            points_many=((commas == 0) & (points > 1)).sum(),
            comma_three=((points == 0) & body.str.contains(r"^[1-9]\d{0,2},\d{3}$")).sum(),
            point_three=((commas == 0) & body.str.contains(r"^[1-9]\d{0,2}\.\d{3}$")).sum(),
        )
        .row(0, named=True)
    )
    comma = facts["comma_last"] + facts["comma_decimal"] + facts["points_many"]
    point = facts["point_last"] + facts["point_decimal"] + facts["commas_many"]
    if point and point >= 20 * comma:
        return MarkFound("point")
    if comma and comma >= 20 * point:
        return MarkFound(
            "comma", Guess("decimal mark", "comma", f"{comma:,} amounts can only be so", "--decimal point")
        )
    if comma or point:
        return MarkFound("point", question=f"{point:,} amounts need a decimal point and {comma:,} a decimal comma")
    if not facts["comma_three"] and not facts["point_three"]:
        return MarkFound("point")
    if facts["comma_three"] and facts["point_three"]:
        return MarkFound("point", question="some amounts read like 1,234 and others like 1.234")
    mark: DecimalMark = "point" if facts["comma_three"] else "comma"
    if currencies and all(exponent(code) != 3 for code in currencies if code in CURRENCIES):
        sign = "," if mark == "point" else "."
        why = f"three digits follow every {sign!r}, and {', '.join(sorted(set(currencies))[:3])} has no three decimals"
        return MarkFound(mark, Guess("decimal mark", mark, why, f"--decimal {'comma' if mark == 'point' else 'point'}"))
    return MarkFound("point", question="every amount with a mark has three digits after it, such as 1,234")


def as_minor(column: AmountColumn, mark: DecimalMark, currency: pl.Series) -> pl.DataFrame:
    """Columns minor (Int64, null where blank or bad), fault (text, null where fine) and rounded (Boolean), row by row.

    A spreadsheet's number with more than four decimals was computed there and shown rounded: it is rounded, half to
    even, and counted as such. A typed amount with more decimals than the currency has is a fault.
    """
    group, decimal = (",", ".") if mark == "point" else (".", ",")
    exponents = {code: exponent(code) for code in currency.unique().to_list() if code in CURRENCIES}
    places = pl.col("currency").replace_strict(exponents, default=2, return_dtype=pl.Int64)
    body = pl.col("body")
    own_mark = (
        pl.when("known")
        .then(body)
        .otherwise(body.str.replace_all(group, "", literal=True).str.replace_all(decimal, ".", literal=True))
    )
    grouped_wrongly = ~pl.col("known") & body.str.contains(rf"\{decimal}.*\{group}|\{group}\d{{1,2}}(?:\D|$)")
    parts = column.frame.with_columns(currency.alias("currency"), own_mark.alias("text")).with_columns(
        pl.col("text").str.extract(r"^(\d*)", 1).str.strip_chars_start("0").alias("whole"),
        pl.col("text").str.extract(r"\.(\d*)$", 1).fill_null("").alias("fraction"),
    )
    scale = pl.lit(10, pl.Int64).pow(places).cast(pl.Int64)
    # Fractions are below one, so their float is exact to 1e-16 and only tells noise from real further decimals.
    cents = (pl.lit("0.") + pl.col("fraction") + "0").cast(pl.Float64, strict=False) * scale
    minor = pl.col("whole").str.head(MAX_WHOLE_DIGITS).replace("", "0").cast(pl.Int64, strict=False) * scale + (
        cents.round(0, mode="half_to_even").cast(pl.Int64)
    )
    noisy = (cents - cents.round(0)).abs() > NOISE
    computed = pl.col("known") & (pl.col("fraction").str.len_chars() > 4)
    fault = (
        pl.when(pl.col("bad") | grouped_wrongly | (pl.col("text").str.count_matches(r"\.") > 1))
        .then(pl.lit(f"an amount with decimal {mark}"))
        .when(pl.col("whole").str.len_chars() > MAX_WHOLE_DIGITS)
        .then(pl.lit("an amount below 10^14"))
        .when(noisy & ~computed)
        .then(pl.format("at most {} decimals, as {} has", places, "currency"))
    )
    return parts.select(
        pl.when(fault.is_null()).then(minor * pl.col("sign")).alias("minor"),
        pl.when(body.is_not_null() | pl.col("bad")).then(fault).alias("fault"),
        (noisy & computed).fill_null(False).alias("rounded"),
    )


def currency_codes(texts: pl.Series) -> pl.Series:
    """ISO codes of a currency column: codes, names and symbols; what is none of them stays as it is, in capitals."""
    plain = texts.str.strip_chars_start(NUMBER_MARK).str.strip_chars()
    unique = plain.unique().drop_nulls().to_list()
    table = {text: _currency_code(text) for text in unique}
    return plain.replace_strict(table, default=None, return_dtype=pl.String) if table else plain


def _currency_code(text: str) -> str:
    if text.upper() in CURRENCIES:
        return text.upper()
    if text in SYMBOLS:
        return SYMBOLS[text]
    if text.casefold() in NAMES:
        return NAMES[text.casefold()]
    words = [word for word in text.upper().replace("(", " ").replace(")", " ").split() if word in CURRENCIES]
    return words[0] if len(words) == 1 else text.upper()


def currency_in_symbols(column: AmountColumn) -> pl.Series:
    """The currency that each cell's own symbol or code names, null where it has none."""
    symbols = column.frame.get_column("symbol")
    table = {
        text: code
        for text in symbols.unique().drop_nulls().to_list()
        if (code := _currency_code(text)) in CURRENCIES
    }  # fmt: skip
    return symbols.replace_strict(table, default=None, return_dtype=pl.String)

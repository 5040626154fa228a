"""How much of the receivables hangs on few customers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import polars as pl

from duecourse.ledger.metrics.books import Source, books_of, check_levels, result

NOTHING_OPEN = "nothing is open"


def customer_shares(
    source: Source, *, at: date | None = None, by: Sequence[str] = (), level: str = "customer_id"
) -> pl.DataFrame:
    """Each customer's (or parent's) share of the open amount of its group, largest first.

    Unit: minor units and share. Caution: a share is a flag only together with deterioration. Source: arithmetic.
    Columns: levels, currency, ``level``, open_minor, share; only customers that owe something.
    """
    check_levels([*by, level])
    keys = [*by, "currency"]
    total = pl.col("open_minor").sum().over(keys)
    return (
        books_of(source)
        .open_items(at)
        .group_by(list(dict.fromkeys([*keys, level])))
        .agg(pl.col("open_minor").sum())
        .with_columns((pl.col("open_minor") / total).alias("share"))
        .sort(*keys, "open_minor", level, descending=[*[False] * len(keys), True, False])
    )


def top_share(
    source: Source, *, at: date | None = None, by: Sequence[str] = (), level: str = "customer_id", top: int = 10
) -> pl.DataFrame:
    """Top-k share = open amount of the ``top`` largest customers / open amount.

    Unit: share. Caution: a share is a flag only together with deterioration. Source: the concentration ratio CR-k of
    industrial economics. Columns: levels, currency, top_minor, receivable_minor, top_share, missing.
    """
    keys = [*by, "currency"]
    books = books_of(source)
    sums = (
        customer_shares(books, at=at, by=by, level=level)
        .group_by(keys)
        .agg(
            pl.col("open_minor").top_k(top).sum().alias("top_minor"),
            pl.col("open_minor").sum().alias("receivable_minor"),
        )
    )
    return result(
        books.fill(sums, by, "top_minor", "receivable_minor"),
        "top_share",
        pl.col("top_minor") / pl.col("receivable_minor"),
        (pl.col("receivable_minor") <= 0, NOTHING_OPEN),
    )


def hhi(source: Source, *, at: date | None = None, by: Sequence[str] = (), level: str = "customer_id") -> pl.DataFrame:
    """HHI = sum of squared shares of the open amount; 1 = one customer owes everything, 1/n = n equal ones.

    Unit: index 0..1. Source: Herfindahl 1950, Hirschman 1945. Caution: a share is a flag only together
    with deterioration. Columns: levels, currency, customers, hhi, missing.
    """
    keys = [*by, "currency"]
    books = books_of(source)
    sums = (
        customer_shares(books, at=at, by=by, level=level)
        .group_by(keys)
        .agg(pl.len().cast(pl.Int64()).alias("customers"), (pl.col("share") ** 2).sum().alias("squares"))
    )
    return result(
        books.fill(sums, by, "customers"),
        "hhi",
        pl.col("squares"),
        (pl.col("customers") == 0, NOTHING_OPEN),
    ).drop("squares")

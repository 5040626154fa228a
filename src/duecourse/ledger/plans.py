"""Where the instalments of payment plans stand, judged like promises: each is a part of one promise made that day."""

from __future__ import annotations

from datetime import date

import polars as pl

from duecourse.ledger.as_of import View
from duecourse.ledger.promises import DEFAULT_RULES, PromiseRules, promise_states
from duecourse.ledger.schema import TABLES

_DATE_LENGTH = 10  # an instalment reads 2026-06-30:25000
_NUMBER_LENGTH = 6  # digits that keep instalments of one plan and day apart


def instalment_states(view: View, rules: PromiseRules = DEFAULT_RULES) -> pl.DataFrame:
    """One row per instalment with an amount, sorted by plan_id and due_on: the columns of ``promise_states``.

    ``promise_id`` is replaced by plan_id and ``promised_on`` is the day of the agreement. Money that came for the
    plan's invoices since then fills the instalments in the order of their dates.
    """
    text = pl.col("instalments")
    parts = (
        view.table("plans")
        .explode("instalments")
        .drop_nulls("instalments")
        .with_columns(
            text.str.slice(0, _DATE_LENGTH).str.to_date("%Y-%m-%d", strict=False).alias("due_on"),
            text.str.slice(_DATE_LENGTH + 1).cast(pl.Int64, strict=False).alias("amount_minor"),
        )
        .drop_nulls(["due_on", "amount_minor"])
        .filter(pl.col("amount_minor") > 0)
        .sort("plan_id", "due_on", "amount_minor")
        .with_columns(
            (
                pl.col("plan_id") + pl.int_range(pl.len()).over("plan_id").cast(pl.String).str.zfill(_NUMBER_LENGTH)
            ).alias("promise_id"),
            pl.col("agreed_on").alias("promised_on"),
        )
    )
    dtypes = TABLES["promises"].dtypes
    as_promises = parts.select(
        pl.col(name).cast(dtype) if name in parts.columns else pl.lit(None, dtype=dtype).alias(name)
        for name, dtype in dtypes.items()
    )
    judged = promise_states(View(view.as_of, {**view.tables, "promises": as_promises}), rules)
    named = pl.col("promise_id").str.head(-_NUMBER_LENGTH)
    return judged.sort("promise_id").with_columns(named.alias("plan_id")).drop("promise_id")


def broken_plans(view: View) -> dict[str, date]:
    """customer_id -> the last day on which an instalment of one of its plans was judged not kept in full."""
    broken = instalment_states(view).filter(pl.col("state").is_in(["broken", "part_kept"]))
    last = broken.group_by("customer_id").agg(pl.col("judged_after").max()).sort("customer_id")
    return dict(last.iter_rows())

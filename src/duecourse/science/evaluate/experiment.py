"""The running tests inside a decision log: the policy against payers held out on the ladder, offers against none.

Groups were drawn by payer, so differences are causal; on a 5 % holdout they are wide and serve as guardrails.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from duecourse.ledger.as_of import View
from duecourse.ledger.autonomy import HELD_OUT, NOT_OFFERED_BY_LOT
from duecourse.ledger.balances import invoice_balances
from duecourse.ledger.objections import are_complaints_kept, are_opt_outs_kept, complaints, opt_outs
from duecourse.ledger.promises import promise_states
from duecourse.science.evaluate.always_valid import Groups, Guardrail, Look, guardrails, look
from duecourse.science.evaluate.features import with_payer
from duecourse.science.evaluate.logged import FloatArray

FEWEST_PAYERS = 5  # in each group, below which nothing is shown
BEFORE_WEEKS = 26
LATEST_DAYS = 90
PARTS = 1_000_000  # fractions are summed as whole millionths: a sum of floats changes with the order of its rows


@dataclass(frozen=True)
class Experiment:
    """Policy minus holdout: ``test`` on the paid share per payer, ``guards`` on harms per payer, group sizes."""

    test: Look
    guards: tuple[Guardrail, ...]
    payers: int
    held_out: int


IN_HOLDOUT = pl.col("stratum") == HELD_OUT
WITHOUT_OFFERS = pl.col("masked").str.contains(NOT_OFFERED_BY_LOT, literal=True)


def experiment(
    view: View, rows: pl.DataFrame, features: FloatArray, outside: pl.Expr = IN_HOLDOUT
) -> Experiment | None:
    """The test inside ``rows`` (payer, decided_on, stratum, paid_share); None without two groups of five payers.

    ``features`` (n, d) of the same rows: those of each payer's first decision adjust the outcome. ``outside`` tells
    the payers that were drawn to stay out; one that changed sides is left out.
    """
    first = rows.with_row_index("place").with_columns(outside.fill_null(False).alias("held"))
    groups = (
        first.group_by("payer")
        .agg(
            pl.col("held").n_unique().alias("kinds"), pl.col("held").first(), pl.col("paid_share").mean(),
            pl.col("place").sort_by("decided_on", "place").first(), pl.col("decided_on").min().alias("since"),
            pl.col("decided_on").max().alias("until"),
        )
        .filter(pl.col("kinds") == 1)
        .sort("until", "payer")
    )  # fmt: skip
    held_out = int(groups.get_column("held").sum())
    if min(held_out, groups.height - held_out) < FEWEST_PAYERS:
        return None
    treated = ~groups.get_column("held").to_numpy()
    share = 1 - held_out / groups.height
    before = features[groups.get_column("place").to_numpy()]

    def of(values: FloatArray) -> Groups:
        return Groups(treated, values, before, share)

    harms = {name: of(values) for name, values in _harms(view, groups).items()}
    test = look(of(groups.get_column("paid_share").to_numpy()), planned=groups.height)
    return Experiment(test, guardrails(harms, planned=groups.height), groups.height, held_out)


def _harms(view: View, groups: pl.DataFrame) -> Mapping[str, FloatArray]:
    """Per payer in the order of ``groups``, since its first decision: what must not get worse, as far as it is kept."""
    sent = view.table("activities").filter(pl.col("direction") == "out")
    minutes = _parts(pl.col("minutes").fill_null(0.0))
    sent = sent.select("customer_id", pl.col("occurred_at").dt.date().alias("on"), minutes.alias("minutes"))
    owner = view.table("invoices").select("invoice_id", "customer_id")
    opened = view.table("disputes").join(owner, on="invoice_id").select("customer_id", pl.col("opened_on").alias("on"))
    broken = promise_states(view).filter(pl.col("state") == "broken")
    broken = broken.select("customer_id", pl.col("promised_on").alias("on"))
    count = pl.len().cast(pl.Float64)
    seen = {}
    if are_opt_outs_kept(view):
        seen["opt_outs"] = _per_payer(view, groups, opt_outs(view), count)
    if are_complaints_kept(view):
        seen["complaints"] = _per_payer(view, groups, complaints(view), count)
    return seen | {
        "disputes_raised": _per_payer(view, groups, opened, count),
        "contacts_per_account": _per_payer(view, groups, sent, count),
        "collector_minutes": _per_payer(view, groups, sent, pl.col("minutes").sum() / PARTS),
        "promises_broken": _per_payer(view, groups, broken, count),
        "order_volume_lost": _order_volume_lost(view, groups),
        "days_late": _days_late(view, groups),
    }


def _parts(fraction: pl.Expr) -> pl.Expr:
    """``fraction`` in whole millionths, whose sum is the same in any order."""
    return (fraction * PARTS).round().cast(pl.Int64)


def _order_volume_lost(view: View, groups: pl.DataFrame) -> FloatArray:
    """Per payer, from -1 to 1: (before - since) / (before + typical) of what it was billed a week.

    Before: the 26 weeks before its first decision; typical: the mean of all payers before. Bills count in the median
    invoice of their currency.
    """
    invoices = view.table("invoices").filter(pl.col("amount_minor") > 0)
    typical = pl.col("amount_minor").median().over("currency")
    billed = invoices.select("customer_id", pl.col("issued_on").alias("on"),
                             _parts(pl.col("amount_minor") / typical).alias("amount"))  # fmt: skip
    days = (pl.col("on") - pl.col("since")).dt.total_days()
    weeks = ((pl.lit(view.as_of) - pl.col("since")).dt.total_days() / 7).clip(lower_bound=1.0)
    sums = (
        with_payer(billed, view).join(groups.select("payer", "since"), on="payer")
        .group_by("payer")
        .agg(
            (pl.col("amount").filter((days < 0) & (days >= -7 * BEFORE_WEEKS)).sum() / PARTS).alias("before"),
            (pl.col("amount").filter(days >= 0).sum() / PARTS).alias("after"),
        )
    )  # fmt: skip
    rates = (
        groups.select("payer", "since").join(sums, on="payer", how="left", maintain_order="left")
        .with_columns(pl.col("before").fill_null(0.0) / BEFORE_WEEKS, pl.col("after").fill_null(0.0) / weeks)
    )  # fmt: skip
    before, after = (rates.get_column(name).to_numpy().astype(np.float64) for name in ("before", "after"))
    scale = before + max(float(before.mean()), 1e-9)
    result: FloatArray = np.clip((before - after) / scale, -1.0, 1.0)
    return result


def _days_late(view: View, groups: pl.DataFrame) -> FloatArray:
    """Per payer, mean days late (0 to 90) of the invoices due since its first decision; open ones as late as today.

    What was credited or written off is as late as on the day when that closed it.
    """
    balances = invoice_balances(view).filter(pl.col("due_on") < view.as_of)
    end = pl.coalesce("paid_on", "cleared_on", pl.lit(view.as_of))
    late = balances.select(
        "customer_id", pl.col("due_on").alias("on"),
        (end - pl.col("due_on")).dt.total_days().clip(0, LATEST_DAYS).cast(pl.Float64).alias("late"),
    )  # fmt: skip
    return _per_payer(view, groups, late, pl.col("late").mean())


def _per_payer(view: View, groups: pl.DataFrame, facts: pl.DataFrame, value: pl.Expr) -> FloatArray:
    """``value`` over the facts (customer_id, on) of each payer from its first decision on; 0 where there are none."""
    since = groups.select("payer", "since")
    found = (
        with_payer(facts, view).join(since, on="payer").filter(pl.col("on") >= pl.col("since"))
        .group_by("payer").agg(value.alias("value"))
    )  # fmt: skip
    joined = groups.select("payer").join(found, on="payer", how="left", maintain_order="left")
    return np.asarray(joined.get_column("value").fill_null(0.0).to_numpy(), dtype=np.float64)

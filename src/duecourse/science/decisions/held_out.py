"""Who is in the guardrail holdout: payers that stay on the dunning ladder for good, spread over sizes and segments."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import polars as pl

from duecourse.core.holdout import holdout, size_deciles
from duecourse.ledger.as_of import View
from duecourse.ledger.autonomy import HELD_OUT, POLICY
from duecourse.science.decisions.contact_points import paying_parents
from duecourse.science.timing.facts import facts_from_view
from duecourse.science.timing.segments import behaviour_segments

YEAR_DAYS = 365


def held_out(view: View, share: float) -> frozenset[str]:
    """Contact points (paying parents) in the holdout of ``share``; nobody at 0.

    Drawn by name, without the plan's seed. Who was held out before stays so, and who was decided by the policy while
    others were held out stays with it; both are read from the decision log.
    """
    if share <= 0:
        return frozenset()
    parents = paying_parents(view.table("customers"))
    already, settled = _sides(view, parents)
    return holdout(strata(view, parents), already=already, settled=settled, share=share)


def strata(view: View, parents: Mapping[str, str]) -> dict[str, str]:
    """Paying parent -> decile of what it was billed in 12 months, and the behaviour segment of its largest member.

    Bills are measured in the median invoice of their currency, so that currencies compare.
    """
    invoices = view.table("invoices").filter(pl.col("amount_minor") > 0)
    typical = pl.col("amount_minor").median().over("currency")
    recent = pl.col("issued_on") >= view.as_of - timedelta(days=YEAR_DAYS)
    # Whole millionths: a sum of floats changes with the order of its rows, and with it who is in which decile.
    relative = (pl.col("amount_minor") / typical * 1_000_000).round().cast(pl.Int64)
    billed = (
        invoices.with_columns(relative.alias("relative"))
        .group_by("customer_id")
        .agg(pl.col("relative").filter(recent).sum())
        .sort("customer_id")
    )
    facts = facts_from_view(view)
    segment_of = dict(zip(facts.customer_ids.tolist(), behaviour_segments(facts).segment.tolist(), strict=True))
    size: dict[str, int] = {}
    largest: dict[str, tuple[int, str]] = {}
    for customer, amount in billed.iter_rows():
        payer = parents.get(customer, customer)
        size[payer] = size.get(payer, 0) + amount
        largest[payer] = max(largest.get(payer, (-1, "")), (amount, customer))
    deciles = dict(zip(size, size_deciles(list(size.values())), strict=True))
    return {payer: f"{deciles[payer]}/{segment_of.get(largest[payer][1], 'new')}" for payer in sorted(size)}


def _sides(view: View, parents: Mapping[str, str]) -> tuple[frozenset[str], frozenset[str]]:
    """Payers that were held out before, and those that the policy decided for since the holdout began."""
    rows = view.table("decisions").select("customer_id", "stratum", pl.col("decided_at").dt.date().alias("on"))
    held = rows.filter(pl.col("stratum") == HELD_OUT)
    began = held.get_column("on").min()
    if began is None:
        return frozenset(), frozenset()
    since = rows.filter((pl.col("stratum") == POLICY) & (pl.col("on") >= began))

    def payers(frame: pl.DataFrame) -> frozenset[str]:
        return frozenset(parents.get(name, name) for name in frame.get_column("customer_id"))

    already = payers(held)
    return already, payers(since) - already

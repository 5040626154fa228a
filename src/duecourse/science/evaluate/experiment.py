"""The running test inside a decision log: payers under the policy against payers held out on the ladder.

Both groups were drawn by payer, so the difference is causal; on a 5 % holdout it is wide and serves as a guardrail.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from duecourse.ledger.as_of import View
from duecourse.ledger.autonomy import HELD_OUT
from duecourse.ledger.promises import promise_states
from duecourse.science.evaluate.always_valid import Groups, Guardrail, Look, guardrails, look
from duecourse.science.evaluate.features import with_payer
from duecourse.science.evaluate.logged import FloatArray

FEWEST_PAYERS = 5  # in each group, below which nothing is shown


@dataclass(frozen=True)
class Experiment:
    """Policy minus holdout: ``test`` on the paid share per payer, ``guards`` on harms per payer, group sizes."""

    test: Look
    guards: tuple[Guardrail, ...]
    payers: int
    held_out: int


def experiment(view: View, rows: pl.DataFrame, features: FloatArray) -> Experiment | None:
    """The test inside ``rows`` (payer, decided_on, stratum, paid_share); None without two groups of five payers.

    ``features`` (n, d) of the same rows: those of each payer's first decision adjust the outcome. A payer whose stratum
    changed is left out.
    """
    first = rows.with_row_index("place").with_columns((pl.col("stratum") == HELD_OUT).fill_null(False).alias("held"))
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
    """Per payer in the order of ``groups``, since its first decision: what must not get worse."""
    sent = view.table("activities").filter(pl.col("direction") == "out")
    sent = sent.select("customer_id", pl.col("occurred_at").dt.date().alias("on"), pl.col("minutes").fill_null(0.0))
    owner = view.table("invoices").select("invoice_id", "customer_id")
    opened = view.table("disputes").join(owner, on="invoice_id").select("customer_id", pl.col("opened_on").alias("on"))
    broken = promise_states(view).filter(pl.col("state") == "broken")
    broken = broken.select("customer_id", pl.col("promised_on").alias("on"))
    refused = pl.any_horizontal(pl.col("email_consent", "sms_consent", "call_consent") == "withdrawn").fill_null(False)
    left = view.table("contacts").filter(refused & pl.col("recorded_at").is_not_null())
    left = left.select("customer_id", pl.col("recorded_at").dt.date().alias("on"))
    count = pl.len().cast(pl.Float64)
    return {
        "opt_outs": _per_payer(view, groups, left, count),
        "disputes_raised": _per_payer(view, groups, opened, count),
        "contacts_per_account": _per_payer(view, groups, sent, count),
        "collector_minutes": _per_payer(view, groups, sent, pl.col("minutes").sum()),
        "promises_broken": _per_payer(view, groups, broken, count),
    }


def _per_payer(view: View, groups: pl.DataFrame, facts: pl.DataFrame, value: pl.Expr) -> FloatArray:
    """``value`` over the facts (customer_id, on) of each payer from its first decision on; 0 where there are none."""
    since = groups.select("payer", "since")
    found = (
        with_payer(facts, view).join(since, on="payer").filter(pl.col("on") >= pl.col("since"))
        .group_by("payer").agg(value.alias("value"))
    )  # fmt: skip
    joined = groups.select("payer").join(found, on="payer", how="left", maintain_order="left")
    return np.asarray(joined.get_column("value").fill_null(0.0).to_numpy(), dtype=np.float64)

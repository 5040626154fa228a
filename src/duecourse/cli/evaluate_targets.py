"""What a policy would have done on each logged decision, told again from the books as they were known that morning."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from duecourse.core.errors import UsageError
from duecourse.ledger.schema import ARMS

if TYPE_CHECKING:
    from duecourse.ledger.as_of import Ledger
    from duecourse.science.decisions import Capacity
    from duecourse.science.evaluate import Target
    from duecourse.science.evaluate.logged import FloatArray

TARGETS = ("ladder", "value_at_stake", "learned", "none")
SAID_EVERY = 25
_NONE = ARMS.index("none")


def target_of(
    policy: str, ledger: Ledger, capacity: Capacity | None, *, seed: int, say: Callable[[str], None]
) -> Target:
    """``policy`` as a function from rows of the log to what it would have drawn, shape (n, 13).

    Each day of the log is planned anew from ``ledger.as_of(day)``, predictions from the customers' own past as known
    then: a model fitted later would know the outcome. A payer whose turn it is not gets ``none``. ``say`` receives one
    line before long work. Raises UsageError for a policy that does not exist or without the capacity it needs.
    """
    if policy == "none":
        return always_none
    from duecourse.science.decisions import policy_version

    policy_version(policy)
    if capacity is None:
        raise UsageError(f"policy {policy} needs a capacity")
    needed = capacity

    def choices(rows: pl.DataFrame) -> FloatArray:
        days = rows.get_column("decided_on").unique().sort().to_list()
        say(f"planning {len(days)} past days again by {policy}")
        result = np.zeros((rows.height, len(ARMS)))
        for number, day in enumerate(days):
            if number and number % SAID_EVERY == 0:
                say(f"  {number} of {len(days)} days")
            planned = _planned(ledger, day, policy, needed, seed)
            places = np.flatnonzero((rows.get_column("decided_on") == day).to_numpy())
            there = rows[places.tolist()]
            for place, customer, payer in zip(
                places.tolist(), there.get_column("customer_id"), there.get_column("payer"), strict=True
            ):
                spread = planned.get(customer, planned.get(payer, {"none": 1.0}))
                for arm, p in spread.items():
                    result[place, ARMS.index(arm)] = p
        return result

    return choices


def always_none(rows: pl.DataFrame) -> FloatArray:
    """The policy that contacts nobody."""
    result = np.zeros((rows.height, len(ARMS)))
    result[:, _NONE] = 1.0
    return result


def _planned(ledger: Ledger, day: date, policy: str, capacity: Capacity, seed: int) -> dict[str, dict[str, float]]:
    """customer_id -> arm -> probability, of all whose turn it was on the morning of ``day``."""
    from duecourse.science.decisions import plan
    from duecourse.science.timing.predict import predict

    view = ledger.as_of(day)
    if view.table("invoices").height == 0:
        return {}
    decisions = plan(view, predict(None, view, seed=seed), policy=policy, capacity=capacity, seed=seed).decisions
    columns = decisions.select("customer_id", "arm", "propensities")
    return {customer: json.loads(spread) if spread else {arm: 1.0} for customer, arm, spread in columns.iter_rows()}

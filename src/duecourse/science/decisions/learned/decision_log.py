"""The decision log of a ledger as arrays: what was drawn, with which probabilities, and what became of it.

A row without propensities teaches no effect. A row that contradicts itself - propensities that do not sum to 1, an arm
that does not exist or could not have been drawn - means that the log cannot be trusted, and is named.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from duecourse.ledger.as_of import View
from duecourse.ledger.autonomy import SHADOW
from duecourse.ledger.schema import ARMS
from duecourse.science.decisions.learned.book import ARM, NONE, PROPENSITY_TOLERANCE, Floats, Ints

_EPOCH = date(1970, 1, 1)
_BY_PAYMENT = ("paid", "payment", "nothing collectible")  # a block whose cause is the outcome itself


@dataclass(frozen=True)
class Decisions:
    """L decisions in the order of their day: contact point, day, drawn and executed arm, propensities (L, A).

    ``faults`` says in words what is wrong with the log; ``silent`` counts rows without propensities, ``unconfirmed``
    proposed contacts of which nothing shows that they left the house: they count as not executed. ``last``: contact
    point -> day of its last decision, one in shadow included, which teaches nothing but was its turn.
    """

    point: Ints
    day: Ints
    arm: Ints
    propensities: Floats
    executed: Ints
    faults: tuple[str, ...]
    silent: int
    unconfirmed: int
    last: Mapping[int, int]


def decisions_of(view: View, point_of: Mapping[str, int]) -> Decisions:
    """The decision log of ``view``; ``point_of`` gives the contact point of each customer_id."""
    done = set(view.table("activities").filter(pl.col("direction") == "out").get_column("decision_id").drop_nulls())
    rows: list[tuple[int, bool, int, int, int, list[float]]] = []
    faults: list[str] = []
    last: dict[int, int] = {}
    silent = unconfirmed = 0
    for row in view.table("decisions").sort("decided_at", "decision_id").iter_rows(named=True):
        point = point_of.get(row["customer_id"])
        if point is None:
            continue
        day = (row["decided_at"].date() - _EPOCH).days
        last[point] = max(day, last.get(point, day))
        if row["stratum"] == SHADOW:  # what was never acted on teaches nothing
            continue
        chances, fault = _propensities(row)
        if fault:
            faults.append(f"decision {row['decision_id']}: {fault}")
            continue
        silent += row["propensities"] is None
        executed = _executed(row, done)
        unconfirmed += executed is None
        code, left = ARM[row["arm"]], ARM[executed or "none"]
        rows.append((day, left != NONE, point, code, left, chances))
    rows.sort(key=lambda one: one[:2])
    columns = [np.array([one[at] for one in rows], dtype=np.int64) for at in (2, 0, 3, 4)]
    chances_of = np.array([one[5] for one in rows]).reshape(len(rows), len(ARMS))
    return Decisions(
        columns[0], columns[1], columns[2], chances_of, columns[3], tuple(faults), silent, unconfirmed, last
    )


def _propensities(row: Mapping[str, object]) -> tuple[list[float], str]:
    """One probability per arm, all 0 where none were logged; and what is wrong with them."""
    chances = [0.0] * len(ARMS)
    if row["arm"] not in ARM:
        return chances, f"there is no arm {row['arm']!r}; known: {', '.join(ARMS)}"
    if row["propensities"] is None:
        return chances, ""
    try:
        stated = json.loads(str(row["propensities"]))
    except json.JSONDecodeError:
        return chances, "propensities are not JSON"
    if not isinstance(stated, dict):
        return chances, "propensities are not an object arm -> probability"
    for name, value in stated.items():
        if name not in ARM:
            return chances, f"propensities name the arm {name!r} that does not exist"
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            return chances, f"the propensity of {name} is {value!r}, not a number from 0 to 1"
        chances[ARM[name]] = float(value)
    if abs(math.fsum(chances) - 1) > PROPENSITY_TOLERANCE:
        return chances, f"propensities sum to {math.fsum(chances):.6g}, not to 1"
    if chances[ARM[str(row["arm"])]] <= 0:
        return chances, f"arm {row['arm']} was drawn with propensity 0"
    return chances, ""


def _executed(row: Mapping[str, object], done: set[str]) -> str | None:
    """The arm that counts as executed; None when nothing shows that a proposed contact left the house."""
    if row["arm"] == "none":
        return "none"
    if str(row["not_executed_reason"] or "").lower().startswith(_BY_PAYMENT):
        return str(row["arm"])  # blocked because they paid: leaving it out would make contacts look useless
    if row["executed_arm"] is not None:
        return str(row["executed_arm"])
    if row["not_executed_reason"] is not None:
        return "none"
    return str(row["arm"]) if row["decision_id"] in done else None

"""Rows of the decision log: one per contact point and epoch, those with ``none`` included; enough to replay it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from duecourse.core.ids import sha256_hex
from duecourse.ledger.autonomy import APPROVE_LEVEL, IN_SHADOW, POLICY
from duecourse.ledger.schema import ARMS
from duecourse.science.decisions.autonomy import Standing
from duecourse.science.decisions.figures import Figures
from duecourse.science.decisions.points import ContactPoint
from duecourse.science.decisions.stake import assumed_gain

MASK_VERSION = "mask/1"


@dataclass(frozen=True, slots=True)
class LogContext:
    """What all rows of one plan share."""

    decided_at: datetime
    policy: str
    policy_version: str
    seed: int
    snapshot_id: str
    capacity_hash: str
    costs: Mapping[str, int]
    minutes: Mapping[str, float]
    relative_minute_price: float
    learnt: LearntIds | None = None


@dataclass(frozen=True, slots=True)
class LearntIds:
    """What a learned plan rests on, enough to replay it: exploration, draws, posterior, prior and features."""

    eps: float
    draws: int
    posterior_id: str
    prior_id: str
    features_hash: str


def decision_row(point: ContactPoint, arm: str, masked: Mapping[str, str], context: LogContext,
                 *, epoch_kind: str, figures: Figures | None = None, standing: Standing | None = None,
                 ) -> dict[str, object]:  # fmt: skip
    """The decision of one contact point in the columns of the ``decisions`` table.

    Without ``figures`` nothing was drawn: the chosen arm has propensity 1, every other eligible arm 0. Arms that are in
    shadow by ``standing`` are masked, and the propensities are those among the rest.
    """
    masked = dict(masked)
    if standing is not None:
        masked |= dict.fromkeys(sorted(standing.shadowed), IN_SHADOW)
    row = _certain(point, arm, masked, context) | {"epoch_kind": epoch_kind}
    if standing is not None:
        row |= {"stratum": standing.stratum, "autonomy_level": standing.level}
    if context.learnt is not None:
        ids = context.learnt
        row |= {"eps": ids.eps if figures is not None else 0.0, "draws": ids.draws, "posterior_id": ids.posterior_id,
                "prior_id": ids.prior_id, "features_hash": ids.features_hash}  # fmt: skip
    return row if figures is None else row | _drawn(arm, masked, figures)


def _drawn(arm: str, masked: Mapping[str, str], figures: Figures) -> dict[str, object]:
    """The columns of a decision that was drawn by lot."""
    eligible = [name for name in ARMS if name not in masked]
    chances = {name: figures.propensities.get(name, 0.0) for name in eligible}
    hidden = math.fsum(chance for name, chance in figures.propensities.items() if name not in chances)
    if hidden > 0:  # what was drawn fell on none of the arms in shadow: probabilities given that
        total = math.fsum(chances.values())
        chances = {name: chance / total for name, chance in chances.items()}
    return {
        "propensity": chances.get(arm, 0.0),
        "propensities": _json(chances),
        "expected_gain_minor": figures.gain_minor, "gain_p10_minor": figures.gain_p10_minor,
        "gain_p90_minor": figures.gain_p90_minor, "q_arms": _json(dict(figures.q_arms)),
        "dp_arms": _json(dict(figures.dp_arms)), "nested": figures.nested or None,
    }  # fmt: skip


def _certain(point: ContactPoint, arm: str, masked: Mapping[str, str], context: LogContext) -> dict[str, object]:
    eligible = [name for name in ARMS if name not in masked]
    expected, low, high = assumed_gain(point.stake_of(arm), arm, context.costs.get(arm, 0))
    per_arm = {name: assumed_gain(point.stake_of(name), name, context.costs.get(name, 0))[0] for name in eligible}
    return {
        "decision_id": decision_id(point, context),
        "decided_at": context.decided_at,
        "customer_id": point.customer_id,
        "invoice_ids": [item.invoice_id for item in point.listed],
        "arm": arm,
        "propensity": 1.0,
        "propensities": _json({name: float(name == arm) for name in eligible}),
        "masked": _json({name: masked[name] for name in ARMS if name in masked}),
        "expected_gain_minor": expected,
        "gain_p10_minor": low,
        "gain_p90_minor": high,
        "minutes": context.minutes.get(arm, 0.0),
        "minute_price_minor": round(context.relative_minute_price * point.typical_minor[point.currency]),
        "policy": context.policy,
        "policy_version": context.policy_version,
        "seed": context.seed,
        "snapshot_id": context.snapshot_id,
        "currency": point.currency,
        "contact_id": point.contact.contact_id if point.contact is not None else None,
        "cluster_id": point.customer_id,
        "stratum": POLICY,
        "autonomy_level": APPROVE_LEVEL,
        "eps": 0.0,
        "mask_version": MASK_VERSION,
        "capacity_hash": context.capacity_hash,
        "q_arms": _json(per_arm),
        "recorded_at": context.decided_at,
    }


def decision_id(point: ContactPoint, context: LogContext) -> str:
    """24 hex digits that depend on the books, the policy, the capacity, the seed and the contact point only."""
    parts = (context.snapshot_id, context.policy_version, context.capacity_hash, str(context.seed), point.customer_id)
    return sha256_hex(*(part.encode() for part in parts))[:24]


def _json(content: Mapping[str, object]) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))

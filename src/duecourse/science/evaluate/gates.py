"""The gates of autonomy on a ledger: what each arm has shown in the last 90 days, and what it lacks to rise."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from duecourse.ledger.as_of import View
from duecourse.ledger.autonomy import APPROVE_LEVEL, IN_SHADOW, SHADOW
from duecourse.science.evaluate.arm_harms import ArmHarm
from duecourse.science.evaluate.audit import PropensityAudit
from duecourse.science.evaluate.autonomy import EVIDENCE_DAYS, Evidence, Ruling, rule
from duecourse.science.evaluate.experiment import Experiment

AUTOMATIC_FROM = 3


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known about the levels now: arm -> level, the kill switch, when calibration was last found in bounds."""

    levels: Mapping[str, int]
    killed: bool = False
    calibrated_on: date | None = None


@dataclass(frozen=True)
class Findings:
    """What an evaluation found on the whole log, as the gates need it.

    ``lower_bound``: of the gain of what was done over the ladder, as a share of the open money; None when another
    question was asked or none was answered.
    """

    faults: int
    audit: PropensityAudit
    trial: Experiment | None
    harms: tuple[ArmHarm, ...]
    lower_bound: float | None


@dataclass(frozen=True, slots=True)
class Gate:
    """Where ``arm`` stands and what becomes of it."""

    arm: str
    level: int
    ruling: Ruling


def gates(view: View, standing: Standing, found: Findings) -> tuple[Gate, ...]:
    """One gate per arm of ``standing`` but ``none``, in its order."""
    rows = view.table("decisions").with_columns(pl.col("decided_at").dt.date().alias("on")).sort("on", "decision_id")
    return tuple(
        Gate(arm, level, rule(arm, level, evidence(view, rows, arm, standing, found), killed=standing.killed))
        for arm, level in standing.levels.items()
        if arm != "none"
    )


def evidence(view: View, rows: pl.DataFrame, arm: str, standing: Standing, found: Findings) -> Evidence:
    """What the log shows about ``arm``; ``rows`` are all decisions with the day ``on``, in order.

    A person's approval shows as an act of level 2 that was carried out as drawn or changed by somebody. Whether the
    instrument check of the learner raised an alarm is not in the ledger: the plan's first line says so.
    """
    recent = rows.filter(pl.col("on") >= view.as_of - timedelta(days=EVIDENCE_DAYS))
    mine = recent.filter(pl.col("arm") == arm)
    approved = mine.filter((pl.col("autonomy_level") == APPROVE_LEVEL) & pl.col("executed_at").is_not_null())
    approved = approved.filter((pl.col("executed_arm") == arm) | pl.col("override_by").is_not_null())
    shadow = mine.filter(pl.col("stratum") == SHADOW)
    crossed = [one.name for one in found.trial.guards if one.crossed] if found.trial is not None else []
    crossed += [f"{one.harm} after {arm}" for one in found.harms if one.arm == arm and one.crossed]
    day = standing.calibrated_on
    return Evidence(
        data_checks_pass=rows.height > 0 and found.faults == 0 and found.audit.passed,
        shadow_weeks=float(shadow.get_column("on").dt.truncate("1w").n_unique()),
        calibrated=day is not None and 0 <= (view.as_of - day).days <= EVIDENCE_DAYS,
        mask_breaches=_breaches(recent), approved=approved.height,
        edited=int(approved.get_column("override_by").is_not_null().sum()), lower_bound=found.lower_bound,
        days_at_level=_days_at_level(rows.filter(pl.col("arm") == arm), view.as_of),
        guardrails_crossed=tuple(crossed), guardrails_watched=found.trial is not None,
        audit_failed=not found.audit.passed,
    )  # fmt: skip


def _breaches(rows: pl.DataFrame) -> int:
    """Decisions of which an arm left the house that a rule had masked for them; shadow is no rule against a person."""
    executed = rows.filter(pl.col("executed_arm").is_not_null() & pl.col("masked").is_not_null())
    return sum(
        _object(masked).get(arm, IN_SHADOW) != IN_SHADOW
        for arm, masked in executed.select("executed_arm", "masked").iter_rows()
    )


def _object(text: str) -> Mapping[str, object]:
    try:
        content = json.loads(text)
    except json.JSONDecodeError:
        return {}
    return content if isinstance(content, dict) else {}


def _days_at_level(rows: pl.DataFrame, as_of: date) -> int:
    """Days since the arm has been at level 3 or above without a break; 0 when it is not."""
    below = rows.filter(pl.col("autonomy_level").fill_null(0) < AUTOMATIC_FROM).get_column("on").max()
    since = rows.filter(pl.col("autonomy_level").fill_null(0) >= AUTOMATIC_FROM)
    if isinstance(below, date):
        since = since.filter(pl.col("on") > below)
    first = since.get_column("on").min()
    return (as_of - first).days if isinstance(first, date) else 0

"""An evaluation as plain data for ``evaluation.json`` and the page, with the answer as a sentence in front."""

from __future__ import annotations

import math
from typing import Any

from duecourse.ledger.autonomy import LEVELS
from duecourse.science.evaluate.decision_log import FAULTS
from duecourse.science.evaluate.evaluation import Evaluation, Judged
from duecourse.science.evaluate.experiment import Experiment
from duecourse.science.evaluate.gates import Gate
from duecourse.science.evaluate.intervals import Interval
from duecourse.science.evaluate.off_policy import Comparison
from duecourse.science.evaluate.power import Spread, detectable_effect, power_sentence, weeks_needed
from duecourse.science.evaluate.ranking import Ranking

TEST_EFFECTS = (0.05, 0.02, 0.01)
POLICY_NAMES = {
    "ladder": "the dunning ladder",
    "value_at_stake": "value at stake",
    "learned": "the learned policy",
    "none": "contacting nobody",
}


def answer_of(found: Evaluation) -> tuple[str, str]:
    """(answer, sentence): better / worse / cannot_tell / refused, and one sentence that can stand alone."""
    first = found.judged[0]
    counts = found.counts
    if counts.total == 0:
        return "refused", "No answer: the ledger holds no decision log. Every `plan` writes one; keep it in the ledger."
    if counts.faults.get("no_propensities") == counts.total:
        return "refused", (
            f"No answer: none of the {counts.total:,} logged decisions says how likely it was. History without "
            "propensities can be described, but it cannot tell what another policy would have done: those who were "
            "contacted were chosen because they differ."
        )
    if not found.audit.passed:
        return "refused", (
            "No answer: the log contradicts its own propensities (what was drawn does not fit how likely it was said "
            "to be), so every estimate from it would be wrong. Find out what writes the log before asking again."
        )
    if first.verdict is None or first.comparison is None:
        return "refused", (
            f"No answer: only {first.decisions} of {counts.total:,} logged decisions had a choice, were well logged "
            "and are old enough to know what came of them."
        )
    verdict, gain = first.verdict, first.comparison.gain
    if verdict.answer == "refused":
        why = ""
        if counts.certain and counts.certain >= 0.8 * max(1, counts.total - sum(counts.faults.values())):
            why = " Nearly every decision was certain, nothing was drawn at random."
        elif verdict.more_decisions is None and found.missing:
            most = [
                f"{name.replace('_', ' ')} {share:.0%}"
                for name, share in list(found.missing.items())[:3]
                if share >= 0.005
            ]
            why = f" Missing above all: {', '.join(most)}."
        return "refused", f"{verdict.sentence[0].upper()}{verdict.sentence[1:]}.{why}"
    name = POLICY_NAMES.get(found.policy, found.policy)
    figures = f"{_points(gain.estimate)} of the open money within 4 weeks (95 % interval {_points(gain.low)} to "
    figures += f"{_points(gain.high)})"
    if verdict.answer == "cannot_tell":
        return "cannot_tell", (
            f"Whether {name} would have brought in more than what was done: {verdict.sentence}. Best guess {figures}."
        )
    return verdict.answer, f"{name[0].upper()}{name[1:]} {verdict.sentence} than what was done: {figures}."


def to_dict(found: Evaluation) -> dict[str, Any]:
    """The whole evaluation as JSON-ready data; infinite and undefined figures are null."""
    answer, sentence = answer_of(found)
    drawn = sum(row[0] for row in found.arms.values())
    none = found.arms.get("none", (0, 0, 0.0))
    return {
        "policy": found.policy,
        "as_of": found.as_of,
        "answer": answer,
        "sentence": sentence,
        "log": {
            "first": found.first, "last": found.last, "policies": found.policies, "decisions": found.counts.total,
            "faults": {name: {"rows": n, "meaning": FAULTS[name]} for name, n in found.counts.faults.items()},
            "held_out": found.counts.held_out, "no_choice": found.counts.no_choice,
            "nothing_open": found.counts.nothing_open, "too_recent": found.counts.too_recent,
            "used": found.counts.used, "executed_as_drawn": found.counts.executed_as_drawn,
            "executed_otherwise": found.counts.executed_otherwise, "certain": found.counts.certain,
            "in_shadow": found.counts.in_shadow,
        },
        "audit": {
            "cells": found.audit.cells, "rms_z": _finite(found.audit.rms_z), "p_value": found.audit.p_value,
            "impossible": found.audit.impossible, "passed": found.audit.passed,
        },
        "outcomes": [_judged(one) for one in found.judged],
        "contacts": {
            "logged": 1 - none[0] / drawn if drawn else None, "policy": 1 - none[2] / drawn if drawn else None,
        },
        "arms": {name: {"drawn": a, "executed": b, "policy": c} for name, (a, b, c) in found.arms.items()},
        "descriptive": {
            "caution": "Arms were given to different customers; these means compare customers, not arms.",
            "arms": {name: {"decisions": n, "paid_share": mean} for name, (n, mean) in found.described.items()},
        },
        "missing": found.missing,
        "ranking": None if found.ranked is None else _ranking(found.ranked),
        "learning": [{"first": one.first, "last": one.last, **_interval(one.lead)} for one in found.learning],
        "holdout": None if found.trial is None else _trial(found.trial),
        "offers": None if found.offers is None else _trial(found.offers),
        "harms_by_arm": [
            {"arm": one.arm, "harm": one.harm, "drawn": one.drawn, "events": one.events, "difference": one.difference,
             "lower_bound": _finite(one.lower_bound), "crossed": one.crossed}
            for one in found.harms
        ],
        "gates": [_gate(one) for one in found.gates],
        "test": _test(found),
    }  # fmt: skip


def _gate(one: Gate) -> dict[str, Any]:
    ruling = one.ruling
    return {
        "arm": one.arm, "level": one.level, "name": LEVELS[one.level].name, "to": ruling.level,
        "to_name": LEVELS[ruling.level].name, "promotes": ruling.promotes, "policy": ruling.policy or None,
        "reasons": list(ruling.reasons),
    }  # fmt: skip


def _judged(one: Judged) -> dict[str, Any]:
    content: dict[str, Any] = {
        "outcome": one.outcome.name, "label": one.outcome.label, "unit": one.outcome.unit,
        "currency": one.currency or None, "higher_is_better": one.outcome.higher_is_better, "decisions": one.decisions,
        "answer": "refused", "sentence": "too few decisions with a known outcome", "more_decisions": None,
    }  # fmt: skip
    if one.comparison is None or one.verdict is None:
        return content
    content |= {
        "answer": one.verdict.answer, "sentence": one.verdict.sentence, "more_decisions": one.verdict.more_decisions,
    }  # fmt: skip
    content |= _comparison(one.comparison)
    content["episode_of_3"] = None if one.episode is None else _interval(one.episode)
    return content


def _comparison(found: Comparison) -> dict[str, Any]:
    support = found.support
    return {
        "logged_mean": found.logged_mean,
        "gain": _interval(found.gain),
        "anytime": _interval(found.sequence),
        "betting": _interval(found.exact),
        "sensitivity": {name: _interval(one) for name, one in sorted(found.sensitivity.items())},
        "support": {
            "decisions": support.n, "payers": support.clusters, "ess": support.ess, "max_weight": support.max_weight,
            "mean_weight": support.mean_weight, "overlap": support.overlap, "clipped": support.clipped,
            "suffices": support.suffices,
        },
    }  # fmt: skip


def _ranking(found: Ranking) -> dict[str, Any]:
    curve = found.curve
    return {
        "decisions": found.rows, "auuc": curve.auuc, "qini": _interval(curve.qini_interval),
        "gain_of_all": float(curve.gain[-1]), "best_30_percent": _finite(found.best),
    }  # fmt: skip


def _trial(found: Experiment) -> dict[str, Any]:
    return {
        "payers": found.payers, "held_out": found.held_out, "difference": _interval(found.test.difference),
        "decided": found.test.decided, "explained": found.test.explained,
        "guardrails": [
            {"name": one.name, "difference": one.difference, "lower_bound": _finite(one.lower_bound),
             "crossed": one.crossed}
            for one in found.guards
        ],
    }  # fmt: skip


def _test(found: Evaluation) -> dict[str, Any] | None:
    """What a new 50/50 test by payer would need, fed by one's own variance and volume."""
    if found.spread is None or found.design is None:
        return None
    spread, design = found.spread, found.design
    points = Spread(spread.between * 1e4, spread.within * 1e4, spread.explained)
    unit = "points of money paid within 4 weeks"
    sentences = []
    for effect in TEST_EFFECTS:
        sentences.append(power_sentence(points, design, 100 * effect, unit))
        if weeks_needed(spread, design, effect) is None:
            break  # a smaller effect cannot be shown either
    return {
        "payers": design.payers, "decisions_per_payer_and_week": design.per_week,
        "detectable_in_26_weeks": _finite(detectable_effect(spread, design, 26)),
        "sentences": sentences,
    }  # fmt: skip


def _interval(one: Interval) -> dict[str, float | None]:
    return {"estimate": _finite(one.estimate), "low": _finite(one.low), "high": _finite(one.high)}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _points(value: float) -> str:
    return f"{100 * value:+.1f} points"

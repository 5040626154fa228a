"""The gate: rung ``model`` is shown only where it was better than every simple method on the book's own past.

Per set (new, open) of the book, and of each large legal entity in it, over the given snapshots: (1) its mean CRPS is
below that of the customer's own distribution and of each point method; (2) the parent-clustered bootstrap of its CRPS
gain over the customer's own distribution leaves no doubt (lower 10 % bound above 0) to switch on, its mean is not below
0 to stay on; (3) both PIT tails lie in .06-.14; (4) for the open book, the cash error at 7 and 14 days is not, beyond
doubt, more than .5 points above the best simple method's: a few large invoices decide a week's cash, and on a small
book the truth itself would lose such a comparison by chance (ADR 0017).

Where the model is refused, the customer's own history serves, or the book's delays by terms and amount where those
were better beyond doubt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from duecourse.science.timing.backtest_report import Check, GateReport, Verdict
from duecourse.science.timing.baselines import LABELS
from duecourse.science.timing.bootstrap import ParentBootstrap
from duecourse.science.timing.scored import MODEL, OWN_HISTORY, ScoredSet

FloatArray = npt.NDArray[np.float64]

PIT_TAIL = (0.06, 0.14)
CASH_MARGIN = 0.005
CASH_DAYS = ("7", "14")
BOOK, CUSTOMER_HISTORY = "book", "customer_history"
OWN_HISTORY_IS_BETTER = "the customer's own history is more accurate on your book"
BOOK_IS_BETTER = "what all customers do is more accurate on your book than any one's own past"
TOO_LITTLE = "too little history to test a model: the customer's own history is used"


@dataclass(frozen=True, slots=True)
class GateRules:
    """``fewest_snapshots`` that must be mature, the bootstrap's ``seed``, and whether the model is ``already_on``."""

    fewest_snapshots: int = 3
    seed: int = 0
    already_on: bool = False


def judge(
    open_sets: Sequence[ScoredSet],
    new_sets: Sequence[ScoredSet],
    rules: GateRules,
    entities: Mapping[str, tuple[Sequence[ScoredSet], Sequence[ScoredSet]]] | None = None,
) -> GateReport:
    """The gate's word on the scored snapshots: allowed only when both the new and the open set allow it.

    ``entities``: name -> (open sets, new sets) of each legal entity that is judged for itself.
    """
    verdicts = _verdicts(open_sets, new_sets, rules)
    alone = {name: _verdicts(*sets, rules) for name, sets in (entities or {}).items()}
    if all(verdict.use_model for verdict in verdicts.values()):
        return GateReport(
            True, MODEL, f"the model was better on new and on open invoices{_but(alone)}", verdicts, alone
        )
    refused = {name: verdict for name, verdict in verdicts.items() if not verdict.use_model}
    rung = BOOK if all(verdict.rung == BOOK for verdict in refused.values()) else CUSTOMER_HISTORY
    tested = all(verdict.checks for verdict in verdicts.values())
    says = TOO_LITTLE if not tested else BOOK_IS_BETTER if rung == BOOK else OWN_HISTORY_IS_BETTER
    failed = " and ".join(refused)
    return GateReport(False, rung, f"{says} (not passed: {failed} invoices){_but(alone)}", verdicts, alone)


def _but(entities: Mapping[str, Mapping[str, Verdict]]) -> str:
    """What the entities say, as the end of a sentence; empty where none is judged for itself."""
    words = []
    for name, verdicts in entities.items():
        used = [kind for kind, verdict in verdicts.items() if verdict.use_model]
        words.append(f"{name} {'for ' + ' and '.join(used) + ' invoices' if used else 'for none'}")
    return f"; judged alone, the model serves entity {', '.join(words)}" if words else ""


def _verdicts(open_sets: Sequence[ScoredSet], new_sets: Sequence[ScoredSet], rules: GateRules) -> dict[str, Verdict]:
    return {"new": _verdict("new", new_sets, rules), "open": _verdict("open", open_sets, rules)}


def _verdict(name: str, sets: Sequence[ScoredSet], rules: GateRules) -> Verdict:
    judged = [one for one in sets if MODEL in one.crps and OWN_HISTORY in one.crps]
    cases = sum(one.mature_cases for one in judged)
    if len(judged) < max(rules.fewest_snapshots, 1):
        says = f"use the baseline: {len(judged)} of at least {rules.fewest_snapshots} month starts could be tested"
        return Verdict(name, False, says, (), len(judged), cases)
    resamples = ParentBootstrap.of([one.parent for one in judged], rules.seed)
    gains = bootstrap_gains(judged, resamples)
    gain = _mean_gain(judged)
    low, high = (float(bound) for bound in np.quantile(gains, (0.1, 0.9)))
    checks = [_beats_all(judged), _beyond_doubt(gain, low, rules.already_on), _calibrated(judged)]
    if name == "open":
        checks.append(_cash(judged, resamples))
    passed = all(check.holds for check in checks)
    reasons = "; ".join(check.because for check in checks if check.holds == passed)
    says = f"use the {'model' if passed else 'baseline'}: {reasons}"
    rung = MODEL if passed else _simple_rung(judged, resamples)
    return Verdict(name, passed, says, tuple(checks), len(judged), cases, gain, low, high, rung)


def _simple_rung(sets: Sequence[ScoredSet], resamples: ParentBootstrap) -> str:
    """``customer_history``, or ``book`` where its CRPS was lower beyond doubt (upper 10 % bound of the difference)."""
    if not all(BOOK in one.crps and CUSTOMER_HISTORY in one.crps for one in sets):
        return CUSTOMER_HISTORY
    differences = bootstrap_gains(sets, resamples, (BOOK, CUSTOMER_HISTORY))
    return BOOK if float(np.quantile(differences, 0.9)) < 0 else CUSTOMER_HISTORY


def _beats_all(sets: Sequence[ScoredSet]) -> Check:
    """Condition (1)."""
    crps = {
        method: float(np.mean([one.crps[method].mean() for one in sets]))
        for method in sets[0].crps
        if all(method in one.crps for one in sets)
    }
    rivals = {method: value for method, value in crps.items() if method != MODEL}
    best = min(rivals, key=lambda method: rivals[method])
    holds = crps[MODEL] < rivals[best]
    words = "below" if holds else "not below"
    because = f"CRPS {crps[MODEL]:.2f} days is {words} the best simple method's {rivals[best]:.2f} ({LABELS[best]})"
    return Check("crps_below_every_baseline", holds, because)


def _beyond_doubt(gain: float, low: float, already_on: bool) -> Check:
    """Condition (2)."""
    holds = gain >= 0.0 if already_on else low > 0.0
    bound = "" if already_on else f", at least {low:.2f} with 90 % certainty"
    return Check("gain_over_own_history", holds, f"gain over the customer's own history {gain:.2f} days of CRPS{bound}")


def _calibrated(sets: Sequence[ScoredSet]) -> Check:
    """Condition (3)."""
    shapes = [shape for one in sets if (shape := one.measures[MODEL].uniformity) is not None]
    low, high = (float(np.mean([getattr(shape, tail) for shape in shapes])) for tail in ("below_10", "above_90"))
    holds = all(PIT_TAIL[0] <= tail <= PIT_TAIL[1] for tail in (low, high))
    return Check(
        "calibrated_tails",
        holds,
        f"{low:.1%} of payments came earlier and {high:.1%} later than the outer tenths of the curves (10 % each is "
        f"right, {PIT_TAIL[0]:.0%} to {PIT_TAIL[1]:.0%} is allowed)",
    )


def _cash(sets: Sequence[ScoredSet], resamples: ParentBootstrap) -> Check:
    """Condition (4); days ahead that not every snapshot can judge are left out."""
    words, holds = [], True
    for days in CASH_DAYS:
        if not all(days in one.cash for one in sets):
            continue
        errors = {
            method: float(np.mean([one.measures[method].cash_error[days] for one in sets]))
            for method in sets[0].measures
            if all(method in one.cash[days].gap for one in sets)
        }
        best = min((method for method in errors if method != MODEL), key=lambda method: errors[method])
        worse = errors[MODEL] - errors[best]
        doubt = float(np.quantile(_cash_differences(sets, resamples, days, best), 0.1)) <= CASH_MARGIN
        holds = holds and (worse <= CASH_MARGIN or doubt)
        unclear = " (the difference may be chance)" if worse > CASH_MARGIN and doubt else ""
        words.append(f"{days}-day cash error {errors[MODEL]:.1%} against {errors[best]:.1%} ({LABELS[best]}){unclear}")
    return Check("cash_error", holds, ", ".join(words) if words else "no cash came in to compare")


def _cash_differences(sets: Sequence[ScoredSet], resamples: ParentBootstrap, days: str, rival: str) -> FloatArray:
    """Cash error of the model less the rival's in each resample of parents, mean over the snapshots; (400,)."""
    received = resamples.sums([one.cash[days].received for one in sets])
    model, other = (np.abs(resamples.sums([one.cash[days].gap[method] for one in sets])) for method in (MODEL, rival))
    return resamples.mean_ratio(model - other, received)


def _mean_gain(sets: Sequence[ScoredSet]) -> float:
    return float(np.mean([(one.crps[OWN_HISTORY] - one.crps[MODEL]).mean() for one in sets]))


def bootstrap_gains(
    sets: Sequence[ScoredSet], resamples: ParentBootstrap, pair: tuple[str, str] = (OWN_HISTORY, MODEL)
) -> FloatArray:
    """CRPS of the first method less that of the second in 400 resamples of whole parents, mean over snapshots; (400,).

    By default the model's gain over the customer's own history.
    """
    first, second = pair
    gains = resamples.sums([one.crps[first] - one.crps[second] for one in sets])
    return resamples.mean_ratio(gains, resamples.sums([np.ones(one.mature_cases) for one in sets]))

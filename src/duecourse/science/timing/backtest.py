"""``backtest``: how wrong each method was on one's own past, at named snapshots; ``rolling_backtest`` for the gate.

At each snapshot T the model and the regressions are fitted on ``ledger.as_of(T)`` and nothing later. The open book is
asked from that same view; each new invoice is asked on its issue day with what was known then. Outcomes are joined
afterwards from what is known at ``known_until``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Protocol

import numpy as np
import numpy.typing as npt

from duecourse.core.errors import NotEnoughData
from duecourse.ledger.as_of import Ledger, View
from duecourse.science.timing import baselines
from duecourse.science.timing.backtest_report import (
    BacktestReport,
    Calibration,
    RecalibrationReport,
    SetResult,
    SnapshotResult,
    mean_measures,
)
from duecourse.science.timing.blend_choice import WEIGHTS, Blending, BlendReport, blend_crps, choose_weight
from duecourse.science.timing.calibration_decision import decide
from duecourse.science.timing.case_sets import CaseSet, Outcomes, new_set, open_set
from duecourse.science.timing.entities import judged_entities, scored_entities
from duecourse.science.timing.facts import NEVER, Facts, calendar_date, epoch_day, facts_from_view
from duecourse.science.timing.gate import GateRules, judge
from duecourse.science.timing.landmarks import Landmarks
from duecourse.science.timing.measures import Curves, Predicted
from duecourse.science.timing.scored import MODEL, OWN_HISTORY, ScoredSet, score_set
from duecourse.science.timing.segment_verdicts import segment_verdicts
from duecourse.science.timing.tallies import pooled

FloatArray = npt.NDArray[np.float64]

CURVE_DAYS = 178  # as long as the model sees: labels of lateness may look further than the horizon
GATE_HORIZON = 60
GATE_MONTH_STARTS = 6
FEWEST_MONTH_STARTS = 3
FEWEST_CLEARED = 500  # the least a model can be fitted on, at a month start as today
FEWEST_MONTHS_OF_CLEARINGS = 3
SETS = ("new", "open")
NOT_ASKED = RecalibrationReport(False, "not asked for", None)


class CurveModel(Protocol):
    """Anything that gives payment curves: the fitted model, or a stand-in of a test."""

    def cdf(self, facts: Facts, landmarks: Landmarks, horizon: int) -> FloatArray:
        """P(paid on or before landmark + j | open at the landmark), shape (n, horizon)."""


Fit = Callable[[View], CurveModel]


@dataclass(frozen=True, kw_only=True)
class BacktestPlan:
    """How a backtest is run; the defaults are those of docs/science/backtest-and-gate.md.

    ``horizon``: days after which everything is capped; shortened per set where its outcomes are not known that long.
    ``new_days``: length of the new set. ``known_until``: the first day that is not known (default: the day after the
    last recorded payment or credit). ``fit``: how a model is made from a view (default: ``model.fit``).
    ``usual_weight``: where given, every weight of the blend is tried against this one. ``progress`` is told each step.
    """

    seed: int = 0
    threads: int = 2
    horizon: int = 120
    new_days: int = 30
    known_until: date | None = None
    already_on: bool = False
    fewest_snapshots: int = 1
    fit: Fit | None = None
    usual_weight: float | None = None
    progress: Callable[[str], None] = field(default=lambda _step: None)


@dataclass(frozen=True)
class ScoredSnapshot:
    """One snapshot with both sets scored; ``no_model`` says why there is no model, else it is empty.

    ``entities``: set -> legal entity -> the part of the set that is its own. ``blends``: per set, the model's CRPS with
    each weight of the blend where those were tried.
    """

    day: date
    cleared: int
    months_of_clearings: int
    no_model: str
    sets: Mapping[str, ScoredSet]
    entities: Mapping[str, Mapping[str, ScoredSet]] = field(default_factory=dict)
    blends: tuple[tuple[float, ...], ...] = ()


def backtest(
    ledger: Ledger, snapshots: Sequence[date], *, seed: int = 0, plan: BacktestPlan | None = None
) -> BacktestReport:
    """Every method at every snapshot, with all measures, calibration and the gate's verdict.

    Raises NotEnoughData where no snapshot has any outcome behind it, and MissingLibrary without LightGBM.
    """
    how = plan or BacktestPlan(seed=seed)
    known_until = how.known_until or last_outcome(ledger)
    outcomes = Outcomes.of(ledger, known_until)
    scored = _score_all(ledger, sorted(set(snapshots)), outcomes, how)
    if not any(one.measures for snapshot in scored for one in snapshot.sets.values()):
        raise NotEnoughData(_nothing_to_score(snapshots, known_until))
    return _report(scored, known_until, how)


def rolling_backtest(ledger: Ledger, as_of: date, *, plan: BacktestPlan | None = None) -> BacktestReport | None:
    """The gate's backtest as of ``as_of``: the last six mature month starts; None where there is not even one.

    A month start is mature when 60 days have passed since: its open book is then seen for 60 days, the invoices of its
    first 30 days for at least 30. It counts where the books already held 500 paid invoices and payments in three
    calendar months: what is learnt from less says nothing about the model of today. Below three such month starts the
    verdict is "use the baseline".
    """
    how = plan or BacktestPlan()
    outcomes = Outcomes.of(ledger, as_of)
    days = mature_month_starts(outcomes.facts)
    if not days:
        return None
    how = replace(how, horizon=GATE_HORIZON, known_until=as_of, fewest_snapshots=FEWEST_MONTH_STARTS)
    scored = _score_all(ledger, days, outcomes, how, keep_curves_of=days[-1])
    table, says = decide([[one.sets[name] for name in SETS if name in one.sets] for one in scored])
    recalibration = RecalibrationReport(table is not None, says, table.to_dict() if table else None)
    return _report(scored, as_of, how, recalibration)


def last_outcome(ledger: Ledger) -> date:
    """The day after the last recorded allocation: from then on, that nothing was paid is not known.

    Raises NotEnoughData for a ledger without any payment.
    """
    recorded = ledger.table("allocations").get_column("recorded_at").max()
    if not isinstance(recorded, datetime):
        raise NotEnoughData("the ledger holds no payment of an invoice: there is nothing to compare predictions with")
    return recorded.date() + timedelta(days=1)


def mature_month_starts(facts: Facts) -> list[date]:
    """The last six mature month starts before ``facts.as_of`` on which a model could have been fitted, in order."""
    last = calendar_date(facts.as_of - GATE_HORIZON).replace(day=1)
    starts: list[date] = []
    while len(starts) < GATE_MONTH_STARTS:
        cleared, months = clearings(facts, epoch_day(last))
        if cleared < FEWEST_CLEARED or months < FEWEST_MONTHS_OF_CLEARINGS:
            break
        starts.append(last)
        last = (last - timedelta(days=1)).replace(day=1)
    return starts[::-1]


def clearings(facts: Facts, day: int) -> tuple[int, int]:
    """Invoices known to be paid before ``day`` (an epoch day), and the calendar months in which they were paid."""
    known = facts.paid_on[facts.paid_known < day]
    known = known[known < min(day, NEVER)]
    months = np.unique(known.astype("datetime64[D]").astype("datetime64[M]"))
    return int(known.size), int(months.size)


def _score_all(
    ledger: Ledger, days: Sequence[date], outcomes: Outcomes, how: BacktestPlan, *, keep_curves_of: date | None = None
) -> list[ScoredSnapshot]:
    """Every snapshot, ``how.threads`` of them at a time with one thread each: quicker than each with all threads.

    Threads change no result, so neither does the order in which snapshots end.
    """
    alone = replace(how, threads=1) if len(days) > 1 else how
    with ThreadPoolExecutor(max(1, min(how.threads, len(days)))) as pool:
        jobs = [
            pool.submit(score_snapshot, ledger, day, outcomes, alone, keep_curves=day == keep_curves_of) for day in days
        ]
        return [job.result() for job in jobs]


def score_snapshot(
    ledger: Ledger, day: date, outcomes: Outcomes, how: BacktestPlan, *, keep_curves: bool = False
) -> ScoredSnapshot:
    """Fits on ``ledger.as_of(day)`` and scores both sets with every method."""
    view = ledger.as_of(day)
    facts = facts_from_view(view)
    cleared, months = clearings(facts, facts.as_of)
    sets: list[CaseSet] = [
        new_set(day, outcomes, seed=how.seed, horizon=how.horizon, new_days=how.new_days),
        open_set(view, facts, outcomes, seed=how.seed, horizon=how.horizon),
    ]
    sets = [one for one in sets if one.cases.size]
    if not sets:
        return ScoredSnapshot(day, cleared, months, "no outcome is known yet", {})
    how.progress(f"snapshot {day}: fitting on {cleared} paid invoices")
    model, no_model = _fitted(view, how)
    regression = baselines.IssueDayRegression(facts, seed=how.seed, threads=how.threads) if cleared else None
    scored: dict[str, ScoredSet] = {}
    alone: dict[str, dict[str, ScoredSet]] = {}
    blends: list[tuple[float, ...]] = []
    large = judged_entities(outcomes.facts)
    for one in sets:
        how.progress(f"snapshot {day}: scoring {one.cases.size} {one.name} invoices")
        predicted = _simple_predictions(one, regression)
        if model is not None:
            curves, tried = _model_curves(one, model, how)
            predicted = {MODEL: curves, **predicted}
            blends.append(tried)
        scored[one.name] = score_set(one, predicted, keep_curves=keep_curves)
        alone[one.name] = scored_entities(one, predicted, large)
    return ScoredSnapshot(day, cleared, months, no_model, scored, alone, tuple(blends))


def _fitted(view: View, how: BacktestPlan) -> tuple[CurveModel | None, str]:
    fit = how.fit
    if fit is None:
        from duecourse.science.timing import model

        def fit(view: View) -> CurveModel:
            return model.fit(view, seed=how.seed, threads=how.threads)

    try:
        return fit(view), ""
    except NotEnoughData as error:
        return None, str(error)


def _model_curves(one: CaseSet, model: CurveModel, how: BacktestPlan) -> tuple[Curves, tuple[float, ...]]:
    """The model's curves and, where weights of the blend are to be tried, its CRPS with each of them."""
    if how.usual_weight is None or not isinstance(model, Blending):
        return Curves(model.cdf(one.facts, one.landmarks, CURVE_DAYS)), ()
    curves = model.blends(one.facts, one.landmarks, (model.blend_weight, *WEIGHTS), CURVE_DAYS)
    return Curves(curves[0]), blend_crps(one, curves[1:])


def _simple_predictions(one: CaseSet, regression: baselines.IssueDayRegression | None) -> dict[str, Predicted]:
    predicted: dict[str, Predicted] = {}
    predicted["due_date"] = baselines.due_date(one)
    predicted["customer_median"] = baselines.customer_median(one)
    predicted[OWN_HISTORY] = baselines.customer_empirical(CURVE_DAYS)(one)
    predicted["customer_history"] = baselines.customer_history(CURVE_DAYS)(one)
    predicted["book"] = baselines.book(CURVE_DAYS)(one)
    if regression is not None:
        predicted["lgbm_l2"] = regression.points(one)
        predicted["lgbm_quantile"] = regression.quantiles(one)
    ladder = baselines.promise_ladder(one)
    if ladder is not None:
        predicted["ladder"] = ladder
    return predicted


def _report(
    scored: Sequence[ScoredSnapshot],
    known_until: date,
    how: BacktestPlan,
    recalibration: RecalibrationReport = NOT_ASKED,
) -> BacktestReport:
    by_set = {name: [one.sets[name] for one in scored if name in one.sets] for name in SETS}
    same = {name: _same_snapshots(sets) for name, sets in by_set.items()}
    rules = GateRules(how.fewest_snapshots, how.seed, how.already_on)
    present = {method for sets in same.values() for one in sets for method in one.measures}
    methods = [method for method in baselines.LABELS if method in present]
    return BacktestReport(
        known_until=known_until,
        seed=how.seed,
        new_days=how.new_days,
        snapshots=tuple(_snapshot_result(one, how) for one in scored),
        means={
            name: {
                method: mean_measures([one.measures[method] for one in sets if method in one.measures])
                for method in methods
                if any(method in one.measures for one in sets)
            }
            for name, sets in same.items()
        },
        calibration={name: _calibrations(sets) for name, sets in same.items()},
        gate=judge(by_set["open"], by_set["new"], rules, _by_entity(scored)),
        recalibration=recalibration,
        labels={method: baselines.LABELS[method] for method in methods},
        blend=None if how.usual_weight is None else _blend(scored, how.usual_weight),
        segments={name: segment_verdicts(sets, how.seed) for name, sets in same.items()},
    )


def _blend(scored: Sequence[ScoredSnapshot], usual: float) -> BlendReport:
    return choose_weight([tried for one in scored for tried in one.blends], usual)


def _by_entity(scored: Sequence[ScoredSnapshot]) -> dict[str, tuple[list[ScoredSet], list[ScoredSet]]]:
    """Entity -> (open sets, new sets) over the snapshots."""
    names = sorted({name for one in scored for found in one.entities.values() for name in found})

    def sets(kind: str, name: str) -> list[ScoredSet]:
        return [one.entities[kind][name] for one in scored if name in one.entities.get(kind, {})]

    return {name: (sets("open", name), sets("new", name)) for name in names}


def _same_snapshots(sets: Sequence[ScoredSet]) -> Sequence[ScoredSet]:
    """The sets on which a model was scored, so that every method is averaged over the same ones; all if none was."""
    with_model = [one for one in sets if MODEL in one.measures]
    return with_model or sets


def _calibrations(sets: Iterable[ScoredSet]) -> dict[str, Calibration]:
    tallies = [one.tallies for one in sets]
    methods = dict.fromkeys(method for one in tallies for method in one)
    return {method: pooled([one[method] for one in tallies if method in one]) for method in methods}


def _snapshot_result(one: ScoredSnapshot, how: BacktestPlan) -> SnapshotResult:
    alone = {name: [one.sets[name]] if name in one.sets else [] for name in SETS}
    return SnapshotResult(
        snapshot=one.day,
        cleared=one.cleared,
        months_of_clearings=one.months_of_clearings,
        model=one.no_model,
        sets={name: _set_result(name, one, how) for name in SETS},
        gate=judge(alone["open"], alone["new"], GateRules(1, how.seed, how.already_on)),
    )


def _set_result(name: str, snapshot: ScoredSnapshot, how: BacktestPlan) -> SetResult:
    one = snapshot.sets.get(name)
    if one is None or not one.measures:
        why = "no such invoice" if one is None else "no outcome is known for the whole horizon yet"
        return SetResult(name, snapshot.day, 0, 0, 0, how.horizon, why, {}, None, one.brier if one else {})
    both = MODEL in one.crps and OWN_HISTORY in one.crps
    return SetResult(
        set=name,
        snapshot=snapshot.day,
        cases=one.mature_cases,
        customers=int(np.unique(one.parent.astype(str)).size),
        horizon=one.case_set.horizon,
        wanted_horizon=how.horizon,
        not_scored="",
        methods=one.measures,
        gain=float((one.crps[OWN_HISTORY] - one.crps[MODEL]).mean()) if both else None,
        brier=one.brier,
    )


def _nothing_to_score(snapshots: Sequence[date], known_until: date) -> str:
    named = ", ".join(day.isoformat() for day in sorted(set(snapshots)))
    return (
        f"nothing to compare at {named}: payments are known until {known_until - timedelta(days=1)} only;"
        " name snapshots at least 7 days earlier (37 for new invoices) on which invoices were open"
    )

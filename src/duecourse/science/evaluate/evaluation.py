"""``evaluate``: would policy B have done better than what was done? From a ledger's decision log to one answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import polars as pl

from duecourse.ledger.as_of import View
from duecourse.ledger.autonomy import HELD_OUT, KILL_SWITCH_POLICY, SHADOW
from duecourse.ledger.schema import ARMS
from duecourse.science.evaluate.arm_harms import ArmHarm, arm_harms
from duecourse.science.evaluate.audit import PropensityAudit, propensity_audit
from duecourse.science.evaluate.decision_log import DecisionLog, read_log
from duecourse.science.evaluate.episodes import episode_gain, episodes
from duecourse.science.evaluate.experiment import IN_HOLDOUT, WITHOUT_OFFERS, Experiment, experiment
from duecourse.science.evaluate.features import features, with_payer
from duecourse.science.evaluate.gates import Findings, Gate, Standing, gates
from duecourse.science.evaluate.intervals import Interval
from duecourse.science.evaluate.logged import FloatArray, Logged
from duecourse.science.evaluate.off_policy import LIKELY, Comparison, compare
from duecourse.science.evaluate.outcomes import OUTCOMES, PAID_DAYS, Outcome, outcomes
from duecourse.science.evaluate.power import Design, Spread, spread_of
from duecourse.science.evaluate.ranking import Ranking, ranking
from duecourse.science.evaluate.uplift_curves import LearningPoint, learning_curve
from duecourse.science.evaluate.verdict import Verdict, judge

# Rows of the log (decision_id, decided_on, customer_id, contact_id, ...) -> what B would have drawn, (n, 13), rows sum
# to 1, arms in the order of ``ledger.schema.ARMS``.
Target = Callable[[pl.DataFrame], FloatArray]
FEWEST_DECISIONS = 20  # below this nothing is fitted
LEARNING_FROM = 400  # decisions that a learning curve needs


@dataclass(frozen=True)
class Judged:
    """One outcome: the comparison in its unit and the verdict; both None where too few decisions have this outcome."""

    outcome: Outcome
    decisions: int
    currency: str = ""
    comparison: Comparison | None = None
    verdict: Verdict | None = None
    episode: Interval | None = None


@dataclass(frozen=True)
class Counts:
    """Where the decisions of the log went, from all to those that answer the question on the first outcome."""

    total: int
    faults: dict[str, int]
    held_out: int
    no_choice: int
    nothing_open: int
    too_recent: int
    used: int
    executed_as_drawn: int
    executed_otherwise: int
    certain: int
    in_shadow: int = 0


@dataclass(frozen=True)
class Evaluation:
    """The evaluation of ``policy`` on what is known at the start of the view's day.

    ``arms``: arm -> (drawn, executed, B's expected number). ``described``: arm -> decisions and mean paid share of
    those that drew it, which compares different customers. ``missing``: arm -> share of B's choices on it where it was
    drawn with a chance below 1 %.
    """

    policy: str
    as_of: str
    first: str
    last: str
    policies: dict[str, int]
    counts: Counts
    audit: PropensityAudit
    judged: tuple[Judged, ...]
    arms: dict[str, tuple[int, int, float]]
    described: dict[str, tuple[int, float | None]]
    learning: tuple[LearningPoint, ...] = ()
    trial: Experiment | None = None
    spread: Spread | None = None
    design: Design | None = None
    ranked: Ranking | None = None
    missing: dict[str, float] = field(default_factory=dict)
    offers: Experiment | None = None
    harms: tuple[ArmHarm, ...] = ()
    gates: tuple[Gate, ...] = ()


def evaluate(view: View, policy: str, target: Target, *, since: date | None = None, seed: int = 0,
             standing: Standing | None = None) -> Evaluation:  # fmt: skip
    """The evaluation of ``policy``, whose choices ``target`` gives for rows of the log, of decisions from ``since`` on.

    With ``standing``, the levels of autonomy now, it also says what each arm lacks for the next one.
    Never raises for want of data: the verdict then says what is missing. Raises ValueError when ``target`` gives no
    probability distribution per row.
    """
    log = read_log(view)
    if since is not None:
        log = log.take((log.rows.get_column("decided_on") >= since).to_numpy())
    shadow = (log.rows.get_column("stratum") == SHADOW).fill_null(False).to_numpy()
    log = log.take(~shadow)  # what was never acted on has no outcome of its own
    rows = _with_outcomes(view, log)
    log = DecisionLog(rows, log.arm, log.propensities, log.faults, log.total)
    held = (rows.get_column("stratum") == HELD_OUT).fill_null(False).to_numpy()
    choice = log.had_choice
    is_open = (rows.get_column("listed_open") > 0).to_numpy()
    mature = rows.get_column("paid_share").is_not_null().to_numpy()
    keep = ~held & choice & is_open
    used = log.take(keep)
    drawn_by_b = target(used.rows) if used.n else np.zeros((0, len(ARMS)))
    known = features(view, used.rows) if used.n else np.zeros((0, 1))
    judged = tuple(_judge(one, used, drawn_by_b, known, seed) for one in OUTCOMES)
    paid = used.rows.get_column("paid_share").is_not_null().to_numpy()
    counts = Counts(
        total=log.total, faults=dict(log.faults), held_out=int(held.sum()), no_choice=int((~held & ~choice).sum()),
        nothing_open=int((~held & choice & ~is_open).sum()), too_recent=int((keep & ~mature).sum()),
        used=int((keep & mature).sum()), in_shadow=int(shadow.sum()), **_executed(log),
    )  # fmt: skip
    audit, trial = propensity_audit(log.propensities, log.arm), _holdout(view, log, mature & is_open, held)
    harms = arm_harms(view, log.take(~held)) if log.n else ()
    found = Findings(sum(log.faults.values()), audit, trial, harms, _lower_bound(policy, judged))
    learning, spread, design = _own_figures(used.take(paid), drawn_by_b[paid], known[paid], seed)
    days = rows.get_column("decided_on")
    return Evaluation(
        policy, view.as_of.isoformat(), str(days.min() or ""), str(days.max() or ""), _count(rows, "policy"), counts,
        audit, judged, _arms(used, drawn_by_b), _described(view),
        learning, trial, spread, design, ranking(used) if used.n else None,
        _missing(used, drawn_by_b), _offers(view, log, mature & is_open & ~held), harms,
        () if standing is None else gates(view, standing, found),
    )  # fmt: skip


def _lower_bound(policy: str, judged: tuple[Judged, ...]) -> float | None:
    """Lower end of the gain of what was done over the ladder, share of the open money; None for other questions."""
    first = judged[0].comparison
    if policy != KILL_SWITCH_POLICY or first is None or not first.support.suffices:
        return None
    return -first.gain.high


def _holdout(view: View, log: DecisionLog, keep: np.ndarray, held: np.ndarray) -> Experiment | None:
    """The policy against the holdout since the first day of one; None without a holdout.

    Before, everybody was under the policy: these rows would make it look as if the holdout had changed sides.
    """
    days = log.rows.get_column("decided_on")
    first = days.filter(pl.Series(held)).min()
    return _trial(view, log, keep & (days >= first).to_numpy(), IN_HOLDOUT) if isinstance(first, date) else None


def _offers(view: View, log: DecisionLog, keep: np.ndarray) -> Experiment | None:
    """Those who may have offers against those whom the lot keeps from them; None without offers.

    Only days on which the lot kept somebody count: without an envelope the mask of the same payers names no lot.
    """
    days = log.rows.get_column("decided_on")
    by_lot = days.filter(log.rows.select(WITHOUT_OFFERS.fill_null(False)).to_series()).unique()
    return _trial(view, log, keep & days.is_in(by_lot.to_list()).to_numpy(), WITHOUT_OFFERS)


def _with_outcomes(view: View, log: DecisionLog) -> pl.DataFrame:
    """The rows with their outcomes and ``payer``: the logged cluster, else the top of the customer's parents."""
    rows = with_payer(log.rows, view).with_columns(pl.coalesce("cluster_id", "payer").alias("payer"))
    found = outcomes(view, rows).rename({"currency": "money"})
    return rows.join(found, on="decision_id", how="left", maintain_order="left")


def _judge(outcome: Outcome, log: DecisionLog, target: FloatArray, known: FloatArray, seed: int) -> Judged:
    values = log.rows.get_column(outcome.name)
    keep = values.is_not_null().to_numpy()
    currency = ""
    if outcome.name == "cash_minor" and keep.any():
        counted = log.rows.filter(pl.Series(keep)).get_column("money").value_counts(sort=True)
        currency = str(counted.sort(["count", "money"], descending=[True, False]).item(0, "money"))
        keep &= (log.rows.get_column("money") == currency).fill_null(False).to_numpy()
    if keep.sum() < FEWEST_DECISIONS:
        return Judged(outcome, int(keep.sum()), currency)
    part = log.take(keep)
    logged = as_logged(part, outcome, target[keep], known[keep])
    comparison = compare(logged, seed=seed)
    smallest = outcome.smallest or max(0.01 * comparison.logged_mean, 1.0)
    verdict = judge(comparison.support, comparison.gain, smallest=smallest, higher_is_better=outcome.higher_is_better)
    episode = _episode(part, logged, seed) if outcome.name == "paid_share" else None
    return Judged(outcome, part.n, currency, comparison, verdict, episode)


def as_logged(log: DecisionLog, outcome: Outcome, target: FloatArray, known: FloatArray) -> Logged:
    """The rows as arrays for one outcome without gaps; money is cut at its 95 % quantile, which bounds it."""
    values = log.rows.get_column(outcome.name).cast(pl.Float64).to_numpy()
    top = float(np.quantile(values, 0.95, method="higher")) if outcome.top is None else outcome.top
    codes = log.rows.get_column("payer").rank("dense").cast(pl.Int64).to_numpy()
    return Logged(
        known, log.arm, log.propensities[np.arange(log.n), log.arm], np.minimum(values, top), codes, target,
        log.propensities, (0.0, max(top, 1e-9)),
    )  # fmt: skip


def _episode(log: DecisionLog, logged: Logged, seed: int) -> Interval:
    """The gain when B takes up to three decisions in a row, per episode."""
    point = log.rows.select(pl.coalesce("contact_id", "payer").rank("dense").cast(pl.Int64)).to_series().to_numpy()
    day = log.rows.get_column("decided_on").to_physical().cast(pl.Int64).to_numpy()
    return episode_gain(logged, episodes(point, day, PAID_DAYS), seed=seed)


def _own_figures(
    log: DecisionLog, target: FloatArray, known: FloatArray, seed: int
) -> tuple[tuple[LearningPoint, ...], Spread | None, Design | None]:
    """Learning curve, and the spread and volume that feed the calculator of tests, from one's own decisions."""
    payers = log.rows.get_column("payer").n_unique() if log.n else 0
    if log.n < FEWEST_DECISIONS or payers < 2:
        return (), None, None
    logged = as_logged(log, OUTCOMES[0], target, known)
    curve = learning_curve(logged, seed=seed) if log.n >= LEARNING_FROM else ()
    days = log.rows.get_column("decided_on").to_physical()
    weeks = (int(days.max()) - int(days.min())) / 7 + 1  # type: ignore[arg-type]  # dates are whole days here
    spread = spread_of(logged.outcome, logged.cluster, known[:, 7])  # the payer's own mean lateness
    return curve, spread, Design(payers, log.n / payers / weeks)


def _executed(log: DecisionLog) -> dict[str, int]:
    told = log.rows.get_column("executed_arm")
    same = int((told == log.rows.get_column("arm")).fill_null(False).sum())
    certain = int((log.propensities.max(axis=1, initial=0) >= 1).sum()) if log.n else 0
    return {"executed_as_drawn": same, "executed_otherwise": int(told.is_not_null().sum()) - same, "certain": certain}


def _arms(log: DecisionLog, target: FloatArray) -> dict[str, tuple[int, int, float]]:
    executed = log.rows.get_column("executed_arm").to_list()
    result = {}
    for number, name in enumerate(ARMS):
        row = (int((log.arm == number).sum()), executed.count(name), float(target[:, number].sum()))
        if any(row):
            result[name] = row
    return result


def _missing(log: DecisionLog, target: FloatArray) -> dict[str, float]:
    if not log.n:
        return {}
    shares = (target * (log.propensities < LIKELY)).mean(axis=0)
    order = sorted(range(len(ARMS)), key=lambda number: -shares[number])
    return {ARMS[number]: float(shares[number]) for number in order if shares[number] > 0}


def _described(view: View) -> dict[str, tuple[int, float | None]]:
    """Arm -> decisions and mean paid share over the whole log, faulty rows included: a description, no effect.

    Rows in shadow are left out: nothing was done, so what was paid after them describes no arm.
    """
    rows = view.table("decisions").filter(pl.col("stratum").fill_null("") != SHADOW)
    rows = rows.with_columns(pl.col("decided_at").dt.date().alias("decided_on"))
    if rows.height == 0:
        return {}
    joined = rows.select("decision_id", "arm").join(outcomes(view, rows), on="decision_id")
    means = joined.group_by("arm").agg(pl.len(), pl.col("paid_share").mean()).sort("arm")
    return {str(arm): (int(number), mean) for arm, number, mean in means.iter_rows()}


def _trial(view: View, log: DecisionLog, keep: np.ndarray, outside: pl.Expr) -> Experiment | None:
    part = log.take(keep)
    return experiment(view, part.rows, features(view, part.rows), outside) if part.n else None


def _count(rows: pl.DataFrame, column: str) -> dict[str, int]:
    counted = rows.get_column(column).fill_null("not named").value_counts().sort(column)
    return {str(name): int(number) for name, number in counted.iter_rows()}

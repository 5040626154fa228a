"""``judge``: a fitted model with the word of the gate, from a rolling backtest on the book's own past months."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date

from duecourse.ledger.as_of import Ledger, View
from duecourse.science.timing.backtest import BacktestPlan, rolling_backtest
from duecourse.science.timing.backtest_report import BacktestReport
from duecourse.science.timing.blend_choice import BlendReport
from duecourse.science.timing.model import TimingModel, fit

TOO_YOUNG = "no past month could be tested yet: the customer's own history is used"


@dataclass(frozen=True)
class Judged:
    """A model that carries the gate's decision, and the track record behind it (None without a testable month).

    ``past_models``: the models of the tested months by the day they were fitted at, for whoever replays the past too.
    """

    model: TimingModel
    report: BacktestReport | None
    past_models: Mapping[date, TimingModel] = field(default_factory=dict)


def judge(model: TimingModel, ledger: Ledger, day: date, *, threads: int, progress: Callable[[str], None]) -> Judged:
    """``model`` with the gate's decision for new and for open invoices and, where needed, a recalibration table.

    The past months are refitted with the model's own seed and settings, but one booster each instead of an average of
    several: a third of the time, and if anything to the model's disadvantage. Without a testable month nothing is
    allowed. The weight of the customer's own distribution is the one that served those months best.
    """
    single = replace(model.config, bags=1)
    past: dict[date, TimingModel] = {}

    def refit(view: View) -> TimingModel:
        # the months themselves run side by side, so each gets one thread
        past[view.as_of] = fit(view, seed=model.seed, threads=1, config=single)
        return past[view.as_of]

    plan = BacktestPlan(seed=model.seed, threads=threads, fit=refit, usual_weight=model.blend_weight, progress=progress)
    report = rolling_backtest(ledger, day, plan=plan)
    if report is not None and report.blend is not None and report.blend.weight != model.blend_weight:
        model = _reblended(model, report.blend)
        past = {month: _reblended(one, report.blend) for month, one in past.items()}
        # the gate must judge what will be shown; the trees are there, only curves are made anew
        again = replace(plan, fit=lambda view: past[view.as_of], usual_weight=None)
        retold = rolling_backtest(ledger, day, plan=again)
        report = None if retold is None else replace(retold, blend=report.blend)
    if report is None:
        gate = {"allowed": False, "rung": "customer_history", "says": TOO_YOUNG, "verdicts": {}}
        return Judged(replace(model, gate=gate), None)
    table = report.recalibration.table if report.recalibration else None
    return Judged(replace(model, gate=asdict(report.gate), calibration=table), report, past)


def _reblended(model: TimingModel, blend: BlendReport) -> TimingModel:
    return replace(model, blend_weight=blend.weight, fitted={**model.fitted, "blend_choice": blend.says})

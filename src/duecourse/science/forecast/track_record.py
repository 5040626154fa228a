"""``track_record``: the forecasts a book would have seen on past mornings, made as today's is, and scored.

Every week back from ``as_of`` is forecast from ``ledger.as_of(T)`` alone, by a model fitted on what was known at the
start of T's month (at most one fit a month, reused in between) and with all simple methods beside it. Windows that are
mature on ``as_of`` are scored. Where today's model may not serve, the rungs of the ladder made the past forecasts too.
The verdict of today's gate rests on these months as well: that is the one thing a past morning could not know.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import polars as pl

from duecourse.core.errors import MissingLibrary, NotEnoughData
from duecourse.ledger.as_of import Ledger
from duecourse.science.forecast.cash import forecast_book
from duecourse.science.forecast.dependence import FEWEST_RECORDS, choose, judge_candidates, mature_records
from duecourse.science.forecast.drift import DriftAlarm, drift_alarms
from duecourse.science.forecast.frozen import DEFAULT_SHARES, ForecastRecord, ForecastSummary, freeze
from duecourse.science.forecast.open_book import Shares
from duecourse.science.forecast.received import cash_received
from duecourse.science.forecast.scoring import LATE_POSTING_DAYS, SCORE_COLUMNS, measures, score, verdicts
from duecourse.science.timing.model import TimingModel, fit
from duecourse.science.timing.predict import open_curves

WEEK = 7
WEEKS = 17  # so that 13 snapshots are mature for four weeks, as fitting the shares needs
FEWEST_DAYS_OF_CASH = 56
REPLAY_DRAWS = 400
LONGEST = 91


@dataclass(frozen=True, kw_only=True)
class ReplayPlan:
    """How past mornings are replayed, ``weeks`` back.

    ``shares`` draw the bands of the past forecasts: the defaults, so that a fit on them is judged fairly elsewhere.
    """

    seed: int = 0
    threads: int = 2
    weeks: int = WEEKS
    draws: int = REPLAY_DRAWS
    shares: Shares = field(default_factory=Shares)
    progress: Callable[[str], None] = field(default=lambda _step: None)


@dataclass(frozen=True)
class TrackRecord:
    """Past forecasts with their scores, and what they teach: ``shares`` for today's forecast and where they come from.

    ``scores`` as ``scoring.score``, ``table`` as ``scoring.measures``, ``verdicts`` the sentences where a simple method
    was closer, ``alarms`` the drift that still stands.
    """

    as_of: date
    records: tuple[ForecastRecord, ...]
    scores: pl.DataFrame
    table: pl.DataFrame
    shares: Shares
    shares_id: str
    verdicts: tuple[str, ...]
    alarms: tuple[DriftAlarm, ...]


class MonthlyModels:
    """The model that served on a past morning: the one fitted at the start of that month, fitted once and kept.

    ``known`` are models that were fitted before (by the backtest), by the day they were fitted at. ``today`` is the
    model of today's forecast; where it is None, or where a past month knew too little, the answer is None.
    """

    def __init__(self, ledger: Ledger, today: TimingModel | None, known: Mapping[date, TimingModel]) -> None:
        self.ledger, self.today = ledger, today
        self.fitted: dict[date, TimingModel | None] = dict(known)

    def prepare(self, days: Sequence[date], threads: int, progress: Callable[[str], None]) -> None:
        """Fit what is missing for ``days``, several months at a time."""
        months = sorted({day.replace(day=1) for day in days} - set(self.fitted))
        if self.today is None or not months:
            return
        progress(f"fitting the model of {', '.join(f'{month:%Y-%m}' for month in months)}")
        with ThreadPoolExecutor(max(1, min(threads, len(months)))) as pool:
            today = self.today
            self.fitted.update(zip(months, pool.map(lambda month: self._fit(month, today), months), strict=True))

    def at(self, day: date) -> TimingModel | None:
        """The model of that morning under the verdict of today's gate."""
        if self.today is None:
            return None
        month = day.replace(day=1)
        if month not in self.fitted:
            self.fitted[month] = self._fit(month, self.today)
        model = self.fitted[month]
        return None if model is None else replace(model, gate=self.today.gate, calibration=None)

    def _fit(self, month: date, today: TimingModel) -> TimingModel | None:
        """One booster with the settings of today's model; None where the month knew too little."""
        try:
            return fit(self.ledger.as_of(month), seed=today.seed, threads=1, config=replace(today.config, bags=1))
        except (NotEnoughData, MissingLibrary):
            return None


def track_record(ledger: Ledger, as_of: date, models: MonthlyModels, plan: ReplayPlan | None = None) -> TrackRecord:
    """The book's own track record as of ``as_of``; without a past morning to replay it has no records and says so."""
    how = plan or ReplayPlan()
    days = snapshot_days(ledger, as_of, how.weeks)
    models.prepare(days, how.threads, how.progress)
    how.progress(f"repeating the forecasts of {len(days)} past weeks")
    with ThreadPoolExecutor(max(1, how.threads)) as pool:
        records = list(pool.map(lambda day: forecast_at(ledger, day, as_of, models.at(day), how), days))
    return judged(records, cash_received(ledger.as_of(as_of)), as_of)


def judged(records: Sequence[ForecastRecord], cash: pl.DataFrame, as_of: date) -> TrackRecord:
    """What ``records`` say on ``as_of``: their scores, sentences, alarms, and the shares for the next forecast."""
    ordered = tuple(sorted(records, key=lambda record: (record.as_of, record.record_id)))
    scores = pl.concat([pl.DataFrame(schema=SCORE_COLUMNS), *(score(record, cash, as_of) for record in ordered)])
    shares, shares_id = best_shares(ordered, cash, as_of)
    return TrackRecord(
        as_of, ordered, scores, measures(scores), shares, shares_id, tuple(verdicts(scores)),
        tuple(drift_alarms(scores)),
    )  # fmt: skip


def best_shares(records: Sequence[ForecastRecord], cash: pl.DataFrame, as_of: date) -> tuple[Shares, str]:
    """The fitted shares and their name, or the default ones with fewer than 13 records that are mature for 28 days."""
    candidates = judge_candidates(records, cash, as_of=as_of)
    if candidates.is_empty():
        count = len(mature_records(records, as_of))
        return Shares(), f"{DEFAULT_SHARES} ({count} of the {FEWEST_RECORDS} mature forecasts that a fit needs)"
    return choose(candidates), f"fitted on {len(mature_records(records, as_of))} mature forecasts of this book"


def snapshot_days(ledger: Ledger, as_of: date, weeks: int = WEEKS) -> list[date]:
    """Past mornings a whole number of weeks before ``as_of``, oldest first, with a first week that is mature.

    A morning counts from the 56th day after the first cash on: before, there is nothing to forecast from.
    """
    first = ledger.table("allocations").get_column("applied_on").min()
    if not isinstance(first, date):
        return []
    days = [as_of - timedelta(days=WEEK * back) for back in range(1, weeks + 1)]
    mature = as_of - timedelta(days=WEEK + LATE_POSTING_DAYS)
    return [day for day in reversed(days) if first + timedelta(days=FEWEST_DAYS_OF_CASH) <= day <= mature]


def forecast_at(ledger: Ledger, day: date, as_of: date, model: TimingModel | None, plan: ReplayPlan) -> ForecastRecord:
    """The frozen forecast of one past morning, as far ahead as can be scored on ``as_of``."""
    view = ledger.as_of(day)
    curves = open_curves(model, view)
    ahead = min(LONGEST, (as_of - day).days - LATE_POSTING_DAYS - 1)
    bands = forecast_book(view, curves, days=ahead, draws=plan.draws, seed=plan.seed, shares=plan.shares)
    return freeze(
        ForecastSummary(
            view=view, curves=curves, bands=bands, model_id=model.model_id if model else "", seed=plan.seed,
            draws=plan.draws, shares=plan.shares,
        )
    )  # fmt: skip

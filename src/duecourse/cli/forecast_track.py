"""Frozen forecasts on the command line: the replayed past of ``run``, and the directory of records of ``forecast``."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click
import polars as pl

from duecourse.cli.common import note
from duecourse.core.errors import BadInput, UsageError

if TYPE_CHECKING:
    from duecourse.ledger.as_of import Ledger, View
    from duecourse.science.forecast import Shares
    from duecourse.science.forecast.frozen import ForecastRecord
    from duecourse.science.forecast.movement import Forecast, Movement
    from duecourse.science.forecast.track_record import MonthlyModels, TrackRecord
    from duecourse.science.timing.model import TimingModel

RECORD_FILE = "forecast_record.json"
SCORES_FILE = "forecast_scores.parquet"
records_option = click.option(
    "--records", "records_dir", type=click.Path(path_type=Path),
    help="Directory of earlier frozen forecasts: scores those that are mature, learns the width of the bands from "
    "them, and keeps this one.",
)  # fmt: skip


@dataclass(frozen=True)
class Replayed:
    """Past forecasts of this book, and why its outlook moved since last week."""

    track: TrackRecord
    models: MonthlyModels


def replay(
    ledger: Ledger, day: date, model: TimingModel | None, past: Mapping[date, TimingModel], *, seed: int, threads: int,
    quiet: bool,
) -> Replayed:  # fmt: skip
    """The book's own track record, with the models that the backtest has fitted already."""
    from duecourse.science.forecast.track_record import MonthlyModels, ReplayPlan, track_record

    models = MonthlyModels(ledger, model, past)
    plan = ReplayPlan(seed=seed, threads=threads, progress=lambda line: note(f"    {line}", quiet=quiet))
    return Replayed(track_record(ledger, day, models, plan), models)


def moved_since_last_week(
    ledger: Ledger, now: Forecast, replayed: Replayed, *, draws: int, seed: int
) -> list[Movement]:
    """The bridge to the forecast of a week ago; empty where the books knew nothing then."""
    from duecourse.science.forecast.movement import DAYS_BACK, weekly_movement

    then = now.view.as_of - timedelta(days=DAYS_BACK)
    if ledger.as_of(then).table("invoices").is_empty():
        return []
    return weekly_movement(ledger, now, replayed.models.at(then), draws=draws, seed=seed, shares=replayed.track.shares)


@dataclass(frozen=True)
class Archive:
    """The records and scores of ``--records``; without the option nothing is read and nothing is kept."""

    directory: Path | None
    records: tuple[ForecastRecord, ...] = ()
    scores: pl.DataFrame = field(default_factory=pl.DataFrame)
    track: TrackRecord | None = None

    @property
    def shares(self) -> Shares | None:
        """The shares that the mature records teach; None for the defaults."""
        return self.track.shares if self.track else None

    @property
    def shares_id(self) -> str:
        """Where the shares come from."""
        return self.track.shares_id if self.track else "default"

    def notes(self) -> list[str]:
        """What a reader of the forecast must know of the track record, as sentences."""
        if self.track is None:
            return [
                "bands rest on the default shares of dependence; --records DIR keeps forecasts, scores them, and fits "
                "the shares from 13 mature ones on"
            ]
        return [f"shares of dependence: {self.shares_id}", *self.track.verdicts, *map(str, self.track.alarms)]

    def keep(self, record: ForecastRecord) -> None:
        """Writes the scores and the new record, each whole or not at all."""
        if self.directory is None:
            return
        self.directory.mkdir(parents=True, exist_ok=True)
        name = f"forecast-{record.as_of}-{record.record_id[:12]}.json"
        _replace(self.directory / name, record.to_json().encode())
        if self.scores.height:
            with tempfile.TemporaryDirectory(dir=self.directory) as work:
                made = Path(work) / SCORES_FILE
                self.scores.write_parquet(made, compression="zstd", statistics=True)
                made.replace(self.directory / SCORES_FILE)


def open_archive(directory: Path | None, view: View) -> Archive:
    """Reads and scores the records of ``directory`` as of the day of ``view``.

    Raises UsageError where it is a file, BadInput for a record that is broken, changed, or was scored and is gone.
    """
    if directory is None:
        return Archive(None)
    if directory.exists() and not directory.is_dir():
        raise UsageError(f"{directory} is a file; --records names a directory")
    from duecourse.science.forecast.archive import add_scores
    from duecourse.science.forecast.received import cash_received
    from duecourse.science.forecast.scoring import SCORE_COLUMNS
    from duecourse.science.forecast.track_record import judged

    records = read_records(directory)
    stored = _stored_scores(directory / SCORES_FILE, pl.DataFrame(schema=SCORE_COLUMNS))
    cash = cash_received(view)
    scores = add_scores(stored, records, cash, view.as_of)
    return Archive(directory, records, scores, judged(records, cash, view.as_of))


def read_records(directory: Path) -> tuple[ForecastRecord, ...]:
    """Every ``forecast*.json`` of a directory as a record, by name. Raises BadInput for one that was changed."""
    from duecourse.science.forecast.frozen import ForecastRecord

    files: Sequence[Path] = sorted(directory.glob("forecast*.json")) if directory.is_dir() else []
    found = {}
    for path in files:
        record = ForecastRecord.from_json(path.read_text(encoding="utf-8"), where=str(path))
        found[record.record_id] = record  # the same forecast twice (a copied file) counts once
    return tuple(found.values())


def _stored_scores(path: Path, empty: pl.DataFrame) -> pl.DataFrame:
    if not path.exists():
        return empty
    try:
        return pl.read_parquet(path).select(empty.columns).match_to_schema(empty.schema)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise BadInput(f"{path}: not the scores that `forecast` writes ({error}); put the original back") from error


def _replace(path: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(prefix=".", dir=path.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    Path(name).chmod(0o644)
    Path(name).replace(path)

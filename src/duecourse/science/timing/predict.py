"""``predict``: a curve and a score for every open invoice of a ``View``, each from the best rung that it may stand on.

The order of things: rung, curve of the rung, recalibration, whole-amount disputes, live promises, then the shift of
invoices that are issued later than ``as_of`` (they cannot be paid before they exist).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from duecourse.ledger.as_of import View
from duecourse.science.timing import ladder
from duecourse.science.timing.calibration import Recalibration, calibration_segments
from duecourse.science.timing.config import TimingConfig
from duecourse.science.timing.curves import quantile_day, shifted
from duecourse.science.timing.entities import entity_of
from duecourse.science.timing.events import disputed_cdf
from duecourse.science.timing.facts import Facts, facts_from_view
from duecourse.science.timing.landmarks import Landmarks, open_landmarks
from duecourse.science.timing.model import TimingModel
from duecourse.science.timing.promises import promised_cdf
from duecourse.science.timing.reasons import reasons_in_days
from duecourse.science.timing.segments import behaviour_segments

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
TextArray = npt.NDArray[np.object_]

HORIZON = TimingConfig().horizon
QUANTILES = {"paid_on_p10": 0.1, "paid_on_p50": 0.5, "paid_on_p90": 0.9}


@dataclass(frozen=True)
class Prediction:
    """What ``predict`` gives, sorted by invoice_id.

    ``scores``: one row per open invoice with the columns of the contract; ``curves``: invoice_id, day (0 = the day
    ``as_of``), cdf; ``notes``: what a reader of the scores must know, as sentences.
    """

    scores: pl.DataFrame
    curves: pl.DataFrame
    notes: tuple[str, ...] = ()


def predict(model: TimingModel | None, view: View, *, seed: int = 0) -> Prediction:
    """Curves and scores of every invoice that is visible and open at ``view.as_of``, whatever its issue date.

    With a model, the sets (new, open; of the book or of an entity) that its gate allows stand on rung ``model``, all
    others on the rung that the gate names. Without one every invoice stands on the ladder. ``seed`` only orders the
    work of the reasons.
    """
    facts = facts_from_view(view)
    landmarks = open_landmarks(facts)
    rungs = choose_rungs(model, facts, landmarks)
    cdf = _final_curves(model, view, facts, landmarks, rungs)
    scores = _scores(facts, landmarks, cdf, view.as_of).with_columns(
        pl.Series("reasons", reasons_in_days(model, facts, landmarks, rungs, seed=seed, view=view), dtype=pl.String),
        pl.Series("rung", rungs.tolist(), dtype=pl.String),
        pl.Series("model_id", _model_ids(model, rungs), dtype=pl.String),
    )
    return Prediction(scores, _curves(facts, landmarks, cdf), _notes(model, rungs))


def open_curves(model: TimingModel | None, view: View) -> pl.DataFrame:
    """The ``curves`` of ``predict`` without its scores and reasons: what a forecast of a past day needs."""
    facts = facts_from_view(view)
    landmarks = open_landmarks(facts)
    rungs = choose_rungs(model, facts, landmarks)
    return _curves(facts, landmarks, _final_curves(model, view, facts, landmarks, rungs))


def choose_rungs(model: TimingModel | None, facts: Facts, landmarks: Landmarks) -> TextArray:
    """The rung of each landmark: ``model`` where it may be shown, else the ladder's; shape (n,)."""
    rungs = ladder.rungs_without_model(facts, landmarks)
    if model is None or len(facts.cleared) < ladder.FEWEST_BOOK_PAYMENTS:
        return rungs
    is_new = landmarks.day <= facts.issue[landmarks.invoice]
    entity = entity_of(facts)[landmarks.invoice]
    result = rungs.copy()
    for name in ("", *judged_alone(model.gate)):  # what is said of an entity alone goes before the book's word
        own = np.ones(len(landmarks), dtype=bool) if not name else np.asarray(entity == name, dtype=bool)
        for kind, rows in (("new", own & is_new), ("open", own & ~is_new)):
            served = serving_rung(model.gate, kind, name)
            has_history = rungs[rows] == ladder.CUSTOMER_HISTORY
            result[rows] = served if served == ladder.MODEL else np.where(has_history, served, rungs[rows])
    return result


def judged_alone(gate: Mapping[str, Any] | None) -> list[str]:
    """The legal entities of which a stored gate speaks separately, in order."""
    return sorted((gate or {}).get("entities") or {})


def serving_rung(gate: Mapping[str, Any] | None, kind: str, entity: str = "") -> str:
    """The rung that a stored gate gives to the set ``kind`` (new, open) of an entity, or of the book.

    A model that was never judged serves.
    """
    if gate is None:
        return ladder.MODEL
    verdicts = gate["entities"][entity] if entity else gate.get("verdicts", {})
    verdict = verdicts.get(kind, {})
    if verdict.get("use_model", gate.get("allowed", False)):
        return ladder.MODEL
    return str(verdict.get("rung", ladder.CUSTOMER_HISTORY))


def rung_curves(model: TimingModel | None, facts: Facts, landmarks: Landmarks, rungs: TextArray) -> FloatArray:
    """F(j | still open) of each landmark from its rung, recalibrated where the model says so; shape (n, 178)."""
    cdf = ladder.ladder_cdf(facts, landmarks, rungs, HORIZON)
    rows = np.flatnonzero(rungs == ladder.MODEL)
    if model is not None and len(rows):
        part = landmarks.take(rows)
        curves = model.cdf(facts, part, HORIZON)
        if model.calibration is not None:
            table = Recalibration.from_dict(model.calibration)
            curves = table.apply(curves, calibration_segments(facts, part))
        cdf[rows] = curves
    return cdf


def _final_curves(
    model: TimingModel | None, view: View, facts: Facts, landmarks: Landmarks, rungs: TextArray
) -> FloatArray:
    """The curves of the rungs with disputes, promises and later issue dates, counted from ``as_of``."""
    cdf = rung_curves(model, facts, landmarks, rungs)
    cdf = promised_cdf(view, facts, landmarks, disputed_cdf(facts, landmarks, cdf))
    cdf = np.clip(np.maximum.accumulate(cdf, axis=1), 0.0, 1.0)
    return shifted(cdf, landmarks.day - facts.as_of)


def _scores(facts: Facts, landmarks: Landmarks, cdf: FloatArray, as_of: date) -> pl.DataFrame:
    invoice = landmarks.invoice
    days_late = facts.as_of - facts.due[invoice]
    segments = behaviour_segments(facts).segment
    customer = facts.customer[invoice]
    columns: dict[str, pl.Series] = {
        "invoice_id": pl.Series(facts.invoice_id[invoice].tolist(), dtype=pl.String),
        "customer_id": pl.Series(facts.customer_ids[customer].tolist(), dtype=pl.String),
        "as_of": pl.Series([as_of] * len(invoice), dtype=pl.Date),
        "open_minor": pl.Series(facts.open_minor[invoice], dtype=pl.Int64),
        "currency": pl.Series(facts.currency[invoice].tolist(), dtype=pl.String),
        "days_late": pl.Series(days_late, dtype=pl.Int64),
        "segment": pl.Series(segments[customer].tolist(), dtype=pl.String),
        "p_late": pl.Series(still_open(cdf, -days_late)),
        "p_late_30": pl.Series(still_open(cdf, 30 - days_late)),
        "p_late_60": pl.Series(still_open(cdf, 59 - days_late)),
        "p_never": pl.Series(1.0 - cdf[:, -1]),
    }
    for name, share in QUANTILES.items():
        day = quantile_day(cdf, share)
        paid_on = pl.Series(facts.as_of + day).cast(pl.Int32).cast(pl.Date)
        columns[name] = pl.select(pl.when(pl.Series(day < cdf.shape[1])).then(paid_on)).to_series()
    columns["expected_days"] = pl.Series((1.0 - cdf).sum(axis=1))
    return pl.DataFrame(columns)


def still_open(cdf: FloatArray, day: IntArray) -> FloatArray:
    """S at ``day``: 1 before the curve begins, its last value beyond the horizon; shape (n,)."""
    place = np.clip(day, 0, cdf.shape[1] - 1)
    return np.where(day < 0, 1.0, 1.0 - cdf[np.arange(len(cdf)), place])


def _curves(facts: Facts, landmarks: Landmarks, cdf: FloatArray) -> pl.DataFrame:
    horizon = cdf.shape[1]
    ids = pl.Series("invoice_id", facts.invoice_id[landmarks.invoice].tolist(), dtype=pl.String)
    return pl.DataFrame(
        {
            "invoice_id": ids.gather(np.repeat(np.arange(len(ids)), horizon)),
            "day": np.tile(np.arange(horizon), len(ids)),
            "cdf": cdf.ravel(),
        }
    )


def _model_ids(model: TimingModel | None, rungs: TextArray) -> list[str | None]:
    name = model.model_id if model is not None else None
    return [name if rung == ladder.MODEL else None for rung in rungs]


def _notes(model: TimingModel | None, rungs: TextArray) -> tuple[str, ...]:
    notes = []
    if model is not None and model.gate is None:
        notes.append("the model was not judged against the simple methods on this book")
    elif model is not None and model.gate is not None and not (rungs == ladder.MODEL).all():
        notes.append(str(model.gate.get("says", "the gate does not allow the model on this book")))
    if len(rungs) and (rungs == ladder.TERMS).all():
        notes.append(
            f"fewer than {ladder.FEWEST_BOOK_PAYMENTS} invoices were ever paid: dates rest on payment terms and a wide"
            " prior, not on your customers"
        )
    return tuple(notes)

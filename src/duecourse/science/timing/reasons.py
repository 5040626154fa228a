"""The ``reasons`` of a score: why this invoice is expected when it is, in days against its norm.

Where the model's explanations are at hand they are used for the invoices with most at stake; explaining costs
milliseconds per invoice, so the long tail gets the one reason that needs no model: the customer's own habit.
"""

from __future__ import annotations

import json
from importlib import import_module
from importlib.util import find_spec

import numpy as np
import numpy.typing as npt

from duecourse.science.timing.facts import Facts
from duecourse.science.timing.features_habit import PERCENTILE_HISTORY, delays, percentiles
from duecourse.science.timing.ladder import MODEL
from duecourse.science.timing.landmarks import Landmarks
from duecourse.science.timing.model import TimingModel

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
TextArray = npt.NDArray[np.object_]

EXPLAINED = 300  # invoices whose reasons come from the model: those with the largest open amount
SMALLEST_REASON_DAYS = 1.0
_EXPLAIN = "duecourse.science.timing.explain"


def reasons_in_days(
    model: TimingModel | None, facts: Facts, landmarks: Landmarks, rungs: TextArray, *, seed: int
) -> list[str]:
    """One JSON list of {"reason", "days"} per landmark; empty where the invoice is like its norm."""
    found = habit_reasons(facts, landmarks)
    rows = np.flatnonzero(rungs == MODEL)
    if model is not None and len(rows) and find_spec(_EXPLAIN) is not None:
        largest = np.argsort(-facts.open_minor[landmarks.invoice[rows]], kind="stable")[:EXPLAINED]
        rows = np.sort(rows[largest])
        found.update(_model_reasons(model, facts, landmarks.take(rows), rows, seed=seed))
    return [json.dumps(found.get(row, []), ensure_ascii=False) for row in range(len(landmarks))]


def habit_reasons(facts: Facts, landmarks: Landmarks) -> dict[int, list[dict[str, object]]]:
    """Landmark -> the customer's median delay against the book's, where they differ by a day or more."""
    if not len(facts.cleared) or not len(landmarks):
        return {}
    own = percentiles(delays(facts, landmarks)[:, :PERCENTILE_HISTORY], (0.5,))[:, 0]
    book = float(np.median((facts.paid_on - facts.due)[facts.cleared]))
    found: dict[int, list[dict[str, object]]] = {}
    for row in np.flatnonzero(np.abs(own - book) >= SMALLEST_REASON_DAYS):
        found[int(row)] = [{"reason": _habit_text(float(own[row])), "days": round(float(own[row] - book), 1)}]
    return found


def _habit_text(days: float) -> str:
    whole = round(abs(days))
    unit = "day" if whole == 1 else "days"
    if whole == 0:
        return "usually pays on the due day"
    return f"usually pays {whole} {unit} {'after' if days > 0 else 'before'} due"


def _model_reasons(
    model: TimingModel, facts: Facts, landmarks: Landmarks, rows: IntArray, *, seed: int
) -> dict[int, list[dict[str, object]]]:
    place = {str(facts.invoice_id[invoice]): int(row) for invoice, row in zip(landmarks.invoice, rows, strict=True)}
    found: dict[int, list[dict[str, object]]] = {row: [] for row in place.values()}
    frame = import_module(_EXPLAIN).explain(model, facts, landmarks, seed=seed)
    for invoice_id, days, text in frame.select("invoice_id", "reason_days", "text").iter_rows():
        found[place[invoice_id]].append({"reason": text, "days": round(float(days), 1)})
    for reasons in found.values():
        reasons.sort(key=lambda reason: -abs(float(str(reason["days"]))))
    return found

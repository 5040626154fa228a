"""The ``reasons`` of a score: why this invoice is expected when it is, in days against its norm.

On rung ``model`` the invoices with most at stake get explanations of the model (``explain``): explaining costs
milliseconds per invoice. The long tail, and every other rung, gets the one reason that needs no model: the customer's
own habit.
"""

from __future__ import annotations

import json
import math

import numpy as np
import numpy.typing as npt

from duecourse.ledger.as_of import View
from duecourse.science.timing.explain import explain_rows
from duecourse.science.timing.facts import Facts
from duecourse.science.timing.features_habit import PERCENTILE_HISTORY, delays, percentiles
from duecourse.science.timing.ladder import MODEL
from duecourse.science.timing.landmarks import Landmarks
from duecourse.science.timing.model import TimingModel
from duecourse.science.timing.reason_texts import LIKE_ITS_NORM, SMALL_DIFFERENCES, delay_text

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
TextArray = npt.NDArray[np.object_]

EXPLAINED = 300  # invoices whose reasons come from the model: those with the largest open amount
SMALLEST_REASON_DAYS = 1.0
MOST_REASONS = 3
NOTHING_PAID_YET = "no payment of this customer is known yet"

Reasons = list[dict[str, object]]


def reasons_in_days(
    model: TimingModel | None,
    facts: Facts,
    landmarks: Landmarks,
    rungs: TextArray,
    *,
    seed: int,
    view: View | None = None,
) -> list[str]:
    """One JSON list of {"reason", "days"} per landmark, the largest first; ``landmarks`` are all open invoices.

    Explained invoices have one to three reasons of at least a day, or say that they are like their norm; the others
    have one reason. With ``view``, live promises count.
    """
    found = habit_reasons(facts, landmarks)
    rows = np.flatnonzero(rungs == MODEL)
    if model is not None and len(rows):
        largest = np.argsort(-facts.open_minor[landmarks.invoice[rows]], kind="stable")[:EXPLAINED]
        found.update(_model_reasons(model, facts, landmarks, rows[largest], seed=seed, view=view))
    return [json.dumps(found[row], ensure_ascii=False) for row in range(len(landmarks))]


def habit_reasons(facts: Facts, landmarks: Landmarks) -> dict[int, Reasons]:
    """Landmark -> the customer's median delay, in days against the book's; or that no payment of it is known yet."""
    if not len(facts.cleared):
        return {row: [{"reason": NOTHING_PAID_YET, "days": 0.0}] for row in range(len(landmarks))}
    own = percentiles(delays(facts, landmarks)[:, :PERCENTILE_HISTORY], (0.5,))[:, 0]
    book = float(np.median((facts.paid_on - facts.due)[facts.cleared]))
    found: dict[int, Reasons] = {}
    for row, usual in enumerate(own.tolist()):
        known = not math.isnan(usual)
        text = f"usually pays {delay_text(usual)}" if known else NOTHING_PAID_YET
        found[row] = [{"reason": text, "days": round(usual - book, 1) if known else 0.0}]
    return found


def largest_reasons(groups: list[tuple[str, float]]) -> Reasons:
    """At most three (text, days) of a day or more, the largest first; else one that says there is none.

    "Like its norm" stands for a difference of less than a day and has 0 days.
    """
    ordered = sorted(groups, key=lambda group: -abs(group[1]))  # stable: ties stay in the order of the groups
    told = [group for group in ordered if abs(group[1]) >= SMALLEST_REASON_DAYS][:MOST_REASONS]
    if not told:
        total = sum(days for _, days in groups)
        told = [(LIKE_ITS_NORM, 0.0) if abs(total) < SMALLEST_REASON_DAYS else (SMALL_DIFFERENCES, total)]
    return [{"reason": text, "days": round(days, 1)} for text, days in told]


def _model_reasons(
    model: TimingModel, facts: Facts, landmarks: Landmarks, rows: IntArray, *, seed: int, view: View | None
) -> dict[int, Reasons]:
    place = {str(facts.invoice_id[landmarks.invoice[row]]): int(row) for row in rows}
    groups: dict[int, list[tuple[str, float]]] = {}
    frame = explain_rows(model, facts, landmarks, rows, seed=seed, view=view)
    for invoice_id, days, text in frame.select("invoice_id", "reason_days", "text").iter_rows():
        groups.setdefault(place[invoice_id], []).append((text, days))
    return {row: largest_reasons(told) for row, told in groups.items()}

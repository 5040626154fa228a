"""Why an invoice is expected when it is: the days that each group of facts adds to its norm, exactly summing up.

The norm is the same invoice on the same days, of the median customer of its cohort (``norm``). From there the groups
of facts are set to what they are, one after the other, and every state is scored through the curve that is shown:
trees, events, blend, recalibration, disputes and promises, ``E = sum_j S(j)``. A group's days are its change of E,
averaged over four orders (two random ones and their reverses), so that the groups of an invoice add up to E - E(norm).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from duecourse.core.ids import key_codes, uniform
from duecourse.ledger.as_of import View
from duecourse.science.timing.blend import mixed, own_weights
from duecourse.science.timing.calibration import Recalibration, calibration_segments
from duecourse.science.timing.curves import cdf_from_hazard, daily_hazard, paying_days, shifted
from duecourse.science.timing.events import disputed_cdf, hazard_offsets
from duecourse.science.timing.facts import Facts, facts_from_view
from duecourse.science.timing.feature_groups import EVENTS, GROUPS, HABIT
from duecourse.science.timing.features import FEATURE_NAMES, Features
from duecourse.science.timing.hazard import ROWS_FOR_THREADS
from duecourse.science.timing.landmarks import Landmarks, open_landmarks
from duecourse.science.timing.model import TimingModel
from duecourse.science.timing.norm import Norms, norms
from duecourse.science.timing.own_hazard import own_hazard
from duecourse.science.timing.promises import promised_cdf
from duecourse.science.timing.reason_texts import reason_facts, reason_text
from duecourse.science.timing.rows import Rows, scoring_rows

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

RANDOM_ORDERS = 2  # each is walked in both directions
_STATES = 1 << len(GROUPS)
_BLOCK = 2_500  # states scored at a time, about 130,000 rows

SCHEMA = {
    "invoice_id": pl.String,
    "group": pl.String,
    "reason_days": pl.Float64,
    "text": pl.String,
    "expected_days": pl.Float64,
    "norm_days": pl.Float64,
}


def explain(model: TimingModel, view: View, invoice_ids: Sequence[str], *, seed: int = 0) -> pl.DataFrame:
    """Reasons in days for these open invoices: one line per invoice and group, in the columns of ``SCHEMA``.

    Speaks of the model's own curve, whichever rung an invoice is shown on. ``seed`` orders the groups. Raises
    ValueError naming the ids that are unknown or not open at ``view.as_of``.
    """
    facts = facts_from_view(view)
    open_book = open_landmarks(facts)
    place = {invoice_id: row for row, invoice_id in enumerate(facts.invoice_id[open_book.invoice].tolist())}
    missing = sorted({one for one in invoice_ids if one not in place})
    if missing:
        named = ", ".join(missing[:5]) + (" ..." if len(missing) > 5 else "")
        raise ValueError(f"{len(missing)} invoices are not open at {view.as_of} and cannot be explained: {named}")
    rows = np.array(sorted({place[one] for one in invoice_ids}), dtype=np.int64)
    return explain_rows(model, facts, open_book, rows, seed=seed, view=view)


def explain_rows(
    model: TimingModel,
    facts: Facts,
    open_book: Landmarks,
    rows: IntArray,
    *,
    seed: int = 0,
    view: View | None = None,
) -> pl.DataFrame:
    """One line per asked invoice (``open_book`` at ``rows``) and group, sorted by invoice_id, then as in ``GROUPS``.

    ``reason_days`` adds up to ``expected_days - norm_days`` per invoice. ``open_book`` holds all open invoices: the
    cohorts come from it. Live promises count only where ``view`` is given. Meant for the rung ``model``. Empty where
    there is no norm, because no customer with an open invoice has ever paid.
    """
    asked = open_book.take(rows[np.argsort(facts.invoice_id[open_book.invoice[rows]], kind="stable")])
    features = model.features(facts)
    norm = norms(features, open_book, asked) if len(asked) else None
    if norm is None:
        return pl.DataFrame(schema=SCHEMA)
    states = _States.of(model, features, norm, asked, view)
    days, expected, usual = _switched(states, seed)
    known = reason_facts(features, asked, feature_set=model.config.feature_set, promised=states.promised)
    names = list(GROUPS)
    return pl.DataFrame(
        {
            "invoice_id": np.repeat(facts.invoice_id[asked.invoice], len(names)).tolist(),
            "group": names * len(asked),
            "reason_days": days.ravel(),
            "text": [reason_text(name, one) for one in known for name in names],
            "expected_days": np.repeat(expected, len(names)),
            "norm_days": np.repeat(usual, len(names)),
        },
        schema=SCHEMA,
    )


def group_orders(seed: int) -> list[IntArray]:
    """The four orders in which groups are set: two random ones keyed by ``seed``, each with its reverse."""
    codes = key_codes(GROUPS)
    drawn = [np.argsort(uniform(seed, "reason-order", codes, step)) for step in range(RANDOM_ORDERS)]
    return [one.astype(np.int64) for order in drawn for one in (order, order[::-1])]


def _switched(states: _States, seed: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Days per (invoice, group), E of each invoice, E of its norm."""
    orders = group_orders(seed)
    paths = [np.concatenate([[0], np.cumsum(1 << order)]).astype(np.int64) for order in orders]
    wanted = np.unique(np.concatenate(paths))
    n = len(states.landmarks)
    # A group that is as in the norm moves nothing: such states are scored once.
    state = (wanted[None, :] & states.changed[:, None]) + np.arange(n)[:, None] * _STATES
    distinct, place = np.unique(state, return_inverse=True)
    blocks = [distinct[first : first + _BLOCK] for first in range(0, len(distinct), _BLOCK)]
    scored = np.concatenate([states.expected_days(block // _STATES, block % _STATES) for block in blocks])
    table = np.zeros((n, _STATES))
    table[:, wanted] = scored[place.reshape(state.shape)]
    days = np.zeros((n, len(GROUPS)))
    for order, path in zip(orders, paths, strict=True):
        days[:, order] += np.diff(table[:, path], axis=1) / len(orders)
    return days, table[:, _STATES - 1], table[:, 0]


@dataclass(frozen=True)
class _States:
    """All that is needed to score an asked invoice with any set of groups as they are and the others as in the norm.

    A set is a bit mask over ``GROUPS``; ``changed`` holds the groups in which an invoice differs from its norm.
    """

    model: TimingModel
    facts: Facts
    landmarks: Landmarks
    rows: Rows
    actual: Float32Array
    norm: Float32Array
    own_hazard: FloatArray
    norm_hazard: FloatArray
    offsets: FloatArray
    promise: tuple[FloatArray, FloatArray]
    changed: IntArray

    @classmethod
    def of(
        cls, model: TimingModel, features: Features, norm: Norms, landmarks: Landmarks, view: View | None
    ) -> _States:
        """Feature rows, own hazards and event offsets of the invoices and of their norms."""
        facts, horizon = features.facts, model.config.horizon
        rows = scoring_rows(landmarks, model.config, model.paying)
        columns = features.landmark_columns(landmarks)
        actual = features.rows(landmarks, columns, rows.owner, rows.offset, rows.width)
        usual = _norm_rows(features, norm, landmarks, rows)
        own = own_hazard(facts, landmarks, horizon)
        norm_hazard = norm.own_hazard(facts, landmarks, horizon)
        offsets = hazard_offsets(facts, landmarks, rows, model.config.feature_set, model.event_sizes)
        promise = _promise(view, facts, landmarks, horizon)
        changed = _changed(actual, usual, rows.owner, len(landmarks))
        changed |= _bit(HABIT) * (own != norm_hazard).any(axis=1)
        eventful = np.bincount(rows.owner, offsets != 0, minlength=len(landmarks)) > 0
        eventful |= (promise[1] != 1.0).any(axis=1) | _wholly_disputed(facts, landmarks, horizon)
        changed |= _bit(EVENTS) * eventful
        return cls(
            model, facts, landmarks, rows, actual, usual, own, norm_hazard, offsets, promise, changed
        )  # fmt: skip

    @property
    def promised(self) -> BoolArray:
        """Invoices with a live promise, shape (n,)."""
        result: BoolArray = (self.promise[1] != 1.0).any(axis=1)
        return result

    def expected_days(self, which: IntArray, mask: IntArray) -> FloatArray:
        """E of invoices ``which`` with the groups of ``mask`` as they are; shape of ``which``."""
        model, config = self.model, self.model.config
        landmarks = self.landmarks.take(which)
        rows = scoring_rows(landmarks, config, model.paying)
        source = self._source(which, rows.owner)
        as_is = _COLUMN_IS_SET[mask[rows.owner]]
        matrix = np.where(as_is, self.actual[source], self.norm[source])
        threads = model.threads if len(matrix) >= ROWS_FOR_THREADS else 1
        answers = [booster.predict(matrix, raw_score=True, num_threads=threads) for booster in model.boosters]
        eventful = (mask & _bit(EVENTS)) > 0
        logit = np.mean(answers, axis=0) + model.base_logit + np.where(eventful[rows.owner], self.offsets[source], 0.0)
        hazard = daily_hazard(landmarks, rows, 1.0 / (1.0 + np.exp(-logit)), config, model.paying)
        habit = ((mask & _bit(HABIT)) > 0)[:, None]
        own = np.where(habit, self.own_hazard[which], self.norm_hazard[which])
        weights = own_weights(self.facts, landmarks, config.horizon, weight=model.blend_weight)
        hazard = mixed(hazard, own, weights, paying_days(landmarks, config.horizon, model.paying))
        return self._shown_days(which, landmarks, cdf_from_hazard(hazard), eventful)

    def _source(self, which: IntArray, owner: IntArray) -> IntArray:
        """Which of the prepared rows each row of a block stands for; rows of a landmark are always the same ones."""
        first = np.searchsorted(self.rows.owner, which)
        first_in_block = np.searchsorted(owner, np.arange(len(which)))
        result: IntArray = first[owner] + np.arange(len(owner)) - first_in_block[owner]
        return result

    def _shown_days(self, which: IntArray, landmarks: Landmarks, cdf: FloatArray, eventful: BoolArray) -> FloatArray:
        """From the blend's cdf to E of the curve as ``predict`` shows it."""
        if self.model.calibration is not None:
            table = Recalibration.from_dict(self.model.calibration)
            cdf = table.apply(cdf, calibration_segments(self.facts, landmarks))
        rows = np.flatnonzero(eventful)
        if len(rows):
            kept, left = self.promise[0][which[rows]], self.promise[1][which[rows]]
            cdf[rows] = kept + left * disputed_cdf(self.facts, landmarks.take(rows), cdf[rows])
        cdf = np.clip(np.maximum.accumulate(cdf, axis=1), 0.0, 1.0)
        return np.asarray((1.0 - shifted(cdf, landmarks.day - self.facts.as_of)).sum(axis=1), dtype=np.float64)


def _norm_rows(features: Features, norm: Norms, landmarks: Landmarks, rows: Rows) -> Float32Array:
    """Feature rows of the norms."""
    result = features.rows(landmarks, norm.columns, rows.owner, rows.offset, rows.width)
    day = landmarks.day[rows.owner] + rows.offset
    place, cohort = features.calendar.at(day), norm.cohort[rows.owner]
    cdf, hazard = norm.delay_pattern(rows.owner, day - features.facts.due[landmarks.invoice[rows.owner]])
    on_weekday = norm.weekday_share[cohort, features.calendar.weekday[place]]
    columns = {
        "own_cdf": cdf,
        "own_hazard": hazard,
        "own_weekday_share": np.where(rows.width == 1, on_weekday, np.nan),
        "own_month_day_share": norm.month_day_share[cohort, features.calendar.day_of_month[place] - 1],
    }
    for name, values in columns.items():
        result[:, FEATURE_NAMES.index(name)] = values
    return result


def _changed(actual: Float32Array, norm: Float32Array, owner: IntArray, n: int) -> IntArray:
    """Bit mask of the groups in which some row of each invoice differs from its norm; shape (n,)."""
    differs = (actual != norm) & ~(np.isnan(actual) & np.isnan(norm))
    result = np.zeros(n, dtype=np.int64)
    for name, columns in GROUPS.items():
        places = [FEATURE_NAMES.index(column) for column in columns]
        result |= _bit(name) * (np.bincount(owner, differs[:, places].any(axis=1), minlength=n) > 0)
    return result


def _promise(view: View | None, facts: Facts, landmarks: Landmarks, horizon: int) -> tuple[FloatArray, FloatArray]:
    """The a and b of the curve ``a + b F`` that live promises make of F; shapes (n, horizon)."""
    none, all_paid = np.zeros((len(landmarks), horizon)), np.ones((len(landmarks), horizon))
    if view is None:
        return none, all_paid
    kept = promised_cdf(view, facts, landmarks, none)
    return kept, promised_cdf(view, facts, landmarks, all_paid) - kept


def _wholly_disputed(facts: Facts, landmarks: Landmarks, horizon: int) -> BoolArray:
    """Whether a dispute moves the curve of each invoice, shape (n,)."""
    paid_today = np.ones((len(landmarks), horizon))
    result: BoolArray = (disputed_cdf(facts, landmarks, paid_today) != paid_today).any(axis=1)
    return result


def _bit(group: str) -> int:
    return 1 << list(GROUPS).index(group)


def _columns_as_set() -> BoolArray:
    """Whether a feature is taken from the invoice (else from its norm) in each state; shape (states, 54)."""
    bit = np.zeros(len(FEATURE_NAMES), dtype=np.int64)
    for name, columns in GROUPS.items():
        for column in columns:
            bit[FEATURE_NAMES.index(column)] = _bit(name)
    result: BoolArray = (np.arange(_STATES)[:, None] & bit[None, :]) > 0
    return result


_COLUMN_IS_SET = _columns_as_set()

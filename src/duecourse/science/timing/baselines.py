"""The simple methods that every backtest puts beside the model: same snapshots, same rows, same capping.

``due_date``: max(due, s). ``customer_median``: max(due + m, s), m the median of the customer's last 20 delays if it has
at least 3, else of the book. ``customer_empirical``: the customer's own delays mixed with the book's, given still open.
``customer_history``: the rung below the model, which also counts what is unpaid. ``book``: the rung below that, the
book's delays by terms and amount. ``lgbm_l2`` and ``lgbm_quantile``: boosted regression of days late on issue-day
features of paid invoices. ``ladder``: the promise where there is one, else ``customer_median``, as collection tools do
it. What describes the book as a whole is frozen at the snapshot, like the model; what describes a customer is as-of the
landmark.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from duecourse.ledger.as_of import View
from duecourse.science.timing.case_sets import CaseSet
from duecourse.science.timing.empirical import empirical_cdf
from duecourse.science.timing.facts import NEVER, Facts
from duecourse.science.timing.features import LANDMARK_NAMES, Features
from duecourse.science.timing.hazard import lightgbm_library
from duecourse.science.timing.ladder import book_cdf
from duecourse.science.timing.landmarks import Landmarks
from duecourse.science.timing.measures import LEVELS, Curves, Points, Predicted, Quantiles
from duecourse.science.timing.own_hazard import own_cdf

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Method = Callable[[CaseSet], Predicted]

MEDIAN_HISTORY = 20
FEWEST_FOR_MEDIAN = 3
LABELS = {
    "model": "duecourse model",
    "due_date": "due date",
    "customer_median": "customer's median delay",
    "customer_empirical": "customer's own distribution",
    "customer_history": "customer's history, unpaid counted",
    "book": "book's delays by terms and amount",
    "lgbm_l2": "boosted regression (L2)",
    "lgbm_quantile": "boosted regression (quantiles)",
    "ladder": "promise date, else median",
}
_ROUNDS = 150
_LIGHTGBM = {"learning_rate": 0.1, "min_data_in_leaf": 100, "num_leaves": 31, "deterministic": True,
             "force_col_wise": True, "verbosity": -1}  # fmt: skip
# On the issue day these two say nothing more than the terms do.
_NOT_AT_ISSUE = ("days_late_at_landmark", "age_at_landmark")
_BLOCK = 20_000


def due_date(case_set: CaseSet) -> Points:
    """The due date, or the landmark where that has passed."""
    return Points(np.maximum(-case_set.cases.days_late, 0).astype(np.float64))


def customer_median(case_set: CaseSet) -> Points:
    """Due date + the median of the customer's last 20 delays (of the book below 3), or the landmark."""
    facts, landmarks = case_set.facts, case_set.landmarks
    rows = facts.last_cleared(facts.customer[landmarks.invoice], landmarks.known_day, MEDIAN_HISTORY)
    present = rows >= 0
    delay = np.where(present, (facts.paid_on - facts.due)[rows], 0).astype(np.float64) if len(facts) else rows * 0.0
    enough = present.sum(axis=1) >= FEWEST_FOR_MEDIAN
    median = np.full(len(landmarks), book_median_delay(facts, case_set.frozen_day))
    median[enough] = np.nanmedian(np.where(present, delay, np.nan)[enough], axis=1)
    return Points(np.maximum(median - case_set.cases.days_late, 0.0))


def book_median_delay(facts: Facts, day: int) -> float:
    """Median days late of everything known to be paid before ``day``; 0 (the due date) where nothing is."""
    known = facts.cleared[facts.paid_known[facts.cleared] < day]
    return float(np.median((facts.paid_on - facts.due)[known])) if known.size else 0.0


def customer_empirical(horizon: int) -> Method:
    """The method: curves over ``horizon`` days of the customer's own distribution, the book's part frozen."""

    def curves(case_set: CaseSet) -> Curves:
        book_day = case_set.frozen_day
        return Curves(empirical_cdf(case_set.facts, case_set.landmarks, horizon, book_day=book_day))

    return curves


def customer_history(horizon: int) -> Method:
    """The method: curves of the rung that serves where the model does not, unpaid invoices counted in."""

    def curves(case_set: CaseSet) -> Curves:
        return Curves(own_cdf(case_set.facts, case_set.landmarks, horizon))

    return curves


def book(horizon: int) -> Method:
    """The method: curves of the rung that knows the book's delays by terms and amount, but no customer."""

    def curves(case_set: CaseSet) -> Curves:
        landmarks = case_set.landmarks
        known_day = np.minimum(landmarks.known_day, case_set.frozen_day)
        return Curves(book_cdf(case_set.facts, Landmarks(landmarks.invoice, landmarks.day, known_day), horizon))

    return curves


class IssueDayRegression:
    """Boosted regression of days late on what was known on the issue day; fitted on paid invoices only.

    ``fit`` learns from the facts of a snapshot; ``points`` and ``quantiles`` are the two methods. That it leaves out
    open invoices and asks only once, on the issue day, is what makes it a baseline: it is what is usually built.
    Raises MissingLibrary where LightGBM cannot start.
    """

    def __init__(self, facts: Facts, *, seed: int, threads: int) -> None:
        self.groups = facts.groups
        # LightGBM keeps one number of threads for the whole process: a call that names none changes it under whoever
        # is fitting in another thread at that moment, which has crashed there.
        self.threads = threads
        paid = np.flatnonzero((facts.paid_on < NEVER) & (facts.paid_on >= facts.issue)).astype(np.int64)
        features = issue_day_features(facts, paid, self.groups)
        days_late = (facts.paid_on - facts.due)[paid].astype(np.float64)
        common = {**_LIGHTGBM, "seed": seed, "num_threads": threads}
        self._mean = _boosted(features, days_late, {**common, "objective": "regression"})
        self._levels = [
            _boosted(features, days_late, {**common, "objective": "quantile", "alpha": level}) for level in LEVELS
        ]

    def points(self, case_set: CaseSet) -> Points:
        """Due date + predicted mean days late, or the landmark."""
        predicted = np.asarray(self._mean.predict(self._features(case_set), num_threads=self.threads))
        return Points(np.maximum(predicted - case_set.cases.days_late, 0.0))

    def quantiles(self, case_set: CaseSet) -> Quantiles:
        """Due date + the three predicted quantiles in rising order, or the landmark."""
        features = self._features(case_set)
        predicted = np.sort(
            np.column_stack([level.predict(features, num_threads=self.threads) for level in self._levels]), axis=1
        )
        return Quantiles(np.maximum(predicted - case_set.cases.days_late[:, None], 0.0))

    def _features(self, case_set: CaseSet) -> npt.NDArray[np.float32]:
        return issue_day_features(case_set.facts, case_set.landmarks.invoice, self.groups)


def issue_day_features(facts: Facts, invoice: IntArray, groups: tuple[str, ...]) -> npt.NDArray[np.float32]:
    """The model's own landmark features (customer, account, invoice), each invoice seen from its issue day."""
    prepared = Features(facts, horizon=1, groups=groups)
    keep = [place for place, name in enumerate(LANDMARK_NAMES) if name not in _NOT_AT_ISSUE]
    blocks = [
        prepared.landmark_columns(Landmarks(part, facts.issue[part]))[:, keep]
        for part in np.split(invoice, range(_BLOCK, invoice.size, _BLOCK))
    ]
    return np.concatenate(blocks)


def _boosted(features: npt.NDArray[np.float32], target: FloatArray, parameters: dict[str, Any]) -> Any:  # noqa: ANN401 - an untyped library
    lightgbm = lightgbm_library()
    return lightgbm.train(parameters, lightgbm.Dataset(features, target), num_boost_round=_ROUNDS)


def promise_ladder(case_set: CaseSet) -> Points | None:
    """The date promised for the invoice where such a promise is live, else ``customer_median``; None without promises.

    A promise counts from the day after it was recorded until its due date; of several the newest. It takes the
    customer at its word, which is why it is a baseline and not a forecast.
    """
    promises = live_promises(case_set.view, case_set.frozen_day)
    if case_set.name != "open" or promises.is_empty():
        return None
    facts, landmarks = case_set.facts, case_set.landmarks
    asked = pl.DataFrame(
        {
            "invoice_id": facts.invoice_id[landmarks.invoice].tolist(),
            "customer_id": facts.customer_ids[facts.customer[landmarks.invoice]].tolist(),
        }
    )
    named = promises.explode("invoice_ids").drop_nulls("invoice_ids")
    by_invoice = named.group_by("invoice_ids", maintain_order=True).agg(pl.col("due_on").last().alias("for_invoice"))
    whole = promises.filter(pl.col("invoice_ids").is_null() | (pl.col("invoice_ids").list.len() == 0))
    by_customer = whole.group_by("customer_id", maintain_order=True).agg(pl.col("due_on").last().alias("for_account"))
    promised = (
        asked.join(by_invoice, left_on="invoice_id", right_on="invoice_ids", how="left", maintain_order="left")
        .join(by_customer, on="customer_id", how="left", maintain_order="left")
        .select(pl.coalesce("for_invoice", "for_account").to_physical().cast(pl.Int64).alias("day"))
        .get_column("day")
    )
    if promised.null_count() == promised.len():
        return None
    until = promised.fill_null(0).to_numpy() - landmarks.day
    points = customer_median(case_set).days
    return Points(np.where(promised.is_null().to_numpy(), points, np.maximum(until, 0)).astype(np.float64))


def live_promises(view: View, day: int) -> pl.DataFrame:
    """Promises that the view knows and that are due on ``day`` (an epoch day) or later, oldest first."""
    return (
        view.table("promises")
        .filter(pl.col("due_on").to_physical().cast(pl.Int64) >= day)
        .sort("promised_on", "promise_id")
    )

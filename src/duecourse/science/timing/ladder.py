"""The rungs below the model: a shipped prior, the book's own delays by terms and amount, the customer's own past.

``terms`` serves a book with fewer than 50 paid invoices, ``book`` a customer without a payment, ``customer_history``
everybody else. Every rung answers the same question as the model, with the same kind of curve.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from duecourse.science.timing.empirical import conditional_on_open
from duecourse.science.timing.facts import Facts
from duecourse.science.timing.landmarks import Landmarks
from duecourse.science.timing.own_hazard import own_cdf

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
TextArray = npt.NDArray[np.object_]

TERMS, BOOK, CUSTOMER_HISTORY, MODEL = "terms", "book", "customer_history", "model"
FEWEST_BOOK_PAYMENTS = 50
FEWEST_CELL_PAYMENTS = 50
TERMS_BORDERS = (8, 31)  # classes: up to 7, 8 to 30, more than 30 days
# The shipped prior: share of invoices paid by so many days late, per terms class. Our assumption, wide on purpose and
# not fitted to any book: it only has to be less wrong than a due date until 50 invoices are paid.
PRIOR_DAYS_LATE = (-45, -15, -5, -1, 0, 3, 7, 15, 30, 60, 90, 180, 365)
PRIOR_PAID = (
    (0.00, 0.01, 0.05, 0.15, 0.30, 0.42, 0.54, 0.68, 0.81, 0.91, 0.945, 0.97, 0.98),
    (0.00, 0.04, 0.12, 0.24, 0.38, 0.50, 0.61, 0.73, 0.84, 0.92, 0.950, 0.97, 0.98),
    (0.01, 0.08, 0.18, 0.30, 0.43, 0.54, 0.64, 0.75, 0.85, 0.92, 0.950, 0.97, 0.98),
)


def rungs_without_model(facts: Facts, landmarks: Landmarks) -> TextArray:
    """The rung of each landmark when no model is allowed; shape (n,)."""
    if len(facts.cleared) < FEWEST_BOOK_PAYMENTS:
        return np.full(len(landmarks), TERMS, dtype=object)
    start, end = facts.history(facts.customer[landmarks.invoice], landmarks.known_day)
    return np.where(end > start, CUSTOMER_HISTORY, BOOK).astype(object)


def ladder_cdf(facts: Facts, landmarks: Landmarks, rungs: TextArray, horizon: int) -> FloatArray:
    """F(j | still open) of each landmark by its rung (terms, book or customer_history); shape (n, horizon)."""
    result = np.zeros((len(landmarks), horizon))
    for rung, curve in ((TERMS, terms_cdf), (BOOK, book_cdf), (CUSTOMER_HISTORY, own_cdf)):
        rows = np.flatnonzero(rungs == rung)
        if len(rows):
            result[rows] = curve(facts, landmarks.take(rows), horizon)
    return result


def terms_cdf(facts: Facts, landmarks: Landmarks, horizon: int) -> FloatArray:
    """The shipped prior over days late by terms class, given still open; shape (n, horizon)."""
    classes = terms_class(facts)[landmarks.invoice]
    days_late = _grid(facts, landmarks, horizon)
    mixed = np.empty(days_late.shape)
    for number, paid in enumerate(PRIOR_PAID):
        rows = classes == number
        mixed[rows] = np.interp(days_late[rows], PRIOR_DAYS_LATE, paid)
    return conditional_on_open(mixed)


def book_cdf(facts: Facts, landmarks: Landmarks, horizon: int) -> FloatArray:
    """Delays of the book's paid invoices of the same terms class and amount band, given still open; (n, horizon).

    A cell with fewer than 50 payments gives way to its terms class, that one to the whole book. Bands are thirds of
    the paid amounts per currency.
    """
    cells = terms_class(facts) * 10 + amount_band(facts)
    delay = facts.paid_on - facts.due
    grid = _grid(facts, landmarks, horizon)
    mixed = np.empty(grid.shape)
    for day in np.unique(landmarks.known_day):
        past = facts.cleared[facts.paid_known[facts.cleared] < day]
        at_day = landmarks.known_day == day
        for cell in np.unique(cells[landmarks.invoice[at_day]]):
            rows = at_day & (cells[landmarks.invoice] == cell)
            same = np.sort(delay[_large_enough(past, cells, int(cell))])
            mixed[rows] = np.searchsorted(same, grid[rows], side="right") / max(same.size, 1)
    return conditional_on_open(mixed)


def _large_enough(past: IntArray, cells: IntArray, cell: int) -> IntArray:
    """Paid invoices of the cell, else of its terms class, else of the book: the first with at least 50."""
    for chosen in (past[cells[past] == cell], past[cells[past] // 10 == cell // 10]):
        if len(chosen) >= FEWEST_CELL_PAYMENTS:
            return np.asarray(chosen, dtype=np.int64)
    return past


def terms_class(facts: Facts) -> IntArray:
    """0 for terms up to 7 days, 1 up to 30, 2 beyond; shape (invoices,)."""
    classes: IntArray = np.digitize(facts.terms, TERMS_BORDERS).astype(np.int64)
    return classes


def amount_band(facts: Facts) -> IntArray:
    """0, 1, 2: third of the paid amounts of its currency that an invoice falls into; shape (invoices,)."""
    band = np.zeros(len(facts), dtype=np.int64)
    paid = np.zeros(len(facts), dtype=bool)
    paid[facts.cleared] = True
    for currency in np.unique(facts.currency.astype(str)):
        rows = facts.currency == currency
        if (rows & paid).any():
            borders = np.quantile(facts.amount[rows & paid], (1 / 3, 2 / 3))
            band[rows] = np.digitize(facts.amount[rows], borders)
    return band


def _grid(facts: Facts, landmarks: Landmarks, horizon: int) -> IntArray:
    """Days late at d0 - 1, d0, ..., d0 + horizon - 1; shape (n, horizon + 1)."""
    days_late = landmarks.day - facts.due[landmarks.invoice]
    return np.asarray(days_late[:, None] - 1 + np.arange(horizon + 1)[None, :], dtype=np.int64)

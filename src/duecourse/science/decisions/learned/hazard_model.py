"""The Bayesian weekly payment hazard: columns, posterior mode by Newton, Laplace posterior, draws.

    logit h = b0 + age dummies(0..3) + b_age g + month phase(3) + history(4) + segment + batchness x phase(3)
              + sum over arms of theta_a(i) E_a + contacts outside the experiment(3)
    theta_a(i) = mu_a + delta_{a, segment(i)} + phi_a . history(i)

The columns are *shared* by everybody, and a *block* (intercept and exposures) stands once per segment. Rows are sorted
by segment, so that the Gram matrix of the whole is put together from one small Gram matrix a segment: the same numbers
as with the full design matrix, a quarter of the work.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import cho_factor, cho_solve, solve_triangular

from duecourse.ledger.schema import ARMS
from duecourse.science.decisions.learned.book import Bools, Floats, Ints
from duecourse.science.decisions.learned.exposure import OTHER_KINDS
from duecourse.science.decisions.learned.panel import AGE_DUMMIES, MODIFIERS, Panel
from duecourse.science.decisions.learned.segments import SEGMENTS
from duecourse.science.decisions.learned.weeks import PHASES

KEPT_PER_WEEK = 0.98  # [A] weight of a row falls by 2 % a week: half after 34 weeks
NEWTON_STEPS, SMALLEST_WEIGHT, STEP_TOLERANCE = 24, 1e-4, 1e-8
LARGE_STEP, SMALLEST_STEP = 0.4, 1e-3
_CHUNK = 8192  # rows of a Gram matrix at a time: what fits into the processor's cache
_BASE = 1 + AGE_DUMMIES + 1 + PHASES + MODIFIERS + PHASES
MODIFIER_NAMES = ("lateness", "speed", "tardiness", "quarrels")


@dataclass(frozen=True)
class Columns:
    """Which coefficient stands where, for the ``arms`` (codes) of one tenant."""

    arms: tuple[int, ...]
    drawn: bool = False  # with the expected exposures as nuisance columns (instrument check)

    @property
    def shared(self) -> int:
        """The number of shared columns: base, mu, phi (history x exposure), other contacts, expected exposures."""
        count = len(self.arms)
        return _BASE + count * (1 + MODIFIERS) + OTHER_KINDS + (count if self.drawn else 0)

    @property
    def block(self) -> int:
        """The number of columns that stand once per segment: intercept and exposures."""
        return 1 + len(self.arms)

    @property
    def total(self) -> int:
        """The number of coefficients."""
        return self.shared + self.block * len(SEGMENTS)

    @cached_property
    def mu(self) -> slice:
        """Coefficients of the arms' mean effects among all coefficients."""
        return slice(_BASE, _BASE + len(self.arms))

    def phi(self, modifier: int) -> slice:
        """Coefficients of one history figure x exposure."""
        start = _BASE + len(self.arms) * (1 + modifier)
        return slice(start, start + len(self.arms))

    def own(self, segment: int) -> slice:
        """Coefficients of one segment's block: its intercept, then delta per arm."""
        start = self.shared + segment * self.block
        return slice(start, start + self.block)

    @cached_property
    def repeated(self) -> Ints:
        """The shared columns that the blocks repeat."""
        return np.array([0, *range(_BASE, _BASE + len(self.arms))])

    @cached_property
    def names(self) -> tuple[str, ...]:
        """A name per coefficient, the key of a prior."""
        arms = [ARMS[code] for code in self.arms]
        names = ["intercept", *(f"age_{week}" for week in range(AGE_DUMMIES)), "age"]
        names += [f"phase_{phase}" for phase in range(PHASES)] + list(MODIFIER_NAMES)
        names += [f"batchness_phase_{phase}" for phase in range(PHASES)]
        names += [f"mu:{arm}" for arm in arms]
        names += [f"{modifier}:{arm}" for modifier in MODIFIER_NAMES for arm in arms]
        names += ["other:email", "other:letter_sms", "other:call"]
        names += [f"drawn:{arm}" for arm in arms] if self.drawn else []
        for segment in SEGMENTS:
            names += [f"segment:{segment}", *(f"delta:{arm}:{segment}" for arm in arms)]
        return tuple(names)


@dataclass(frozen=True)
class Features:
    """n invoice-weeks as the columns are made from them: ``age`` in weeks, month ``phase``, history, exposures.

    ``batchness`` (n,), ``modifiers`` (n, 4), ``exposure`` (n, A + 3), ``drawn`` (n, A) or empty.
    """

    age: Ints
    phase: Ints
    batchness: Floats
    modifiers: Floats
    exposure: Floats
    drawn: Floats


def shared_columns(columns: Columns, rows: Features) -> Floats:
    """(n, shared) the columns that everybody shares: base, exposures, history x exposures, contacts outside."""
    result = np.zeros((rows.age.size, columns.shared), order="F")  # written column by column
    everywhere = np.arange(rows.age.size)
    result[:, 0] = 1
    young = np.flatnonzero((rows.age >= 0) & (rows.age < AGE_DUMMIES))
    result[young, 1 + rows.age[young]] = 1
    at = 1 + AGE_DUMMIES
    result[:, at] = rows.age
    result[everywhere, at + 1 + rows.phase] = 1
    at += 1 + PHASES
    result[:, at : at + MODIFIERS] = rows.modifiers
    result[everywhere, at + MODIFIERS + rows.phase] = rows.batchness
    used = rows.exposure[:, list(columns.arms)]
    result[:, columns.mu] = used
    for modifier in range(MODIFIERS):
        np.multiply(used, rows.modifiers[:, [modifier]], out=result[:, columns.phi(modifier)])
    at = columns.phi(MODIFIERS - 1).stop
    result[:, at : at + OTHER_KINDS] = rows.exposure[:, len(ARMS) :]
    if columns.drawn:
        result[:, at + OTHER_KINDS :] = rows.drawn[:, list(columns.arms)]
    return result


@dataclass(frozen=True)
class Design:
    """Rows sorted by segment: shared columns Z (n, shared), outcome, weight, and where each segment's rows start."""

    columns: Columns
    Z: Floats
    paid: Floats
    weight: Floats
    bounds: Ints

    def groups(self) -> list[tuple[int, slice]]:
        """(segment, rows) of each segment that has rows."""
        return [
            (code, slice(int(self.bounds[code]), int(self.bounds[code + 1])))
            for code in range(len(SEGMENTS))
            if self.bounds[code + 1] > self.bounds[code]
        ]


def design_of(panel: Panel, columns: Columns, kept: Bools | None = None) -> Design:
    """The design of ``panel`` (its ``kept`` rows), weighted by age of the evidence."""
    rows = np.arange(panel.rows) if kept is None else np.flatnonzero(kept)
    rows = rows[np.argsort(panel.segment[rows], kind="stable")]
    features = Features(
        panel.age[rows], panel.phase[rows], panel.batchness[rows], panel.modifiers[rows], panel.exposure[rows],
        panel.drawn[rows] if columns.drawn else panel.drawn,
    )  # fmt: skip
    newest = int(panel.ago[rows].min()) if rows.size else 1
    bounds = np.searchsorted(panel.segment[rows], np.arange(len(SEGMENTS) + 1))
    return Design(
        columns, shared_columns(columns, features), panel.paid[rows].astype(np.float64),
        KEPT_PER_WEEK ** (panel.ago[rows] - newest).astype(np.float64), bounds.astype(np.int64),
    )  # fmt: skip


@dataclass(frozen=True)
class Prior:
    """Normal priors: mean and standard deviation of each coefficient, and where they come from.

    ``together``: a direction in which the coefficients may all be off at once, as far as one standard deviation goes;
    then coefficient = mean + together x z + own deviation, with z of N(0, 1). None: they are independent.
    """

    mean: Floats
    sd: Floats
    prior_id: str
    together: Floats | None = None

    @property
    def precision(self) -> Floats:
        """1 / sd^2 of the own deviations."""
        result: Floats = self.sd**-2
        return result

    @cached_property
    def matrix(self) -> Floats:
        """Precision matrix of the coefficients: the inverse of diag(sd^2) + together together'."""
        result: Floats = np.diag(self.precision)
        if self.together is not None:
            pulled = self.precision * self.together
            result = result - np.outer(pulled, pulled) / (1 + self.together @ pulled)
        return result

    def own_deviation(self, coefficients: Floats) -> Floats:
        """What is left of ``coefficients`` - mean without the most likely common part."""
        apart: Floats = coefficients - self.mean
        if self.together is None:
            return apart
        pulled = self.precision * self.together
        result: Floats = apart - self.together * (pulled @ apart) / (1 + self.together @ pulled)
        return result


@dataclass(frozen=True)
class Posterior:
    """Normal approximation N(mode, H^-1) of the posterior; ``evidence`` is the Laplace log evidence."""

    columns: Columns
    mode: Floats
    hessian: Floats
    evidence: float
    steps: int

    @cached_property
    def factor(self) -> Floats:
        """Lower Cholesky factor of the Hessian."""
        result: Floats = np.linalg.cholesky(self.hessian).astype(np.float64)
        return result

    @cached_property
    def covariance(self) -> Floats:
        """H^-1."""
        result: Floats = cho_solve((self.factor, True), np.eye(self.mode.size))
        return result

    @property
    def sd(self) -> Floats:
        """Posterior standard deviations."""
        result: Floats = np.sqrt(np.diag(self.covariance))
        return result

    def draws(self, number: int, rng: np.random.Generator, temper: float = 1.0) -> Floats:
        """(number, coefficients) draws from the posterior, its standard deviations times ``temper``."""
        noise = rng.standard_normal((self.mode.size, number))
        result: Floats = self.mode + temper * solve_triangular(self.factor.T, noise, lower=False).T
        return result


def effective(columns: Columns, coefficients: Floats) -> Floats:
    """(..., segments, shared): what each shared column means within a segment, the blocks folded in."""
    shape = (*coefficients.shape[:-1], len(SEGMENTS), columns.shared)
    result = np.broadcast_to(coefficients[..., None, : columns.shared], shape).copy()
    for segment in range(len(SEGMENTS)):
        result[..., segment, columns.repeated] += coefficients[..., columns.own(segment)]
    return result


def fit(design: Design, prior: Prior, start: Floats | None = None) -> Posterior:
    """Weighted posterior mode by Newton steps, halved while they make it worse; then Laplace.

    A Hessian is used again while steps are small: the mode is the same, found with fewer of the expensive products.
    The result depends on the rows and the prior alone: ``start`` saves steps and moves nothing beyond the tolerance.
    """
    mode: Floats = prior.mean.copy() if start is None else start.copy()
    objective = _objective(design, prior, mode)
    factor, steps = None, 0
    while steps < NEWTON_STEPS:
        if factor is None:
            factor = cho_factor(_hessian(design, prior, mode), lower=True)
        step: Floats = cho_solve(factor, _gradient(design, prior, mode))
        size, moved = 1.0, mode + step
        value = _objective(design, prior, moved)
        while value < objective - 1e-9 * abs(objective) and size > SMALLEST_STEP:
            size /= 2
            moved = mode + size * step
            value = _objective(design, prior, moved)
        mode, objective = moved, value
        steps += 1
        largest = float(np.abs(size * step).max(initial=0))
        if largest <= STEP_TOLERANCE:
            break
        if largest > LARGE_STEP:
            factor = None
    hessian = _hessian(design, prior, mode)
    sign, logdet = np.linalg.slogdet(hessian)
    evidence = objective + 0.5 * float(np.linalg.slogdet(prior.matrix)[1]) - 0.5 * float(sign * logdet)
    return Posterior(design.columns, mode, hessian, evidence, steps)


def log_odds(design: Design, coefficients: Floats) -> Floats:
    """(n,) the linear predictor of every row."""
    folded = effective(design.columns, coefficients)
    result = np.empty(design.paid.size)
    for segment, rows in design.groups():
        result[rows] = design.Z[rows] @ folded[segment]
    return result


def _objective(design: Design, prior: Prior, coefficients: Floats) -> float:
    eta = log_odds(design, coefficients)
    fitted = design.weight @ (design.paid * eta - np.logaddexp(0, eta))
    apart = coefficients - prior.mean
    return float(fitted - 0.5 * apart @ prior.matrix @ apart)


def _gradient(design: Design, prior: Prior, coefficients: Floats) -> Floats:
    """Gradient of the log posterior."""
    columns = design.columns
    residual = design.weight * (design.paid - 1 / (1 + np.exp(-log_odds(design, coefficients))))
    gradient: Floats = -prior.matrix @ (coefficients - prior.mean)
    for segment, rows in design.groups():
        slope = residual[rows] @ design.Z[rows]
        gradient[: columns.shared] += slope
        gradient[columns.own(segment)] += slope[columns.repeated]
    return gradient


def _hessian(design: Design, prior: Prior, coefficients: Floats) -> Floats:
    """Negative Hessian of the log posterior."""
    columns = design.columns
    hazard = 1 / (1 + np.exp(-log_odds(design, coefficients)))
    curvature = design.weight * np.maximum(hazard * (1 - hazard), SMALLEST_WEIGHT)
    hessian = prior.matrix.copy()
    shared, repeated = slice(0, columns.shared), columns.repeated
    for segment, rows in design.groups():
        Z, own = design.Z[rows], columns.own(segment)
        gram = _gram(Z, curvature[rows])
        hessian[shared, shared] += gram
        hessian[shared, own] += gram[:, repeated]
        hessian[own, shared] += gram[repeated]
        hessian[own, own] += gram[np.ix_(repeated, repeated)]
    return hessian


def _gram(Z: Floats, weight: Floats) -> Floats:
    """Z' diag(weight) Z."""
    result = np.zeros((Z.shape[1], Z.shape[1]))
    for start in range(0, Z.shape[0], _CHUNK):
        part = Z[start : start + _CHUNK]
        result += part.T @ (part * weight[start : start + _CHUNK, None])
    return result

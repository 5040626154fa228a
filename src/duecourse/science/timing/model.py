"""``fit`` learns when invoices are paid from one ``View``; ``TimingModel`` answers for any later one.

The model: a discrete-time hazard ``h(u | s)`` of payment on day u, given unpaid at the landmark s, from boosted trees
on person-period rows (open invoices enter as censored ones), mixed with the hazard of the customer's own past.
``F(j) = 1 - prod_{v = s..s+j} (1 - h(v | s))``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from duecourse.core.errors import NotEnoughData
from duecourse.core.ids import sha256_hex
from duecourse.ledger.as_of import View
from duecourse.science.timing.blend import blended_hazards
from duecourse.science.timing.config import TimingConfig
from duecourse.science.timing.curves import cdf_from_hazard, daily_hazard
from duecourse.science.timing.event_sizes import learned_sizes
from duecourse.science.timing.events import active_signals, hazard_offsets, offset_of
from duecourse.science.timing.facts import Facts, facts_from_view
from duecourse.science.timing.features import Features
from duecourse.science.timing.hazard import Booster, fit_boosters, raw_hazard
from duecourse.science.timing.landmarks import Landmarks, training_landmarks
from duecourse.science.timing.rows import paying_weekdays, scoring_rows, thinned, training_rows
from duecourse.science.timing.signals import OFFSETS

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]

FEWEST_CLEARED = 500  # below this a model is not fitted at all (rung model of the ladder)
_CDF_BLOCK = 10_000  # landmarks scored at a time
_THREADS = re.compile(r"\[num_threads: \d+\]")


@dataclass(frozen=True)
class TimingModel:
    """A fitted model and all that is needed to use, judge and refuse it.

    ``paying`` says which weekdays (Monday first) anybody pays on, ``groups`` are the invoice groups it knows,
    ``fitted`` holds the figures of the fit for the model card, ``gate`` the stored decision and report of the model
    gate (None when it was never judged), ``calibration`` the optional table of ``calibration``. ``threads`` are those
    used to answer; they never change an answer.
    """

    config: TimingConfig
    boosters: tuple[Booster, ...]
    base_logit: float
    event_sizes: Mapping[str, float]
    paying: BoolArray
    groups: tuple[str, ...]
    blend_weight: float
    as_of: int
    snapshot_id: str
    seed: int
    fitted: Mapping[str, Any]
    gate: Mapping[str, Any] | None = None
    calibration: Mapping[str, Any] | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    threads: int = 2

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The boosters as text, without the number of threads that the fit happened to use."""
        return tuple(_THREADS.sub("[num_threads: 1]", booster.model_to_string()) for booster in self.boosters)

    @cached_property
    def model_id(self) -> str:
        """The first 16 hex digits of the SHA-256 over trees, blend and calibration: what ``scores.model_id`` names."""
        rest = json.dumps(
            [self.blend_weight, dict(self.event_sizes), self.calibration, self.paying.tolist()], sort_keys=True
        )
        return sha256_hex(rest.encode(), *(text.encode() for text in self.texts))[:16]

    def hazard(self, facts: Facts, landmarks: Landmarks) -> FloatArray:
        """Daily hazards of the trees with the offsets of events, before the blend; shape (n, horizon)."""
        features = self.features(facts)
        blocks = [self._block_hazard(features, part) for part in _blocks(landmarks)]
        return np.concatenate(blocks) if blocks else np.zeros((0, self.config.horizon))

    def cdf(self, facts: Facts, landmarks: Landmarks, horizon: int = 178) -> FloatArray:
        """F(j | still open), j = 0..horizon-1, of the blend, uncalibrated; shape (n, horizon).

        Raises ValueError for a horizon beyond the model's own.
        """
        if horizon > self.config.horizon:
            raise ValueError(f"this model sees {self.config.horizon} days ahead, not {horizon}")
        result: FloatArray = self.blends(facts, landmarks, (self.blend_weight,), horizon)[0]
        return result

    def blends(self, facts: Facts, landmarks: Landmarks, weights: Sequence[float], horizon: int = 178) -> FloatArray:
        """``cdf`` for each of several weights of the customer's own distribution; shape (weights, n, horizon).

        The trees, which take most of the time, answer once.
        """
        features = self.features(facts)
        result = np.empty((len(weights), len(landmarks), horizon))
        first = 0
        for part in _blocks(landmarks):
            hazard = self._block_hazard(features, part)
            mixes = blended_hazards(hazard, facts, part, weights=weights, paying=self.paying)
            for number, mix in enumerate(mixes):
                result[number, first : first + len(part)] = cdf_from_hazard(mix[:, :horizon])
            first += len(part)
        return result

    def features(self, facts: Facts) -> Features:
        """The books prepared for this model's features."""
        return Features(facts, horizon=self.config.horizon, groups=self.groups)

    def _block_hazard(self, features: Features, landmarks: Landmarks) -> FloatArray:
        rows = scoring_rows(landmarks, self.config, self.paying)
        logit = raw_hazard(features, landmarks, rows, self.boosters, self.config, threads=self.threads)
        logit += self.base_logit
        logit += hazard_offsets(features.facts, landmarks, rows, self.config.feature_set, self.event_sizes)
        hazard = 1.0 / (1.0 + np.exp(-logit))
        return daily_hazard(landmarks, rows, hazard, self.config, self.paying)


def _blocks(landmarks: Landmarks) -> list[Landmarks]:
    return [landmarks.take(slice(first, first + _CDF_BLOCK)) for first in range(0, len(landmarks), _CDF_BLOCK)]


def fit(view: View, *, seed: int = 0, threads: int = 2, config: TimingConfig | None = None) -> TimingModel:
    """The model learnt from what was known at ``view.as_of``; the same bytes for the same books, seed and any threads.

    Raises NotEnoughData with fewer than 500 paid invoices or without any payment that was waited for (the ladder
    of ``predict`` serves such a book), and MissingLibrary where LightGBM cannot start.
    """
    facts = facts_from_view(view)
    require_history(facts)
    settings = (config or TimingConfig()).for_book(len(facts.cleared))
    paying = paying_weekdays(facts, settings)
    landmarks = _within(training_landmarks(facts, seed=seed), facts, settings)
    rows = training_rows(facts, landmarks, settings, paying)
    if not rows.paid.any() or rows.paid.all():
        raise NotEnoughData("no invoice was ever waited for: every payment lies on the day of its invoice or before")
    at_risk = len(rows)
    rows = thinned(rows, landmarks, facts, most=settings.full_rows, seed=seed)
    features = Features(facts, horizon=settings.horizon, groups=facts.groups)
    active = active_signals(facts, landmarks, rows, settings.feature_set)
    boosters, base = fit_boosters(
        features, landmarks, (rows, offset_of(active, OFFSETS)), settings, seed=seed, threads=threads
    )
    eventful = np.flatnonzero(active.any(axis=1))
    told = rows.take(eventful)
    logit = base + raw_hazard(features, landmarks, told, boosters, settings, threads=threads)
    days = history_days(facts)
    short = days < settings.short_history_days
    return TimingModel(
        config=settings,
        boosters=boosters,
        base_logit=base,
        event_sizes=learned_sizes(active[eventful], logit, told.paid, told.weight),
        paying=paying,
        groups=facts.groups,
        blend_weight=settings.short_history_blend_weight if short else settings.blend_weight,
        as_of=facts.as_of,
        snapshot_id=view.snapshot_id,
        seed=seed,
        fitted={
            "invoices": len(facts),
            "paid_invoices": len(facts.cleared),
            "customers": len(facts.customer_ids),
            "history_days": days,
            "landmarks": len(landmarks),
            "rows": at_risk,
            "rows_learnt_from": len(rows),
            "paid_rows": int(rows.paid.sum()),
            "bags": len(boosters),
        },
        versions=_versions(),
        threads=threads,
    )


def history_days(facts: Facts) -> int:
    """Days from the first payment in the books to ``as_of``; 0 without any."""
    paid = facts.paid_on[facts.cleared]
    return int(facts.as_of - paid.min()) if len(paid) else 0


def require_history(facts: Facts) -> None:
    """Raises NotEnoughData where a book is too young for the hazard model, saying what it has and what is needed."""
    cleared = len(facts.cleared)
    if cleared < FEWEST_CLEARED:
        raise NotEnoughData(
            f"{cleared} paid invoices are too few to fit a payment-timing model; at least {FEWEST_CLEARED} are needed"
            " (score works without a model: it uses each customer's own past)"
        )


def _within(landmarks: Landmarks, facts: Facts, config: TimingConfig) -> Landmarks:
    """All landmarks, or those of whole invoices chosen by the hash of their id where a fit would have too many rows."""
    typical_rows = 12 * len(landmarks)
    if typical_rows <= config.max_rows:
        return landmarks
    share = config.max_rows / typical_rows
    chosen = (facts.code % np.uint64(1 << 20)).astype(np.float64) < share * (1 << 20)
    return landmarks.take(chosen[landmarks.invoice])


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    return {name: version(name) for name in ("duecourse", "lightgbm", "numpy", "polars")}

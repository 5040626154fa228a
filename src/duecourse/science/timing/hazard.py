"""The hazard of payment per (landmark, day): gradient-boosted trees on person-period rows, the same on every run.

``fit_boosters`` learns, ``raw_hazard`` answers. Several models with different seeds are averaged on the logit scale,
where an average keeps days without payment at zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt

from duecourse.core.errors import MissingLibrary
from duecourse.science.timing.config import TimingConfig
from duecourse.science.timing.features import FEATURE_NAMES, Features
from duecourse.science.timing.features_day import BEAT_NAMES
from duecourse.science.timing.landmarks import Landmarks
from duecourse.science.timing.rows import Rows

FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

LIBGOMP = (
    "LightGBM cannot start: system library libgomp.so.1 is missing; install libgomp1 (Debian, Ubuntu) or libgomp "
    "(Fedora, RHEL), then run again."
)
# Threads wait for each other more than they help on fewer rows than this; the result is the same.
ROWS_FOR_THREADS = 100_000


class Booster(Protocol):
    """What is used of ``lightgbm.Booster``."""

    def predict(self, data: Float32Array, *, raw_score: bool, num_threads: int) -> FloatArray:
        """Predictions, shape (rows,)."""

    def model_to_string(self) -> str:
        """The model as text."""

    def feature_importance(self, importance_type: str) -> FloatArray:
        """Gain or number of splits per feature."""


def lightgbm_library() -> ModuleType:
    """The lightgbm module.

    Raises MissingLibrary, one line with the cure, where it or the system library under it cannot be loaded.
    """
    try:
        import lightgbm
    except (ImportError, OSError) as error:
        raise MissingLibrary(LIBGOMP) from error
    return lightgbm


def booster_from_text(text: str) -> Booster:
    """The model that ``model_to_string`` wrote."""
    return cast(Booster, lightgbm_library().Booster(model_str=text))


def parameters(config: TimingConfig, *, seed: int, threads: int) -> dict[str, Any]:
    """LightGBM parameters of one model; all its seeds come from one."""
    return {
        "objective": "binary",
        "num_leaves": config.num_leaves,
        "learning_rate": config.learning_rate,
        "min_data_in_leaf": config.min_data_in_leaf,
        "lambda_l2": config.lambda_l2,
        "max_bin": config.max_bin,
        "feature_fraction": config.feature_fraction,
        "bagging_fraction": config.bagging_fraction,
        "bagging_freq": 1,
        "seed": seed,
        "deterministic": True,
        "force_col_wise": True,
        "num_threads": threads,
        "verbosity": -1,
        **(
            {} if config.payment_beat else {"feature_contri": [float(name not in BEAT_NAMES) for name in FEATURE_NAMES]}
        ),
        **config.extra,
    }


def fit_boosters(
    features: Features,
    landmarks: Landmarks,
    at_risk: tuple[Rows, FloatArray],
    config: TimingConfig,
    *,
    seed: int,
    threads: int,
) -> tuple[tuple[Booster, ...], float]:
    """The fitted models, one per bag, and the logit to add to each of their answers.

    They learn what the given logit offsets of the rows leave unexplained. ``landmarks`` are sorted by (customer,
    invoice, day) and ``at_risk`` (rows, offset of each) by those.
    """
    lightgbm = lightgbm_library()
    rows, offsets = at_risk
    columns = landmark_columns(features, landmarks, config)
    label = rows.paid.astype(np.float32)
    data = _matrix(features, landmarks, columns, rows, slice(0, len(rows)))
    weight = rows.weight
    bags = config.bags if len(rows) <= config.bag_rows else 1
    used = threads if len(rows) >= ROWS_FOR_THREADS else 1
    settings = parameters(config, seed=seed, threads=used)
    share = float(np.average(label, weights=weight))
    # LightGBM starts from the average by itself, but not when rows bring offsets of their own.
    base = float(np.log(share / (1 - share))) if offsets.any() else 0.0
    dataset = lightgbm.Dataset(
        data,
        label=label,
        weight=weight if rows.unpaid_weight != 1.0 else None,
        init_score=base + offsets if offsets.any() else None,
        feature_name=list(FEATURE_NAMES),
        params=settings,
    )
    dataset.construct()
    boosters = tuple(
        cast(
            Booster,
            lightgbm.train(parameters(config, seed=seed + 1000 * bag, threads=used), dataset, config.rounds),
        )
        for bag in range(bags)
    )
    return boosters, base


def landmark_columns(features: Features, landmarks: Landmarks, config: TimingConfig) -> Float32Array:
    """``Features.landmark_columns`` in blocks, which bounds the memory of its 50-wide histories."""
    step = config.block_landmarks
    blocks = [
        features.landmark_columns(landmarks.take(slice(first, first + step)))
        for first in range(0, max(len(landmarks), 1), step)
    ]
    return np.concatenate(blocks)


def raw_hazard(
    features: Features,
    landmarks: Landmarks,
    rows: Rows,
    boosters: Sequence[Booster],
    config: TimingConfig,
    *,
    threads: int,
) -> FloatArray:
    """Logit of the hazard of each row, averaged over the models; shape (rows,). Rows are sorted by owner."""
    columns = landmark_columns(features, landmarks, config)
    result = np.empty(len(rows))
    step = max(config.block_landmarks // 8, 1)
    for first in range(0, len(landmarks), step):
        low, high = np.searchsorted(rows.owner, [first, first + step])
        matrix = _matrix(features, landmarks, columns, rows, slice(int(low), int(high)))
        used = threads if len(matrix) >= ROWS_FOR_THREADS else 1
        answers = [booster.predict(matrix, raw_score=True, num_threads=used) for booster in boosters]
        result[low:high] = np.mean(answers, axis=0)
    return result


def _matrix(features: Features, landmarks: Landmarks, columns: Float32Array, rows: Rows, part: slice) -> Float32Array:
    """Feature rows of one stretch, built in pieces so that only float32 values live side by side."""
    first, last = part.start, part.stop
    result = np.empty((last - first, len(FEATURE_NAMES)), dtype=np.float32)
    step = 250_000
    for low in range(first, last, step):
        high = min(low + step, last)
        result[low - first : high - first] = _some_rows(features, landmarks, columns, rows, np.arange(low, high))
    return result


def _some_rows(
    features: Features, landmarks: Landmarks, columns: Float32Array, rows: Rows, which: IntArray
) -> Float32Array:
    """Feature rows ``which``; only their landmarks are looked at."""
    owners, local = np.unique(rows.owner[which], return_inverse=True)
    return features.rows(
        landmarks.take(owners), columns[owners], local.astype(np.int64), rows.offset[which], rows.width[which]
    )

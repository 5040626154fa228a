"""How large the book's own events turn out to be: the prior sizes, updated on its own rows at each fit.

Each size is a normal prior N(m, sd^2) on the logit of the hazard, and the update is the posterior mode of a logistic
regression whose offset is what the trees say (ridge towards m). A book that never had such an event keeps the prior.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from duecourse.science.timing.signals import OFFSET_SD, OFFSETS

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]

NEWTON_STEPS = 12


def learned_sizes(active: BoolArray, logit: FloatArray, paid: BoolArray, weight: FloatArray) -> Mapping[str, float]:
    """Kind -> size, from rows with some event: ``active`` (rows, kinds), tree logits, labels and weights (rows,)."""
    prior = np.array(list(OFFSETS.values()))
    precision = 1.0 / np.array([OFFSET_SD[kind] for kind in OFFSETS]) ** 2
    sizes = prior.copy()
    design = active.astype(np.float64)
    for _ in range(NEWTON_STEPS if len(logit) else 0):
        hazard = 1.0 / (1.0 + np.exp(-(logit + design @ sizes)))
        gradient = design.T @ (weight * (paid - hazard)) - precision * (sizes - prior)
        curvature = (design * (weight * hazard * (1.0 - hazard))[:, None]).T @ design + np.diag(precision)
        sizes = sizes + np.linalg.solve(curvature, gradient)
    return {kind: round(float(size), 6) for kind, size in zip(OFFSETS, sizes, strict=True)}

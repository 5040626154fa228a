"""The instrument check: whether effects come from the lot itself, or from what made an arm likely to be drawn.

The exposures to expect from the logged propensities are added as nuisance columns. What remains of a contact is then
the part that only the lot decided. If a mean effect moves by more than two standard deviations, the plain fit is not
trusted and the centred one is used.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from duecourse.science.decisions.learned.book import Floats, Ints
from duecourse.science.decisions.learned.hazard_model import Columns, Posterior, Prior, design_of, fit
from duecourse.science.decisions.learned.panel import Panel

LARGEST_CHANGE = 2.0
_NUISANCE_SD = 0.7


@dataclass(frozen=True)
class Check:
    """``change`` (arms,) of the mean effects in standard deviations of the centred fit, and the posterior to use."""

    change: Floats
    posterior: Posterior

    @property
    def alarm(self) -> bool:
        """True when the centred fit has to be used."""
        return bool((np.abs(self.change) > LARGEST_CHANGE).any())


def check(panel: Panel, plain: Posterior, prior: Prior) -> Check:
    """Fit again with the expected exposures of ``panel`` (its ``drawn``) and compare the mean effects."""
    columns = plain.columns
    wide = replace(columns, drawn=True)
    at = np.array([wide.names.index(name) for name in columns.names])
    mean, sd = np.zeros(wide.total), np.full(wide.total, _NUISANCE_SD)
    mean[at], sd[at] = prior.mean, prior.sd
    together = None
    if prior.together is not None:
        together = np.zeros(wide.total)
        together[at] = prior.together
    start = np.zeros(wide.total)
    start[at] = plain.mode
    centred = fit(design_of(panel, wide), Prior(mean, sd, prior.prior_id, together), start)
    change = (centred.mode[at] - plain.mode)[columns.mu] / centred.sd[at][columns.mu]
    if not (np.abs(change) > LARGEST_CHANGE).any():
        return Check(change, plain)
    return Check(change, _without_nuisance(centred, columns, at))


def _without_nuisance(centred: Posterior, columns: Columns, at: Ints) -> Posterior:
    """The centred posterior with the nuisance columns integrated out."""
    precision = np.linalg.inv(centred.covariance[np.ix_(at, at)])
    return Posterior(columns, centred.mode[at], (precision + precision.T) / 2, centred.evidence, centred.steps)

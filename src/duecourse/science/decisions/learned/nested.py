"""Choices inside an act: the hour of a call or message, by Thompson sampling on what was reached, with exact odds.

Each hour has a Beta posterior of being reached, drawn towards the tenant's with the weight of 20 tries, older tries
counting 1 % less a week. The odds of an hour are the share of 64 draws in which it was best, with 10 % spread evenly;
one draw from these odds decides. Each act has one reviewed template per language today, so only the hour is chosen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from duecourse.science.decisions.learned.book import Floats, Ints

HOURS = ("09-11", "11-13", "13-15", "15-17")
PRIOR_TRIES, DRAWS, UNIFORM_SHARE, KEPT_PER_WEEK = 20.0, 64, 0.10, 0.99
_TYPICAL_REACH = 0.4


@dataclass(frozen=True)
class Tries:
    """Tries of one kind of act: group (segment) of each, option taken, whether it was reached, weeks ago."""

    group: Ints
    option: Ints
    success: Floats
    weeks_ago: Floats


def odds(tries: Tries, groups: int, options: int, rng: np.random.Generator) -> Floats:
    """(groups, options) the probability with which each option is to be drawn; rows sum to 1."""
    weight = KEPT_PER_WEEK**tries.weeks_ago
    cell = tries.group * options + tries.option
    number = np.bincount(cell, weights=weight, minlength=groups * options).reshape(groups, options)
    won = np.bincount(cell, weights=weight * tries.success, minlength=groups * options).reshape(groups, options)
    overall = (won.sum() + PRIOR_TRIES * _TYPICAL_REACH) / (number.sum() + PRIOR_TRIES)
    tenant = (won.sum(axis=0) + PRIOR_TRIES * overall) / (number.sum(axis=0) + PRIOR_TRIES)
    alpha = won + PRIOR_TRIES * tenant
    beta = number - won + PRIOR_TRIES * (1 - tenant)
    best = rng.beta(alpha, beta, size=(DRAWS, groups, options)).argmax(axis=2)
    share = np.stack([(best == option).mean(axis=0) for option in range(options)], axis=1)
    result: Floats = (1 - UNIFORM_SHARE) * share + UNIFORM_SHARE / options
    return result


def draw_options(probabilities: Floats, uniform: Floats) -> Ints:
    """(n,) one option per row of ``probabilities`` (n, options), decided by ``uniform`` (n,) in [0, 1)."""
    result: Ints = np.sum(np.cumsum(probabilities, axis=1)[:, :-1] <= uniform[:, None], axis=1, dtype=np.int64)
    return result

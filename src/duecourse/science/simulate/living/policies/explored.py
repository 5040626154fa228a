"""``explored``: the ladder as a careful house tries it out - a share left alone by chance, with exact propensities."""

from __future__ import annotations

import numpy as np

from duecourse.core.ids import uniform
from duecourse.science.simulate.living.book import Book, Capacity, Decided
from duecourse.science.simulate.living.policies.ladder import ladder
from duecourse.science.simulate.living.spec import ARM

LEFT_ALONE, TRIED = 0.15, 0.1  # of the contacts that the ladder wants; of the points that it leaves alone


def explored(book: Book, capacity: Capacity, seed: int) -> Decided:
    """The ladder's arm with probability .85, else none; where it wants none, now and then a soft mail."""
    wanted = np.zeros(book.allowed.shape[0], dtype=np.int64)
    own = ladder(book, capacity, seed)
    wanted[own.point] = own.arm
    point = book.epochs()
    arm, soft = wanted[point], ARM["email_soft"]
    propensities = np.zeros((point.size, book.allowed.shape[1]))
    rows = np.arange(point.size)
    tried = (arm == 0) & book.allowed[point, soft]
    propensities[rows, arm] = np.where(arm != 0, 1 - LEFT_ALONE, 1.0)
    propensities[arm != 0, 0] = LEFT_ALONE
    propensities[tried, 0], propensities[tried, soft] = 1 - TRIED, TRIED
    draws = uniform(seed, "explored policy", point.astype(np.uint64), book.week)
    other = np.where(arm != 0, draws < LEFT_ALONE, tried & (draws < TRIED))
    taken = np.where(other, np.where(arm != 0, 0, soft), arm)
    return Decided(point, taken.astype(np.int64), propensities)

"""From probabilities to one arm per contact point, with exact propensities and exact totals per class of arms.

1. ``planned``: the average of feasible plans, mixed with a little exploration, each class total cut to a whole number.
2. ``draw``: dependent rounding (Gandhi, Khuller, Parthasarathy, Srinivasan 2006). Probabilities of two classes are
   shifted along a cycle of contact points with martingale odds until all are 0 or 1: every marginal probability is kept
   exactly, each point gets one class, each class total is met. Then the arm inside the class by its own share.
"""

from __future__ import annotations

import math

import numpy as np

from duecourse.science.decisions.learned.allocation import Limits, classes_of, is_scarce
from duecourse.science.decisions.learned.book import NEVER_EXPLORED, NONE, Bools, Floats, Ints

EPSILON = 0.05
EXPLORED = 4
_TINY = 1e-12


def planned(plans: Ints, allowed: Bools, limits: Limits, epsilon: float = EPSILON) -> Floats:
    """(P, A) probabilities from (D, P) feasible plans: rows sum to 1, class totals but that of ``none`` are whole.

    ``allowed`` (P, A): arms that may be used. Exploration uses no more of scarce arms than was planned anyway, and the
    expected use of every limit stays within it.
    """
    arms = allowed.shape[1]
    mean = np.stack([(plans == arm).mean(axis=0) for arm in range(arms)], axis=1)
    mixed = (1 - epsilon) * mean + epsilon * _exploration(mean, allowed, is_scarce(limits))
    for use, total in zip(limits.use, limits.total, strict=True):
        used = float((mixed @ use).sum())
        if used > total:
            mixed[:, use > 0] *= total / used
    mixed[:, NONE] = 0
    mixed[:, NONE] = np.maximum(1 - mixed.sum(axis=1), 0)
    kind = classes_of(limits)
    return _whole_totals(_given_back(mixed, mean, kind, limits), kind)


def _exploration(mean: Floats, allowed: Bools, scarce: Bools) -> Floats:
    """(P, A) uniform over ``none`` and at most four explored arms with most mass; scarce ones at most their own."""
    may = allowed.copy()
    may[:, [NONE, *NEVER_EXPLORED]] = False
    rank = np.argsort(np.argsort(-np.where(may, mean, -1), axis=1, kind="stable"), axis=1, kind="stable")
    explored = may & (rank < EXPLORED) & ~(scarce[None] & (mean <= 0))
    share = 1 / (1 + explored.sum(axis=1, keepdims=True))
    result = np.where(explored, share, 0.0)
    result[:, scarce] = np.minimum(result[:, scarce], mean[:, scarce])
    result[:, NONE] = 1 - result.sum(axis=1)
    return result


def _given_back(mixed: Floats, mean: Floats, kind: Ints, limits: Limits) -> Floats:
    """``mixed`` with classes that exploration thinned raised again to the whole total that the plans give them.

    Else seven calls of a small company, 6.7 after exploration, would be cut to six. The mass comes from ``none``, where
    the plans waver: p grows by a share of p x p(none). A class that would break a limit stays as it is.
    """
    for code in range(1, int(kind.max(initial=0)) + 1):
        member = kind == code
        own = mixed[:, member].sum(axis=1)
        lacking = math.floor(float(mean[:, member].sum()) + 1e-9) - float(own.sum())
        spare = float((own * mixed[:, NONE]).sum())
        if not 0 < lacking <= spare:
            continue
        raised = mixed.copy()
        raised[:, member] *= 1 + lacking / spare * mixed[:, [NONE]]
        raised[:, NONE] -= lacking / spare * own * mixed[:, NONE]
        if np.all(limits.use @ raised.sum(axis=0) <= limits.total + 1e-9):
            mixed = raised
    return mixed


def _whole_totals(probabilities: Floats, kind: Ints) -> Floats:
    """Each class but that of ``none`` shrunk to a whole total, the rest given to ``none``.

    A class that shares limits with nothing else (class 0 holds ``none``) is left as it is.
    """
    result = probabilities.copy()
    for code in range(1, int(kind.max()) + 1):
        member = kind == code
        total = float(result[:, member].sum())
        whole = math.floor(total + 1e-9)
        result[:, member] *= whole / total if total > 0 else 0.0
    result[:, NONE] = 0
    result[:, NONE] = np.maximum(1 - result.sum(axis=1), 0)
    return result


def draw(probabilities: Floats, kind: Ints, rng: np.random.Generator) -> Ints:
    """(P,) one arm per point, drawn with exactly the given ``probabilities`` (P, A)."""
    classes = int(kind.max()) + 1
    by_class = np.stack([probabilities[:, kind == code].sum(axis=1) for code in range(classes)], axis=1)
    order = rng.permutation(by_class.shape[0])
    chosen = _round_classes(by_class, order, rng)
    inside = np.where(kind[None] == chosen[:, None], probabilities, 0.0)
    cumulated = np.cumsum(inside, axis=1)
    wanted = rng.random(chosen.size) * cumulated[:, -1]
    picked: Ints = (cumulated <= wanted[:, None]).sum(axis=1).astype(np.int64)
    return picked


def _round_classes(by_class: Floats, order: Ints, rng: np.random.Generator) -> Ints:
    """(P,) the class of each point; every whole class total is met exactly."""
    chosen: Ints = by_class.argmax(axis=1)
    random = _Uniforms(rng)
    pending: dict[int, dict[int, float]] = {}  # point -> its classes that are still between 0 and 1
    of_class: dict[int, list[int]] = {}  # class -> pending points, in the order of their arrival
    for point in order.tolist():
        row = {code: float(value) for code, value in enumerate(by_class[point]) if value > _TINY}
        if len(row) <= 1:
            continue
        pending[point] = row
        for code in row:
            of_class.setdefault(code, []).append(point)
        while (cycle := _cycle(point, pending, of_class)) is not None:
            _shift(cycle, pending, of_class, chosen, random)
            if point not in pending:
                break
    _finish(pending, chosen, random)
    return chosen


class _Uniforms:
    """Uniform numbers in batches: one call of the generator per thousand."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng, self.left = rng, list[float]()

    def next(self) -> float:
        """The next number in [0, 1)."""
        if not self.left:
            self.left = self.rng.random(1024).tolist()
        return self.left.pop()


Cycle = list[tuple[int, int, int]]  # (point, class whose share rises, class whose share falls), closing on itself


def _cycle(point: int, pending: dict[int, dict[int, float]], of_class: dict[int, list[int]]) -> Cycle | None:
    """A cycle through ``point``: classes are nodes, pending points the edges between any two of their own classes.

    Before ``point`` came there was none, so that every cycle goes through it.
    """
    row = pending[point]
    for first in row:
        came = _reached(first, point, pending, of_class)
        for target in row:
            if target != first and target in came:
                return _traced(point, first, target, came)
    return None


def _reached(first: int, without: int, pending: dict[int, dict[int, float]],
             of_class: dict[int, list[int]]) -> dict[int, tuple[int, int]]:  # fmt: skip
    """Every class that ``first`` is connected with, and for each the class before it and the point between."""
    came = {first: (-1, -1)}
    queue = [first]
    for code in queue:
        for other in of_class[code]:
            if other != without:
                for following in pending[other]:
                    if following not in came:
                        came[following] = (code, other)
                        queue.append(following)
    return came


def _traced(point: int, first: int, target: int, came: dict[int, tuple[int, int]]) -> Cycle:
    """The cycle that leaves ``point`` at ``target`` and comes back to it at ``first``; each point once."""
    cycle = [(point, first, target)]
    code = target
    while code != first:
        before, between = came[code]
        cycle.append((between, code, before))
        code = before
    return cycle


def _shift(cycle: Cycle, pending: dict[int, dict[int, float]], of_class: dict[int, list[int]], chosen: Ints,
           random: _Uniforms) -> None:  # fmt: skip
    """Move mass around the cycle, one way or the other with odds that keep every probability."""
    forward = min(min(1 - pending[point][up], pending[point][down]) for point, up, down in cycle)
    backward = min(min(pending[point][up], 1 - pending[point][down]) for point, up, down in cycle)
    step = forward if random.next() * (forward + backward) < backward else -backward
    for point, up, down in cycle:
        row = pending[point]
        row[up] += step
        row[down] -= step
        for code in (up, down):
            if row[code] <= _TINY:
                del row[code]
                of_class[code].remove(point)
        if len(row) == 1:
            code = next(iter(row))
            of_class[code].remove(point)
            chosen[point] = code
            del pending[point]


def _finish(pending: dict[int, dict[int, float]], chosen: Ints, random: _Uniforms) -> None:
    """Points that are left when no cycle is (totals that are not whole): each by its own remaining shares."""
    for point, row in pending.items():
        wanted, reached = random.next() * sum(row.values()), 0.0
        for code, value in row.items():
            reached += value
            chosen[point] = code
            if wanted < reached:
                break

"""One arm per contact point within the plan's limits: Lagrangian prices, repair, refill; for many draws at once.

    maximise sum Q_ia x_ia   subject to   one arm per point,   sum use_ca x_ia <= limit_c for each limit c

Arms that use the same of every limit compete only with each other, so they are one *class* and only the best of each is
looked at. Each price is found by bisection, always ending on the side that keeps the limit; what is still too much is
taken back where it costs least, what is left is given where it brings most.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from duecourse.science.decisions.learned.book import CALLS, NONE, WRITTEN, Bools, Floats, Ints, Resources

_SWEEPS, _HALVINGS, _REFILLS = 3, 18, 3
_SLACK = 1e-9


@dataclass(frozen=True)
class Limits:
    """``use`` (C, A) of each limit by one act of each arm, ``total`` (C,) of the plan."""

    use: Floats
    total: Floats


def limits_of(resources: Resources) -> Limits:
    """Minutes, and the caps on messages, text messages and letters that are finite."""
    arms = resources.exists.size
    use, total = [resources.minutes], [resources.minutes_total]
    for codes, cap in ((WRITTEN, resources.messages), ((4,), resources.sms), ((5,), resources.letters)):
        if np.isfinite(cap):
            use.append(np.isin(np.arange(arms), codes).astype(np.float64))
            total.append(cap)
    return Limits(np.array(use, dtype=np.float64), np.array(total, dtype=np.float64))


def classes_of(limits: Limits) -> Ints:
    """(A,) the class of each arm: arms of one class use the same of every limit. Class 0 uses nothing."""
    keys = [tuple(column) for column in limits.use.T.round(9).tolist()]
    order = {tuple([0.0] * limits.use.shape[0]): 0}
    for key in keys:
        order.setdefault(key, len(order))
    return np.array([order[key] for key in keys], dtype=np.int64)


@dataclass(frozen=True)
class Allocation:
    """``arm`` (D, P) per draw, ``prices`` (D, C) of one unit of each limit, ``bound`` (D,) no plan can exceed."""

    arm: Ints
    prices: Floats
    bound: Floats


def allocate_draws(quality: Floats, limits: Limits) -> Allocation:
    """The allocation of each draw's ``quality`` (D, P, A); -inf where an arm may not be used, 0 for none.

    No limit is ever exceeded. The value is within a fraction of one act per limit of the linear programme's.
    """
    kind = classes_of(limits)
    number = int(kind.max()) + 1
    best = np.full((number, *quality.shape[:2]), -np.inf)
    arm = np.zeros((number, *quality.shape[:2]), dtype=np.int64)
    for code in range(number):
        codes = np.flatnonzero(kind == code)
        best[code], arm[code] = _best_of(quality, codes)
    use = np.stack([limits.use[:, np.flatnonzero(kind == code)[0]] for code in range(number)])
    prices = _prices(best.astype(np.float32), use, limits.total)  # only prices are rough, no sum is
    chosen = _choose(best, prices @ use.T)
    bound = _bound(best, prices, use, limits.total)
    for draw in range(chosen.shape[0]):
        _mend(chosen[draw], best[:, draw], use, limits.total)
    picked = np.take_along_axis(arm, chosen[None], axis=0)[0]
    return Allocation(picked, prices, bound)


def _best_of(quality: Floats, codes: Ints) -> tuple[Floats, Ints]:
    """The best value among ``codes`` and its arm, (D, P) each, the first one on ties."""
    value, arm = quality[:, :, codes[0]].copy(), np.full(quality.shape[:2], codes[0])
    for code in codes[1:]:
        better = quality[:, :, code] > value
        value[better] = quality[:, :, code][better]
        arm[better] = code
    return value, arm


def _choose(best: Floats, charge: Floats) -> Ints:
    """(D, P) the class of largest value less its charge (D, K), the first one on ties."""
    charge = charge.astype(best.dtype)
    value, chosen = best[0] - charge[:, [0]], np.zeros(best.shape[1:], dtype=np.int64)
    for code in range(1, best.shape[0]):
        net = best[code] - charge[:, [code]]
        better = net > value
        np.copyto(value, net, where=better)
        chosen[better] = code
    return chosen


def _used(best: Floats, prices: Floats, use: Floats, limit: int) -> Floats:
    """(D,) how much of ``limit`` is used at ``prices``."""
    chosen = _choose(best, prices @ use.T)
    total = np.zeros(best.shape[1])
    for code in np.flatnonzero(use[:, limit]):
        total += use[code, limit] * (chosen == code).sum(axis=1)
    return total


def _prices(best: Floats, use: Floats, total: Floats) -> Floats:
    """(D, C) prices by bisection on one limit after the other, until they stand."""
    draws = best.shape[1]
    prices = np.zeros((draws, total.size))
    finite = np.where(np.isfinite(best), best, 0)
    for sweep in range(_SWEEPS):
        before = prices.copy()
        for limit in range(total.size):
            codes = np.flatnonzero(use[:, limit])
            if not codes.size:
                continue
            most = np.max([finite[code].max(axis=1, initial=0) / use[code, limit] for code in codes], axis=0)
            low, high = np.zeros(draws), most - finite[0].min(axis=1, initial=0) / use[codes, limit].min() + _SLACK
            if sweep:  # a price that is known already is searched for in its neighbourhood
                high = np.minimum(high, 2 * before[:, limit] + 1e-3 * most)
            trial = prices.copy()
            trial[:, limit] = 0
            free = _used(best, trial, use, limit) <= total[limit] + _SLACK
            trial[:, limit] = high
            over = _used(best, trial, use, limit) > total[limit] + _SLACK
            high = np.where(over, most + _SLACK + np.abs(finite[0]).max(axis=1, initial=0), high)
            for _ in range(_HALVINGS):
                trial[:, limit] = (low + high) / 2
                fits = _used(best, trial, use, limit) <= total[limit] + _SLACK
                high, low = np.where(fits, trial[:, limit], high), np.where(fits, low, trial[:, limit])
            prices[:, limit] = np.where(free, 0, high)
        if total.size == 1 or np.allclose(prices, before, rtol=1e-6, atol=0):
            break
    return prices


def _bound(best: Floats, prices: Floats, use: Floats, total: Floats) -> Floats:
    charge = prices @ use.T
    net = np.max(best - charge.T[:, :, None], axis=0)
    result: Floats = net.sum(axis=1) + prices @ total
    return result


def _mend(chosen: Ints, best: Floats, use: Floats, total: Floats) -> None:
    """Take back what exceeds a limit, then give what is left; ``chosen`` (P,) of one draw is changed in place."""
    for limit in range(total.size):
        spent = use[chosen, limit].sum()
        if spent <= total[limit] + _SLACK:
            continue
        users = np.flatnonzero(use[chosen, limit] > 0)
        lost = (best[chosen[users], users] - best[0, users]) / use[chosen[users], limit]
        for at in users[np.argsort(lost, kind="stable")]:
            spent -= use[chosen[at], limit]
            chosen[at] = 0
            if spent <= total[limit] + _SLACK:
                break
    for _ in range(_REFILLS):
        if not _refill(chosen, best, use, total):
            break


def _refill(chosen: Ints, best: Floats, use: Floats, total: Floats) -> bool:
    """One pass: what is left goes where it gains most per unit of the scarcest limit; True when a move was made."""
    left = total - use[chosen].sum(axis=0)
    points = np.arange(chosen.size)
    gain = best - best[chosen, points]
    more = use[:, None, :] - use[chosen][None]
    fits = (gain > _SLACK) & np.all(more <= left + _SLACK, axis=2)
    code, point = np.nonzero(fits)
    if not code.size:
        return False
    share = np.max(np.maximum(more[code, point], 0) / np.maximum(total, 1e-12), axis=1)
    order = np.argsort(-gain[code, point] / np.maximum(share, 1e-6), kind="stable")
    moved: set[int] = set()
    for at in order.tolist():
        if int(point[at]) in moved:
            continue
        step = more[code[at], point[at]]
        if np.all(step <= left + _SLACK):
            left = left - step
            chosen[point[at]] = code[at]
            moved.add(int(point[at]))
    return bool(moved)


def value_of(quality: Floats, arm: Ints) -> Floats:
    """(D,) the value of an allocation."""
    result: Floats = np.take_along_axis(quality, arm[:, :, None], axis=2)[:, :, 0].sum(axis=1)
    return result


def is_scarce(limits: Limits) -> Bools:
    """(A,) arms that use minutes or a small budget, and are never tried beyond what was planned for them."""
    scarce: Bools = (limits.use[0] > 0) | np.isin(np.arange(limits.use.shape[1]), (*CALLS, 4, 5))
    scarce[NONE] = False
    return scarce

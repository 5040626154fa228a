"""The stage of a world that is to be shown: what is certain in it whatever the seed, on top of what is drawn.

A few large customers, one of them declining, a group of ship-tos under one parent, an insolvency with signs before it,
customers in further countries, a price rise. A world without a stage is drawn as ever.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from duecourse.core.ids import uniform
from duecourse.science.simulate.customers import Customers, parents
from duecourse.science.simulate.living.inboxes import FAR, Inboxes
from duecourse.science.simulate.living.spec import Living, Stage
from duecourse.science.simulate.names import COUNTRIES
from duecourse.science.simulate.orders import Orders
from duecourse.science.simulate.pay_calendar import Ints, day_number

PARENT = "900"  # the number of the staged group; drawn ones count from 001 and stay far below
BUSY_PER_WEEK, STEADY_PER_WEEK = 3.0, 0.8  # invoices a week of the large customers and of those that decline or fail
DECLINE, DECLINE_WEEKS = -1.6, 20  # log-odds that the declining customer loses, and how long that takes


def staged_customers(stage: Stage | None, customers: Customers, seed: int) -> Customers:
    """``customers`` with the large ones made large, some moved abroad and a group put under one parent."""
    if stage is None:
        return customers
    country = _moved(stage, customers, seed)
    moved = replace(customers, country=country)
    free = _free(moved, seed)
    group = [at for at in free if country[at] == 0][-stage.group_of :]
    placed = dict.fromkeys(group, f"G{COUNTRIES[0].code}{PARENT}")
    leading = _leading(stage, replace(moved, placed_in=placed), seed)
    rate, amount = customers.weekly_rate.copy(), customers.mean_amount.copy()
    rate[group] = np.maximum(rate[group], STEADY_PER_WEEK / 4)
    large, declining, failing = leading[: stage.largest], leading[stage.largest], leading[stage.largest + 1]
    total = float((rate * amount).sum())
    for at in large:
        rate[at] = BUSY_PER_WEEK
        amount[at] = stage.largest_share * total / (1 - stage.largest * stage.largest_share) / BUSY_PER_WEEK
    rate[[declining, failing]] = np.maximum(rate[[declining, failing]], STEADY_PER_WEEK)
    amount[declining] = np.maximum(amount[declining], stage.largest_share / 2 * total / rate[declining])
    return replace(moved, weekly_rate=rate, mean_amount=amount, placed_in=placed)


def staged_orders(stage: Stage | None, orders: Orders) -> Orders:
    """``orders`` with the amounts raised from the day of the new price list."""
    if stage is None:
        return orders
    raised = np.where(orders.issued >= day_number(stage.price_from), stage.price_factor, 1.0)
    return replace(orders, amount_minor=np.round(orders.amount_minor * raised).astype(np.int64))


def staged_inboxes(
    world: Living, inboxes: Inboxes, point: Ints, customers: Customers, *, weeks: tuple[int, int], seed: int
) -> Inboxes:
    """``inboxes`` with the decline and the failure of the two customers of the stage, and none of the large ones.

    ``weeks``: the first week of the world and the first of its policies.
    """
    stage, (first_week, start_week) = world.stage, weeks
    if stage is None:
        return inboxes
    names = list(world.company.types)
    kind, drift = inboxes.kind.copy(), inboxes.drift.copy()
    fails, signs = inboxes.fails_week.copy(), inboxes.signs_week.copy()
    leading = point[_leading(stage, customers, seed)]
    fails[leading], signs[leading] = FAR, FAR
    bad = np.isin(kind[:, leading], [names.index("insolvent"), names.index("strategic")])
    kind[:, leading] = np.where(bad, names.index("occasional"), kind[:, leading])
    declining, failing = leading[stage.largest], leading[stage.largest + 1]
    since = np.arange(kind.shape[0]) + first_week - start_week
    kind[since < stage.declines_from, declining] = names.index("prompt")
    kind[since >= stage.declines_from, declining] = names.index("cash")
    drift[:, declining] += DECLINE * np.clip((since - stage.declines_from) / DECLINE_WEEKS, 0, 1)
    fails[failing] = start_week + stage.fails_in
    signs[failing] = fails[failing] - stage.signs_weeks
    return replace(inboxes, kind=kind, drift=drift, fails_week=fails, signs_week=signs)


def _free(customers: Customers, seed: int) -> list[int]:
    """Customers without a parent, in their order."""
    return [at for at, parent in enumerate(parents(customers, seed)) if parent is None]


def _leading(stage: Stage, customers: Customers, seed: int) -> Ints:
    """The large customers, the declining and the failing one: the first that no parent pays for."""
    return np.array(_free(customers, seed)[: stage.largest + 2], dtype=np.int64)


def _moved(stage: Stage, customers: Customers, seed: int) -> Ints:
    """The country of each customer after some have moved; whoever belongs to a group stays."""
    codes = [each.code for each in COUNTRIES]
    country = customers.country.copy()
    grouped = np.array([parent is not None for parent in parents(customers, seed)])
    luck = uniform(seed, "stage country", customers.codes)
    for home, shares in stage.moved.items():
        below = 0.0
        for abroad, share in shares.items():
            goes = (customers.country == codes.index(home)) & ~grouped & (luck >= below) & (luck < below + share)
            country[goes] = codes.index(abroad)
            below += share
    return country

"""Which group every open item and every past invoice belongs to, and what each group is expected to bring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from duecourse.science.forecast.groups import WEEK, GroupDraws, Keys, empty_groups
from duecourse.science.forecast.inflow import inflow_mean_by_group
from duecourse.science.forecast.inflow_draws import PastInvoices
from duecourse.science.forecast.open_book import OpenItems
from duecourse.science.forecast.shocks import Floats, Integers

DIMENSIONS = ("customer", "entity", "segment")


def group_keys(items: OpenItems, past: PastInvoices, segments: Mapping[str, str]) -> list[Keys]:
    """The keys of the three dimensions; ``segments`` gives each customer's behaviour segment ("" where it has none)."""
    of_items = list(items.customer_id or items.parent_id)
    of_past = (past.parent_id if past.customer_id is None else past.customer_id).tolist()
    entities = items.entity_id or [""] * len(items.invoice_id)
    past_entities = [""] * len(of_past) if past.entity_id is None else past.entity_id.tolist()
    by_segment = [[segments.get(customer, "") for customer in each] for each in (of_items, of_past)]
    pairs = ((of_items, of_past), (entities, past_entities), (by_segment[0], by_segment[1]))
    return [Keys(name, *pair) for name, pair in zip(DIMENSIONS, pairs, strict=True)]


def groups_to_fill(
    keys: Sequence[Keys], items: OpenItems, past: PastInvoices, *, days: int, draws: int
) -> list[GroupDraws]:
    """Empty groups of every dimension; the largest by what is open and by a week's share of what was issued."""
    history = past.history
    a_week = history.amount_minor / max(history.weeks, 1)
    weight = (items.amount_minor.astype(np.float64), a_week)
    return [empty_groups(each, weight, days=days, draws=draws) for each in keys]


def group_means(groups: GroupDraws, items: OpenItems, past: PastInvoices, days: int) -> tuple[Floats, Floats]:
    """Expected cash per group and week of what is issued and of what is not yet; both (groups, weeks)."""
    count, weeks = len(groups.keys), groups.weeks
    opened, later = np.zeros((count, weeks)), np.zeros((count, weeks))
    if items.invoice_id and weeks:
        reached = items.cdf[:, WEEK - 1 : weeks * WEEK : WEEK]
        by_week = np.diff(reached, axis=1, prepend=0.0) * items.amount_minor[:, None]
        issued = items.is_issued if items.is_issued is not None else np.ones(len(items.invoice_id), dtype=bool)
        for rows, total in ((issued, opened), (~issued, later)):
            np.add.at(total, groups.of_items[rows], by_week[rows])
    inflow = inflow_mean_by_group(past.history, days, groups.of_past, count)
    new = later + inflow[:, : weeks * WEEK].reshape(count, weeks, WEEK).sum(axis=2)
    return opened, new


def by_week(daily_minor: Integers) -> Integers:
    """Whole weeks of ``daily_minor`` (days,), shape (weeks,)."""
    weeks = len(daily_minor) // WEEK
    result: Integers = daily_minor[: weeks * WEEK].reshape(weeks, WEEK).sum(axis=1)
    return result

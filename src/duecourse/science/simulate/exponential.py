"""The closed-form world: ``F(j) = 1 - exp(-rate (j + 1))`` from the day after issue, whatever happened before."""

from __future__ import annotations

import numpy as np

from duecourse.science.simulate.company import Truth
from duecourse.science.simulate.pay_calendar import Floats, Ints


def exponential_cdf(truth: Truth, rows: Ints, looking: Ints, *, knows_payer: bool, horizon: int) -> Floats:
    """The curves of invoices of an ``exponential`` world; without the payers, mixed over types by their history."""
    rates = np.array([kind.rate_per_day for kind in truth.company.world.types.values()])
    orders = truth.company.orders
    # An invoice cannot be paid on its day of issue, so that day counts for nothing.
    exposed = np.arange(horizon)[None, :] + np.where(looking > orders.issued[rows], 1, 0)[:, None]
    if knows_payer:
        own = rates[truth.company.customers.kind[orders.customer[rows]]]
        return 1 - np.exp(-own[:, None] * exposed)
    belief = _type_belief(truth, rows, looking)
    curves: Floats = 1 - (belief[:, None, :] * np.exp(-rates[None, None, :] * exposed[:, :, None])).sum(axis=2)
    return curves


def _type_belief(truth: Truth, rows: Ints, looking: Ints) -> Floats:
    """P(type | payments and open days of the customer seen before the day of looking), shape (n, types)."""
    company = truth.company
    orders, cleared = company.orders, company.fates.cleared
    rates = np.array([kind.rate_per_day for kind in company.world.types.values()])
    prior = np.log([kind.mix for kind in company.world.types.values()])
    belief = np.empty((rows.size, rates.size))
    for day in np.unique(looking).tolist():
        paid = cleared < day
        # Whole days without payment: geometric with P(paid on a day) = 1 - exp(-rate).
        open_days = np.maximum(np.where(paid, cleared - orders.issued - 1, day - orders.issued - 1), 0)
        size = len(company.customers.ids)
        payments = np.bincount(orders.customer, weights=paid, minlength=size)
        exposure = np.bincount(orders.customer, weights=open_days, minlength=size)
        log_belief = prior + payments[:, None] * np.log(-np.expm1(-rates)) - exposure[:, None] * rates
        at = looking == day
        belief[at] = log_belief[orders.customer[rows[at]]]
    belief = np.exp(belief - belief.max(axis=1, keepdims=True))
    normed: Floats = belief / belief.sum(axis=1, keepdims=True)
    return normed

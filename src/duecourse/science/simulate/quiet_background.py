"""``quiet_background``: what the telling of a quiet company knows beside its ledger."""

from __future__ import annotations

import polars as pl

from duecourse.science.simulate.books import days, payment_items
from duecourse.science.simulate.company import Simulated
from duecourse.science.simulate.telling import Background, item_frame, no_events


def quiet_background(simulated: Simulated) -> Background:
    """The facts behind the texts of a company whose contacts change nothing."""
    company = simulated.truth.company
    names, claims = list(company.world.types), company.claims
    nothing = claims.short_minor * 0
    kinds = company.customers.kind.tolist()
    return Background(
        seed=company.seed,
        as_of=company.world.ends_on,
        sort_of={own: names[kind] for own, kind in zip(company.customers.ids, kinds, strict=True)},
        items=item_frame(payment_items(company), claims.short_minor, nothing),
        decided=pl.DataFrame(
            {"invoice_id": company.orders.ids, "decided_on": days(company.fates.decided)},
            schema_overrides={"invoice_id": pl.String},
        ),
        events=no_events(),
    )

"""``background_of``: what the telling of a living house knows beside its ledger."""

from __future__ import annotations

import numpy as np
import polars as pl

from duecourse.science.simulate.books import Company, days, payment_items
from duecourse.science.simulate.fates import NEVER
from duecourse.science.simulate.living.house import House
from duecourse.science.simulate.living.inboxes import Flags
from duecourse.science.simulate.living.ledger import company_of, heads, placed_rows
from duecourse.science.simulate.living.view import MAILS
from duecourse.science.simulate.pay_calendar import Floats, Ints, to_date
from duecourse.science.simulate.telling import Background, item_frame

OPT_OUT, COMPLAINT, WRONG_ANSWERED = 0, 1, 0.3


def background_of(house: House) -> Background:
    """The facts behind the texts, on the Monday of ``house``."""
    nature, state, company = house.nature, house.state, company_of(house)
    names = list(nature.world.company.types)
    kind = nature.inboxes.kind[house.week - nature.first_week][nature.point]
    rows = placed_rows(house)
    return Background(
        seed=nature.seed, as_of=to_date(house.week * 7 - 3),
        sort_of={own: names[at] for own, at in zip(nature.customers.ids, kind.tolist(), strict=True)},
        items=item_frame(payment_items(company), company.claims.short_minor, discount_minor(company)),
        decided=pl.DataFrame({"invoice_id": company.orders.ids, "decided_on": days(state.decided[rows])},
                             schema_overrides={"invoice_id": pl.String}),
        events=_events(house),
    )  # fmt: skip


def discount_minor(company: Company) -> Ints:
    """What the payers kept as discount, per invoice, minor units."""
    claims = company.claims
    taken: Ints = (
        company.orders.amount_minor - claims.dispute_credit_minor - claims.note_minor - claims.short_minor
        - claims.payable_minor
    )  # fmt: skip
    return taken


def _events(house: House) -> pl.DataFrame:
    """What happened besides: opt-outs, complaints, insolvencies, mails that bounced or met the wrong person."""
    state, names = house.state, np.array(heads(house))
    kind, point, day = (state.complaints.ints(name) for name in ("kind", "point", "day"))
    failed = np.flatnonzero((state.failed_known != NEVER) & (state.failed_known < house.week * 7 - 3))
    parts = [
        (point[kind == OPT_OUT], day[kind == OPT_OUT], "opt_out"),
        (point[kind == COMPLAINT], day[kind == COMPLAINT], "complaint"),
        (failed, state.failed_known[failed], "insolvent"),
    ]
    mailed = np.flatnonzero(np.isin(state.contacts.ints("arm"), MAILS))
    point, day = state.contacts.ints("point")[mailed], state.contacts.ints("day")[mailed]
    bounced = _luck(house, "reach", point, day) < house.nature.world.reach.bounce
    wrong = _still_wrong(house, point, day) & ~bounced & (_luck(house, "wrong told", point, day) < WRONG_ANSWERED)
    parts += [(point[bounced], day[bounced], "bounced"), (point[wrong], day[wrong], "wrong_person")]
    frames = [
        pl.DataFrame({"customer_id": names[who], "day": days(when), "what": [what] * who.size},
                     schema_overrides={"customer_id": pl.String, "what": pl.String})
        for who, when, what in parts
    ]  # fmt: skip
    return pl.concat(frames).sort("day", "customer_id", "what")


def _luck(house: House, stream: str, point: Ints, day: Ints) -> Floats:
    """The keyed numbers of these contact points in the weeks of these days."""
    codes, week = house.nature.inboxes.codes, (day + 3) // 7
    luck = np.zeros(point.size)
    for each in np.unique(week).tolist():
        luck[week == each] = house.draws.uniform(stream, codes[point[week == each]], each)
    return luck


def _still_wrong(house: House, point: Ints, day: Ints) -> Flags:
    """Whether the mail went to a wrong person: until somebody is spoken to."""
    log = house.state.contacts
    spoken = log.ints("reached") == 1
    first = np.full(house.nature.inboxes.count, np.iinfo(np.int64).max)
    np.minimum.at(first, log.ints("point")[spoken], log.ints("day")[spoken])
    wrong: Flags = house.nature.inboxes.wrong_person[point] & (day < first[point])
    return wrong

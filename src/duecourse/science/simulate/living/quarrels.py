"""Disputes: they open, stay silent or become known, and end only by the right act.

An open dispute multiplies the hazard of its invoice. A silent one is unknown to the books until a conversation tells
of it (which is good news, not harm). A known one is worked by the house's own desk; the right act makes it quicker:
documents for those that lack a document, routing to the desk for all others. A wrong act only annoys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from duecourse.science.simulate.fates import NEVER
from duecourse.science.simulate.hazards import Decidable, PayerParameters, dispute_chance
from duecourse.science.simulate.living.draws import Draws
from duecourse.science.simulate.living.inboxes import Flags
from duecourse.science.simulate.living.nature import Nature
from duecourse.science.simulate.living.spec import ARM
from duecourse.science.simulate.living.state import DISPUTED, NOT_DISPUTED, RESOLVED, State
from duecourse.science.simulate.pay_calendar import Floats, Ints

if TYPE_CHECKING:
    from duecourse.science.simulate.living.people import Acts


def has_silent(nature: Nature, state: State) -> Flags:
    """Contact points with a dispute that the books do not know of."""
    seen = state.active[state.placed[state.active]]
    rows = seen[(state.dispute[seen] == DISPUTED) & (state.dispute_known[seen] == NEVER)]
    silent = np.zeros(nature.inboxes.count, dtype=bool)
    silent[nature.invoice_point[rows]] = True
    return silent


def open_and_end(
    nature: Nature, state: State, draws: Draws, who: PayerParameters, these: Decidable, *, rows: Ints
) -> None:
    """New disputes of the undecided invoices ``rows`` on the Monday of the week, and the end of those due by Sunday."""
    monday = state.week * 7 - 3
    chance = dispute_chance(nature.world.company, who, these.first_week, state.week)
    luck = draws.uniform("dispute", nature.orders.codes[rows], state.week)
    opened = rows[(state.dispute[rows] == NOT_DISPUTED) & (luck < chance)]
    state.dispute[opened] = DISPUTED
    state.dispute_opened[opened] = monday
    become_known(nature, state, draws, opened[~nature.latent.silent[opened]], monday)
    open_ones = rows[state.dispute[rows] == DISPUTED]
    ended = open_ones[(state.dispute_ends[open_ones] != NEVER) & (state.dispute_ends[open_ones] < monday + 7)]
    state.dispute[ended] = RESOLVED


def become_known(nature: Nature, state: State, draws: Draws, rows: Ints, day: int) -> None:
    """The books learn of these disputes; from now on the desk works on them."""
    state.dispute_known[rows] = day
    state.dispute_ends[rows] = day + _days(nature, draws, rows, nature.world.quarrels.desk_days, week=state.week)


def tell(nature: Nature, state: State, draws: Draws, talked: Ints, day: int) -> Flags:
    """Silent disputes that come out in conversations; True per contact point that told of one."""
    told = np.zeros(nature.inboxes.count, dtype=bool)
    told[talked] = draws.uniform("told", nature.inboxes.codes[talked], state.week) < nature.world.quarrels.told
    active = state.active[state.placed[state.active]]
    silent = (state.dispute[active] == DISPUTED) & (state.dispute_known[active] == NEVER)
    rows = active[silent & told[nature.invoice_point[active]]]
    become_known(nature, state, draws, rows, day)
    out = np.zeros(nature.inboxes.count, dtype=bool)
    out[nature.invoice_point[rows]] = True
    return out


def handle(nature: Nature, state: State, draws: Draws, acts: Acts, day: int) -> None:
    """Documents sent and disputes routed: the right act brings the end nearer, a wrong one adds to the fatigue."""
    active = state.active[state.placed[state.active]]
    open_rows = active[state.dispute[active] == DISPUTED]
    owner = nature.invoice_point[open_rows]
    for arm, for_documents in ((ARM["send_documents"], True), (ARM["route_dispute"], False)):
        points = acts.point[acts.arm == arm]
        acted = np.zeros(nature.inboxes.count, dtype=bool)
        acted[points] = True
        about = acted[owner]
        right = about & (nature.latent.documents[open_rows] == for_documents)
        if not for_documents:
            right &= state.dispute_known[open_rows] != NEVER
        rows = open_rows[right]
        quick = day + _days(nature, draws, rows, nature.world.quarrels.act_days, week=state.week)
        ends = state.dispute_ends[rows]
        state.dispute_ends[rows] = np.where(ends == NEVER, quick, np.minimum(ends, quick))
        right_point = np.zeros(nature.inboxes.count, dtype=bool)
        right_point[owner[right]] = True
        state.fatigue[points[~right_point[points]]] += nature.world.quarrels.wrong_act


def _days(nature: Nature, draws: Draws, rows: Ints, median: float, *, week: int) -> Ints:
    """Log-normal days to the end of a dispute; the same luck whatever the act, so that a better act is never later."""
    luck: Floats = draws.normal("dispute days", nature.orders.codes[rows], week)
    days: Ints = np.ceil(median * np.exp(nature.world.quarrels.days_sd * luck)).astype(np.int64)
    return days

"""Promises: what a payer says in a conversation about what it has decided, or has not.

The effect of a contact is in the table of effects; a promise adds no force of its own. It tells: of those who talk, at
most the world's share promises, and hollow promises are so rare or frequent that the promises of each type are kept as
often as the world says. Who has just decided names the day of its pay-run; who has not names some day.
"""

from __future__ import annotations

import numpy as np

from duecourse.science.simulate.fates import NEVER
from duecourse.science.simulate.living.draws import Draws
from duecourse.science.simulate.living.inboxes import FAR, Flags
from duecourse.science.simulate.living.nature import Nature
from duecourse.science.simulate.living.state import DISPUTED, State
from duecourse.science.simulate.pay_calendar import Floats, Ints

LONGEST_DAYS = 21  # of a day that is only named
LONGEST_RUN_DAYS = 42  # of a pay-run that is told


def promise(
    nature: Nature, state: State, draws: Draws, rows: Ints, *, decides: Flags, hazard: Floats, kept: Floats
) -> None:
    """Promises of this week about the invoices ``rows`` that were undecided at its beginning.

    ``hazard`` is the chance with which they decided, ``kept`` the share of promises that their payer keeps.
    """
    talk, monday = nature.world.talk, state.week * 7 - 3
    owner = nature.invoice_point[rows]
    asked = np.zeros(nature.invoices, dtype=bool)
    asked[state.asked] = True
    about = asked[rows] & state.talked[owner] & (state.dispute[rows] != DISPUTED) & (state.written_off[rows] == NEVER)
    bad_signs = (nature.inboxes.signs_week[owner] <= state.week) & (nature.inboxes.signs_week[owner] < FAR)
    kept = np.where(bad_signs, kept / 2, kept)
    sincere = np.minimum(talk.promise * kept / np.maximum(hazard, 1e-9), 1.0)
    hollow = np.minimum(talk.hollow * sincere * hazard * (1 - kept) / np.maximum(kept * (1 - hazard), 1e-9), 1.0)
    luck = draws.uniform("promise", nature.inboxes.codes[owner], state.week)
    promised = about & (luck < np.where(decides, sincere, hollow))
    given = rows[promised]
    ahead = talk.days + talk.days_sd * draws.normal("promised day", nature.inboxes.codes[owner[promised]], state.week)
    named = monday + np.clip(np.round(ahead), 1, LONGEST_DAYS).astype(np.int64)
    day = np.where(decides[promised], np.minimum(state.received[given], monday + LONGEST_RUN_DAYS), named)
    due = nature.calendar.next_business[day - nature.calendar.first_day]
    state.promises.append(invoice=given, made=monday, due=due)
    state.hold_until[given] = due + talk.hold_days

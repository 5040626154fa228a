"""Exact weekly masses of one invoice given what was seen of it: still undecided, decided in week w, promised.

A forward pass over weeks, for many invoices and candidate payers at once. Up to the day of looking the seen path
(disputes, promises, or their absence) is conditioned on; afterwards disputes and promises are averaged over. Nothing
is sampled.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from duecourse.science.simulate.fates import NEVER, Fates
from duecourse.science.simulate.hazards import (
    Decidable,
    PayerParameters,
    decide_hazard,
    dispute_chance,
    is_called,
    write_off_chance,
)
from duecourse.science.simulate.pay_calendar import Floats, Ints, PayCalendar, week_of
from duecourse.science.simulate.world import World

MOST_PROMISES = 4


@dataclass(frozen=True)
class Seen:
    """What was seen of n invoices before the day ``looking`` (n,); weeks and days are NEVER where nothing was seen.

    ``promise_week`` and ``promise_due`` have shape (n, MOST_PROMISES), in order of time.
    """

    looking: Ints
    invoices: Decidable
    call_weekday: Ints
    opened_week: Ints
    resolved_week: Ints
    promise_week: Ints
    promise_due: Ints


def seen_before(fates: Fates, invoices: Decidable, *, rows: Ints, looking: Ints, call_weekday: Ints) -> Seen:
    """What was seen of the invoices ``rows`` before the days ``looking``."""
    opened = np.where(fates.dispute_opened[rows] < looking, fates.dispute_opened[rows], NEVER)
    resolved = np.where(fates.dispute_resolved[rows] < looking, fates.dispute_resolved[rows], NEVER)
    weeks = np.full((rows.size, MOST_PROMISES), NEVER, dtype=np.int64)
    dues = weeks.copy()
    promised = fates.promised
    place = np.full(fates.decided.size, NEVER, dtype=np.int64)
    place[rows] = np.arange(rows.size)
    at = place[promised.invoice]
    known = (at != NEVER) & (promised.called_on < looking[at])
    at, called, due = at[known], promised.called_on[known], promised.due_on[known]
    order = np.argsort(at, kind="stable")  # promises are in order of time; stable keeps it inside each invoice
    at, called, due = at[order], called[order], due[order]
    ordinal = np.arange(at.size) - np.searchsorted(at, at, side="left")
    weeks[at, ordinal], dues[at, ordinal] = week_of(called), due
    these = Decidable(invoices.due[rows], invoices.first_week[rows], invoices.early_weeks[rows])
    return Seen(
        looking=looking,
        invoices=these,
        call_weekday=call_weekday,
        opened_week=np.where(opened == NEVER, NEVER, week_of(opened)),
        resolved_week=np.where(resolved == NEVER, NEVER, week_of(resolved)),
        promise_week=weeks,
        promise_due=dues,
    )


@dataclass(frozen=True)
class Week:
    """Masses of one week, shape (n, candidates): decided for a pay-run, and (future weeks) promised and kept.

    ``impossible`` (n,): what was seen in this week shows that the invoice was undecided, so all masses decided in
    earlier weeks (this one included, if after the decision) are to be set to 0.
    """

    decided: Floats
    promised: Floats
    impossible: npt.NDArray[np.bool_]
    impossible_now: npt.NDArray[np.bool_]


class Chain:
    """The forward pass; call ``step`` for each week in order, from the first week of the earliest invoice on.

    After the last step ``left`` (n, candidates) is the mass that is never decided (undecided at the end, or written
    off after the day of looking) and ``dated`` (n, MOST_PROMISES, candidates) the mass paid as a seen promise says.
    """

    def __init__(self, world: World, calendar: PayCalendar, who: PayerParameters, seen: Seen) -> None:
        self._world, self._calendar, self._who, self._seen = world, calendar, who, seen
        shape = (seen.looking.size, who.intercept.shape[-1])
        self._free, self._disputed, self._resolved = np.ones(shape), np.zeros(shape), np.zeros(shape)
        self._lost = np.zeros(shape)
        self.dated = np.zeros((shape[0], MOST_PROMISES, shape[1]))
        see = seen.invoices
        self._columns = Decidable(see.due[:, None], see.first_week[:, None], see.early_weeks[:, None])

    @property
    def left(self) -> Floats:
        """Mass that is never decided."""
        left: Floats = self._free + self._disputed + self._resolved + self._lost
        return left

    @property
    def lost(self) -> Floats:
        """Mass written off on or after the day of looking, up to the last step."""
        return self._lost

    def step(self, week: int) -> Week:
        """The masses of ``week``."""
        past = week * 7 - 3 < self._seen.looking
        impossible = self._disputes(week, past)
        self.dated = self.dated * ~impossible[:, None, None]  # a payer who disputes now had not paid as promised
        self._write_off(week, week * 7 - 3 + 4 < self._seen.looking)
        decided = self._decide(week)
        promised, shown = self._promise(week)
        return Week(decided, promised, impossible | shown, shown)

    def _disputes(self, week: int, past: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        seen, world = self._seen, self._world
        opens = dispute_chance(world, self._who, self._columns.first_week, week)
        ends = world.disputing.resolved_per_week
        opened, resolved = self._free * opens, self._disputed * ends
        self._free, self._disputed = self._free - opened, self._disputed - resolved + opened
        self._resolved = self._resolved + resolved
        saw_opening, saw_end = seen.opened_week == week, seen.resolved_week == week
        nothing = past & ~saw_opening & ~saw_end
        keep_free = ~(saw_opening | saw_end)[:, None]
        self._free = self._free * keep_free
        self._disputed = np.where(saw_opening[:, None], opened, self._disputed * ~saw_end[:, None])
        self._resolved = np.where(saw_end[:, None], resolved, self._resolved * ~saw_opening[:, None])
        # Not seeing an opening (an end) rules out the mass that would just have opened (ended).
        self._disputed = np.where(nothing[:, None], self._disputed - opened, self._disputed)
        self._resolved = np.where(nothing[:, None], self._resolved - resolved, self._resolved)
        informative: npt.NDArray[np.bool_] = saw_opening | saw_end
        return informative

    def _write_off(self, week: int, past: npt.NDArray[np.bool_]) -> None:
        chance = write_off_chance(self._world, self._who, self._columns.due, week)
        old = week - self._columns.first_week >= self._world.payer.max_weeks
        chance = np.where(old, 1.0, chance)
        undecided = self._free + self._disputed + self._resolved
        self._lost = self._lost + np.where(past[:, None], 0.0, undecided * chance)
        self._free, self._disputed = self._free * (1 - chance), self._disputed * (1 - chance)
        self._resolved = self._resolved * (1 - chance)

    def _decide(self, week: int) -> Floats:
        hazard = decide_hazard(self._world, self._calendar, self._who, self._columns, week)
        slow = hazard * self._world.disputing.hazard
        decided: Floats = (self._free + self._resolved) * hazard + self._disputed * slow
        self._free, self._resolved = self._free * (1 - hazard), self._resolved * (1 - hazard)
        self._disputed = self._disputed * (1 - slow)
        return decided

    def _promise(self, week: int) -> tuple[Floats, npt.NDArray[np.bool_]]:
        seen, contacting = self._seen, self._world.contacting
        called = is_called(self._world, self._columns.due, week) & (week >= self._columns.first_week)
        chance = np.where(called, contacting.reached * contacting.promise, 0.0)
        kept = self._who.promise_kept
        past = (week * 7 - 3 + seen.call_weekday < seen.looking)[:, None]
        which = seen.promise_week == week
        shown = which.any(axis=1)
        open_mass = self._free + self._resolved
        agreed = open_mass * chance
        new = which[:, :, None] * (agreed * kept)[:, None, :]
        self.dated = np.where(shown[:, None, None], new, self.dated)
        stay = np.where(shown[:, None], chance * (1 - kept), np.where(past, 1 - chance, 1 - chance * kept))
        self._free, self._resolved = self._free * stay, self._resolved * stay
        self._disputed = self._disputed * ~shown[:, None]
        promised: Floats = np.where(past, 0.0, agreed * kept)
        return promised, shown

"""``Beliefs``: P(type) of every contact point, by Bayes' rule from what the books show, week after week.

Evidence: whether invoices became overdue, whether overdue ones were paid in each week under the exposures they had,
write-offs, disputes, and promises kept or broken. Evidence of one inbox in one week is not independent (one pay-run,
one person), so several invoices of an inbox count as ``n ** together`` of them. Types may switch.
"""

from __future__ import annotations

import numpy as np

from duecourse.science.simulate.fates import NEVER
from duecourse.science.simulate.living.book import BROKEN, KEPT, OPEN, Book
from duecourse.science.simulate.living.oracles.paying import Paying, Row, exposure
from duecourse.science.simulate.living.oracles.watching import Watch
from duecourse.science.simulate.living.spec import Living
from duecourse.science.simulate.pay_calendar import Floats, Ints

TOGETHER = 0.5  # [A]


class Beliefs:
    """Feed it books in the order of time; ``types`` (P, types) is what is believed at the last one."""

    def __init__(self, world: Living, paying: Paying, points: int) -> None:
        self._world, self._paying = world, paying
        kinds = tuple(world.company.types.values())
        self._kept = np.array([each.promise_kept for each in kinds])
        self._disputes = np.array([each.disputes for each in kinds]) * (1 - world.quarrels.silent)
        self._lost = np.array([each.write_off for each in kinds])
        self.watch = Watch(world, points)
        self._log = np.log(np.repeat(paying.mix[None], points, axis=0) + 1e-12)

    @property
    def types(self) -> Floats:
        """P(type) of each contact point."""
        shifted = np.exp(self._log - self._log.max(axis=1, keepdims=True))
        chance: Floats = shifted / shifted.sum(axis=1, keepdims=True)
        return chance

    def see(self, book: Book) -> None:
        """Take in everything that became known before the Monday of ``book``."""
        for week in self.watch.weeks_to_see(book):
            row = overdue_on(book, week * 7 - 3, self._world.talk.hold_days)
            before = exposure(self.watch, row, self._world.rules.listed_before_days)
            self.watch.live(book, week)
            self._switch()
            self._paid_or_not(book, row, before, week)
            self._arrivals(book, week)
            self._promises(book, week)

    def _switch(self) -> None:
        rate = self._world.drifting.switch_per_week
        self._log = np.log((1 - rate) * self.types + rate * self._paying.mix + 1e-12)

    def _add(self, point: Ints, evidence: Floats) -> None:
        """Add log-likelihoods (n, types) of facts about these contact points."""
        count = np.maximum(np.bincount(point, minlength=self._log.shape[0]), 1)
        total = np.stack([np.bincount(point, column, minlength=self._log.shape[0]) for column in evidence.T], axis=1)
        self._log = self._log + total * (count ** (TOGETHER - 1))[:, None]

    def _paid_or_not(self, book: Book, row: Row, before: Floats, week: int) -> None:
        if not row.invoice.size:
            return
        seen = before + self.watch.kernel[0] * self.watch.past[0][row.point]
        chance = 1 / (1 + np.exp(-(self._paying.logit(row.weeks, week) + seen @ self._paying.effect.T)))
        paid = (book.paid_day[row.invoice] != NEVER) & (book.paid_day[row.invoice] < week * 7 + 4)
        lost = (book.written_off_day[row.invoice] != NEVER) & (book.written_off_day[row.invoice] < week * 7 + 4)
        loss = self._lost * (1 + np.maximum(row.weeks, 0)[:, None] * self._world.company.write_off.slope)
        evidence = np.where(paid[:, None], np.log(chance), np.log1p(-chance))
        self._add(row.point, np.where(lost[:, None], np.log(np.minimum(loss, 0.99)), evidence))

    def _arrivals(self, book: Book, week: int) -> None:
        """Invoices that came due in the week: late or not, disputed or not."""
        new = np.flatnonzero((book.due >= week * 7 - 3) & (book.due < week * 7 + 4))
        if not new.size:
            return
        late = (book.paid_day[new] == NEVER) | (book.paid_day[new] > book.due[new])
        evidence = np.where(late[:, None], np.log(self._paying.late), np.log1p(-self._paying.late))
        disputed = np.isin(new, book.dispute_invoice[book.dispute_opened < week * 7 + 4])
        evidence = evidence + np.where(disputed[:, None], np.log(self._disputes), np.log1p(-self._disputes))
        self._add(book.point[new], evidence)

    def _promises(self, book: Book, week: int) -> None:
        """Promises whose outcome became known in the week."""
        last = book.promise_due + self._world.talk.grace_days
        known = np.where(book.promise_outcome == KEPT, book.paid_day[book.promise_invoice], last + 1)
        new = (book.promise_outcome != OPEN) & (known >= week * 7 - 3) & (known < week * 7 + 4)
        broken = book.promise_outcome[new] == BROKEN
        evidence = np.where(broken[:, None], np.log1p(-self._kept), np.log(self._kept))
        self._add(book.point[book.promise_invoice[new]], evidence)


def overdue_on(book: Book, monday: int, hold_days: int) -> Row:
    """The invoices that were overdue and could be asked for at the start of an earlier Monday."""
    open_then = (book.due < monday) & ((book.paid_day == NEVER) | (book.paid_day >= monday))
    for day in (book.written_off_day, book.closed_day):
        open_then &= (day == NEVER) | (day >= monday)
    ended = (book.dispute_resolved != NEVER) & (book.dispute_resolved < monday)
    quarrel = (book.dispute_opened < monday) & ~ended & book.dispute_whole
    open_then[book.dispute_invoice[quarrel]] = False
    held = (book.promise_made < monday) & (book.promise_due + hold_days >= monday)
    open_then[book.promise_invoice[held]] = False
    at = np.flatnonzero(open_then)
    return Row(at, book.point[at], monday - book.due[at])

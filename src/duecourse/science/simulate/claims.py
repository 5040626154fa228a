"""Credits, disputes and short payments of the simulated invoices: amounts, reasons and days."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from duecourse.core.ids import uniform
from duecourse.science.simulate.fates import NEVER, Fates
from duecourse.science.simulate.orders import Orders
from duecourse.science.simulate.pay_calendar import Floats, Ints, PayCalendar
from duecourse.science.simulate.world import World

NO_OUTCOME, VALID, PARTLY_VALID, INVALID, WITHDRAWN = -1, 0, 1, 2, 3
OUTCOMES = ("valid", "partly_valid", "invalid", "withdrawn")
REASONS = ("pricing", "shortage", "not_received", "damage", "quality", "missing_document", "freight", "duplicate")


@dataclass(frozen=True)
class Claims:
    """One entry per invoice, minor units and day numbers, NEVER (-1) where there is none.

    ``note_*``: a credit note soon after issue. ``disputed_minor``, ``dispute_*``: the dispute before payment, with its
    outcome (index into OUTCOMES) and the credit that follows. ``short_minor``: what was held back from the payment,
    disputed from that day on and credited on ``short_credited``. ``payable_minor``: what is left to pay.
    """

    note_on: Ints
    note_minor: Ints
    disputed_minor: Ints
    dispute_closed: Ints
    dispute_outcome: Ints
    dispute_credit_minor: Ints
    short_minor: Ints
    short_credited: Ints
    payable_minor: Ints


def make_claims(world: World, orders: Orders, fates: Fates, calendar: PayCalendar, *, seed: int) -> Claims:
    """The claims that go with these fates; none of them moves a payment day."""
    amount = orders.amount_minor

    def draw(stream: str) -> Floats:
        return uniform(seed, stream, orders.codes)

    planned_on = calendar.next_business[orders.issued + 7 + (18 * draw("note day")).astype(int) - calendar.first_day]
    ends = np.where(fates.decided != NEVER, fates.decided, fates.written_off)
    disputed = fates.dispute_opened != NEVER
    has_note = (draw("credit note") < world.cash.credit_note) & (planned_on < ends) & ~disputed
    note_minor = _share(amount, 0.02 + 0.18 * draw("note share"), has_note)
    outcome, disputed_minor, credit_minor = _dispute_amounts(world, amount, fates, draw)
    resolved = fates.dispute_resolved != NEVER
    gone = np.where(fates.cleared != NEVER, fates.cleared, fates.written_off)
    payable = amount - note_minor - credit_minor
    # Never together with a note: the books must see at least 95 % of the amount arrive on the true day.
    single = (fates.cleared != NEVER) & (fates.part == 1) & ~disputed & ~has_note
    short = _share(payable, 0.01 + 0.03 * draw("short share"), single & (draw("short") < world.cash.short))
    short_on = calendar.next_business[
        np.where(short > 0, fates.cleared + 10 + (30 * draw("short day")).astype(int), calendar.first_day)
        - calendar.first_day
    ]
    return Claims(
        note_on=np.where(has_note, planned_on, NEVER),
        note_minor=note_minor,
        disputed_minor=disputed_minor,
        dispute_closed=np.where(disputed, np.where(resolved, fates.dispute_resolved, gone), NEVER),
        dispute_outcome=np.where(disputed & ~resolved, WITHDRAWN, outcome),
        dispute_credit_minor=credit_minor,
        short_minor=short,
        short_credited=np.where((short > 0) & (draw("short agreed") < 0.7), short_on, NEVER),
        payable_minor=payable - short,
    )


def _share(amount: Ints, share: Floats, where: npt.NDArray[np.bool_]) -> Ints:
    minor: Ints = np.where(where, np.maximum(np.round(amount * share), 1), 0).astype(np.int64)
    return minor


def _dispute_amounts(
    world: World, amount: Ints, fates: Fates, draw: Callable[[str], Floats]
) -> tuple[Ints, Ints, Ints]:
    disputed = fates.dispute_opened != NEVER
    resolved = disputed & (fates.dispute_resolved != NEVER)
    whole = draw("dispute whole") < world.disputing.whole
    minor = np.where(whole & disputed, amount, _share(amount, 0.1 + 0.3 * draw("dispute share"), disputed & ~whole))
    verdict = draw("dispute verdict")
    of_whole = np.select([verdict < 0.4, verdict < 0.8], [INVALID, PARTLY_VALID], WITHDRAWN)
    of_part = np.select([verdict < 0.5, verdict < 0.7], [VALID, PARTLY_VALID], INVALID)
    outcome = np.where(resolved, np.where(whole, of_whole, of_part), NO_OUTCOME)
    granted = np.where(outcome == VALID, 1.0, np.where(outcome == PARTLY_VALID, 0.1 + 0.4 * draw("dispute grant"), 0.0))
    return outcome, minor, np.round(minor * granted).astype(np.int64)

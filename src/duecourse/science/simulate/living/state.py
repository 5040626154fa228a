"""``State``: what has happened so far in one run of a living world, and the logs of it; copies share nothing.

Invoices and contact points are rows of ``Nature``. Days are day numbers, NEVER (-1) where a thing has not happened.
Days in the future are possible (a payment on its way): ``view`` shows policies only what lies before their Monday.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from duecourse.ledger.schema import ARMS
from duecourse.science.simulate.fates import NEVER
from duecourse.science.simulate.living.inboxes import FAR, Flags
from duecourse.science.simulate.living.nature import Nature
from duecourse.science.simulate.pay_calendar import Floats, Ints

NOT_DISPUTED, DISPUTED, RESOLVED = 0, 1, 2


class Log:
    """A growing table of equally long columns, read as arrays; copies are cheap and independent."""

    def __init__(self, **kinds: npt.DTypeLike) -> None:
        self._kinds = kinds
        self._columns = {
            name: np.zeros((64, *np.dtype(kind).shape), np.dtype(kind).base) for name, kind in kinds.items()
        }
        self._rows = 0

    def __len__(self) -> int:
        return self._rows

    def __getitem__(self, name: str) -> npt.NDArray[np.generic]:
        return self._columns[name][: self._rows]

    def ints(self, name: str) -> Ints:
        """A column of whole numbers."""
        return self._columns[name][: self._rows].astype(np.int64, copy=False)

    def append(self, **rows: npt.ArrayLike) -> None:
        """Add rows; every column must be given, single values are repeated. Raises KeyError for a missing column."""
        size = max(np.atleast_1d(np.asarray(value)).shape[0] for value in rows.values())
        if any(np.asarray(value).shape[:1] == (0,) for value in rows.values()):
            return
        end = self._rows + size
        for name, column in self._columns.items():
            if end > column.shape[0]:
                grown = np.zeros((max(end, 2 * column.shape[0]), *column.shape[1:]), column.dtype)
                grown[: self._rows] = column[: self._rows]
                self._columns[name] = grown
            self._columns[name][self._rows : end] = rows[name]
        self._rows = end

    def copied(self) -> Log:
        """An independent copy."""
        other = copy(self)
        other._columns = {name: column[: max(self._rows, 1)].copy() for name, column in self._columns.items()}
        return other


@dataclass
class State:
    """See the module. ``hold_until``: last day on which a promise forbids asking. ``exposure`` is (lag, P, ARMS).

    ``asked`` are the overdue invoices that this week's contacts ask for, ``talked`` the points that had a conversation.
    """

    week: int
    active: Ints
    arrived: int
    placed: Flags
    churned: Flags
    decided: Ints
    received: Ints
    posted: Ints
    rest_received: Ints
    rest_posted: Ints
    paid: Ints
    written_off: Ints
    recovered: Flags
    handed_over: Ints
    discount_until: Ints
    discounted: Flags
    dispute: Ints
    dispute_opened: Ints
    dispute_known: Ints
    dispute_ends: Ints
    hold_until: Ints
    cost: Floats
    annoyance: Floats
    mails: Floats
    calls: Floats
    minutes: Floats
    fatigue: Floats
    exposure: Floats
    asked: Ints
    talked: Flags
    opted_out: Flags
    wrong_person: Flags
    unanswered: Ints
    complained_until: Ints
    waiting_until: Ints
    last_offer: Ints
    purse: Floats
    failed_known: Ints
    contacts: Log
    decisions: Log
    promises: Log
    replies: Log
    complaints: Log

    def copied(self) -> State:
        """An independent copy."""
        other = copy(self)
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                setattr(other, field.name, value.copy())
            elif isinstance(value, Log):
                setattr(other, field.name, value.copied())
        return other


def fresh_state(nature: Nature) -> State:
    """The state before the first week: nothing issued, nobody contacted."""
    n, p = nature.invoices, nature.inboxes.count

    def never(size: int) -> Ints:
        return np.full(size, NEVER, dtype=np.int64)

    def zeros(*shape: int) -> Floats:
        return np.zeros(shape)

    def no(size: int) -> Flags:
        return np.zeros(size, dtype=bool)

    lags = len(nature.world.effects.carry)
    return State(
        week=nature.first_week, active=never(0), arrived=0, placed=no(n), churned=no(n),
        decided=never(n), received=never(n), posted=never(n), rest_received=never(n), rest_posted=never(n),
        paid=never(n), written_off=never(n), recovered=no(n), handed_over=never(n),
        discount_until=never(n), discounted=no(n), dispute=np.zeros(n, dtype=np.int64),
        dispute_opened=never(n), dispute_known=never(n), dispute_ends=never(n), hold_until=never(n),
        cost=zeros(n), annoyance=zeros(n), mails=zeros(n), calls=zeros(n), minutes=zeros(n),
        fatigue=zeros(p), exposure=zeros(lags, p, len(ARMS)), asked=never(0), talked=no(p), opted_out=no(p),
        wrong_person=nature.inboxes.wrong_person.copy(), unanswered=np.zeros(p, dtype=np.int64),
        complained_until=never(p), waiting_until=never(p), last_offer=np.full(p, -FAR, dtype=np.int64),
        purse=nature.world.purse.income * nature.inboxes.weekly_bills * 2, failed_known=never(p),
        contacts=Log(point=np.int64, day=np.int64, arm=np.int64, human=bool, reached=np.int64),
        decisions=Log(point=np.int64, day=np.int64, arm=np.int64, executed=np.int64, propensities=(float, len(ARMS)),
                      allowed=(bool, len(ARMS))),
        promises=Log(invoice=np.int64, made=np.int64, due=np.int64),
        replies=Log(point=np.int64, day=np.int64),
        complaints=Log(point=np.int64, day=np.int64, kind=np.int64),
    )  # fmt: skip

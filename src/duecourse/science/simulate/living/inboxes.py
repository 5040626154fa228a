"""``Inboxes``: the contact points of a living world - who pays for whom, of which kind, week by week."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from duecourse.science.simulate.customers import Codes
from duecourse.science.simulate.pay_calendar import Floats, Ints

Flags = npt.NDArray[np.bool_]
FAR = 1 << 40  # a day or week that never comes


@dataclass(frozen=True)
class Inboxes:
    """One entry per contact point: the payables inbox of a parent, or of a customer without one.

    ``kind``, ``drift`` and ``schedule`` have a row per week of ``Nature.first_week ..``; ``personal`` is (P, ARMS).
    ``fails_week`` is the week of insolvency (FAR: never), ``signs_week`` the first one with signs of it.
    ``band`` multiplies the price of annoyance.
    """

    codes: Codes
    kind: Ints
    drift: Floats
    schedule: Ints
    personal: Floats
    fails_week: Ints
    signs_week: Ints
    answers: Floats
    wrong_person: Flags
    sms_consent: Flags
    waits: Flags
    collector: Ints
    weekly_bills: Floats
    band: Floats

    @property
    def count(self) -> int:
        """Number of contact points."""
        return int(self.codes.size)

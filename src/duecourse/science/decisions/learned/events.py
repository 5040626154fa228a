"""What a contact costs by driving a customer away: P(opt-out) and P(complaint) after it, learnt, times their price.

Beta-Bernoulli per tone and number of contacts in the 30 days before: a cell is drawn to its tone with the weight of 200
contacts, a tone to the tenant with 500, the tenant to what we assume with 1,000. One event counts to the last contact
within 30 days before it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from duecourse.ledger.as_of import View
from duecourse.ledger.objections import are_complaints_kept, are_opt_outs_kept, complaints, opt_outs
from duecourse.ledger.schema import ARMS
from duecourse.science.decisions.learned.book import Book, Bools, Floats, Ints
from duecourse.science.decisions.learned.value import TONE_PRICE, price_unit, value_bands
from duecourse.science.decisions.mask import TONE_OF

TONES = ("soft", "neutral", "firm")
EVENTS = ("opt_out", "complaint")
TYPICAL = {"opt_out": 0.001, "complaint": 0.0015}  # [A] per contact, until the tenant's own say otherwise
PRICE_MAJOR = {"opt_out": 20.0, "complaint": 100.0}  # [A] at a median overdue invoice of 2,500, middling customer
CELL_WEIGHT, TONE_WEIGHT, TENANT_WEIGHT = 200.0, 500.0, 1000.0
WINDOW_DAYS = 30
MOST_BEFORE = 3  # three and more contacts in the 30 days before count alike


@dataclass(frozen=True)
class PastContacts:
    """n contacts: tone (index in ``TONES``), contacts in the 30 days before (0..3), which events followed (2, n).

    ``kept`` (2,): whether the books keep such events at all; of one that they do not keep nothing is learnt.
    """

    tone: Ints
    before: Ints
    followed: Bools
    kept: tuple[bool, bool] = (True, True)


@dataclass(frozen=True)
class EventPrices:
    """``chance`` (2, P, A) of each event after a contact by each arm, ``minor`` (P, A) what that costs on average."""

    chance: Floats
    minor: Floats

    def words(self, point: int, arm: int) -> str:
        """The chances in words; empty for an act that annoys nobody."""
        if not self.minor[point, arm] > 0:
            return ""
        opt_out, complaint = self.chance[:, point, arm]
        return f"{opt_out:.2%} opt out and {complaint:.2%} complain after such a contact"


def chances(past: PastContacts) -> Floats:
    """(2, tones, 4) posterior mean chance of each event by tone and contacts in the 30 days before."""
    cells = len(TONES) * (MOST_BEFORE + 1)
    cell = past.tone * (MOST_BEFORE + 1) + past.before
    number = np.bincount(cell, minlength=cells).reshape(len(TONES), -1).astype(np.float64)
    result = np.empty((len(EVENTS), *number.shape))
    for code, event in enumerate(EVENTS):
        if not past.kept[code]:
            result[code] = TYPICAL[event]
            continue
        happened = np.bincount(cell, weights=past.followed[code].astype(np.float64), minlength=cells)
        happened = happened.reshape(number.shape)
        tenant = (happened.sum() + TENANT_WEIGHT * TYPICAL[event]) / (number.sum() + TENANT_WEIGHT)
        tone = (happened.sum(axis=1) + TONE_WEIGHT * tenant) / (number.sum(axis=1) + TONE_WEIGHT)
        result[code] = (happened + CELL_WEIGHT * tone[:, None]) / (number + CELL_WEIGHT)
    return result


def event_prices(book: Book, past: PastContacts, recent: Ints) -> EventPrices:
    """The prices for every contact point; ``recent`` (P,): contacts in the last 30 days."""
    table = chances(past)
    before = np.minimum(recent, MOST_BEFORE)
    chance = np.zeros((len(EVENTS), book.points, len(ARMS)))
    for arm, name in enumerate(ARMS):
        if name in TONE_PRICE:
            chance[:, :, arm] = table[:, TONES.index(TONE_OF.get(name, "soft")), before]
    price = np.array([PRICE_MAJOR[event] for event in EVENTS]) * price_unit(book)
    minor = np.tensordot(price, chance, axes=1) * value_bands(book)[:, None]
    return EventPrices(chance, minor)


def past_contacts(view: View, point_of: Mapping[str, int], outgoing: Sequence[Mapping[str, object]]) -> PastContacts:
    """The contacts in ``outgoing`` (rows of activities in the order of time) and what followed them in ``view``."""
    point = np.array([point_of[str(row["customer_id"])] for row in outgoing], dtype=np.int64)
    day = np.array([_day(row["occurred_at"]) for row in outgoing], dtype=np.int64)
    tone = np.array([_tone(row) for row in outgoing], dtype=np.int64)
    order = np.lexsort((day, point))
    point, day, tone = point[order], day[order], tone[order]
    span = 10_000_000
    key = point * span + day
    before = np.arange(key.size) - np.searchsorted(key, key - WINDOW_DAYS, side="left")
    followed = np.zeros((len(EVENTS), key.size), dtype=np.bool_)
    for code, facts in enumerate((opt_outs(view), complaints(view))):
        for customer, on in facts.filter(pl.col("customer_id").is_in(list(point_of))).iter_rows():
            wanted = point_of[customer] * span + _day(on)
            last = int(np.searchsorted(key, wanted, side="right")) - 1
            if last >= 0 and wanted - key[last] <= WINDOW_DAYS:
                followed[code, last] = True
    kept = (are_opt_outs_kept(view), are_complaints_kept(view))
    return PastContacts(tone, np.minimum(before, MOST_BEFORE), followed, kept)


def _day(moment: object) -> int:
    assert isinstance(moment, date)  # noqa: S101 - the schema says so; a datetime is a date too
    return moment.toordinal()


def _tone(row: Mapping[str, object]) -> int:
    stated = str(row["tone"] or ("firm" if row["channel"] == "letter" else "soft"))
    return TONES.index(stated) if stated in TONES else TONES.index("firm")  # final is firmer than firm

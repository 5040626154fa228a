"""``Landmarks``: which invoices are looked at from which day; the question that every predictor of timing answers."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from duecourse.core.ids import uniform
from duecourse.science.timing.facts import Facts

IntArray = npt.NDArray[np.int64]
_SAME_DAY: IntArray = np.empty(0, dtype=np.int64)  # stands for "known as of the landmark's own day"


@dataclass(frozen=True, slots=True)
class Landmarks:
    """Pairs of (invoice, day from which we look), all arrays of shape (n,).

    ``invoice`` holds row numbers into ``Facts``, ``day`` epoch days (day 0 of the curve). ``known_day`` is the day as
    of which facts may be seen. It equals ``day`` when left out; only for an invoice that is issued later than we look
    it differs: then ``day`` is the issue day and ``known_day`` the earlier day on which the question is asked.
    """

    invoice: IntArray
    day: IntArray
    known_day: IntArray = field(default_factory=lambda: _SAME_DAY)

    def __post_init__(self) -> None:
        object.__setattr__(self, "invoice", np.asarray(self.invoice, dtype=np.int64))
        object.__setattr__(self, "day", np.asarray(self.day, dtype=np.int64))
        known = self.day if self.known_day is _SAME_DAY else np.asarray(self.known_day, dtype=np.int64)
        object.__setattr__(self, "known_day", known)
        if not self.invoice.shape == self.day.shape == self.known_day.shape or self.invoice.ndim != 1:
            raise ValueError("landmarks need three flat arrays of equal length: invoice, day, known_day")
        if (self.known_day > self.day).any():
            raise ValueError("a landmark may not know facts of days after its own day")

    def __len__(self) -> int:
        return int(self.invoice.shape[0])

    def take(self, rows: npt.NDArray[np.int64] | npt.NDArray[np.bool_] | slice) -> Landmarks:
        """The landmarks at ``rows`` (indices, mask or slice), in that order."""
        return Landmarks(self.invoice[rows], self.day[rows], self.known_day[rows])


def open_landmarks(facts: Facts) -> Landmarks:
    """Every open invoice, seen from ``as_of`` or from its issue day where that is later, as known at ``as_of``."""
    invoice = np.flatnonzero(facts.is_open).astype(np.int64)
    known_day = np.full(len(invoice), facts.as_of, dtype=np.int64)
    return Landmarks(invoice, np.maximum(known_day, facts.issue[invoice]), known_day)


def training_landmarks(facts: Facts, *, seed: int) -> Landmarks:
    """Landmarks for the fit, drawn independently of the outcome; sorted by (customer, invoice, day).

    Per invoice issued before ``as_of``: its issue day and one draw each of issue + 1 + U{0..29} (U{0..terms + 15} for
    terms beyond 30 days), due + 1 + U{0..19}, due + 21 + U{0..79}, max(issue, due - 8 + U{0..15}) and, so that very old
    debts are not judged by younger ones (ADR 0018), due + 101 + U{0..259} and due + 361 + U{0..359}. A draw counts iff
    the invoice is open at the start of that day and the day lies before ``as_of``. Draws are keyed by (seed,
    invoice_id), so no row moves another row's draw.
    """
    terms = np.maximum(facts.due - facts.issue, 0)
    first_span = np.where(terms > 30, terms + 16, 30)

    def draw(stream: str, span: IntArray | int) -> IntArray:
        return np.floor(uniform(seed, stream, facts.code) * span).astype(np.int64)

    first_part = facts.parts.first_known(len(facts))
    days = np.column_stack(
        [
            facts.issue,
            facts.issue + 1 + draw("landmark-age", first_span),
            facts.due + 1 + draw("landmark-late", 20),
            facts.due + 21 + draw("landmark-very-late", 80),
            np.maximum(facts.issue, facts.due - 8 + draw("landmark-due", 16)),
            facts.due + 101 + draw("landmark-old", 260),
            facts.due + 361 + draw("landmark-older", 360),
            first_part + draw("landmark-part", 15),
            first_part + 15 + draw("landmark-later-part", 60),
        ]
    )
    open_until = np.minimum(np.minimum(facts.paid_on, facts.censored_on), facts.written_off_on)
    kept = (days >= facts.issue[:, None]) & (days <= open_until[:, None]) & (days < facts.as_of)
    invoice, column = np.nonzero(kept)
    day = days[invoice, column]
    order = np.lexsort((day, invoice, facts.customer[invoice]))
    return Landmarks(invoice[order], day[order])

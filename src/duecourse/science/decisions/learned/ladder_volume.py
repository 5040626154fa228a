"""How many messages the ladder would send on a book: the yardstick for the learner's volume."""

from __future__ import annotations

import numpy as np

from duecourse.science.decisions.ladder import LATER_EVERY_WEEKS, MAIL_STEPS
from duecourse.science.decisions.learned.book import Book


def ladder_messages(book: Book) -> int:
    """Contact points whose oldest overdue invoice is in a week of the ladder's and that were not written to in it."""
    overdue = np.flatnonzero(book.overdue)
    oldest = np.full(book.points, -1, dtype=np.int64)
    np.maximum.at(oldest, book.point[overdue], (book.as_of - book.due[overdue] - 1) // 7)
    last = MAIL_STEPS[-1][0]
    due = np.isin(oldest, [week for week, _ in MAIL_STEPS])
    due |= (oldest > last) & ((oldest - last) % LATER_EVERY_WEEKS == 0)
    recent = book.contact_point[book.contact_day > book.as_of - 7]
    due[recent] = False
    return int(due.sum())

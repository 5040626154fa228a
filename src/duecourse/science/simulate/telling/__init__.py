"""``tell``: a simulated ledger in words - lines, references, mails, notes, cases - told beside its dynamics.

The dynamics decide who pays what and when, whom the house contacts and what comes of it; telling adds what people would
read of it. It uses random streams of its own and changes no amount, day or decision (test). Texts are made from the
tables in ``data/*.toml``; all words are ours, all names invented.
"""

from __future__ import annotations

from duecourse.science.simulate.telling.background import Background, no_events
from duecourse.science.simulate.telling.story import REWRITTEN, Told, item_frame, tell

__all__ = ["REWRITTEN", "Background", "Told", "item_frame", "no_events", "tell"]

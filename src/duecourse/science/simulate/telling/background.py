"""``Background``: what the writers of the texts know beside the ledger, as frames, from whichever simulated company.

It is truth: which payer is of which sort, what was decided when, what else happened. It colours words and fills
``truth/``; it never changes an amount or a day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

EVENTS = ("opt_out", "complaint", "insolvent", "bounced", "wrong_person")


@dataclass(frozen=True)
class Background:
    """Facts behind the texts.

    ``as_of``: first day that the ledger does not know. ``sort_of``: customer_id -> type of payer.
    ``items`` (payment_id, invoice_id, amount_minor, short_minor, discount_minor, part): what each payment pays, also
    where the posting is still to come; ``part`` is 0 for a whole payment, 1 and 2 for the parts of a split one.
    ``decided`` (invoice_id, decided_on): when payment was decided. ``events`` (customer_id, day, what of EVENTS).
    """

    seed: int
    as_of: date
    sort_of: Mapping[str, str]
    items: pl.DataFrame
    decided: pl.DataFrame
    events: pl.DataFrame


def no_events() -> pl.DataFrame:
    """``events`` of a company in which nothing else happened."""
    return pl.DataFrame(schema={"customer_id": pl.String, "day": pl.Date, "what": pl.String})

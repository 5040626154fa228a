"""``Figures``: what stands behind a decision that was drawn by lot, for the log, the worklist and the explanation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from duecourse.science.decisions.terms_offered import TermsOffered


@dataclass(frozen=True, slots=True)
class Figures:
    """Gains in minor units of the contact point's currency, after cost and relationship price, before minutes.

    ``propensities``: the exact probability of each arm. ``q_arms``: mean gain per arm; ``dp_arms``: mean change of
    P(paid within six weeks), weighted by money. ``cash_alone_minor`` and ``cash_with_minor``: cash expected within six
    weeks without and with the act; ``cash_p10_minor`` and ``cash_p90_minor`` bound what the act adds to it.
    ``second_best`` names the next best act and ``second_best_gap_minor`` how much less it brings; ``chosen_how`` says
    how the lot came to it, ``reasons`` the two largest causes. ``nested`` is JSON for the log, empty when nothing was.
    ``terms``: what is offered, for an act that offers terms. ``relationship_minor`` is the price of the act to the
    relationship, ``event_minor`` the part of it for opt-outs and complaints, whose chances ``events`` says in words.
    """

    gain_minor: int
    gain_p10_minor: int
    gain_p90_minor: int
    propensities: Mapping[str, float]
    q_arms: Mapping[str, int]
    dp_arms: Mapping[str, float]
    cash_alone_minor: int
    cash_with_minor: int
    cash_p10_minor: int
    cash_p90_minor: int
    second_best: str
    second_best_gap_minor: int
    chosen_how: str
    reasons: str
    why: str
    nested: str = ""
    terms: TermsOffered | None = None
    relationship_minor: int = 0
    event_minor: int = 0
    events: str = ""

"""The learned policy: a book in, one arm per contact point out, with the exact probabilities it was drawn from.

past -> tuning -> fit -> 64 draws -> 64 feasible plans -> their average, mixed with a little exploration -> the lot.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from duecourse.science.decisions.learned.allocation import Limits, allocate_draws, classes_of, limits_of
from duecourse.science.decisions.learned.book import ARM, NONE, Book, Bools, Decided, Floats, Ints, Resources
from duecourse.science.decisions.learned.hazard_model import Columns, Posterior, Prior, design_of, fit
from duecourse.science.decisions.learned.instrument import check
from duecourse.science.decisions.learned.ladder_volume import ladder_messages
from duecourse.science.decisions.learned.panel import Past, past_of
from duecourse.science.decisions.learned.prior import TRUST, Learnt, mixed_prior, shipped
from duecourse.science.decisions.learned.rounding import EPSILON, draw, planned
from duecourse.science.decisions.learned.terms import Beliefs, Offer, with_guarded_plans, with_offers
from duecourse.science.decisions.learned.tuning import Tuning, tuning_of
from duecourse.science.decisions.learned.value import (
    ATTENTION,
    Effects,
    Situations,
    annoyance_list,
    effects_of,
    price_unit,
    quality,
    relationship_prices,
    situations_of,
    value_bands,
)
from duecourse.science.decisions.learned.write_off import Ends, ends_of

DRAWS = 64
TEMPER = 0.25  # draws deviate a quarter as far from the mode: wider ones cost gain and taught nothing (ADR 0026)
MESSAGES_OF_LADDER = 1.1
NOT_MODELLED = (NONE, ARM["route_dispute"], ARM["escalate"])


@dataclass(frozen=True)
class Settings:
    """What a tenant or an experiment may choose; the defaults are those of the method's page.

    ``learnt`` is the prior to start from (None: cold), ``temper`` the share of a draw's deviation from the mode that is
    kept (1: plain Thompson sampling). ``attention`` is the price of a message in units of the list,
    ``messages_of_ladder`` the cap on messages as a multiple of what the ladder would send (infinite: none). ``offer``
    is the discount that may be offered (None: none); ``guard_plans`` keeps calls about a plan from whoever pays anyway.
    """

    learnt: Learnt | None = field(default_factory=shipped)
    trust: float = TRUST
    draws: int = DRAWS
    epsilon: float = EPSILON
    attention: float = ATTENTION
    messages_of_ladder: float = MESSAGES_OF_LADDER
    temper: float = TEMPER
    instrument: bool = True
    tune: bool = True
    offer: Offer | None = None
    guard_plans: bool = False


@dataclass(frozen=True)
class Knowledge:
    """What has been learnt from one book, before any decision."""

    past: Past
    columns: Columns
    prior: Prior
    posterior: Posterior
    tuning: Tuning
    ends: Ends
    instrument_change: Floats
    alarm: bool


@dataclass(frozen=True)
class Outcome:
    """The decisions with all figures behind them; first axis of the figures: ``decided.point``.

    ``plans`` (D, n) is the arm of each point in each feasible plan, ``quality`` (D, n, A) before prices of limits,
    ``prices`` (C,) the mean price of a unit of each limit, ``price_minor`` (n, A) the relationship price. All draws
    are tempered: their spread is ``temper`` times the posterior's.
    """

    decided: Decided
    knowledge: Knowledge
    situations: Situations
    effects: Effects
    quality: Floats
    plans: Ints
    limits: Limits
    prices: Floats
    price_minor: Floats
    temper: float

    def posterior_range(self, values: Floats) -> tuple[float, float]:
        """The 10 % and 90 % quantiles of a figure, from its tempered draws (D,) stretched back to the posterior."""
        mean, stretch = float(values.mean()), 1 / self.temper if self.temper > 0 else 1.0
        low, high = np.quantile(values, (0.1, 0.9))
        return mean + stretch * (float(low) - mean), mean + stretch * (float(high) - mean)


def learn(book: Book, resources: Resources, settings: Settings, warm: Knowledge | None = None) -> Knowledge:
    """The posterior of ``book``. ``warm``, an earlier result for the same tenant, saves time and moves nothing else."""
    columns = Columns(tuple(int(arm) for arm in np.flatnonzero(resources.exists) if arm not in NOT_MODELLED))
    same = warm is not None and warm.columns == columns
    known = warm.tuning if warm is not None and same else None
    tuning = tuning_of(book, columns, settings.learnt, known, settings.trust) if settings.tune else Tuning()
    with_check = settings.instrument and bool(book.randomised.any())
    past = past_of(book, tuning.lags, drawn=with_check)
    prior = mixed_prior(columns, settings.learnt, tuning.spread, settings.trust)
    start = warm.posterior.mode if warm is not None and same else None
    posterior = fit(design_of(past.panel, columns), prior, start)
    losses = settings.learnt.losses if settings.learnt is not None else None
    knowledge = Knowledge(
        past, columns, prior, posterior, tuning, ends_of(book, past.panel, losses), np.zeros(len(columns.arms)),
        alarm=False,
    )  # fmt: skip
    if not with_check:
        return knowledge
    checked = check(past.panel, posterior, prior)
    return replace(knowledge, posterior=checked.posterior, instrument_change=checked.change, alarm=checked.alarm)


def decide(book: Book, resources: Resources, seed: int | tuple[int, ...], settings: Settings,
           *, warm: Knowledge | None = None, only: Bools | None = None,
           event_minor: Floats | None = None) -> Outcome:  # fmt: skip
    """Decide for every contact point with something overdue and collectible (among ``only`` (P,) if given).

    ``event_minor`` (P, A): what a contact costs on average by driving the customer away, on top of the annoyance list.
    Deterministic: the same book, resources, settings and seed give the same outcome.
    """
    knowledge = learn(book, resources, settings, warm)
    entropy = (*(seed if isinstance(seed, tuple) else (seed,)), book.as_of)
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence(list(entropy))))
    draws = knowledge.posterior.draws(settings.draws, rng, settings.temper)
    turn = book if only is None else _only(book, only)
    situations = situations_of(turn, knowledge.past, knowledge.columns, knowledge.ends)
    effects = effects_of(situations, knowledge.columns, draws, knowledge.past, resources.weekly_capital)
    now = knowledge.past.weeks.last
    unit = price_unit(book)
    annoyance = annoyance_list(unit) if resources.annoyance_minor is None else resources.annoyance_minor
    prices = relationship_prices(
        knowledge.past.contacts.fatigue[now, effects.points], value_bands(book)[effects.points], annoyance,
        settings.attention * unit,
    )  # fmt: skip
    if event_minor is not None:
        prices = prices + event_minor[effects.points]
    worth = quality(effects, prices, resources)
    allowed = book.allowed[effects.points] & resources.exists[None]
    allowed[:, NONE] = True
    beliefs = Beliefs(situations, effects, knowledge.columns, draws, knowledge.past.lags, settings.temper)
    worth, allowed = with_offers(turn, settings.offer, beliefs, worth, allowed)
    if settings.guard_plans:
        allowed = with_guarded_plans(beliefs, worth, allowed)
    allowed[:, [arm for arm in NOT_MODELLED if arm != NONE]] = False  # rules decide on these
    worth[:, ~allowed] = -np.inf
    limits = limits_of(_capped(turn, resources, settings))
    allocation = allocate_draws(worth, limits)
    probabilities = planned(allocation.arm, allowed, limits, settings.epsilon)
    arm = draw(probabilities, classes_of(limits), rng)
    return Outcome(
        Decided(effects.points, arm, probabilities), knowledge, situations, effects, worth, allocation.arm, limits,
        allocation.prices.mean(axis=0), prices, settings.temper,
    )  # fmt: skip


def _only(book: Book, points: Bools) -> Book:
    """The book in which only ``points`` may be asked for something."""
    return replace(book, collectible_minor=np.where(points[book.point], book.collectible_minor, 0.0))


def _capped(book: Book, resources: Resources, settings: Settings) -> Resources:
    """The resources with the cap on messages that the ladder's volume sets."""
    if not np.isfinite(settings.messages_of_ladder):
        return resources
    cap = float(np.ceil(settings.messages_of_ladder * ladder_messages(book)))
    return replace(resources, messages=min(resources.messages, cap))


class LearnedPolicy:
    """The policy as a function of a book, for a simulated company: ``policy(book, resources, seed) -> Decided``.

    It keeps its last fit to start the next one from; what it decides depends on book, resources and seed alone.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings if settings is not None else Settings()
        self.knowledge: Knowledge | None = None

    def __call__(self, book: Book, resources: Resources, seed: int) -> Decided:
        """The decisions of one week."""
        outcome = decide(book, resources, seed, self.settings, warm=self.knowledge)
        self.knowledge = outcome.knowledge
        return outcome.decided

"""``propose_learned``: the learned policy on a ledger; the ladder where nothing sensible can be learnt or planned.

What goes before any reminder - a dispute to settle, a question to answer, a reason to keep silent - is a matter of
rules and the same under every policy. The learner decides about the rest, with the minutes that are left.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from duecourse.core.ids import key_codes, sha256_hex, uniform
from duecourse.ledger.as_of import View
from duecourse.ledger.schema import ARMS
from duecourse.science.decisions.allocate import Candidate, allocate
from duecourse.science.decisions.capacity import Capacity
from duecourse.science.decisions.ladder import Wish, before_asking, held_by_disputes
from duecourse.science.decisions.learned.book import CALLS, NONE, Floats, Resources
from duecourse.science.decisions.learned.explain import Explainer, evidence
from duecourse.science.decisions.learned.from_view import Source, book_from_view, offer_of
from duecourse.science.decisions.learned.nested import HOURS, Tries, draw_options, odds
from duecourse.science.decisions.learned.policy import Outcome, Settings, decide
from duecourse.science.decisions.learned.segments import SEGMENTS
from duecourse.science.decisions.log import LearntIds
from duecourse.science.decisions.mask import mask
from duecourse.science.decisions.points import ContactPoint
from duecourse.science.decisions.policies import Proposal, epoch_kinds, off_turn
from duecourse.science.decisions.terms_offered import terms_offered

EPOCH_DAYS = 7
_TINY = 1e-9
_SHOWN_FAULTS = 3
_DECIDED_ELSEWHERE = Wish(silence="deferred", detail="Decided by the ladder: its payer is in the holdout.")


@dataclass(frozen=True)
class LearnedProposals:
    """One proposal per contact point in their order; the minute price in median open invoices; what to say about it."""

    proposals: list[Proposal]
    minute_price: float
    ids: LearntIds
    notes: tuple[str, ...]


@dataclass(frozen=True)
class CannotLearn:
    """Why the learned policy stands back for the ladder, in one sentence."""

    reason: str


@dataclass(frozen=True)
class _Turn:
    """A contact point today: what is forbidden, why it is its turn, what goes before any reminder (None: nothing)."""

    point: ContactPoint
    masked: Mapping[str, str]
    epoch: str
    before: Wish | None


def propose_learned(points: Sequence[ContactPoint], view: View, capacity: Capacity, seed: int,
                    settings: Settings | None = None, *, elsewhere: frozenset[str] = frozenset(),
                    room: Mapping[date, float] | None = None) -> LearnedProposals | CannotLearn:  # fmt: skip
    """Proposals of the learned policy for ``points`` (all contact points of ``view`` with an open invoice).

    Those ``elsewhere`` are decided by somebody else: they get no decision here. ``room``: minutes that are left on
    each business day (default: those of the capacity).
    """
    chosen = settings if settings is not None else Settings()
    masks = [mask(point, capacity) for point in points]
    days = capacity.business_days(view.as_of)
    source = book_from_view(view, points, masks)
    obstacle = _obstacle(source, capacity, days)
    if obstacle:
        return CannotLearn(obstacle)
    turns = [
        turn if turn.point.customer_id not in elsewhere else replace(turn, epoch="", before=_DECIDED_ELSEWHERE)
        for turn in _turns(points, masks, source, view.as_of, days)
    ]
    minutes = dict.fromkeys(days, capacity.minutes_per_day) if room is None else dict(room)
    resolving = [one for turn in turns if (one := _resolving(turn, capacity, urgent=True)) is not None]
    urgent = allocate(resolving, days, minutes)
    left = _room(urgent.day, turns, capacity, minutes)
    code = {name: at for at, name in enumerate(source.names)}
    asked = np.zeros(len(source.names), dtype=np.bool_)
    for turn in turns:
        asked[code[turn.point.customer_id]] = bool(turn.epoch) and turn.before is None
    entropy = (seed, int(view.snapshot_id[:15], 16))
    offer = offer_of(view, capacity, points, source.names, source.scale)
    chosen = replace(chosen, offer=offer, guard_plans=True)
    outcome = decide(source.book, _resources(capacity, left), entropy, chosen, only=asked,
                     event_minor=source.events.minor)  # fmt: skip
    proposals = _Settling(source, outcome, capacity, days, left, seed, view.as_of).settle(turns, urgent.day)
    typical = points[0].typical_minor[_main(source)] if points else 1.0
    randomised = source.book.randomised
    contacts = int((randomised & (source.book.decision_arm != NONE)).sum())
    return LearnedProposals(
        proposals, float(outcome.prices[0]) / typical, _ids(outcome, chosen),
        (evidence(outcome, int(randomised.sum()), contacts), *_about_log(source)),
    )  # fmt: skip


def _main(source: Source) -> str:
    return next(unit for unit, factor in source.scale.items() if factor == 1.0)


def _obstacle(source: Source, capacity: Capacity, days: Sequence[date]) -> str:
    """Why no learned plan can be made; empty when one can."""
    faults = source.log.faults
    if faults:
        more = f" and {len(faults) - _SHOWN_FAULTS} more" if len(faults) > _SHOWN_FAULTS else ""
        return (
            f"the decision log cannot be trusted: {'; '.join(faults[:_SHOWN_FAULTS])}{more}. Mend or remove these rows"
        )
    if not any(arm in ARMS and arm != "none" for arm in capacity.arms):
        return "the capacity lists no arm, so there is nothing to choose from. Add arms to the capacity"
    if not days:
        return "no business day lies within the horizon, so there is no capacity to plan with"
    needs = [arm for arm in capacity.arms if capacity.minutes_of(arm) > 0]
    if capacity.minutes_per_day <= 0 and needs:
        return (
            f"the capacity has no minutes but arms that need some ({', '.join(needs)}). Give minutes or leave them out"
        )
    if not source.names:
        return "nothing is open, so there is nothing to decide"
    return ""


def _about_log(source: Source) -> tuple[str, ...]:
    """What the reader must know about rows of the log that teach nothing."""
    log, said = source.log, []
    if log.silent:
        said.append(f"{log.silent:,} logged decisions have no propensities: they teach no effect of a contact.")
    if log.unconfirmed:
        said.append(
            f"{log.unconfirmed:,} proposed contacts have no sign of having been carried out (executed_arm, or an "
            "activity with their decision_id): they count as not executed."
        )
    return tuple(said)


def _turns(points: Sequence[ContactPoint], masks: Sequence[Mapping[str, str]], source: Source, as_of: date,
           days: Sequence[date]) -> list[_Turn]:  # fmt: skip
    """Whose turn it is: one scheduled decision a week, counted from the last one; events wait for nothing."""
    last = {source.names[at]: day for at, day in source.log.last.items()}
    turns = []
    for point, masked, epoch in zip(points, masks, epoch_kinds(points, days), strict=True):
        ago = source.book.as_of - last[point.customer_id] if point.customer_id in last else EPOCH_DAYS
        if not epoch:
            turns.append(_Turn(point, masked, epoch, off_turn(point, days)))
        elif epoch == "scheduled" and ago < EPOCH_DAYS:
            again = as_of + timedelta(days=EPOCH_DAYS - ago)
            detail = f"Decided {'today' if ago <= 0 else f'{ago} days ago'}; the next decision is on {again}."
            turns.append(_Turn(point, masked, "", Wish(silence="deferred", detail=detail)))
        else:
            turns.append(_Turn(point, masked, epoch, before_asking(point, masked, as_of)))
    return turns


def _resolving(turn: _Turn, capacity: Capacity, *, urgent: bool) -> Candidate | None:
    """The act that settles something, as a candidate for minutes."""
    one, point = turn.before, turn.point
    if one is None or one.resolve is None or one.urgent is not urgent:
        return None
    gain = held_by_disputes(point) if one.resolve == "route_dispute" else point.relative_collectible
    tier = 2 if not urgent else 0 if one.resolve == "route_dispute" else 1
    return Candidate(point.customer_id, one.resolve, capacity.minutes_of(one.resolve), max(gain, _TINY), tier)


def _room(placed: Mapping[str, date], turns: Sequence[_Turn], capacity: Capacity,
          minutes: Mapping[date, float]) -> dict[date, float]:  # fmt: skip
    """Minutes left on each day after the acts that were ``placed``."""
    room = dict(minutes)
    for turn in turns:
        if turn.point.customer_id in placed and turn.before is not None and turn.before.resolve is not None:
            room[placed[turn.point.customer_id]] -= capacity.minutes_of(turn.before.resolve)
    return room


def _resources(capacity: Capacity, room: Mapping[date, float]) -> Resources:
    """The plan's resources. Minutes are what whole acts can fill, however they fall on the days."""
    minutes = np.array([capacity.minutes_of(arm) for arm in ARMS], dtype=np.float64)
    sizes = {float(value) for value in minutes if value > 0}
    if len(sizes) <= 1:
        size = max(sizes, default=1.0)
        total = sum(math.floor(left / size + _TINY) * size for left in room.values())
    else:
        largest = max(sizes)
        total = sum(max(left - largest, 0.0) for left in room.values())
        total += largest if any(left >= largest for left in room.values()) else 0.0
    return Resources(
        exists=np.array([arm == "none" or arm in capacity.arms for arm in ARMS]),
        cost_minor=np.array([capacity.cost_of(arm) for arm in ARMS], dtype=np.float64), minutes=minutes,
        minutes_total=float(total), weekly_capital=(1 + capacity.cost_of_capital) ** (1 / 52) - 1,
    )  # fmt: skip


def _ids(outcome: Outcome, settings: Settings) -> LearntIds:
    knowledge, found = outcome.knowledge, outcome.situations
    posterior = sha256_hex(knowledge.posterior.mode.round(9).tobytes(), ",".join(knowledge.columns.names).encode())
    features = sha256_hex(found.future.tobytes(), found.modifiers.tobytes(), found.open_minor.tobytes())
    return LearntIds(settings.epsilon, settings.draws, posterior[:16], knowledge.prior.prior_id, features[:16])


@dataclass(frozen=True)
class _Settling:
    """From drawn arms to proposals: days for what takes minutes, reasons for whoever is left alone."""

    source: Source
    outcome: Outcome
    capacity: Capacity
    days: Sequence[date]
    room: dict[date, float]
    seed: int
    as_of: date

    def settle(self, turns: Sequence[_Turn], urgent: Mapping[str, date]) -> list[Proposal]:
        """One proposal per turn."""
        row_of = {self.source.names[at]: row for row, at in enumerate(self.outcome.decided.point.tolist())}
        names = [turn.point.customer_id for turn in turns]
        arms = {name: int(self.outcome.decided.arm[row_of[name]]) for name in names if name in row_of}
        calls = self._place([
            Candidate(name, ARMS[arm], self.capacity.minutes_of(ARMS[arm]), max(self._gain(row_of[name], arm), _TINY))
            for name, arm in arms.items() if self.capacity.minutes_of(ARMS[arm]) > 0
        ])  # fmt: skip
        later = self._place([
            one for turn in turns if (one := _resolving(turn, self.capacity, urgent=False)) is not None
        ])  # fmt: skip
        explainer = Explainer(self.outcome, self._scale(turns, row_of), self.source.events)
        hours = self._hours(turns, row_of)
        proposals = []
        for turn in turns:
            name = turn.point.customer_id
            base = Proposal(turn.point, turn.masked, turn.epoch)
            if turn.before is not None or name not in arms:
                proposals.append(_by_rule(base, turn.before, urgent.get(name) or later.get(name)))
                continue
            row, arm = row_of[name], arms[name]
            terms = terms_offered(turn.point, ARMS[arm], self.capacity, self.as_of)
            figures = explainer.figures(row, arm, turn.point, hours.get(name, "") if arm != NONE else "", terms)
            if arm == NONE:
                silence, detail = explainer.left_alone(row, turn.point)
                proposals.append(replace(base, silence=silence, detail=detail, figures=figures))
            else:
                score = self._gain(row, arm)
                minutes = self.capacity.minutes_of(ARMS[arm])
                proposals.append(replace(
                    base, arm=ARMS[arm], day=calls.get(name), tier=2 if minutes else 3,
                    score=score / minutes if minutes else score, figures=figures,
                ))  # fmt: skip
        return proposals

    def _gain(self, row: int, arm: int) -> float:
        return float(self.outcome.quality[:, row, arm].mean())

    def _place(self, candidates: Sequence[Candidate]) -> dict[str, date]:
        """A day for each candidate that fits, best first; the minutes are taken from the room."""
        placed: dict[str, date] = {}
        for one in sorted(candidates, key=lambda one: (-one.gain / max(one.minutes, _TINY), one.key)):
            day = next((day for day in self.days if self.room[day] >= one.minutes - _TINY), None)
            if day is not None:
                self.room[day] -= one.minutes
                placed[one.key] = day
        return placed

    def _scale(self, turns: Sequence[_Turn], row_of: Mapping[str, int]) -> Floats:
        scale = np.ones(self.outcome.decided.point.size)
        for turn in turns:
            if turn.point.customer_id in row_of:
                scale[row_of[turn.point.customer_id]] = 1 / self.source.scale[turn.point.currency]
        return scale

    def _hours(self, turns: Sequence[_Turn], row_of: Mapping[str, int]) -> dict[str, str]:
        """customer_id -> JSON of the drawn two hours and their probability, learnt from calls that were reached."""
        book, past = self.source.book, self.outcome.knowledge.past
        called = np.flatnonzero(np.isin(book.contact_arm, CALLS) & (book.contact_reached >= 0))
        segment = past.habits.segment[past.weeks.last]
        tries = Tries(
            segment[book.contact_point[called]], self.source.contact_hour[called],
            book.contact_reached[called].astype(np.float64), (book.as_of - book.contact_day[called]) / 7.0,
        )  # fmt: skip
        rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([self.seed, book.as_of, 1])))
        chances = odds(tries, len(SEGMENTS), len(HOURS), rng)
        mine = [turn.point for turn in turns if turn.point.customer_id in row_of]
        rows = chances[[segment[self.outcome.decided.point[row_of[point.customer_id]]] for point in mine]]
        lot = uniform(self.seed, "plan/hour", key_codes(point.customer_id for point in mine), book.as_of)
        taken = draw_options(rows.reshape(len(mine), len(HOURS)), lot)
        return {
            point.customer_id: json.dumps(
                {"hour": HOURS[hour], "hour_propensity": round(float(chance[hour]), 9), "template_propensity": 1.0}
            )
            for point, hour, chance in zip(mine, taken.tolist(), rows, strict=True)
        }


def _by_rule(base: Proposal, before: Wish | None, day: date | None) -> Proposal:
    """What the rules that go before any reminder say: a resolving act when it has its minutes, else silence."""
    if before is None:
        return replace(base, silence="no_gain", detail="Nothing that is overdue may be asked for now.")
    if before.resolve is None:
        return replace(base, silence=before.silence, detail=before.detail)
    if day is None:
        return replace(base, silence="capacity", detail="Settling its dispute or question did not fit into the day.")
    return replace(
        base, arm=before.resolve, day=day, tier=0 if before.urgent else 2, score=held_by_disputes(base.point)
    )

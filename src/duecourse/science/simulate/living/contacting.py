"""What a contact does: it arrives or not, is answered or not, costs, annoys, and brings disclosures.

``contact`` executes one week's acts on the Monday of the week. What they do to the decisions of the payers is left in
``State.exposure`` (strength per inbox and arm), which ``deciding`` reads from the next day on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from duecourse.science.simulate.living import quarrels
from duecourse.science.simulate.living.draws import Draws
from duecourse.science.simulate.living.inboxes import Flags
from duecourse.science.simulate.living.nature import Nature
from duecourse.science.simulate.living.people import Acts
from duecourse.science.simulate.living.spec import ARM
from duecourse.science.simulate.living.state import State
from duecourse.science.simulate.living.view import CALLS, FIRM, MAILS, Listed
from duecourse.science.simulate.pay_calendar import Floats, Ints

TEXTS = (ARM["sms_soft"], ARM["letter_formal"])
HANDLING = (ARM["send_documents"], ARM["route_dispute"])
OPT_OUT, COMPLAINT = 0, 1
NOT_REACHED, CONVERSATION, UNKNOWN = 0, 1, -1


@dataclass(frozen=True)
class Arrived:
    """Per act: strength of its effect (0: it never came), whether it came, began a conversation, was answered."""

    strength: Floats
    arrived: Flags
    conversation: Flags
    answered: Flags


def contact(nature: Nature, state: State, draws: Draws, acts: Acts, asked: Listed) -> None:
    """Let the acts of the week of ``state`` happen; ``asked`` is what the messages ask for."""
    monday = state.week * 7 - 3
    came = _arrive(nature, state, draws, acts)
    _log(state, acts, came, monday)
    _charge(nature, state, acts, asked)
    _annoy(nature, state, draws, acts, came)
    told = quarrels.tell(nature, state, draws, acts.point[came.conversation], monday)
    state.talked[:] = False
    state.talked[acts.point[came.conversation]] = True
    state.talked &= ~told
    state.asked = asked.rows[asked.days_late > 0]
    _expose(nature, state, acts, came)
    quarrels.handle(nature, state, draws, acts, monday)
    offered = acts.point[acts.arm == ARM["email_discount"]]
    state.last_offer[offered] = monday
    _offer(nature, state, offered, asked)


def _arrive(nature: Nature, state: State, draws: Draws, acts: Acts) -> Arrived:
    reach, inboxes = nature.world.reach, nature.inboxes
    codes, week = inboxes.codes[acts.point], state.week
    is_call, is_mail = np.isin(acts.arm, CALLS), np.isin(acts.arm, MAILS)
    wrong = state.wrong_person[acts.point]
    luck = draws.uniform("reach", codes, week)
    lost = np.where(is_mail, reach.bounce + reach.spam, reach.lost)
    written = ~is_call & ~wrong & (luck >= lost)
    logit = np.log(reach.answered / (1 - reach.answered)) + inboxes.answers[acts.point]
    logit = logit + reach.per_attempt * state.unanswered[acts.point]
    answered = is_call & (luck < 1 / (1 + np.exp(-logit)))
    silent = quarrels.has_silent(nature, state)[acts.point]
    chance = np.where(silent, reach.reply_disputed, reach.reply)
    replied = written & is_mail & (draws.uniform("reply", codes, week) < chance)
    # The table of effects holds what a contact does on average, so one that arrives does more.
    by_mail = 1 / ((1 - reach.bounce - reach.spam) * (1 - reach.wrong_person))
    by_text = 1 / ((1 - reach.lost) * (1 - reach.wrong_person))
    skill = nature.skill[inboxes.collector[acts.point]]
    strength = np.select(
        [answered, is_call, written & is_mail, written],
        [reach.talked * skill, np.full(skill.size, reach.voicemail), np.full(skill.size, by_mail), by_text],
        0.0,
    )
    state.unanswered[acts.point[is_call & ~answered]] += 1
    state.unanswered[acts.point[answered]] = 0
    state.wrong_person[acts.point[answered]] = False
    state.replies.append(point=acts.point[replied], day=state.week * 7 - 3)
    return Arrived(strength, written | is_call, answered | replied, answered)


def _log(state: State, acts: Acts, came: Arrived, monday: int) -> None:
    is_call = np.isin(acts.arm, CALLS)
    reached = np.where(is_call, np.where(came.answered, CONVERSATION, NOT_REACHED), UNKNOWN)
    state.contacts.append(point=acts.point, day=monday, arm=acts.arm, human=acts.human, reached=reached)


def _charge(nature: Nature, state: State, acts: Acts, asked: Listed) -> None:
    """Cost, annoyance, minutes and counts of each act, shared equally by the invoices that it asks for."""
    cost, annoyance, minutes = nature.world.priced()
    per_point = np.zeros((5, nature.inboxes.count))
    call = np.isin(acts.arm, CALLS)
    per_point[0, acts.point] = cost[acts.arm]
    per_point[1, acts.point] = annoyance[acts.arm] * state.fatigue[acts.point] * nature.inboxes.band[acts.point]
    per_point[2, acts.point] = minutes[acts.arm]
    per_point[3, acts.point] = ~call & ~np.isin(acts.arm, HANDLING)
    per_point[4, acts.point] = call
    overdue = asked.days_late > 0
    bearers = np.where(_has(overdue, asked.point, nature.inboxes.count), overdue, True)
    rows, owner = asked.rows[bearers], asked.point[bearers]
    share = per_point[:, owner] / np.bincount(owner, minlength=nature.inboxes.count)[owner]
    for total, part in zip((state.cost, state.annoyance, state.minutes, state.mails, state.calls), share, strict=True):
        total[rows] += part


def _has(flag: Flags, point: Ints, points: int) -> Flags:
    """Per row: whether any row of the same point is flagged."""
    any_of = np.zeros(points, dtype=bool)
    any_of[point[flag]] = True
    has: Flags = any_of[point]
    return has


def _annoy(nature: Nature, state: State, draws: Draws, acts: Acts, came: Arrived) -> None:
    annoyance, codes = nature.world.annoyance, nature.inboxes.codes[acts.point]
    message = came.arrived & ~np.isin(acts.arm, HANDLING)
    firm, tired = np.isin(acts.arm, FIRM), state.fatigue[acts.point]

    def happens(stream: str, base: float, per_fatigue: float, for_firm: float, *, factor: float = 1.0) -> Ints:
        chance = factor / (1 + np.exp(-(base + per_fatigue * tired + for_firm * firm)))
        return acts.point[message & (draws.uniform(stream, codes, state.week) < chance)]

    opted = happens("opt out", annoyance.opt_out, annoyance.opt_out_fatigue, annoyance.opt_out_firm)
    complained = happens(
        "complaint", annoyance.complaint, annoyance.complaint_fatigue, annoyance.complaint_firm,
        factor=annoyance.complaint_factor,
    )  # fmt: skip
    state.opted_out[opted] = True
    state.complained_until[complained] = state.week + annoyance.weeks
    for points, kind in ((opted, OPT_OUT), (complained, COMPLAINT)):
        state.complaints.append(point=points, day=state.week * 7 - 3, kind=kind)


def _expose(nature: Nature, state: State, acts: Acts, came: Arrived) -> None:
    damping = 1 + nature.world.effects.fatigue * state.fatigue[acts.point]
    state.exposure[0, acts.point, acts.arm] = came.strength / damping
    message = came.arrived & ~np.isin(acts.arm, HANDLING)
    state.fatigue[acts.point[message]] += 1


def _offer(nature: Nature, state: State, offered: Ints, asked: Listed) -> None:
    """A discount stands for some days for what was asked for; some payers learn to wait for the next one."""
    terms = nature.world.terms
    got = np.zeros(nature.inboxes.count, dtype=bool)
    got[offered] = True
    rows = asked.rows[got[asked.point] & (asked.days_late > 0)]
    state.discount_until[rows] = state.week * 7 - 3 + terms.days
    names = list(nature.world.company.types)
    waiters = np.isin(
        nature.inboxes.kind[state.week - nature.first_week][offered], [names.index(kind) for kind in terms.kinds]
    )
    state.waiting_until[offered[waiters & nature.inboxes.waits[offered]]] = state.week + terms.weeks


def calm(nature: Nature, state: State) -> None:
    """The end of a week: exposures grow one week older, fatigue fades."""
    state.exposure = np.concatenate([np.zeros((1, *state.exposure.shape[1:])), state.exposure[:-1]])
    state.fatigue *= nature.world.effects.keep

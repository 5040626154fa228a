"""``see``: the ``Book`` of a house on a Monday, with nothing in it that happened later; and the mask.

The mask is the house's own and no policy may pass it: nothing to ask for, opt-outs, consents, insolvency, a tone
ceiling by age, no second call in the week after a conversation, disputes and promises held back.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from duecourse.ledger.schema import ARMS
from duecourse.science.simulate.fates import NEVER
from duecourse.science.simulate.living.book import BROKEN, KEPT, OPEN, Book
from duecourse.science.simulate.living.inboxes import Flags
from duecourse.science.simulate.living.nature import Nature
from duecourse.science.simulate.living.spec import ARM
from duecourse.science.simulate.living.state import DISPUTED, RESOLVED, State
from duecourse.science.simulate.pay_calendar import Floats, Ints

MAILS = (ARM["email_soft"], ARM["email_neutral"], ARM["email_firm"], ARM["email_discount"], ARM["send_documents"])
CALLS = (ARM["call_service"], ARM["call_firm"], ARM["call_plan"])
NEUTRAL = (ARM["email_neutral"], ARM["email_discount"], ARM["call_plan"])
FIRM = (ARM["email_firm"], ARM["letter_formal"], ARM["call_firm"])
BEFORE_DUE = (ARM["email_soft"], ARM["send_documents"])
OFFER_APART_DAYS = 364


@dataclass(frozen=True)
class Listed:
    """What a message on that Monday may ask for: rows of invoices, their contact points and money, and their age.

    ``known_open`` are all invoices that the books show as open, with ``collectible`` (minor units) per row.
    """

    rows: Ints
    point: Ints
    days_late: Ints
    minor: Floats
    known_open: Ints
    collectible: Floats


def before(day: Ints, as_of: int) -> Ints:
    """``day`` where it lies before ``as_of``, else NEVER."""
    return np.where(day < as_of, day, NEVER)


def listed(nature: Nature, state: State, as_of: int) -> Listed:
    """The invoices that may be asked for at the start of ``as_of``."""
    orders, active = nature.orders, state.active
    paid = (state.paid[active] != NEVER) & (state.paid[active] < as_of)
    gone = (state.written_off[active] != NEVER) | (state.handed_over[active] != NEVER)
    rows = active[~paid & ~gone & state.placed[active] & (orders.issued[active] < as_of)]
    failed = state.failed_known[nature.invoice_point[rows]] != NEVER
    disputed = (state.dispute[rows] == DISPUTED) & (state.dispute_known[rows] != NEVER)
    disputed &= state.dispute_known[rows] < as_of
    share = np.where(disputed, 1 - nature.latent.disputed_share[rows], 1.0)
    part = (state.posted[rows] != NEVER) & (state.posted[rows] < as_of)
    left = np.where(part, 1 - nature.latent.first_share[rows], 1.0)
    held = (state.hold_until[rows] >= as_of) | failed
    collectible = np.where(held, 0.0, np.round(open_amount(nature, state, rows) * share * left))
    late = as_of - orders.due[rows]
    asked = (collectible > 0) & (late >= -nature.world.rules.listed_before_days)
    return Listed(rows[asked], nature.invoice_point[rows][asked], late[asked], collectible[asked], rows, collectible)


def open_amount(nature: Nature, state: State, rows: Ints) -> Floats:
    """Face amount less the credit of a resolved dispute, minor units."""
    latent = nature.latent
    granted = np.where(state.dispute[rows] == RESOLVED, latent.disputed_share[rows] * latent.granted_share[rows], 0.0)
    amount: Floats = np.round(nature.orders.amount_minor[rows] * (1 - granted))
    return amount


def mask(nature: Nature, state: State, asked: Listed, as_of: int) -> Flags:
    """``allowed`` (P, ARMS): True where an arm may be used on that Monday; ``none`` always."""
    points, rules = nature.inboxes.count, nature.world.rules
    oldest = np.full(points, -(10**6))
    np.maximum.at(oldest, asked.point, asked.days_late)
    allowed = np.zeros((points, len(ARMS)), dtype=bool)

    def put(whose: Flags, arms: tuple[int, ...], *, value: bool) -> None:
        allowed[np.flatnonzero(whose)[:, None], list(arms)] = value

    allowed[oldest > 0, 1:] = True
    put((oldest > -(10**6)) & (oldest <= 0), BEFORE_DUE, value=True)
    put(oldest < rules.neutral_from_days, NEUTRAL, value=False)
    put(oldest < rules.firm_from_days, FIRM, value=False)
    allowed[:, [ARM["escalate"], ARM["route_dispute"]]] = False
    known = asked.known_open
    quarrel = (state.dispute[known] == DISPUTED) & (state.dispute_known[known] != NEVER)
    quarrel &= state.dispute_known[known] < as_of
    disputing = np.bincount(nature.invoice_point[known[quarrel]], minlength=points) > 0
    put(disputing, (ARM["route_dispute"], ARM["send_documents"]), value=True)
    put(state.opted_out, (*MAILS, ARM["sms_soft"]), value=False)
    allowed[~nature.inboxes.sms_consent, ARM["sms_soft"]] = False
    offer = nature.world.terms.allowed & (as_of - state.last_offer > OFFER_APART_DAYS)
    allowed[~offer, ARM["email_discount"]] = False
    put(_talked_lately(state, as_of), CALLS, value=False)
    allowed[state.failed_known != NEVER, 1:] = False
    allowed[:, 0] = True
    return allowed


def _talked_lately(state: State, as_of: int) -> Flags:
    contacts = state.contacts
    recent = (contacts.ints("day") >= as_of - 7) & (contacts.ints("reached") == 1)
    talked: Flags = np.bincount(contacts.ints("point")[recent], minlength=state.opted_out.size) > 0
    return talked


def see(nature: Nature, state: State) -> Book:
    """The book at the start of the Monday of ``state.week``."""
    as_of = state.week * 7 - 3
    orders = nature.orders
    known = int(np.searchsorted(orders.issued, as_of))
    rows = np.flatnonzero(state.placed[:known])
    place = np.full(nature.invoices, NEVER, dtype=np.int64)
    place[rows] = np.arange(rows.size)
    asked = listed(nature, state, as_of)
    collectible = np.zeros(nature.invoices)
    collectible[asked.known_open] = asked.collectible
    paid = before(state.paid[rows], as_of)
    disputes = rows[(state.dispute_known[rows] != NEVER) & (state.dispute_known[rows] < as_of)]
    ended = state.dispute[disputes] == RESOLVED
    promises = state.promises
    part = rows[nature.latent.split[rows] & (state.posted[rows] != NEVER) & (state.posted[rows] < as_of)]
    part = part[state.rest_posted[part] != NEVER]
    contacts, decisions = state.contacts, state.decisions
    return Book(
        as_of=as_of,
        point_cluster=np.arange(nature.inboxes.count),
        point=nature.invoice_point[rows],
        issued=orders.issued[rows],
        due=orders.due[rows],
        amount_minor=open_amount(nature, state, rows),
        collectible_minor=collectible[rows],
        paid_day=paid,
        closed_day=np.where(paid == NEVER, before(state.handed_over[rows], as_of), NEVER),
        written_off_day=before(state.written_off[rows], as_of),
        timing_logit=np.zeros(rows.size),
        dispute_invoice=place[disputes],
        dispute_opened=state.dispute_known[disputes],
        dispute_resolved=np.where(ended, before(state.dispute_ends[disputes], as_of), NEVER),
        dispute_whole=nature.latent.whole[disputes],
        promise_invoice=place[promises.ints("invoice")],
        promise_made=promises.ints("made"),
        promise_due=promises.ints("due"),
        promise_outcome=promise_outcomes(nature, state, as_of),
        part_invoice=place[part],
        part_day=state.posted[part],
        contact_point=contacts.ints("point"),
        contact_day=contacts.ints("day"),
        contact_arm=contacts.ints("arm"),
        contact_human=contacts["human"].astype(bool),
        contact_reached=contacts.ints("reached"),
        decision_point=decisions.ints("point"),
        decision_day=decisions.ints("day"),
        decision_arm=decisions.ints("arm"),
        decision_propensities=decisions["propensities"].astype(np.float64, copy=False),
        decision_executed=decisions.ints("executed"),
        allowed=mask(nature, state, asked, as_of),
        point_band=nature.inboxes.band,
    )


def promise_outcomes(nature: Nature, state: State, as_of: int) -> Ints:
    """Outcome of each promise as far as it is known: kept when the money came within the days of grace."""
    rows, due = state.promises.ints("invoice"), state.promises.ints("due")
    paid = before(state.paid[rows], as_of)
    last = due + nature.world.talk.grace_days
    kept = (paid != NEVER) & (paid <= last)
    outcome: Ints = np.where(kept, KEPT, np.where(as_of > last, BROKEN, OPEN))
    return outcome

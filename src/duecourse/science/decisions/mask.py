"""``mask``: which arms a hard rule forbids for a contact point today, each with all its reasons. Never learnt.

Monotone: a further stop, dispute, promise or contact never allows more. The law is checked again by the compliance
engine at dispatch; this mask already respects what every plan must: consents and opt-outs, disputes, promises, plans,
unapplied cash, an unanswered question, bounces, call limits, a cap on contacts, and a ceiling on the tone.
"""

from __future__ import annotations

from duecourse.ledger.autonomy import NOT_OFFERED_BY_LOT
from duecourse.ledger.schema import ARMS
from duecourse.science.decisions.capacity import Capacity
from duecourse.science.decisions.envelope import TERMS_ARMS, may_have_offers
from duecourse.science.decisions.offers import APART_DAYS
from duecourse.science.decisions.points import ContactPoint

CALLS = ("call_service", "call_firm", "call_plan")
EMAILS = ("email_soft", "email_neutral", "email_firm", "email_discount", "send_documents")
REMINDERS = ("email_soft", "email_neutral", "email_firm", "sms_soft", "letter_formal", "call_service", "call_firm",
             "call_plan", "email_discount")  # fmt: skip
BEFORE_DUE = ("email_soft", "send_documents")
TONE_OF = {
    "email_soft": "soft", "sms_soft": "soft", "email_neutral": "neutral", "email_discount": "neutral",
    "email_firm": "firm", "letter_formal": "firm", "call_firm": "firm", "call_service": "soft", "call_plan": "soft",
}  # fmt: skip
TONES = ("soft", "neutral", "firm")  # "final" is a person's alone and no arm has it

MAX_CONTACTS_30_DAYS = 4
MAX_CALLS_7_DAYS = 7
QUIET_AFTER_TALK_DAYS = 7
SOFT_UNTIL_DAYS = 14
NEUTRAL_UNTIL_DAYS = 28
PROMPT_NEUTRAL_UNTIL_DAYS = 42  # a customer that has always paid is given two weeks more before anybody is firm


def tone_ceiling(point: ContactPoint) -> str:
    """The firmest tone that is allowed: by age of the carrying invoice, by record, and for strategic customers.

    soft below 14 days late, neutral below 28 (for a prompt payer below 42), else firm; never firm to a strategic
    customer. ``final`` is no arm: only a person releases it.
    """
    carrying = point.carrying
    days_late = carrying.days_late if carrying is not None else 0
    segment = carrying.segment if carrying is not None else "new"
    if days_late < SOFT_UNTIL_DAYS:
        return "soft"
    until = PROMPT_NEUTRAL_UNTIL_DAYS if segment == "prompt" else NEUTRAL_UNTIL_DAYS
    return "neutral" if point.strategic or days_late < until else "firm"


def mask(point: ContactPoint, capacity: Capacity) -> dict[str, str]:
    """All reasons against each arm, joined by "; ", for every arm but ``none`` that may not be used."""
    masked = {}
    for arm in ARMS:
        if arm != "none":
            reasons = _reasons(point, arm, capacity)
            if reasons:
                masked[arm] = "; ".join(reasons)
    return masked


def _reasons(point: ContactPoint, arm: str, capacity: Capacity) -> list[str]:
    reasons = []
    if arm not in capacity.arms:
        reasons.append("not available: the capacity does not list it")
    if arm in TERMS_ARMS:
        reasons += _terms(point, arm, capacity)
    if arm == "escalate":
        reasons.append("only a person escalates")
    if arm == "route_dispute":
        if point.disputes.number == 0:
            reasons.append("no open dispute")
        return reasons
    reasons += _holds(point, arm) + _channel(point, arm) + _limits(point, arm)
    return reasons


def _terms(point: ContactPoint, arm: str, capacity: Capacity) -> list[str]:
    """What forbids offering terms, as far as no model is needed to say so."""
    terms, offers = capacity.terms, point.offers
    if terms is None or arm not in terms.arms:
        return ["no approved terms envelope"]
    reasons = []
    if not may_have_offers(point.customer_id, terms.share_of_customers):
        reasons.append(NOT_OFFERED_BY_LOT)
    since = offers.days_since_offer
    if since is not None and since < APART_DAYS:
        reasons.append(f"terms were offered {_ago(since)}; one offer in 12 months")
    if arm == "email_discount" and offers.invoices & {item.invoice_id for item in point.listed}:
        reasons.append("a discount was offered before for an invoice that is still open")
    broken = offers.days_since_broken_plan
    if arm == "call_plan" and broken is not None and broken < APART_DAYS:
        reasons.append(f"a plan was broken {_ago(broken)}; no other within 12 months")
    return reasons


def _holds(point: ContactPoint, arm: str) -> list[str]:
    """What forbids asking for money now."""
    if not point.listed:
        if arm != "send_documents":
            return [nothing_to_ask(point)]
        return []
    if arm not in REMINDERS:
        return []
    reasons = []
    if point.history.unanswered_days is not None:
        reasons.append("their last message is not answered yet")
    if point.money_unmatched:
        reasons.append("money of theirs is not matched yet")
    carrying = point.carrying
    if carrying is not None and carrying.days_late <= 0 and arm not in BEFORE_DUE:
        reasons.append("before the due date only a soft e-mail")
    tone = TONE_OF[arm]
    ceiling = tone_ceiling(point)
    if TONES.index(tone) > TONES.index(ceiling):
        reasons.append(f"tone ceiling is {ceiling}")
    return reasons


def nothing_to_ask(point: ContactPoint) -> str:
    """Why no listed invoice may be asked for."""
    waiting = [item for item in point.items if item.collectible_minor > 0]
    if waiting:
        return "nothing is due within 7 days"
    held = {
        "disputed": any(item.disputed_minor for item in point.items),
        "promised": any(item.promised_minor for item in point.items),
        "in a payment plan": any(item.planned_minor for item in point.items),
        "covered by cash or credits not applied yet": any(item.netted_minor for item in point.items),
    }
    named = [name for name, true in held.items() if true]
    return f"all that is open is {', '.join(named)}" if named else "nothing may be asked for"


def _channel(point: ContactPoint, arm: str) -> list[str]:
    contact = point.contact
    if contact is None:
        if point.contacts_on_file and (arm in EMAILS or arm in CALLS or arm in ("sms_soft", "letter_formal")):
            return ["only a legal contact is on file"]
        return ["consent to text messages is not on file"] if arm == "sms_soft" else []
    reasons = []
    if arm in EMAILS:
        if not contact.has_email:
            reasons.append("no e-mail address on file")
        if contact.email_consent == "withdrawn":
            reasons.append("e-mail consent withdrawn")
        if point.history.bounced_days is not None:
            reasons.append("the last e-mail bounced")
    if arm in CALLS:
        if not contact.has_phone:
            reasons.append("no phone number on file")
        if contact.call_consent == "withdrawn":
            reasons.append("consent to calls withdrawn")
        if point.debtor_kind == "consumer" and contact.call_consent != "granted":
            reasons.append("a consumer's consent to calls is not on file")
    if arm == "sms_soft":
        if contact.sms_consent != "granted":
            reasons.append("consent to text messages is not on file")
        if not contact.has_phone:
            reasons.append("no phone number on file")
    return reasons


def _limits(point: ContactPoint, arm: str) -> list[str]:
    history = point.history
    reasons = []
    if arm in REMINDERS and history.outgoing_30_days >= MAX_CONTACTS_30_DAYS:
        reasons.append(f"{history.outgoing_30_days} contacts in the last 30 days (limit {MAX_CONTACTS_30_DAYS})")
    if arm in CALLS:
        if history.calls_7_days >= MAX_CALLS_7_DAYS:
            reasons.append(f"{history.calls_7_days} calls in the last 7 days (limit {MAX_CALLS_7_DAYS})")
        talked = history.days_since_conversation
        if talked is not None and talked <= QUIET_AFTER_TALK_DAYS:
            reasons.append(f"spoke {_ago(talked)}; no call for {QUIET_AFTER_TALK_DAYS} days")
    return reasons


def _ago(days: int) -> str:
    return "today" if days <= 0 else "yesterday" if days == 1 else f"{days} days ago"

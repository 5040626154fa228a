"""The dunning ladder: what a decent fixed sequence would do for a contact point today, or why it keeps silent.

E-mails in the overdue weeks 0 (soft), 2 (soft), 4 (firm), 6 (formal letter), 9 (firm), from then on every 4 weeks
(firm); calls from week 3, at least 4 weeks apart. It keeps silent for those who will pay anyway, for those who were
written to since the present step began or within 7 days, and before the due date. Where an arm is masked the next
milder one is taken. Needs no model beyond P(paid within 14 days); computable without any (kill switch).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

from duecourse.science.decisions.mask import nothing_to_ask, tone_ceiling
from duecourse.science.decisions.points import ContactPoint

MAIL_STEPS = ((0, "email_soft"), (2, "email_soft"), (4, "email_firm"), (6, "letter_formal"), (9, "email_firm"))
LATER_EVERY_WEEKS = 4
MILDER = {
    "letter_formal": ("email_firm", "email_neutral", "email_soft"),
    "email_firm": ("email_neutral", "email_soft"),
    "email_soft": (),
    "call_firm": ("call_service",),
    "call_service": (),
}
CALL_FROM_DAYS = 21
CALL_BEYOND_HABIT_DAYS = 14  # value_at_stake also calls a customer that is this far beyond its own habit
CALLS_APART_DAYS = 28
CONTACTS_APART_DAYS = 7
ROUTED_APART_DAYS = 7
URGENT_FROM = 1.0  # [A] a dispute goes before every contact when it holds a median open invoice or more
SELF_CURE_SHARE = 0.75  # [A] at least this share expected within 14 days by itself
SELF_CURE_BEYOND_DAYS = 7  # unless it is more than this beyond its own habit

NOT_WORKED = ("deferred", "self_cure", "masked", "capacity", "nothing_collectible", "no_gain", "by_lot")


@dataclass(frozen=True, slots=True)
class Wish:
    """What the ladder would like to do: a resolving act, a call, a mail; or, when all are None, why nothing.

    ``resolve`` (route_dispute, send_documents) goes before any reminder, and before everything else when ``urgent``: a
    question, or a dispute that holds more than the rest that may be asked for. ``silence`` is one of ``NOT_WORKED`` and
    ``detail`` the sentence for it.
    """

    resolve: str | None = None
    urgent: bool = False
    call: str | None = None
    mail: str | None = None
    silence: str = ""
    detail: str = ""


def wish(point: ContactPoint, masked: Collection[str], as_of: date, *, by_value: bool) -> Wish:
    """The wish for ``point``; ``by_value`` allows a call before week 3 to a customer far beyond its own habit."""
    first = before_asking(point, masked, as_of)
    if first is not None:
        return first
    asked = _self_cure(point) or _step(point, masked, as_of, by_value=by_value)
    if asked.silence and _may_route(point, masked):
        return Wish(resolve="route_dispute")
    return asked


def before_asking(point: ContactPoint, masked: Collection[str], as_of: date) -> Wish | None:
    """What goes before any reminder under every policy: a resolving act, or why nothing may be asked for today."""
    dispute = _may_route(point, masked)
    if dispute and holds_more_than_the_rest(point):
        return Wish(resolve="route_dispute", urgent=held_by_disputes(point) >= URGENT_FROM)
    if point.history.unanswered_days is not None and "send_documents" not in masked:
        return Wish(resolve="send_documents", urgent=True)
    silent = _silence(point, masked, as_of)
    return Wish(resolve="route_dispute") if silent is not None and dispute else silent


def _step(point: ContactPoint, masked: Collection[str], as_of: date, *, by_value: bool) -> Wish:
    call = _call(point, masked, by_value=by_value)
    step = _mail_step(point)
    mail = None if step is None else _first_allowed(step, masked)
    if call is not None or mail is not None:
        return Wish(call=call, mail=mail)
    if step is not None:
        return Wish(silence="masked", detail="No arm is left for the step that is due.")
    return Wish(
        silence="deferred", detail=f"Between two steps of the ladder; the next is due on {_next(point, as_of)}."
    )


def _may_route(point: ContactPoint, masked: Collection[str]) -> bool:
    """An open dispute that nobody owns and that was not routed within the week."""
    routed = point.history.days_since_routed
    recently = routed is not None and routed < ROUTED_APART_DAYS
    return point.disputes.unowned > 0 and "route_dispute" not in masked and not recently


def holds_more_than_the_rest(point: ContactPoint) -> bool:
    """True when the disputed invoices are worth at least the overdue ones that nobody disputes."""
    rest = (item for item in point.listed if item.disputed_minor == 0 and item.days_late > 0)
    return held_by_disputes(point) >= sum(point.relative(item) for item in rest)


def held_by_disputes(point: ContactPoint) -> float:
    """What the open disputes hold up, in units of the book's median open invoice."""
    held = point.disputes.cash_at_stake_minor or {}
    return sum(minor / point.typical_minor[unit] for unit, minor in held.items())


def _silence(point: ContactPoint, masked: Collection[str], as_of: date) -> Wish | None:
    carrying = point.carrying
    if carrying is None:
        reason = nothing_to_ask(point)
        code = "deferred" if reason.startswith("nothing is due") else "nothing_collectible"
        return Wish(silence=code, detail=f"{reason[0].upper()}{reason[1:]}.")
    if point.history.unanswered_days is not None:
        return Wish(silence="masked", detail="Their last message is not answered yet; no reminder before that.")
    if point.money_unmatched:
        return Wish(
            silence="masked", detail="Money of theirs has arrived and is not matched yet; no reminder before that."
        )
    if carrying.days_late <= 0:
        due = "today" if carrying.days_late == 0 else f"on {carrying.due_on}"
        return Wish(silence="deferred", detail=f"Nothing is overdue; the next invoice is due {due}.")
    since = point.history.days_since_out
    if since is not None and since < CONTACTS_APART_DAYS:
        again = as_of + timedelta(days=CONTACTS_APART_DAYS - since)
        return Wish(silence="deferred", detail=f"Contacted {_ago(since)}; not again before {again}.")
    if all(arm in masked for arm in ("email_soft", "email_neutral", "email_firm", "letter_formal", "call_service",
                                     "call_firm")):  # fmt: skip
        return Wish(silence="masked", detail="No way to contact them is allowed and available.")
    return None


def _self_cure(point: ContactPoint) -> Wish | None:
    return Wish(silence="self_cure", detail="") if pays_anyway(point) else None


def pays_anyway(point: ContactPoint) -> bool:
    """True when at least 75 % is expected within 14 days, in line with the habit and no promise was broken."""
    if point.broken_promise_days is not None or point.beyond_habit_days > SELF_CURE_BEYOND_DAYS:
        return False
    return point.paid_soon >= SELF_CURE_SHARE


def _mail_step(point: ContactPoint) -> str | None:
    """The arm of the step that has begun and was not done yet; None when something went out since it began."""
    carrying = point.carrying
    assert carrying is not None  # noqa: S101 - silence was decided before
    week, arm = _step_at(carrying.days_late // 7)
    since = point.history.days_since_out
    days_in_step = carrying.days_late - max(7 * week, 1)
    return None if since is not None and since <= days_in_step else arm


def _step_at(week: int) -> tuple[int, str]:
    """The last step begun by overdue week ``week``."""
    last, arm = MAIL_STEPS[-1]
    if week >= last:
        return last + (week - last) // LATER_EVERY_WEEKS * LATER_EVERY_WEEKS, arm
    return max(step for step in MAIL_STEPS if step[0] <= week)


def _next(point: ContactPoint, as_of: date) -> date:
    """The day on which the step after the present one begins."""
    carrying = point.carrying
    assert carrying is not None  # noqa: S101 - silence was decided before
    begun = _step_at(carrying.days_late // 7)[0]
    following = next((week for week, _ in MAIL_STEPS if week > begun), begun + LATER_EVERY_WEEKS)
    return as_of + timedelta(days=7 * following - carrying.days_late)


def _call(point: ContactPoint, masked: Collection[str], *, by_value: bool) -> str | None:
    carrying = point.carrying
    assert carrying is not None  # noqa: S101 - silence was decided before
    old_enough = carrying.days_late >= CALL_FROM_DAYS
    if not old_enough and not (by_value and point.beyond_habit_days >= CALL_BEYOND_HABIT_DAYS):
        return None
    since = point.history.days_since_call
    if since is not None and since < CALLS_APART_DAYS:
        return None
    firm = tone_ceiling(point) == "firm" and (point.habit.late_quarters >= 2 or carrying.segment == "chronic")
    return _first_allowed("call_firm" if firm else "call_service", masked)


def _first_allowed(arm: str, masked: Collection[str]) -> str | None:
    """``arm`` or the firmest milder one that is not masked."""
    return next((name for name in (arm, *MILDER[arm]) if name not in masked), None)


def _ago(days: int) -> str:
    return "today" if days <= 0 else "yesterday" if days == 1 else f"{days} days ago"

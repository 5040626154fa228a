"""One sentence on why a customer is on the list, or is left alone: at most 140 characters, every number from the facts.

Lateness is told against the customer's own habit, not against the due date alone: "15 days over; usual for this
customer is 10; expected in about 4 days."
"""

from __future__ import annotations

from duecourse.core.money import Money
from duecourse.science.decisions.ladder import SELF_CURE_SHARE
from duecourse.science.decisions.points import ContactPoint, OpenItem

LONGEST = 140
LONGEST_ID = 20  # a longer number would push the reasons out of the sentence


def why(point: ContactPoint, arm: str) -> str:
    """Why ``arm`` is proposed for ``point`` now."""
    if arm == "route_dispute":
        rest = "settle that before asking for the rest" if point.listed else "nothing else may be asked for now"
        return fitted([_dispute_part(point), rest])
    if point.history.unanswered_days is not None and arm == "send_documents":
        return fitted([f"They wrote {_ago(point.history.unanswered_days)} and have no answer",
                     "answer and send the papers, no reminder"])  # fmt: skip
    carrying = point.carrying
    if carrying is None:
        return "Nothing may be asked for now."
    parts = [lateness(point, carrying), *_habit_parts(point, carrying)]
    if point.broken_promise_days is not None:
        parts.insert(0, "Promise not kept")
    elif point.disputes.number:
        parts.append("the disputed part is left out")
    parts.append(_expected(carrying))
    return fitted(parts)


def self_cure_detail(point: ContactPoint) -> str:
    """Why a customer that is late is left alone: it will pay anyway."""
    carrying = point.carrying
    if carrying is None:
        return "Nothing may be asked for now."
    parts = [lateness(point, carrying), *_habit_parts(point, carrying), _expected_range(carrying), "no contact needed"]
    return fitted(parts)


def no_gain_detail() -> str:
    """Why a contact that is possible is not made."""
    return "The contact changes nothing: what it may bring does not cover its cost."


def capacity_detail(point: ContactPoint, arm: str, minutes: float) -> str:
    """Why an act that is worth doing is not done: others bring more per minute."""
    asked = Money(point.sum_minor("collectible_minor", listed=True), point.currency).format()
    return f"{_act(arm)} ({minutes:g} min, {asked}) did not fit: others bring more per minute."


def _act(arm: str) -> str:
    return {"route_dispute": "Settling its dispute", "send_documents": "Answering it"}.get(arm, "A call")


def fitted(parts: list[str]) -> str:
    """The parts joined by semicolons, dropping from the middle what would make it too long."""
    kept = [part for part in parts if part]
    while len("; ".join(kept)) + 1 > LONGEST and len(kept) > 2:
        kept.pop(-2)
    text = "; ".join(kept)
    text = text if len(text) < LONGEST else text[: LONGEST - 2] + "…"
    return text[0].upper() + text[1:] + "."


def lateness(point: ContactPoint, item: OpenItem) -> str:
    """How late the carrying invoice is; where an older one is open (a leftover, a disputed one), which is meant."""
    if item.days_late > 0:
        over = f"{_days(item.days_late)} over"
    else:
        over = "due today" if item.days_late == 0 else f"due in {_days(-item.days_late)}"
    if point.days_late_max <= max(item.days_late, 0):
        return over
    named = f"invoice {item.invoice_id}" if len(item.invoice_id) <= LONGEST_ID else "the main invoice"
    return f"{named} is {over}, the oldest {_days(point.days_late_max)}"


def _habit_parts(point: ContactPoint, item: OpenItem) -> list[str]:
    habit = point.habit
    if not habit.is_known:
        return ["no payment habit known yet"]
    if not habit.ever_late and item.days_late > 0:
        return ["late for the first time"]
    usual = habit.usual_days
    if usual > 0:
        text = f"usual for this customer is {usual}"
    else:
        text = "usually pays on the due date" if usual == 0 else f"usually pays {_days(-usual)} early"
    beyond = point.beyond_habit_days
    return [text, f"{_days(beyond)} beyond its own habit"] if beyond else [text]


def _expected(item: OpenItem) -> str:
    days = item.outlook.p50_days
    if days is None:
        return f"not expected within {_days(item.outlook.horizon_days)}"
    return "expected today or tomorrow" if days <= 1 else f"expected in about {_days(days)}"


def _expected_range(item: OpenItem) -> str:
    low, high = item.outlook.p10_days, item.outlook.p90_days
    if low is None or high is None or high > 31:
        return f"{SELF_CURE_SHARE:.0%} or more expected within 14 days"
    return "expected today" if high == 0 else f"expected in {low} to {_days(high)}" if high > low else _expected(item)


def _dispute_part(point: ContactPoint) -> str:
    number = point.disputes.number
    held = (point.disputes.cash_at_stake_minor or {}).get(point.currency, 0)
    amount = f" {Money(held, point.currency).format()}" if held else " money"
    return f"1 open dispute holds{amount}" if number == 1 else f"{number} open disputes hold{amount}"


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"


def _ago(days: int) -> str:
    return "today" if days <= 0 else "yesterday" if days == 1 else f"{days} days ago"

"""A scenario in words: what each step says, what each end of its range means, and what was assumed."""

from __future__ import annotations

from duecourse.core.money import Money
from duecourse.science.forecast.scenarios.resolve import SINGLE, Resolved
from duecourse.science.forecast.scenarios.roster import Bools
from duecourse.science.forecast.scenarios.steps import (
    Collections,
    Customers,
    Delay,
    Discount,
    Loss,
    NewBusiness,
    Shock,
    Step,
    Terms,
    Volume,
)

ENDS = {
    "due": "payments move with the due date",
    "issue": "customers pay as long after the issue as before",
    "take_up_low": "few take the discount",
    "take_up_high": "many take the discount",
    "uplift_low": "the measured effect at its P10",
    "uplift_high": "the measured effect at its P90",
}
SHORT_ENDS = {
    "due": "days late kept", "issue": "pay-day kept", "take_up_low": "low take-up", "take_up_high": "high take-up",
    "uplift_low": "effect P10", "uplift_high": "effect P90", SINGLE: "",
}  # fmt: skip


def end_words(end: str) -> str:
    """What an end of a range means, as a clause."""
    return "; ".join(ENDS[part] for part in end.split("+") if part in ENDS)


def short_end(end: str) -> str:
    """The name of an end in two or three words; empty where there is only one."""
    return ", ".join(SHORT_ENDS.get(part, part) for part in end.split("+") if SHORT_ENDS.get(part, part))


def step_words(step: Step) -> str:
    """What a step says, as one sentence."""
    match step:
        case Terms():
            before = "" if step.from_net is None else f" instead of net {step.from_net}"
            too = ", the invoices that are open already too" if step.open_invoices else ""
            return (f"Invoices of {_who(step.customers)} issued from {step.start} on are net {step.to_net}{before}"
                    f"{too}.")  # fmt: skip
        case Discount():
            net = "" if step.net is None else f" net {step.net}"
            return (f"{_who(step.customers, True)} may take {step.percent:g} % off for payment within {step.days} days"
                    f" ({step.percent:g}/{step.days}{net}) on invoices issued from {step.start} on.")  # fmt: skip
        case Delay():
            return f"Every payment of {_who(step.customers)}{_from(step.start)} comes {_days(step.days)} later."
        case Loss():
            end = "nothing is paid any more" if step.open_invoices == "never" else "what is open is paid as before"
            return f"{_who(step.customers, True)}: no new invoices{_from(step.start)}, and {end}."
        case Shock():
            return _shock_words(step)
        case Volume():
            return f"Invoices of {_who(step.customers)} issued from {step.start} on are {step.factor:g} times as much."
        case NewBusiness():
            return _business_words(step)
        case Collections():
            return f"More contact with {_who(step.customers)}{_from(step.start)}, with the effect that was measured."


def _shock_words(step: Shock) -> str:
    words = f"Everybody pays late at once: the shared shock stands at +{step.severity}"
    if step.inflow_factor != 1.0:
        words += f", {step.inflow_factor:g} times as much is invoiced"
    if step.never:
        words += f", {', '.join(step.never)} pay nothing any more"
    return words + "."


def _business_words(step: NewBusiness) -> str:
    first = step.invoices[0]
    names = list(dict.fromkeys(one.customer for one in step.invoices))
    rhythm = {"month": " every month", "week": " every week", "once": ""}[step.repeats]
    count = "" if rhythm or len(step.invoices) == 1 else f", {len(step.invoices)} invoices"
    alike = all((one.amount_minor, one.terms_days) == (first.amount_minor, first.terms_days) for one in step.invoices)
    amount = Money(first.amount_minor, first.currency).format()
    what = f"{amount} net {first.terms_days} each" if alike else "invoices"
    begin = min(one.issued_on for one in step.invoices)
    base = " (in the base too)" if step.in_base else ""
    return f"New invoices to {', '.join(names)}: {what}{rhythm}{count} from {begin} on{base}."


def assumptions(resolved: Resolved, days: int) -> list[str]:
    """What the figures rest on, as sentences, in the order of the steps."""
    found = [
        "Base and scenario share every random number: the difference holds only what the scenario does.",
    ]
    for step, member in zip(resolved.scenario.steps, resolved.members, strict=True):
        found += _assumed(step, resolved, member)
    rate = _percent(resolved.scenario.cost_of_capital)
    found.append(f"Cost of capital {rate} a year; effects are counted over {days} days.")
    return list(dict.fromkeys(found))


def _assumed(step: Step, resolved: Resolved, member: Bools) -> list[str]:
    match step:
        case Terms():
            return [
                "No book without past changes of terms can tell how customers answer new ones: the answer lies between "
                "two ends. 'due' keeps days late and pays on the customer's next pay-day (weekday); 'issue' keeps the "
                "day counted from the issue.",
                "Amounts and P(never) do not change with the terms.",
            ]
        case Discount():
            low, high = (take_up[member] for take_up in resolved.take_up[step.place])
            told = step.take_up is not None
            source = "as written" if told else "own past shrunk by Beta(3, 9), .10-.40 without a past: our assumption"
            return [
                f"Take-up {_percent(low.min())} to {_percent(high.max())} of the amount ({source}).",
                f"Takers pay on day {step.days} after the issue, or earlier if they do so now. Take-up is a share of "
                "the amount and is not drawn invoice by invoice: with one or two customers the band is too narrow.",
            ]
        case Shock():
            return [
                f"+{step.severity} standard deviations of the shock that all customers share; nothing else changes."
            ]
        case NewBusiness():
            like = "the whole book" if step.like is None else step.like
            return [f"New invoices are paid as late as those of {like} in the last year, each invoice counted once."]
        case Loss() if step.open_invoices == "never":
            return ["What is never paid stays in receivables: a write-off is not assumed."]
        case Collections() if step.uplift is not None:
            least, middle, most = step.uplift.days_earlier
            return [
                f"More contact brings late payments {least:g} to {most:g} days forward (P50 {middle:g}), not before "
                f"the due date; measured on {step.uplift.accounts} accounts ({step.uplift.measured_by}), "
                f"{step.uplift.source}."
            ]
    return []


def _who(customers: Customers, begins: bool = False) -> str:
    if customers.everybody:
        return "All customers" if begins else "all customers"
    if customers.top:
        words = "largest customer" if customers.top == 1 else f"{customers.top} largest customers"
        return f"{'The' if begins else 'the'} {words}"
    return ", ".join(customers.names)


def _from(start: object) -> str:
    return "" if start is None else f" from {start} on"


def _days(days: int) -> str:
    return "1 day" if days == 1 else f"{days} days"


def _percent(share: float) -> str:
    return f"{100 * share:.4g} %"

"""The model card: what a fitted model is, what it learnt from, how it was judged, what it cannot know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from duecourse.science.timing.facts import calendar_date
from duecourse.science.timing.feature_groups import GROUPS, SHARED_WITH_NORM
from duecourse.science.timing.features import FEATURE_NAMES

if TYPE_CHECKING:
    from duecourse.science.timing.model import TimingModel

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_NOT_KNOWN = """\
## What it does not know

- It was fitted on this book alone. Events that the book has hardly seen (promises, disputes, returned payments) enter
  with assumed sizes.
- It says when invoices are paid under the collection work that was done. It does not say what a contact would change.
- Amounts settled to 95 % count as paid. Credits end the waiting without counting as payment; write-offs count as never.
- A customer with fewer than three payments gets a band that is likely to be too narrow.
"""


def model_card(model: TimingModel) -> str:
    """The card as Markdown; the same text for the same model."""
    figures = model.fitted
    paying = ", ".join(name for name, pays in zip(_WEEKDAYS, model.paying, strict=True) if pays)
    lines = [
        f"# Payment-timing model {model.model_id}",
        "",
        f"Learnt from what was known at the start of {calendar_date(model.as_of)} (snapshot {model.snapshot_id[:16]}).",
        "",
        "## What it learnt from",
        "",
        f"- {figures['invoices']} invoices of {figures['customers']} customers, {figures['paid_invoices']} of them"
        f" paid, over {figures['history_days']} days of payments.",
        f"- {figures['rows']} days at risk at {figures['landmarks']} landmarks, {figures['paid_rows']} of them with a"
        " payment; open invoices take part as long as they were seen.",
        f"- Payments arrive on: {paying}.",
        "",
        "## What it is",
        "",
        f"- Hazard of payment per day given unpaid so far, {model.config.horizon} days ahead: {figures['bags']}"
        f" LightGBM model(s) of {model.config.rounds} trees, {len(FEATURE_NAMES)} features,"
        f" set `{model.config.feature_set}`.",
        f"- Events on the logit of the hazard: {_sizes(model.event_sizes)}.",
        f"- {model.blend_weight:.0%} of the hazard is the customer's own distribution of delays"
        f"{_chosen(figures)}, more at delays at which the book saw few payments.",
        f"- Seed {model.seed}; made with {_made_with(model.versions)}.",
        "",
        "## How it was judged",
        "",
        *_judged(model.gate),
        "- Recalibrated on its own past." if model.calibration else "- Curves are shown as fitted, not recalibrated.",
        "",
        "## Where the gain comes from",
        "",
        *_gains(model),
        "",
    ]
    return "\n".join(lines) + "\n" + _NOT_KNOWN


def _chosen(figures: Mapping[str, Any]) -> str:
    return f" ({figures['blend_choice']})" if figures.get("blend_choice") else ""


def _sizes(sizes: Mapping[str, float]) -> str:
    return ", ".join(f"{kind.replace('_', ' ')} {size:+.2f}" for kind, size in sizes.items())


def _made_with(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))


def _judged(gate: Mapping[str, Any] | None) -> list[str]:
    if gate is None:
        return ["- Not judged against the simple methods (trained without the gate)."]
    verdicts = gate.get("verdicts", {})
    lines = [f"- {gate['says']}."] + [f"- {name}: {verdict['says']}." for name, verdict in sorted(verdicts.items())]
    for entity, alone in sorted((gate.get("entities") or {}).items()):
        lines += [f"- entity {entity}, {name}: {verdict['says']}." for name, verdict in sorted(alone.items())]
    return lines


def _gains(model: TimingModel) -> list[str]:
    """Shares of the trees' gain: of the groups in which reasons are given, then the ten largest features."""
    totals = dict.fromkeys(FEATURE_NAMES, 0.0)
    for booster in model.boosters:
        for name, gain in zip(FEATURE_NAMES, booster.feature_importance(importance_type="gain"), strict=True):
            totals[name] += float(gain)
    whole = sum(totals.values()) or 1.0
    groups = {
        name: sum(totals[column] for column in columns)
        for name, columns in (*GROUPS.items(), *SHARED_WITH_NORM.items())
        if columns
    }
    by_group = sorted(groups.items(), key=lambda group: (-group[1], group[0]))
    summary = "; ".join(f"{name} {gain / whole:.1%}" for name, gain in by_group)
    best = sorted(totals, key=lambda name: (-totals[name], name))[:10]
    return [f"- By group: {summary}.", *(f"- {name}: {totals[name] / whole:.1%}" for name in best)]

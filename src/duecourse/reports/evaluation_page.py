"""The page of an evaluation: the answer first, then the figures, how much the log can say, and what it would take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from duecourse.reports.charts.ranges import forest_row
from duecourse.reports.page import Page, Section, print_page
from duecourse.reports.wording import NONE, Wording, arm
from duecourse.science.evaluate.report import POLICY_NAMES

__all__ = ["render"]

ANSWERS = {
    "better": "Better than what was done",
    "worse": "Worse than what was done",
    "cannot_tell": "Cannot tell yet",
    "refused": "No answer",
}
ESTIMATORS = {
    "dr": "Doubly robust (the answer)",
    "anytime": "Doubly robust, valid at every look",
    "betting": "Betting, no normal approximation",
    "episode_of_3": "Up to three decisions in a row",
    "ips": "Inverse propensity (IPS)",
    "snips": "Self-normalised (SNIPS)",
    "switch": "Weights above 20 left to the model (SWITCH)",
    "naive": "Naive mean of agreeing decisions (not causal)",
}
GUARDS = {
    "opt_outs": "Opt-outs", "complaints": "Complaints", "disputes_raised": "Disputes raised",
    "contacts_per_account": "Contacts", "order_volume_lost": "Order volume lost",
    "collector_minutes": "Collector minutes", "promises_broken": "Promises broken", "days_late": "Days late",
}  # fmt: skip


def render(report: Mapping[str, Any], *, title: str = "", program_version: str = "", locale: str = "en_US") -> str:
    """The page of ``science.evaluate.to_dict`` as one self-contained HTML text; same report, same bytes."""
    words = Wording(locale)
    policy = POLICY_NAMES.get(report["policy"], report["policy"])
    sections = [
        Section("answer", "Answer", "evaluation_answer.html", _answer(report, policy)),
        Section("outcomes", "By outcome", "evaluation_outcomes.html", {"rows": _outcomes(report, words)}),
        Section("support", "How much the log can say", "evaluation_support.html", _support(report)),
        Section("acts", "What it would have done", "evaluation_acts.html", _acts(report, words)),
        Section("methods", "Other ways to estimate", "evaluation_methods.html", _methods_values(report, words)),
        Section("learning", "Stretch by stretch", "evaluation_learning.html", {"rows": _learning(report, words)}),
        Section("holdout", "Holdout and guardrails", "evaluation_holdout.html", _holdout(report, words)),
        *_gates(report),
        Section("next", "A test by payer", "evaluation_test.html", {"test": report["test"]}),
        Section("log", "The decision log", "evaluation_log.html", {"log": report["log"], "audit": report["audit"]}),
    ]
    page = Page(
        title=title or f"Would {policy} have been better?",
        eyebrow="Evaluation",
        facts=[
            Markup("as of {}").format(words.day(report["as_of"])),
            words.plural(int(report["log"]["decisions"]), "logged decision"),
        ],
        sections=sections,
        footer=[
            ("Made by", f"duecourse {program_version}".strip() + "; same ledger, policy and seed, same page"),
            ("As of", str(report["as_of"])),
        ],
        locale=locale,
    )
    return print_page(page)


def _answer(report: Mapping[str, Any], policy: str) -> dict[str, Any]:
    return {
        "heading": ANSWERS[report["answer"]], "sentence": report["sentence"], "policy": policy,
        "answer": report["answer"], "contacts": report["contacts"],
    }  # fmt: skip


def _outcomes(report: Mapping[str, Any], words: Wording) -> list[dict[str, Any]]:
    rows = []
    for one in report["outcomes"]:
        row = {"label": one["label"], "decisions": one["decisions"], "sentence": one["sentence"], "known": False}
        if "gain" in one and one["support"]["suffices"]:
            row |= {
                "known": True,
                "logged": _value(one, one["logged_mean"], words, signed=False),
                "gain": _value(one, one["gain"]["estimate"], words),
                "low": _value(one, one["gain"]["low"], words),
                "high": _value(one, one["gain"]["high"], words),
                "strip": _strip(one),
            }
        rows.append(row)
    return rows


def _strip(one: Mapping[str, Any]) -> Markup:
    """The interval against zero, on its own axis; empty where an end is open."""
    gain = one["gain"]
    if gain["low"] is None or gain["high"] is None:
        return Markup("")
    reach = max(abs(gain["low"]), abs(gain["high"]), 1e-9)
    return forest_row(
        f"gain-{one['outcome']}", gain["low"], gain["estimate"], gain["high"], limits=(-reach, reach),
        title=f"{one['label']}: difference with its 95 % interval, zero in the middle", description=one["sentence"],
    )  # fmt: skip


def _value(one: Mapping[str, Any], value: float | None, words: Wording, *, signed: bool = True) -> str:
    """A figure of one outcome in its unit."""
    if value is None:
        return NONE
    sign = "+" if signed and value > 0 else ""
    if one["outcome"] == "paid_share":
        return f"{sign}{words.number(100 * value, 1)} {'points' if signed else '%'}"
    if one["outcome"] == "weeks_to_pay":
        return f"{sign}{words.number(value, 2)} weeks"
    return f"{sign}{words.money(value, one['currency'] or '')} a decision"


def _support(report: Mapping[str, Any]) -> dict[str, Any]:
    rows = [(one["label"], one["support"]) for one in report["outcomes"] if "support" in one]
    return {"rows": rows}


def _acts(report: Mapping[str, Any], words: Wording) -> dict[str, Any]:
    drawn = sum(int(one["drawn"]) for one in report["arms"].values()) or 1
    described = report["descriptive"]["arms"]
    rows = [
        (
            name, words.percent(one["drawn"] / drawn, 1), words.percent(one["policy"] / drawn, 1),
            words.count(one["executed"]) if one["executed"] else NONE,
        )
        for name, one in report["arms"].items()
    ]  # fmt: skip
    seen = [
        (name, words.count(one["decisions"]), words.percent(one["paid_share"], 1)) for name, one in described.items()
    ]
    return {"rows": rows, "described": seen, "caution": report["descriptive"]["caution"]}


def _methods_values(report: Mapping[str, Any], words: Wording) -> dict[str, Any]:
    return {"rows": _methods(report, words), "ranking": report["ranking"]}


def _methods(report: Mapping[str, Any], words: Wording) -> list[tuple[str, ...]]:
    """Every estimate of the first outcome, shown only where the log suffices for the answer itself."""
    one = report["outcomes"][0]
    if "gain" not in one or not one["support"]["suffices"]:
        return []
    found = {"dr": one["gain"], "anytime": one["anytime"], "betting": one["betting"], **one["sensitivity"]}
    if one["episode_of_3"]:
        found["episode_of_3"] = one["episode_of_3"]
    return [
        (name, *(_value(one, found[code][end], words) for end in ("estimate", "low", "high")))
        for code, name in ESTIMATORS.items()
        if code in found
    ]


def _learning(report: Mapping[str, Any], words: Wording) -> list[tuple[str, ...]]:
    one = report["outcomes"][0]
    if "gain" not in one or not one["support"]["suffices"]:
        return []
    return [
        (
            f"{words.count(row['first'])} to {words.count(row['last'])}",
            *(_value(one, row[end], words) for end in ("estimate", "low", "high")),
        )
        for row in report["learning"]
    ]


def _holdout(report: Mapping[str, Any], words: Wording) -> dict[str, Any]:
    trial, offers = report["holdout"], report.get("offers")
    harms = [
        (f"{GUARDS[one['harm']]} after {arm(one['arm'])}", words.count(one["drawn"]), words.count(one["events"]),
         words.number(100 * one["difference"], 2),
         NONE if one["lower_bound"] is None else words.number(100 * one["lower_bound"], 2), one["crossed"])
        for one in report.get("harms_by_arm", ())
    ]  # fmt: skip
    return {
        "trial": trial, "guards": _guards(trial, words), "offers": offers, "offer_guards": _guards(offers, words),
        "harms": harms,
    }  # fmt: skip


def _guards(trial: Mapping[str, Any] | None, words: Wording) -> list[tuple[str, str, str, bool]]:
    if trial is None:
        return []
    return [
        (GUARDS.get(one["name"], one["name"]), words.number(one["difference"], 2), words.number(one["lower_bound"], 2),
         one["crossed"])
        for one in trial["guardrails"]
    ]  # fmt: skip


def _gates(report: Mapping[str, Any]) -> list[Section]:
    """The gates of autonomy, where the levels were given."""
    gates = report.get("gates")
    return [Section("gates", "Gates of autonomy", "evaluation_gates.html", {"gates": gates})] if gates else []

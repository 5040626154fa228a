"""Strict reading of scenario and uplift files (TOML text): every problem found, each with its table, key and cure."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from duecourse.core.errors import BadInput, Problem
from duecourse.science.forecast.scenarios import fields
from duecourse.science.forecast.scenarios.fields import Key
from duecourse.science.forecast.scenarios.kinds import KINDS, step_of
from duecourse.science.forecast.scenarios.steps import COST_OF_CAPITAL, Scenario, Step, Uplift

_MANUAL = "texts stand in quotes, dates and numbers do not; see docs/how-to/ask-what-if.md"
_HEAD = {
    "name": Key("a name for the scenario, as text", fields.text),
    "question": Key("the question in one sentence, as text", fields.text, required=False),
    "cost_of_capital": Key("a share a year from 0 to 1, for example 0.10", fields.between(0, 1), required=False),
    "step": Key("one or more [[step]] tables", fields.tables, required=False),
}
_EFFECT = Key("days from -365 to 365", fields.between(-365, 365))
_UPLIFT = {
    "measured_by": Key(
        '"randomised" or "doubly_robust": nothing else measures an effect',
        fields.one_of("randomised", "doubly_robust"),
    ),
    "accounts": Key("the number of accounts it was measured on", fields.whole(1, 10**9)),
    "effective_sample_size": Key("a number of at least 0", fields.between(0, 10**9)),
    "overlap": Key("a share from 0 to 1", fields.between(0, 1)),
    "days_earlier_p10": _EFFECT,
    "days_earlier_p50": _EFFECT,
    "days_earlier_p90": _EFFECT,
}


def read_scenario(text: str, file: str) -> Scenario:
    """The scenario in ``text``. Raises BadInput with every problem: malformed TOML, unknown, missing or wrong keys."""
    problems: list[Problem] = []
    head = _table(_toml(text, file), _HEAD, file, "", problems)
    steps = [_step(entry, number, file, problems) for number, entry in enumerate(head.get("step", ()), start=1)]
    if problems:
        raise BadInput(f"{file}: this scenario cannot be used; nothing was computed", tuple(problems))
    return Scenario(
        name=head["name"],
        file=file,
        steps=tuple(step for step in steps if step is not None),
        cost_of_capital=head.get("cost_of_capital", COST_OF_CAPITAL),
        question=head.get("question", ""),
    )


def read_uplift(text: str, file: str) -> Uplift:
    """A measured effect of more contact. Raises BadInput as ``read_scenario`` does."""
    problems: list[Problem] = []
    found = _table(_toml(text, file), _UPLIFT, file, "", problems)
    levels = tuple(found.get(f"days_earlier_p{level}", 0.0) for level in (10, 50, 90))
    if not problems and sorted(levels) != list(levels):
        problems.append(
            Problem(f"{file}, key days_earlier_p50", None, None, str(levels[1]), "a number between P10 and P90")
        )
    if problems:
        raise BadInput(f"{file}: this uplift file cannot be used; nothing was computed", tuple(problems))
    return Uplift(
        source=file,
        measured_by=found["measured_by"],
        accounts=found["accounts"],
        effective_sample_size=found["effective_sample_size"],
        overlap=found["overlap"],
        days_earlier=(levels[0], levels[1], levels[2]),
    )


def _toml(text: str, file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        problem = Problem(file, None, None, str(error), "a TOML file", _MANUAL)
        raise BadInput(f"{file}: this file cannot be read; nothing was computed", (problem,)) from None


def _step(entry: object, number: int, file: str, problems: list[Problem]) -> Step | None:
    if not isinstance(entry, dict):
        problems.append(Problem(f"{file}, step {number}", None, None, _shown(entry), "a table, begun with [[step]]"))
        return None
    kind = entry.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        expected = f"one of {', '.join(sorted(KINDS))}"
        shown = None if kind is None else _shown(kind)
        cure = _near(_shown(kind), KINDS) if kind is not None else 'add kind = "..."'
        problems.append(Problem(f"{file}, step {number}, key kind", None, None, shown, expected, cure))
        return None
    place, before = f"step {number} ({kind})", len(problems)
    values = {name: value for name, value in entry.items() if name != "kind"}
    found = _table(values, KINDS[kind], file, place, problems)
    if len(problems) > before:
        return None
    try:
        return step_of(kind, place, found)
    except ValueError as error:
        key, expected = error.args
        problems.append(Problem(f"{file}, {place}, key {key}", None, None, None, expected))
        return None


def _table(
    table: Mapping[str, Any], keys: Mapping[str, Key], file: str, place: str, problems: list[Problem]
) -> dict[str, Any]:
    """The checked values of one table; what is wrong with it goes to ``problems``."""
    where = f"{file}, {place}, key " if place else f"{file}, key "
    found: dict[str, Any] = {}
    for name, value in table.items():
        if name not in keys:
            problems.append(Problem(where + name, None, None, None, f"one of {', '.join(keys)}", _near(name, keys)))
            continue
        try:
            found[name] = keys[name].check(value)
        except (ValueError, TypeError):
            problems.append(Problem(where + name, None, None, _shown(value), keys[name].expected))
    for name, key in keys.items():
        if key.required and name not in table:
            problems.append(Problem(where + name, None, None, None, key.expected, f"add {name} = ..."))
    return found


def _near(name: str, known: Mapping[str, object]) -> str:
    near = get_close_matches(name, known, 1, 0.5)
    return f"did you mean {near[0]!r}?" if near else "leave it out or mend its name"


def _shown(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_shown(one) for one in value)}]"[:200]
    return (value.isoformat() if isinstance(value, date) else str(value))[:200]

"""``Autonomy`` (``autonomy.toml``): what a plan may do by itself, per arm and segment; the holdout; the kill switch."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from duecourse.core.errors import BadInput, Problem
from duecourse.ledger.autonomy import APPROVE_LEVEL, LEVELS, POLICY, SHADOW, SHADOW_LEVEL, acts_alone, ceiling
from duecourse.ledger.schema import ARMS
from duecourse.science.decisions.reading import Reader
from duecourse.science.timing.segments import SEGMENTS

MOST_HELD_OUT = 0.5
_KEYS = ("holdout_share", "kill_switch", "level", "levels", "segments", "calibrated_on")
_EXAMPLE = "holdout_share = 0.05, level = 2, and a table [levels] with lines such as email_soft = 3"


@dataclass(frozen=True, slots=True)
class Autonomy:
    """Levels 0 to 4 by arm and behaviour segment, the share of payers on the ladder for good, and the kill switch.

    ``levels``: arm -> level, ``segments``: segment -> arm (or ``level`` for all others) -> level. The most particular
    one counts, and none exceeds what an arm may ever reach. ``calibrated_on``: the day on which a person last found
    the predictions' calibration in bounds.
    """

    holdout_share: float = 0.0
    kill_switch: bool = False
    level: int = APPROVE_LEVEL
    levels: Mapping[str, int] = field(default_factory=dict)
    segments: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    calibrated_on: date | None = None

    def level_of(self, arm: str, segment: str) -> int:
        """The level of ``arm`` for a customer of ``segment``; under the kill switch a person approves each act."""
        if self.kill_switch:
            return APPROVE_LEVEL
        own = self.segments.get(segment, {})
        stated = own.get(arm, own.get("level", self.levels.get(arm, self.level)))
        return min(stated, ceiling(arm))


DEFAULT_AUTONOMY = Autonomy()


@dataclass(frozen=True, slots=True)
class Standing:
    """How one decision is logged and what may be done about it: stratum, level, and the arms that are in shadow."""

    stratum: str
    level: int
    shadowed: frozenset[str]


def standing_of(arm: str, chances: Mapping[str, float], segment: str, autonomy: Autonomy) -> Standing:
    """The standing of a decision for ``arm``, drawn with ``chances`` (eligible arm -> probability).

    Whatever falls on an arm in shadow is a decision in shadow. The others were drawn among the live arms, with their
    probabilities given that no arm in shadow was drawn: so the log of the live ones stays exact.
    """
    shadowed = frozenset(
        name for name in chances if name != "none" and autonomy.level_of(name, segment) <= SHADOW_LEVEL
    )
    level = autonomy.level_of(arm, segment)
    nothing_live = bool(shadowed) and set(chances) <= shadowed | {"none"}
    if arm in shadowed or nothing_live:
        return Standing(SHADOW, min(level, SHADOW_LEVEL), frozenset())
    return Standing(POLICY, level, shadowed)


def execution(arm: str, standing: Standing, human: str) -> str:
    """What becomes of an act: shadow (nothing), approve (a person releases it) or automatic.

    ``human`` is why a person must look at it in any case.
    """
    if standing.stratum == SHADOW:
        return "shadow"
    return "automatic" if acts_alone(arm, standing.level) and not human else "approve"


def read_autonomy(text: str, *, file: str = "autonomy.toml") -> Autonomy:
    """What ``text`` (TOML) states; raises BadInput with every problem, each with key and cure."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{file} is not TOML", (Problem(file, None, None, None, _EXAMPLE, str(error)),)) from None
    reader = Reader(file)
    reader.keys(raw, _KEYS)
    killed = raw.get("kill_switch", False)
    if not isinstance(killed, bool):
        reader.refuse("kill_switch", killed, "true or false")
    day = raw.get("calibrated_on")
    if day is not None and type(day) is not date:
        reader.refuse("calibrated_on", day, "a date without quotes, such as 2026-11-01")
    found = Autonomy(
        reader.number(raw, "holdout_share", largest=MOST_HELD_OUT, default=0.0), killed is True,
        _level(raw, "level", reader) if "level" in raw else APPROVE_LEVEL,
        _levels(raw.get("levels", {}), "levels", reader),
        _segments(raw.get("segments", {}), reader), day if type(day) is date else None,
    )  # fmt: skip
    if reader.problems:
        raise BadInput(f"{file} cannot be used", tuple(reader.problems))
    return found


def _segments(raw: object, reader: Reader) -> dict[str, dict[str, int]]:
    if not isinstance(raw, Mapping):
        reader.refuse("segments", raw, f"tables [segments.NAME] with NAME one of {', '.join(SEGMENTS)}")
        return {}
    reader.keys(raw, SEGMENTS, "segments")
    return {
        name: _levels(content, f"segments.{name}", reader, general=True)
        for name, content in sorted(raw.items())
        if name in SEGMENTS
    }


def _levels(raw: object, where: str, reader: Reader, *, general: bool = False) -> dict[str, int]:
    if not isinstance(raw, Mapping):
        reader.refuse(where, raw, "a table of lines such as email_soft = 3")
        return {}
    reader.keys(raw, (*ARMS, "level") if general else ARMS, where)
    found = {}
    for name in sorted(raw):
        if name in ARMS or (general and name == "level"):
            found[name] = _level(raw, name, reader, where)
            if name in ARMS and found[name] > ceiling(name):
                reader.refuse(f"{where}.{name}", raw[name], f"at most {ceiling(name)}: a person releases this act",
                              f"write {ceiling(name)} or less")  # fmt: skip
    return found


def _level(raw: Mapping[str, object], key: str, reader: Reader, where: str = "") -> int:
    what = f"a level: {', '.join(f'{one.number} {one.name}' for one in LEVELS)}"
    return reader.whole(raw, key, what, where=where, largest=len(LEVELS) - 1)

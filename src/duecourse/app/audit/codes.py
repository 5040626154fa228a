"""The audit codes of all features: each declared once, with the sentence by which people read it.

A feature declares ``EVENTS`` in its ``events.py`` and, for each kind of subject, how its rows are called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from string import Formatter
from typing import Any

from django.conf import settings
from django.utils.module_loading import module_has_submodule

Labels = Callable[[Iterable[str]], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Wording:
    """How one code reads: ``sentence`` follows the name of who acted; ``{subject}`` and facts stand in braces."""

    sentence: str

    @property
    def facts(self) -> frozenset[str]:
        """The names of the facts that an event of this code carries."""
        return frozenset(name for _, name, _, _ in Formatter().parse(self.sentence) if name) - {"subject"}

    def check(self, facts: Mapping[str, Any]) -> None:
        """Raises ValueError when an event carries other facts than its sentence tells."""
        if facts.keys() != self.facts:
            raise ValueError(f"an event has the facts {sorted(facts)}, its sentence tells {sorted(self.facts)}")

    def read(self, subject: str, facts: Mapping[str, Any]) -> str:
        """The sentence about this event; roles and states lose their underscores."""
        shown = {name: _shown(value) for name, value in facts.items()}
        return self.sentence.format(subject=subject, **shown)


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return str(value).replace("_", " ")


@cache
def all_codes() -> Mapping[str, Wording]:
    """Every code of every feature. Raises ValueError when two features declare the same one."""
    codes: dict[str, Wording] = {}
    for module in _event_modules():
        for code, sentence in module.EVENTS.items():
            if code in codes:
                raise ValueError(f"the audit code {code} is declared twice")
            codes[code] = Wording(sentence)
    return codes


@cache
def subject_labels() -> Mapping[str, Labels]:
    """Kind of subject -> function from ids to the names by which people know them."""
    return {kind: labels for module in _event_modules() for kind, labels in module.SUBJECTS.items()}


def known(code: str) -> Wording:
    """The wording of ``code``. Raises ValueError when no feature declares it."""
    try:
        return all_codes()[code]
    except KeyError:
        raise ValueError(f"the audit code {code} is declared in no feature's events.py") from None


def _event_modules() -> list[Any]:
    packages = [import_module(f"duecourse.app.{feature}") for feature in settings.FEATURES]
    return [import_module(f"{one.__name__}.events") for one in packages if module_has_submodule(one, "events")]

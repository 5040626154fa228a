"""Reading what a tenant states in a settings file: numbers, words and keys, every problem noted with its cure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from duecourse.core.errors import Problem


@dataclass
class Reader:
    """Collects what is wrong in ``file``; each method gives the value, or what stands in for it beside a problem."""

    file: str
    problems: list[Problem] = field(default_factory=list)

    def refuse(self, where: str, value: object, expected: str, cure: str = "") -> None:
        """Note one problem; ``value`` None means that nothing was given."""
        shown = None if value is None else json.dumps(value, ensure_ascii=False, default=str)[:200]
        self.problems.append(Problem(self.file, None, where, shown, expected, cure))

    def keys(self, content: Mapping[str, object], known: Sequence[str], where: str = "") -> None:
        """Note every key that is not ``known``."""
        for key in sorted(set(content) - set(known)):
            self.refuse(_named(where, key), content[key], f"one of {', '.join(known)}", "check the spelling")

    def number(self, content: Mapping[str, object], key: str, *, where: str = "", smallest: float = 0, largest: float,
               default: float | None = None) -> float:  # fmt: skip
        """The number at ``key``; ``smallest`` stands in for one that is none or out of range."""
        if key not in content and default is not None:
            return default
        value = content.get(key)
        if not isinstance(value, int | float) or isinstance(value, bool) or not smallest <= value <= largest:
            self.refuse(_named(where, key), value, f"a number from {smallest:g} to {largest:g}")
            return float(smallest)
        return float(value)

    def whole(self, content: Mapping[str, object], key: str, what: str, *, where: str = "", smallest: float = 0,
              largest: float, cure: str = "") -> int:  # fmt: skip
        """The whole number at ``key``; ``what`` says in words what is counted."""
        value = self.number(content, key, where=where, smallest=smallest, largest=largest)
        if value != int(value):
            self.refuse(_named(where, key), content.get(key), f"a whole number of {what}", cure)
        return int(value)

    def words(self, content: Mapping[str, object], key: str, what: str, *, where: str = "") -> str:
        """The text at ``key``, which must say something."""
        value = content.get(key)
        if not isinstance(value, str) or not value.strip():
            self.refuse(_named(where, key), value, what)
            return ""
        return value.strip()


def _named(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key

"""The definition of a measure, read from its docstring, so that screens, documents and code cannot disagree."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Definition:
    """Formula, unit, caution and source of one measure, as its docstring states them."""

    name: str
    formula: str
    unit: str
    caution: str
    source: str


def definition(measure: Callable[..., Any]) -> Definition:
    """The definition of a function of ``ledger.metrics``.

    Its docstring begins with the formula (first paragraph) and holds ``Unit: ...``, ``Caution: ...`` and
    ``Source: ...``. Raises ValueError when a part is missing.
    """
    text = (inspect.getdoc(measure) or "").replace("``", "")
    formula = " ".join(text.split("\n\n")[0].split()).rstrip(".")
    body = " ".join(text.split())
    unit = re.search(r"Units?: (.+?)[.](?: |$)", body)
    caution = re.search(r"Caution: (.+?)(?: (?:Columns|Source|Raises|One row|One-)[: ]|$)", body)
    origin = re.search(r"Source: (.+?)[.](?: (?:Caution|Columns|Raises|One row|One-)[: ]|$)", body)
    if not (formula and unit and caution and origin):
        raise ValueError(f"the docstring of {measure.__name__} lacks its formula, unit, caution or source")
    return Definition(measure.__name__, formula, unit.group(1), caution.group(1).rstrip("."), origin.group(1))

"""Templates of drafts: package data per language, filled by an allow-listed formatter that knows no expressions."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

PLACEHOLDERS = frozenset({
    "contact", "contact_or_payables", "sender", "invoice", "due", "count", "overdue", "total_overdue", "reply_by",
    "last_contact", "disputed", "promised", "netted", "status", "situation", "spoken", "offer_by", "offer_percent",
    "offer_off", "offer_total", "plan_instalments", "plan_by", "plan_first",
})  # fmt: skip
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


@lru_cache(maxsize=8)
def template(language: str) -> Mapping[str, Any]:
    """All texts of one language. Raises FileNotFoundError for a language without templates."""
    text = files(__package__).joinpath("templates", f"{language}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def fill(text: str, values: Mapping[str, str]) -> str:
    """``text`` with each ``{placeholder}`` replaced once; values are never read again for placeholders.

    Raises ValueError for a placeholder that is unknown or has no value here: no attribute access, no format
    specifications, no expressions.
    """

    def value_of(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in PLACEHOLDERS or name not in values:
            raise ValueError(f"placeholder {{{name}}} is not available here; available: {', '.join(sorted(values))}")
        return values[name]

    return _PLACEHOLDER.sub(value_of, text)

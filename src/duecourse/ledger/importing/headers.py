"""Finds the header row among the lines above the records, and names the columns without two of the same name."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence

SCAN_ROWS = 40
_NUMERIC = re.compile(r"^[\x01\x02]|^[-+(]?[\s$€£¥]*\d[\d.,/:\s'’-]*\)?%?$")


def normal(header: str) -> str:
    """A header as it is compared: lower case, accents and all but letters and digits removed, doubles marked alike."""
    folded = unicodedata.normalize("NFKD", header).encode("ascii", "ignore").decode() or header
    folded = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", folded)
    return re.sub(r"[^a-z0-9#%]+", "", folded.casefold()) or re.sub(r"\s+", "", header.casefold())


def header_row(rows: Sequence[Sequence[str]], known: Callable[[str], bool]) -> int | None:
    """Index of the header among the first rows of a file, or None when no row looks like one.

    A header has text in most of its cells and no numbers; of several the one with most ``known`` names wins, the
    earliest of equals. Lines of one or two cells above it (company, report name, period) are the preamble.
    """
    rows = rows[:SCAN_ROWS]
    filled = [sum(1 for cell in row if cell.strip()) for row in rows]
    if not filled or max(filled) < 2:
        return None
    usual = Counter(count for count in filled if count > 1).most_common(1)[0][0]
    best, best_score = None, 0.0
    for index, row in enumerate(rows):
        cells = [cell.strip() for cell in row if cell.strip()]
        if len(cells) < 2 or len(cells) < 0.5 * usual:
            continue
        numeric = sum(1 for cell in cells if _NUMERIC.match(cell))
        if numeric > 0.2 * len(cells):
            continue
        distinct = len({cell.casefold() for cell in cells}) / len(cells)
        score = 3.0 * sum(1 for cell in cells if known(cell)) + min(len(cells), usual) * distinct / usual
        if score > best_score + 1e-9:
            best, best_score = index, score
    return best


def unique_headers(cells: Sequence[str]) -> tuple[list[str], list[str]]:
    """Header texts made unique (``Date``, ``Date (2)``; a blank one is ``column 3``), and those that were doubled."""
    seen: Counter[str] = Counter()
    names: list[str] = []
    doubled: list[str] = []
    for position, cell in enumerate(cells, start=1):
        name = re.sub(r"\s+", " ", re.sub(r"[\x00-\x1f]+", " ", cell)).strip()[:200] or f"column {position}"
        seen[name.casefold()] += 1
        if seen[name.casefold()] > 1:
            doubled.append(name)
            name = f"{name} ({seen[name.casefold()]})"
        names.append(name)
    return names, doubled

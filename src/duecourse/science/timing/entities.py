"""Legal entities inside a book: each large one is judged by the gate for itself.

Two entities may bill different customers under different habits: a model that is better on the whole may be worse on
one of them. Entities with few payments follow the word on the whole book.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from duecourse.science.timing.case_sets import CaseSet
from duecourse.science.timing.facts import Facts
from duecourse.science.timing.measures import Predicted
from duecourse.science.timing.scored import ScoredSet, score_set

TextArray = npt.NDArray[np.object_]

FEWEST_CLEARED = 500  # paid invoices of an entity below which nothing is said of it alone


def entity_of(facts: Facts) -> TextArray:
    """The entity_id of each invoice, "" where there is none; shape (invoices,)."""
    names = np.array([group.split("|", 1)[0] for group in facts.groups], dtype=object)
    result: TextArray = names[facts.group] if len(facts) else np.empty(0, dtype=object)
    return result


def judged_entities(facts: Facts) -> tuple[str, ...]:
    """Entities with at least 500 paid invoices, sorted; none where the whole book is one entity."""
    entity = entity_of(facts).astype(str)
    if len(np.unique(entity)) < 2:
        return ()
    names, paid = np.unique(entity[facts.cleared], return_counts=True)
    return tuple(str(name) for name, count in zip(names, paid, strict=True) if name and count >= FEWEST_CLEARED)


def scored_entities(
    one: CaseSet, predicted: Mapping[str, Predicted], entities: tuple[str, ...]
) -> dict[str, ScoredSet]:
    """Entity -> the set with its cases only, scored with the predictions that were made for the whole book."""
    entity = entity_of(one.facts)[one.landmarks.invoice]
    found = {name: np.asarray(entity == name, dtype=bool) for name in entities}
    return {
        name: score_set(one.take(rows), {method: answer.take(rows) for method, answer in predicted.items()})
        for name, rows in found.items()
        if rows.any()
    }

"""How acts on the books read in the audit."""

from __future__ import annotations

from collections.abc import Mapping

from duecourse.app.audit.codes import Labels
from duecourse.app.books.queries import entity_labels, load_labels

EVENTS: Mapping[str, str] = {
    "books.entity_opened": "opened the books of {subject} in {currency}",
    "books.entity_changed": "changed the name or the time zone of {subject}",
    "books.ledger_loaded": "loaded {rows} rows from {subject}",
    "books.load_undone": "took the {rows} rows from {subject} out again",
}
SUBJECTS: Mapping[str, Labels] = {"entity": entity_labels, "load": load_labels}

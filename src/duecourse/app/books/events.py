"""How acts on the books read in the audit."""

from __future__ import annotations

from collections.abc import Mapping

from duecourse.app.audit.codes import Labels
from duecourse.app.books.queries import entity_labels

EVENTS: Mapping[str, str] = {
    "books.entity_opened": "opened the books of {subject} in {currency}",
    "books.entity_changed": "changed the name or the time zone of {subject}",
}
SUBJECTS: Mapping[str, Labels] = {"entity": entity_labels}

"""How acts on imports read in the audit."""

from __future__ import annotations

from collections.abc import Mapping

from duecourse.app.audit.codes import Labels
from duecourse.app.imports.queries import import_labels

EVENTS: Mapping[str, str] = {
    "imports.started": "uploaded {subject}",
    "imports.read_again": "had {subject} read again with other answers",
    "imports.load_asked": "had {subject} loaded into the books",
    "imports.discarded": "discarded {subject}",
}
SUBJECTS: Mapping[str, Labels] = {"import": import_labels}

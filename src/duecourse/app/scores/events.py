"""How acts on predictions read in the audit."""

from __future__ import annotations

from collections.abc import Mapping

from duecourse.app.audit.codes import Labels

EVENTS: Mapping[str, str] = {
    "scores.asked": "asked for new predictions of {subject}",
    "scores.predicted": "predicted {invoices} open invoices of {subject} as of {as_of}",
}
SUBJECTS: Mapping[str, Labels] = {}

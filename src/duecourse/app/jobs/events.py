"""How acts on jobs read in the audit."""

from __future__ import annotations

from collections.abc import Mapping

from duecourse.app.audit.codes import Labels
from duecourse.app.jobs.queries import job_labels

EVENTS: Mapping[str, str] = {
    "jobs.cancelled": "cancelled the job {subject}",
    "jobs.retried": "had the job {subject} tried again",
}
SUBJECTS: Mapping[str, Labels] = {"job": job_labels}

"""How acts on people read in the audit."""

from __future__ import annotations

from collections.abc import Mapping

from duecourse.app.accounts.queries import invitation_labels, member_labels
from duecourse.app.audit.codes import Labels

EVENTS: Mapping[str, str] = {
    "accounts.member_invited": "invited {subject} as {role}",
    "accounts.invitation_withdrawn": "withdrew the invitation of {subject}",
    "accounts.invitation_accepted": "joined as {role} by the invitation of {subject}",
    "accounts.role_granted": "made {subject} {role}",
    "accounts.role_revoked": "took the role {role} from {subject}",
    "accounts.member_deactivated": "deactivated {subject}",
    "accounts.member_reactivated": "reactivated {subject}",
}
SUBJECTS: Mapping[str, Labels] = {"member": member_labels, "invitation": invitation_labels}

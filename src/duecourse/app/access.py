"""Who may do what: four roles, what each may do, and the scope of legal entities. Pure data, no database.

Every action asks ``Actor.require`` and every query narrows by ``Actor.entities``; views declare their permission with
``ui.needs``. The table ``MAY`` is the whole policy: docs/operations/accounts.md prints it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from duecourse.core.errors import DuecourseError


class Role(StrEnum):
    """What a person is to an entity. One person may hold several roles."""

    COLLECTOR = "collector"
    CREDIT_MANAGER = "credit_manager"
    FINANCE_VIEWER = "finance_viewer"
    ADMINISTRATOR = "administrator"

    @property
    def label(self) -> str:
        """The role as people read it."""
        return self.value.replace("_", " ")


class Permission(StrEnum):
    """One kind of thing that a page shows or an action does."""

    SEE_ENTITIES = "see_entities"
    SEE_BOOKS = "see_books"
    WORK_ACCOUNTS = "work_accounts"
    IMPORT_BOOKS = "import_books"
    RUN_PREDICTIONS = "run_predictions"
    SEE_AUDIT = "see_audit"
    SEE_JOBS = "see_jobs"
    MANAGE_JOBS = "manage_jobs"
    SEE_MEMBERS = "see_members"
    MANAGE_MEMBERS = "manage_members"
    MANAGE_ENTITIES = "manage_entities"


_P = Permission
MAY: Mapping[Role, frozenset[Permission]] = {
    Role.COLLECTOR: frozenset({_P.SEE_ENTITIES, _P.SEE_BOOKS, _P.WORK_ACCOUNTS}),
    Role.CREDIT_MANAGER: frozenset(
        {
            _P.SEE_ENTITIES,
            _P.SEE_BOOKS,
            _P.WORK_ACCOUNTS,
            _P.IMPORT_BOOKS,
            _P.RUN_PREDICTIONS,
            _P.SEE_AUDIT,
            _P.SEE_JOBS,
            _P.MANAGE_JOBS,
            _P.SEE_MEMBERS,
        }
    ),
    Role.FINANCE_VIEWER: frozenset({_P.SEE_ENTITIES, _P.SEE_BOOKS}),
    # Administrators look after people and settings; they touch no money and work no account.
    Role.ADMINISTRATOR: frozenset(
        {
            _P.SEE_ENTITIES,
            _P.SEE_AUDIT,
            _P.SEE_JOBS,
            _P.MANAGE_JOBS,
            _P.SEE_MEMBERS,
            _P.MANAGE_MEMBERS,
            _P.MANAGE_ENTITIES,
        }
    ),
}


class NotAllowed(DuecourseError):
    """The person may not do this; the text says what is needed and who can give it."""


class Refused(DuecourseError):
    """What was asked cannot be done as things stand; ``field`` names the form field to mend, if there is one."""

    def __init__(self, text: str, field: str | None = None) -> None:
        self.field = field
        super().__init__(text)


@dataclass(frozen=True, slots=True)
class Grant:
    """A role for one entity, or for every entity where ``entity_id`` is None."""

    role: Role
    entity_id: int | None


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something: a person with grants, or the system itself (``user_id`` None), which may do everything."""

    user_id: int | None
    name: str
    grants: tuple[Grant, ...] = ()

    @property
    def is_system(self) -> bool:
        """Whether no person stands behind the act: a schedule or the command line of the installation."""
        return self.user_id is None

    def entities(self, permission: Permission) -> frozenset[int] | None:
        """Ids of the entities for which the actor holds ``permission``; None means every entity."""
        held = [grant.entity_id for grant in self.grants if permission in MAY[grant.role]]
        return None if self.is_system or None in held else frozenset(one for one in held if one is not None)

    def may(self, permission: Permission, entity_id: int | None = None) -> bool:
        """Whether the actor holds ``permission`` for that entity; without one, for every entity."""
        held = self.entities(permission)
        return held is None or entity_id in held

    def may_somewhere(self, permission: Permission) -> bool:
        """Whether the actor holds ``permission`` for at least one entity, or for all of them."""
        return self.entities(permission) != frozenset()

    def require(self, permission: Permission, entity_id: int | None = None) -> None:
        """Raises NotAllowed unless the actor holds ``permission`` for that entity (without one, for every entity)."""
        if not self.may(permission, entity_id):
            raise _refusal(permission, "" if entity_id is not None else " for all entities")

    def require_somewhere(self, permission: Permission) -> None:
        """Raises NotAllowed unless the actor holds ``permission`` for at least one entity."""
        if not self.may_somewhere(permission):
            raise _refusal(permission, "")


def _refusal(permission: Permission, scope: str) -> NotAllowed:
    roles = " or ".join(role.label for role in Role if permission in MAY[role])
    return NotAllowed(f"This needs the role {roles}{scope}. An administrator can grant it.")


SYSTEM = Actor(None, "duecourse")

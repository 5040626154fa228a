"""Four roles, what each may do, and for which entities."""

from __future__ import annotations

import pytest

from duecourse.app.access import MAY, SYSTEM, Actor, Grant, NotAllowed, Permission, Role


def person(*grants: tuple[Role, int | None]) -> Actor:
    return Actor(7, "Ida", tuple(Grant(role, entity_id) for role, entity_id in grants))


def test_every_role_has_its_row_and_every_permission_somebody() -> None:
    assert set(MAY) == set(Role)
    assert frozenset().union(*MAY.values()) == set(Permission)


def test_a_grant_reaches_its_own_entity_only() -> None:
    ida = person((Role.COLLECTOR, 1))
    assert ida.entities(Permission.WORK_ACCOUNTS) == {1}
    assert ida.may(Permission.WORK_ACCOUNTS, 1)
    assert not ida.may(Permission.WORK_ACCOUNTS, 2)
    assert not ida.may(Permission.WORK_ACCOUNTS)
    assert not ida.may_somewhere(Permission.IMPORT_BOOKS)


def test_a_grant_for_all_entities_reaches_every_one() -> None:
    ida = person((Role.COLLECTOR, 1), (Role.CREDIT_MANAGER, None))
    assert ida.entities(Permission.IMPORT_BOOKS) is None
    assert ida.may(Permission.IMPORT_BOOKS, 99)
    assert ida.may(Permission.IMPORT_BOOKS)


def test_an_administrator_sees_no_money_and_works_no_account() -> None:
    assert not MAY[Role.ADMINISTRATOR] & {Permission.SEE_BOOKS, Permission.WORK_ACCOUNTS, Permission.IMPORT_BOOKS}


def test_a_finance_viewer_changes_nothing() -> None:
    assert MAY[Role.FINANCE_VIEWER] == {Permission.SEE_ENTITIES, Permission.SEE_BOOKS}


def test_a_refusal_says_which_role_is_needed() -> None:
    with pytest.raises(NotAllowed, match=r"needs the role administrator for all entities\. An administrator can"):
        person((Role.ADMINISTRATOR, 1)).require(Permission.MANAGE_ENTITIES)


def test_nobody_may_nothing_and_the_system_everything() -> None:
    nobody = person()
    assert not any(nobody.may_somewhere(permission) for permission in Permission)
    assert all(SYSTEM.may(permission) for permission in Permission)

"""Whatever is changed, cut out, swapped or cut off in the chain is found; an untouched chain holds."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from app.conftest import NOW, Organisation, nothing_changes
from duecourse.app.access import SYSTEM, Role
from duecourse.app.audit.actions import record
from duecourse.app.audit.chain import START, Head, Link, breaks
from duecourse.app.audit.codes import Wording, all_codes, known, subject_labels
from duecourse.app.audit.models import AuditEvent, ChainHead
from duecourse.app.audit.queries import chain_breaks, chain_heads

Stored = list[tuple[Link, str]]


def chain(length: int, name: str = "north") -> Stored:
    """A sound chain of that length."""
    before, found = START, []
    for seq in range(1, length + 1):
        at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=seq)
        link = Link(name, seq, at, "books.entity_opened", seq, 1, "entity", str(seq), {"currency": "EUR"}, before)
        before = link.hash()
        found.append((link, before))
    return found


def head(stored: Stored) -> Head:
    return Head(stored[-1][0].chain, stored[-1][0].seq, stored[-1][1])


def replaced(link: Link, **values: object) -> Link:
    return Link(**{name: values.get(name, getattr(link, name)) for name in Link.__slots__})


def test_a_sound_chain_holds() -> None:
    north, south = chain(5), chain(3, "south")
    assert list(breaks(north + south, [head(north), head(south)], [head(north[:2])])) == []
    assert list(breaks([], [])) == []


@given(st.integers(0, 7), st.sampled_from(["at", "code", "actor_id", "entity_id", "subject_id", "facts"]))
def test_a_changed_event_is_found(place: int, field: str) -> None:
    stored = chain(8)
    values = {
        "at": NOW, "code": "x", "actor_id": 99, "entity_id": None, "subject_id": "99", "facts": {"currency": "USD"},
    }  # fmt: skip
    link = replaced(stored[place][0], **{field: values[field]})
    kept = [*stored[:place], (link, stored[place][1]), *stored[place + 1 :]]
    assert list(breaks(kept, [head(stored)])) == [f"north: event {place + 1} was changed after it was written"]


@given(st.integers(0, 6))
def test_a_rewritten_event_with_a_new_hash_is_found_by_the_next(place: int) -> None:
    stored = chain(8)
    link = replaced(stored[place][0], code="x")
    kept = [*stored[:place], (link, link.hash()), *stored[place + 1 :]]
    assert list(breaks(kept, [head(stored)])) == [f"north: event {place + 2} does not continue event {place + 1}"]


@given(st.integers(0, 7))
def test_an_event_that_was_cut_out_is_found(place: int) -> None:
    stored = chain(8)
    assert len(list(breaks(stored[:place] + stored[place + 1 :], [head(stored)]))) == 1


@given(st.integers(0, 7), st.integers(0, 7))
def test_swapped_events_are_found(one: int, other: int) -> None:
    stored = chain(8)
    kept = list(stored)
    kept[one], kept[other] = kept[other], kept[one]
    assert bool(list(breaks(kept, [head(stored)]))) == (one != other)


def test_a_cut_tail_is_found_by_the_head_or_by_the_anchor() -> None:
    stored = chain(8)
    assert list(breaks(stored[:6], [head(stored)])) == [
        "north: the chain does not end with event 8, which was its last"
    ]
    assert list(breaks(stored[:6], [head(stored[:6])])) == []
    assert list(breaks(stored[:6], [head(stored[:6])], [head(stored)])) == ["north: event 8 was exported and is gone"]


def test_a_chain_written_anew_is_found_by_the_anchor() -> None:
    anchor, forged = head(chain(4)), []
    before = START
    for link, _ in chain(4):
        link = replaced(link, actor_id=1, previous_hash=before)
        before = link.hash()
        forged.append((link, before))
    assert list(breaks(forged, [head(forged)])) == []
    assert list(breaks(forged, [head(forged)], [anchor])) == ["north: event 4 is not the one that was exported"]


def test_every_act_lands_in_the_chain_of_its_entity(organisation: Organisation) -> None:
    organisation.member(Role.COLLECTOR, organisation.north)
    organisation.member(Role.COLLECTOR, None)
    assert [(one.chain, one.seq) for one in chain_heads()] == [
        (f"entity-{organisation.north.pk}", 3), (f"entity-{organisation.south.pk}", 1), ("organisation", 2),
    ]  # fmt: skip
    assert list(chain_breaks()) == []


def test_an_act_that_fails_leaves_no_event(organisation: Organisation) -> None:
    def act() -> None:
        with transaction.atomic():
            subject = ("entity", organisation.north.pk)
            record(actor=SYSTEM, now=NOW, code="books.entity_changed", subject=subject, entity_id=organisation.north.pk)
            raise RuntimeError("crash")

    with nothing_changes(ChainHead), pytest.raises(RuntimeError, match="crash"):
        act()


def test_an_event_needs_a_declared_code_and_its_facts(organisation: Organisation) -> None:
    with nothing_changes():
        with pytest.raises(ValueError, match="declared in no feature"):
            record(actor=SYSTEM, now=NOW, code="books.burnt", subject=("entity", 1))
        with pytest.raises(ValueError, match="its sentence tells"):
            record(actor=SYSTEM, now=NOW, code="books.entity_opened", subject=("entity", 1), name="North")


def test_the_database_refuses_to_change_or_delete_an_event(organisation: Organisation) -> None:
    events = AuditEvent.objects.filter(seq=1)
    for attempt in (lambda: events.update(code="x"), lambda: events._raw_delete(events.db)):
        with nothing_changes(), pytest.raises(DatabaseError, match="never changed or deleted"), transaction.atomic():
            attempt()


def test_every_code_has_a_sentence_that_fits_its_facts() -> None:
    assert len(all_codes()) >= 9
    for code, wording in all_codes().items():
        facts = dict.fromkeys(wording.facts, "credit_manager")
        assert "{" not in wording.read("Ida", facts), code
    assert known("accounts.role_granted").read("Ida", {"role": "credit_manager"}) == "made Ida credit manager"
    assert Wording("{n} rows of {subject}").read("North", {"n": 1234567}) == "1,234,567 rows of North"
    assert set(subject_labels()) >= {"member", "invitation", "entity"}


def test_the_command_verifies_and_exports(organisation: Organisation, tmp_path: Path) -> None:
    out = StringIO()
    call_command("audit", "head", stdout=out)
    lines = out.getvalue().splitlines()
    assert [json.loads(line)["seq"] for line in lines] == [1, 1]
    anchors = tmp_path / "anchors"
    anchors.write_text("\n".join(lines))
    call_command("audit", "verify", "--anchors", str(anchors), stdout=(verified := StringIO()))
    assert verified.getvalue() == "the audit holds: 2 events\n"
    anchors.write_text(lines[0].replace('"seq": 1', '"seq": 2'))
    with pytest.raises(CommandError, match="does not hold: 1 breaks"):
        call_command("audit", "verify", "--anchors", str(anchors), stdout=StringIO())
    anchors.write_text("{}")
    with pytest.raises(CommandError, match="expected lines as `audit head` prints them"):
        call_command("audit", "verify", "--anchors", str(anchors), stdout=StringIO())


def test_the_command_finds_what_was_changed_behind_the_application(organisation: Organisation) -> None:
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER audit_no_update")
    else:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE audit_auditevent DISABLE TRIGGER audit_no_change")
    AuditEvent.objects.filter(chain=f"entity-{organisation.south.pk}").update(actor_id=1)
    out = StringIO()
    with pytest.raises(CommandError, match="1 breaks"):
        call_command("audit", "verify", stdout=out)
    assert f"entity-{organisation.south.pk}: event 1 was changed after it was written" in out.getvalue()

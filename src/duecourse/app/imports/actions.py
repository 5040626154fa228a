"""What people do with imports: start, read again with other answers, load, discard."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from duecourse.app.access import Actor, Permission, Refused
from duecourse.app.audit.actions import record
from duecourse.app.books.actions import load_ledger
from duecourse.app.books.models import Entity
from duecourse.app.imports.models import Import, Stage
from duecourse.app.imports.storage import LEDGER, forget, root_of
from duecourse.app.jobs.actions import ask_for_job
from duecourse.app.jobs.models import OPEN
from duecourse.core.errors import BadInput

READ, LOAD = "imports.read", "imports.load"
SETTLED = (Stage.LOADED, Stage.DISCARDED)


def start_import(
    *, actor: Actor, now: datetime, entity: Entity, folder: str, files: list[str], answers: Mapping[str, Any]
) -> Import:
    """Begin an import of stored files into the books of ``entity``; a job reads them."""
    actor.require(Permission.IMPORT_BOOKS, entity.pk)
    with transaction.atomic():
        started = Import.objects.create(
            entity=entity, asked_by_id=actor.user_id, asked_at=now, folder=folder, files=files, answers=dict(answers)
        )
        _ask(actor, now, started, READ)
        _note(actor, now, started, "imports.started")
    return started


def read_again(*, actor: Actor, now: datetime, one: Import, answers: Mapping[str, Any]) -> None:
    """Read the same files with other answers. Raises Refused while it is read or loaded, and when it is over."""
    actor.require(Permission.IMPORT_BOOKS, one.entity_id)
    with transaction.atomic():
        _move(one, Stage.READING, {Stage.ASKS, Stage.REFUSED, Stage.READY, Stage.READING})
        Import.objects.filter(pk=one.pk).update(answers=dict(answers), found=None)
        _ask(actor, now, one, READ)
        _note(actor, now, one, "imports.read_again")


def ask_to_load(*, actor: Actor, now: datetime, one: Import) -> None:
    """Have what was read put into the books, by a job. Raises Refused unless it is ready."""
    actor.require(Permission.IMPORT_BOOKS, one.entity_id)
    with transaction.atomic():
        _move(one, Stage.LOADING, {Stage.READY})
        _ask(actor, now, one, LOAD)
        _note(actor, now, one, "imports.load_asked")


def discard(*, actor: Actor, now: datetime, one: Import) -> None:
    """Give an import up and delete its files. Raises Refused while it is read or loaded, and when it is over."""
    actor.require(Permission.IMPORT_BOOKS, one.entity_id)
    with transaction.atomic():
        _move(one, Stage.DISCARDED, set(Stage) - set(SETTLED))
        Import.objects.filter(pk=one.pk).update(found=None)
        _note(actor, now, one, "imports.discarded")
        transaction.on_commit(lambda: forget(one.folder))


def note_reading(*, actor: Actor, now: datetime, one: Import, stage: Stage, found: Mapping[str, Any]) -> None:
    """Keep what a reading found. No event: reading is no act, and ``actor`` and ``now`` stand in its job."""
    del actor, now
    Import.objects.filter(pk=one.pk, stage=Stage.READING).update(stage=stage, found=dict(found))


def note_refusal(*, actor: Actor, now: datetime, one: Import, says: str, problems: list[dict[str, Any]]) -> None:
    """Keep why the books refused what was read. No event: nothing was done."""
    del actor, now
    found = {**(one.found or {}), "says": says, "problems": problems, "problem_count": len(problems)}
    Import.objects.filter(pk=one.pk, stage=Stage.LOADING).update(stage=Stage.REFUSED, found=found)


def finish(*, actor: Actor, now: datetime, one: Import) -> int:
    """Load what was read into the books and delete the files; gives the number of rows.

    Raises what ``books.actions.load_ledger`` raises; then nothing is changed. Its event is the one of this act.
    """
    from duecourse.ledger.load import load_ledger as read_directory

    try:
        ledger = read_directory(root_of(one.folder) / LEDGER).ledger
    except BadInput as error:
        raise BadInput(f"{one} cannot be loaded; nothing was changed.", error.problems) from None
    with transaction.atomic():
        _move(one, Stage.LOADED, {Stage.LOADING})
        load = load_ledger(actor=actor, now=now, entity=one.entity, ledger=ledger, source=str(one))
        Import.objects.filter(pk=one.pk).update(load=load)
        transaction.on_commit(lambda: forget(one.folder))
    return load.row_count


def _ask(actor: Actor, now: datetime, one: Import, kind: str) -> None:
    job = ask_for_job(
        actor=actor, now=now, kind=kind, key=f"import {one.pk}", arguments={"import": one.pk}, entity_id=one.entity_id
    )
    Import.objects.filter(pk=one.pk).update(job=job)


def _move(one: Import, to: Stage, allowed: set[Stage]) -> None:
    """Raises Refused unless the import may go there; a job that is under way must end first."""
    current = Import.objects.select_for_update(of=("self",)).select_related("job").get(pk=one.pk)
    # A job notes what it found before it ends: until then it would be taken for the job that is asked for next.
    busy = current.job is not None and current.job.state in OPEN
    if current.stage not in allowed or (busy and to != Stage.LOADED):
        raise Refused(f"This import is {current.get_stage_display().lower()} now; look at the page again.")
    Import.objects.filter(pk=one.pk).update(stage=to)


def _note(actor: Actor, now: datetime, one: Import, code: str) -> None:
    record(actor=actor, now=now, code=code, subject=("import", one.pk), entity_id=one.entity_id)

"""A job runs once, says how far it is, is tried again with growing pauses, and is taken back from a dead worker."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.test import Client, override_settings
from django.urls import reverse
from django_tasks_db.models import DBTaskResult

from app.conftest import NOW, Organisation, exactly_one_event, nothing_changes
from duecourse.app.access import SYSTEM, NotAllowed, Refused, Role
from duecourse.app.accounts.models import User
from duecourse.app.jobs import kinds
from duecourse.app.jobs.actions import ask_for_job, cancel_job, retry_job
from duecourse.app.jobs.kinds import Kind, Work
from duecourse.app.jobs.models import Job, State
from duecourse.app.jobs.runner import FAULT, pause_before, run, still_here, sweep
from duecourse.core.errors import BadInput

MINUTE = timedelta(minutes=1)
Browser = Callable[[User], Client]
Try = Callable[[Work], Mapping[str, Any]]


@pytest.fixture
def doing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Try], None]]:
    """Sets what the job ``try.it`` does."""
    known = kinds.all_kinds()

    def set_to(run_it: Try) -> None:
        everything = {**known, "try.it": Kind("try it", run_it)}
        for module in ("kinds", "actions", "runner", "queries"):
            monkeypatch.setattr(f"duecourse.app.jobs.{module}.all_kinds", lambda: everything)

    set_to(lambda work: {"rows": work.arguments["rows"]})
    return set_to


def ask(**more: Any) -> Job:
    return ask_for_job(
        **{"actor": SYSTEM, "now": NOW, "kind": "try.it", "key": "north", "arguments": {"rows": 3}, **more}
    )


def at(now: datetime) -> Callable[[], datetime]:
    return lambda: now


def test_a_job_is_asked_for_once_and_nudged_once(db: None, doing: object) -> None:
    job = ask()
    assert ask(arguments={"rows": 4}) == job
    assert Job.objects.get().arguments == {"rows": 3}
    assert DBTaskResult.objects.count() == 1
    assert ask(key="south") != job


def test_an_act_that_is_rolled_back_asks_for_nothing(db: None, doing: object) -> None:
    with transaction.atomic():
        point = transaction.savepoint()
        ask()
        transaction.savepoint_rollback(point)
    assert not Job.objects.exists()
    assert not DBTaskResult.objects.exists()


def test_an_unknown_kind_is_refused(db: None) -> None:
    with nothing_changes(Job), pytest.raises(ValueError, match="declared in no feature"):
        ask(kind="no.such")


def test_a_job_runs_once_and_keeps_its_result(db: None, doing: Callable[[Try], None]) -> None:
    ran = []
    doing(lambda work: ran.append(work.now) or {"rows": 3})
    job = ask()
    run(job.pk, clock=at(NOW - MINUTE))
    assert ran == []
    run(job.pk, clock=at(NOW))
    run(job.pk, clock=at(NOW))
    assert ran == [NOW]
    job.refresh_from_db()
    assert (job.state, job.result, job.attempts, job.finished_at) == (State.DONE, {"rows": 3}, 1, NOW)
    assert ask().pk != job.pk


def test_a_job_says_how_far_it_is(db: None, doing: Callable[[Try], None]) -> None:
    seen = []

    def work(given: Work) -> Mapping[str, Any]:
        given.report("reading rows", 5, 20)
        seen.append(Job.objects.values_list("state", "doing", "done", "total").get())
        return {}

    doing(work)
    run(ask().pk, clock=at(NOW))
    assert seen == [(State.RUNNING, "reading rows", 5, 20)]


def test_bad_input_is_final_and_its_words_are_kept(db: None, doing: Callable[[Try], None]) -> None:
    def work(_: Work) -> Mapping[str, Any]:
        raise BadInput("row 7 has no date")

    doing(work)
    job = ask()
    run(job.pk, clock=at(NOW))
    job.refresh_from_db()
    assert (job.state, job.error, job.attempts) == (State.FAILED, "row 7 has no date", 1)


def test_any_other_failure_is_tried_again_three_times_with_growing_pauses(
    db: None, doing: Callable[[Try], None]
) -> None:
    def work(_: Work) -> Mapping[str, Any]:
        raise OSError("secret detail")

    doing(work)
    job, now = ask(), NOW
    for attempt in (1, 2):
        run(job.pk, clock=at(now))
        job.refresh_from_db()
        assert (job.state, job.attempts, job.run_after) == (
            State.WAITING, attempt, now + pause_before(job.pk, attempt + 1)
        )  # fmt: skip
        run(job.pk, clock=at(now + timedelta(seconds=1)))
        job.refresh_from_db()
        assert job.attempts == attempt
        now = job.run_after
    run(job.pk, clock=at(now))
    job.refresh_from_db()
    assert (job.state, job.attempts, job.error) == (State.FAILED, 3, FAULT)
    assert "secret" not in job.error


def test_pauses_grow_and_differ_between_jobs() -> None:
    for job_id in range(50):
        assert timedelta(seconds=15) <= pause_before(job_id, 2) <= timedelta(seconds=30)
        assert timedelta(minutes=1) <= pause_before(job_id, 3) <= timedelta(minutes=2)
    assert len({pause_before(job_id, 2) for job_id in range(50)}) == 50
    assert pause_before(7, 2) == pause_before(7, 2)


def test_what_a_dead_worker_left_is_taken_back(db: None, doing: object) -> None:
    job = ask()
    Job.objects.update(state=State.RUNNING, started_at=NOW, seen_at=NOW, attempts=1)
    sweep(NOW + 2 * MINUTE)
    assert Job.objects.get(pk=job.pk).state == State.RUNNING
    still_here([job.pk], NOW + 2 * MINUTE)
    sweep(NOW + 4 * MINUTE)
    assert Job.objects.get(pk=job.pk).state == State.RUNNING
    sweep(NOW + 6 * MINUTE)
    assert Job.objects.get(pk=job.pk).state == State.WAITING
    Job.objects.update(state=State.RUNNING, attempts=3)
    sweep(NOW + 6 * MINUTE)
    assert Job.objects.get(pk=job.pk).state == State.FAILED


def test_a_worker_that_was_given_up_does_not_overwrite_the_next_try(db: None, doing: Callable[[Try], None]) -> None:
    def work(_: Work) -> Mapping[str, Any]:
        Job.objects.update(state=State.RUNNING, started_at=NOW + MINUTE)
        return {"rows": 99}

    doing(work)
    job = ask()
    run(job.pk, clock=at(NOW))
    job.refresh_from_db()
    assert (job.state, job.result) == (State.RUNNING, None)


def test_a_worker_that_was_given_up_and_fails_does_not_end_the_next_try(db: None, doing: Callable[[Try], None]) -> None:
    def work(_: Work) -> Mapping[str, Any]:
        Job.objects.update(state=State.RUNNING, started_at=NOW + MINUTE)
        raise OSError("too late")

    doing(work)
    job = ask()
    run(job.pk, clock=at(NOW))
    job.refresh_from_db()
    assert (job.state, job.started_at, job.run_after) == (State.RUNNING, NOW + MINUTE, NOW)


def test_a_nudge_that_waits_behind_a_long_job_is_not_doubled(db: None, doing: object) -> None:
    ask()
    for minutes in (10, 20, 30):
        sweep(NOW.replace(hour=0) + minutes * MINUTE + timedelta(days=1))
    assert (
        sum(one.args_kwargs["args"] == [Job.objects.get(kind="try.it").pk] for one in DBTaskResult.objects.all()) == 1
    )


def test_a_lost_nudge_is_sent_again(db: None, doing: object) -> None:
    job = ask()

    def nudges() -> int:
        return sum(one.args_kwargs["args"] == [job.pk] for one in DBTaskResult.objects.all())

    assert nudges() == 1
    DBTaskResult.objects.all().delete()
    sweep(NOW + MINUTE)
    assert nudges() == 0
    sweep(NOW + 10 * MINUTE)
    assert nudges() == 1


def test_a_daily_job_starts_once_a_day_after_its_hour(db: None) -> None:
    early = NOW.replace(hour=0)
    for now in (early, early):
        sweep(now)
    assert not Job.objects.exists()
    for now in (NOW, NOW + MINUTE):
        sweep(now)
    exports = Job.objects.filter(kind="audit.export_heads")
    job = exports.get()
    assert job.arguments == {"day": "2026-11-22"}
    assert {one.kind for one in Job.objects.all()} == {
        name for name, kind in kinds.all_kinds().items() if kind.daily_at is not None
    }
    Job.objects.filter(pk=job.pk).update(state=State.DONE)
    sweep(NOW + MINUTE)
    assert exports.count() == 1
    sweep(NOW + timedelta(days=1))
    assert exports.count() == 2


def test_the_daily_export_of_the_audit_can_be_held_against_it(organisation: Organisation, tmp_path: Path) -> None:
    job = ask(kind="audit.export_heads", arguments={"day": "2026-11-22"})
    with override_settings(DATA_DIR=tmp_path):
        run(job.pk, clock=at(NOW))
    lines = (tmp_path / "anchors" / "2026-11-22.jsonl").read_text().splitlines()
    assert [json.loads(line)["chain"] for line in lines] == [
        f"entity-{organisation.north.pk}", f"entity-{organisation.south.pk}"
    ]  # fmt: skip
    assert Job.objects.get(pk=job.pk).result == {"chains": 2, "file": "2026-11-22.jsonl"}


def test_only_a_waiting_job_is_cancelled_and_only_a_failed_one_tried_again(
    organisation: Organisation, doing: object
) -> None:
    job = ask(entity_id=organisation.north.pk)
    manager = organisation.actor(Role.CREDIT_MANAGER, organisation.north)
    with nothing_changes(Job), pytest.raises(Refused, match="waits or runs already"):
        retry_job(actor=manager, now=NOW, job=job)
    with exactly_one_event("jobs.cancelled"):
        cancel_job(actor=manager, now=NOW, job=job)
    run(job.pk, clock=at(NOW))
    assert Job.objects.get(pk=job.pk).state == State.CANCELLED
    with nothing_changes(Job), pytest.raises(Refused, match="Only a job that waits"):
        cancel_job(actor=manager, now=NOW, job=job)
    with exactly_one_event("jobs.retried"):
        retry_job(actor=manager, now=NOW, job=job)
    run(job.pk, clock=at(NOW))
    assert Job.objects.get(pk=job.pk).state == State.DONE
    stranger = organisation.actor(Role.CREDIT_MANAGER, organisation.south)
    with nothing_changes(Job):
        with pytest.raises(Refused, match="Only a job that failed"):
            retry_job(actor=manager, now=NOW, job=job)
        with pytest.raises(NotAllowed):
            retry_job(actor=stranger, now=NOW, job=job)


def test_the_page_shows_jobs_of_own_entities_and_why_they_failed(
    organisation: Organisation, signed_in: Browser, doing: Callable[[Try], None]
) -> None:
    def work(_: Work) -> Mapping[str, Any]:
        raise BadInput("row <7> has no date")

    doing(work)
    here, there = ask(entity_id=organisation.north.pk), ask(key="s", entity_id=organisation.south.pk)
    client = signed_in(organisation.member(Role.CREDIT_MANAGER, organisation.north))
    address = reverse("jobs:job", args=[here.pk])
    waiting = client.get(address).content.decode()
    assert "live.js" in waiting
    assert "Cancel" in waiting
    run(here.pk, clock=at(NOW))
    failed = client.get(address).content.decode()
    assert "row &lt;7&gt; has no date" in failed
    assert "live.js" not in failed
    assert "Try again" in failed
    listed = client.get(reverse("jobs:jobs")).content.decode()
    assert f"/jobs/{here.pk}/" in listed
    assert f"/jobs/{there.pk}/" not in listed
    assert "No job here" in client.get(reverse("jobs:jobs"), {"state": "done"}).content.decode()
    assert client.get(reverse("jobs:job", args=[there.pk])).status_code == 404
    assert "The job is tried again." in client.post(
        reverse("jobs:retry", args=[here.pk]), follow=True
    ).content.decode()  # fmt: skip

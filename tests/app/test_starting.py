"""The web process starts light, answers health, and errors are pages for people."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.test import Client, RequestFactory

from app.conftest import Organisation
from duecourse.app.access import Role
from duecourse.app.accounts.models import User
from duecourse.app.environment import DEFAULT_URL
from duecourse.app.imports import forms
from duecourse.app.ui.views import bad_request, failure
from duecourse.cli.serve import USUAL_URL, first_invitation, refuse_taken
from duecourse.core.errors import UsageError

LIGHT = """
import os, sys
from pathlib import Path
from duecourse.app.environment import make_secret
make_secret(Path(os.environ["DUECOURSE_DATA_DIR"]))
from duecourse.app.wsgi import application
from django.test import Client
assert Client(SERVER_NAME="127.0.0.1").get("/account/login/").status_code == 200
heavy = ("sklearn", "lightgbm", "scipy", "numpy", "pandas", "duecourse.science", "duecourse.cli")
print([name for name in heavy if name in sys.modules])
"""


def test_the_web_process_imports_nothing_heavy(tmp_path: Path) -> None:
    environ = {"DUECOURSE_DATA_DIR": str(tmp_path / "data"), "PATH": "", "DUECOURSE_LOG_LEVEL": "ERROR"}
    migrate = [sys.executable, "-c", "from duecourse.cli.main import main; main()", "manage", "migrate", "-v0"]
    subprocess.run(migrate, env=environ, check=True, timeout=60)
    static = [*migrate[:4], "collectstatic", "--no-input", "-v0"]
    subprocess.run(static, env=environ, check=True, timeout=60)
    light = subprocess.run(
        [sys.executable, "-c", LIGHT], env=environ, check=True, timeout=60, capture_output=True, text=True
    )
    assert light.stdout == "[]\n"


def test_a_fresh_installation_says_how_to_get_in() -> None:
    assert USUAL_URL == DEFAULT_URL
    assert "run `duecourse manage invite YOUR@ADDRESS`" in first_invitation(USUAL_URL)
    elsewhere = first_invitation("http://127.0.0.1:8102")
    assert "run `DUECOURSE_URL=http://127.0.0.1:8102 duecourse manage invite YOUR@ADDRESS`" in elsewhere


def test_health_answers_strangers_and_tells_them_nothing(db: None) -> None:
    answer = Client().get("/health")
    assert answer.status_code == 200
    assert set(answer.json()) == {"status", "version"}
    assert "no-store" in answer["Cache-Control"]
    assert len(answer["X-Request-ID"]) == 32


def test_every_request_leaves_one_record(
    organisation: Organisation, signed_in: Callable[[User], Client], caplog: pytest.LogCaptureFixture
) -> None:
    member = organisation.member(Role.COLLECTOR, organisation.north)
    client = signed_in(member)
    with caplog.at_level("INFO", logger="duecourse.request"):
        client.get("/entities/north/")
        client.get("/join/a-secret-that-no-log-may-hold/")
    first, second = [record for record in caplog.records if record.name == "duecourse.request"]
    assert (first.route, first.status, first.user_id) == ("entities/<slug:code>/", 200, member.pk)
    assert first.queries > 0
    assert second.status == 410
    assert "a-secret" not in str(vars(second))


def test_what_is_wrong_is_said_to_people(organisation: Organisation, signed_in: Callable[[User], Client]) -> None:
    client = signed_in(organisation.member(Role.COLLECTOR, organisation.north))
    missing = client.get("/no/such/page/")
    assert (missing.status_code, b"There is nothing here" in missing.content) == (404, True)
    refused = client.get("/members/")
    assert refused.status_code == 403
    assert "needs the role credit manager or administrator. An administrator can grant" in refused.content.decode()
    request = RequestFactory().get("/")
    request.user = organisation.member(Role.COLLECTOR, organisation.south)
    assert bad_request(request, ValueError()).status_code == 400
    elsewhere = Client().get("/", headers={"host": "due.example"})
    assert elsewhere.status_code == 400
    assert "Open http://127.0.0.1:8000 instead." in elsewhere.content.decode()
    broken = failure(request)
    assert (broken.status_code, b"Nothing was changed" in broken.content) == (500, True)


def test_a_form_without_its_token_is_refused_with_the_cure(organisation: Organisation) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(organisation.member(Role.ADMINISTRATOR, None))
    answer = client.post("/entities/open/", {"name": "Evil"})
    assert answer.status_code == 403
    assert b"This form has expired" in answer.content


def test_pages_carry_a_policy_without_exceptions(organisation: Organisation) -> None:
    headers = Client().get("/account/login/").headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


def test_more_than_a_page_takes_is_refused_before_it_is_read(
    organisation: Organisation, signed_in: Callable[[User], Client]
) -> None:
    manager = signed_in(organisation.member(Role.CREDIT_MANAGER, organisation.north))
    most, more = settings.LARGEST_UPLOAD, settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1
    assert most >= forms.MOST_FILES * forms.MAX_FILE_BYTES
    for client, address, length, status in [
        (Client(), "/account/login/", more, 413), (Client(), "/imports/new/", more, 413),
        (manager, "/entities/", more, 413), (manager, "/imports/new/", more, 200),
        (manager, "/imports/new/", most, 200), (manager, "/imports/new/", most + 1, 413),
    ]:  # fmt: skip
        answer = client.get(address, CONTENT_LENGTH=str(length))
        assert answer.status_code == status, (address, length)
        assert (b"This is too large" in answer.content) == (status == 413)


def test_no_browser_keeps_what_a_member_saw(organisation: Organisation, signed_in: Callable[[User], Client]) -> None:
    client = signed_in(organisation.member(Role.CREDIT_MANAGER, organisation.north))
    for address in ("/", "/entities/north/invoices/", "/members/", "/no/such/page/"):
        assert "no-store" in client.get(address)["Cache-Control"], address


def test_an_invitation_before_the_first_start_says_what_to_do(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing_there(**_: object) -> None:
        raise OperationalError("no such table: accounts_user")

    monkeypatch.setattr("duecourse.app.accounts.management.commands.invite.invite_member", nothing_there)
    with pytest.raises(CommandError, match="run `duecourse serve` first"):
        call_command("invite", "ida@example.com")


def test_a_port_that_is_taken_is_said_before_anything_starts() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=rf"cannot listen on 127\.0\.0\.1 port {port} .*choose another --port"):
            refuse_taken("127.0.0.1", port)
    refuse_taken("127.0.0.1", port)

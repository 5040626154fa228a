"""Every setting is checked, and a wrong one says which variable, what was expected and the cure."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from duecourse.app.environment import Environment, make_secret, read_environment
from duecourse.cli.installation import prepare
from duecourse.core.errors import UsageError


def read(here: Path, **given: str) -> Environment:
    return read_environment({f"DUECOURSE_{name}": value for name, value in given.items()}, here=here)


def test_without_any_setting_all_is_kept_beside_the_caller(tmp_path: Path) -> None:
    found = read(tmp_path)
    assert found.url == "http://127.0.0.1:8000"
    assert not found.secure
    assert not found.needs_second_factor
    assert found.data_dir == tmp_path / "duecourse-data"
    assert found.database["ENGINE"] == "django.db.backends.sqlite3"
    assert found.database["NAME"] == str(tmp_path / "duecourse-data" / "duecourse.sqlite3")
    assert found.secret_key == ""
    assert not found.data_dir.exists()


def test_sqlite_takes_write_locks_at_once_and_syncs_fully(tmp_path: Path) -> None:
    options = read(tmp_path).database["OPTIONS"]
    assert options["transaction_mode"] == "IMMEDIATE"
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        assert pragma in options["init_command"]


def test_postgresql_comes_by_one_address(tmp_path: Path) -> None:
    database = read(tmp_path, DATABASE_URL="postgresql://ida:p%40ss@db.example:5433/due").database
    assert database["ENGINE"] == "django.db.backends.postgresql"
    assert (database["HOST"], database["PORT"], database["NAME"]) == ("db.example", 5433, "due")
    assert (database["USER"], database["PASSWORD"]) == ("ida", "p@ss")
    assert "transaction_mode" not in database.get("OPTIONS", {})


def test_tls_asks_for_a_second_factor_unless_told_otherwise(tmp_path: Path) -> None:
    address = "https://due.example.com"
    assert read(tmp_path, URL=address).needs_second_factor
    assert not read(tmp_path, URL=address, SECOND_FACTOR="optional").needs_second_factor
    assert read(tmp_path, SECOND_FACTOR="required").needs_second_factor


def test_the_secret_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    data = tmp_path / "data"
    make_secret(data)
    first = read(tmp_path, DATA_DIR="data").secret_key
    make_secret(data)
    assert read(tmp_path, DATA_DIR="data").secret_key == first
    assert len(first) >= 64
    assert stat.S_IMODE((data / "secret-key").stat().st_mode) == 0o600
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert read(tmp_path, DATA_DIR="data", SECRET_KEY="given").secret_key == "given"


def test_a_mail_server_comes_by_one_address(tmp_path: Path) -> None:
    mail = read(tmp_path, MAIL_URL="smtp+tls://ida:s%3Acret@mail.example").mail
    assert mail is not None
    assert (mail.host, mail.port, mail.user, mail.password) == ("mail.example", 587, "ida", "s:cret")
    assert mail.tls
    assert not mail.ssl
    assert read(tmp_path).mail is None


def test_single_sign_on_is_whole_or_absent(tmp_path: Path) -> None:
    whole = {"OIDC_ISSUER": "https://id.example/realm", "OIDC_CLIENT_ID": "due", "OIDC_CLIENT_SECRET": "s"}
    sign_on = read(tmp_path, **whole).sign_on
    assert sign_on is not None
    assert (sign_on.origin, sign_on.client_id) == ("https://id.example", "due")
    with pytest.raises(UsageError, match="needs DUECOURSE_OIDC_CLIENT_ID and DUECOURSE_OIDC_CLIENT_SECRET too"):
        read(tmp_path, OIDC_ISSUER="https://id.example")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("URL", "duecourse.example.com"),
        ("URL", "https://due.example.com/sub"),
        ("DATABASE_URL", "mysql://localhost/due"),
        ("URL", "https://[due"),
        ("URL", "https://due.example.com:abc"),
        ("DATABASE_URL", "postgresql://ida@db:abc/due"),
        ("MAIL_URL", "mail.example:25"),
        ("MAIL_URL", "smtp://mail.example:abc"),
        ("LOG_LEVEL", "LOUD"),
        ("SECOND_FACTOR", "yes"),
    ],
)
def test_a_wrong_setting_is_named_with_its_cure(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(UsageError, match=f"DUECOURSE_{name} is .*: expected .*; set it anew, or unset it"):
        read(tmp_path, **{name: value})


def test_a_wrong_address_never_shows_its_password(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        read(tmp_path, DATABASE_URL="mysql://ida:hid@den/word@db/due")
    for part in ("hid", "den", "word"):
        assert part not in str(error.value)
    assert "***@db" in str(error.value)


def test_a_secret_that_was_never_written_to_its_end_is_written_anew(tmp_path: Path) -> None:
    (tmp_path / "secret-key").touch(mode=0o600)
    make_secret(tmp_path)
    assert len(read(tmp_path, DATA_DIR=".").secret_key) >= 64


def test_the_host_of_an_address_of_version_six_keeps_its_brackets(tmp_path: Path) -> None:
    assert read(tmp_path, URL="http://[::1]:8000").host == "[::1]"


def test_the_data_directory_is_made_even_where_the_secret_is_given(tmp_path: Path) -> None:
    data = tmp_path / "data"
    environ = {"DUECOURSE_DATA_DIR": str(data), "DUECOURSE_SECRET_KEY": "given"}
    prepare(environ)
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert list(data.iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"DUECOURSE_DATA_DIR is .*: expected a directory that can be written"):
        prepare({**environ, "DUECOURSE_DATA_DIR": str(tmp_path / "file")})

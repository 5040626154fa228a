"""Where uploaded files lie until they are in the books: random folders that only the installation reads."""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

LONGEST_NAME_BYTES = 100
LEDGER = "ledger"


def root_of(folder: str) -> Path:
    """The directory of one import."""
    return Path(settings.DATA_DIR) / "imports" / folder


def store(files: Iterable[UploadedFile[Any]]) -> tuple[str, list[str]]:
    """Write uploads into a new random folder; gives the folder and the names of the files, made harmless."""
    folder = secrets.token_hex(16)
    root = root_of(folder)
    root.mkdir(parents=True, mode=0o700)
    names: list[str] = []
    try:
        for place, file in enumerate(files):
            name = _harmless(file.name or "")
            # Columns are chosen by the name of a file: two that are called the same must differ.
            name = f"{place + 1} {name}" if name in names else name
            names.append(name)
            (root / str(place)).mkdir()
            with (root / str(place) / name).open("wb") as out:
                for chunk in file.chunks():
                    out.write(chunk)
    except BaseException:
        forget(folder)
        raise
    return folder, names


def paths(folder: str, names: Sequence[str]) -> list[Path]:
    """The stored files, in the order in which they were given."""
    return [root_of(folder) / str(place) / name for place, name in enumerate(names)]


def forget(folder: str) -> None:
    """Delete all files of an import."""
    shutil.rmtree(root_of(folder), ignore_errors=True)


def _harmless(name: str) -> str:
    """The last part of a name without anything that a path or a page could trip over."""
    kept = re.sub(r"[^\w .()+,=@-]", "_", name.replace("\\", "/").rsplit("/", 1)[-1]).strip(" .")
    return kept.encode()[-LONGEST_NAME_BYTES:].decode(errors="ignore") or "file"

"""Runs the workbook reader in a process of its own, so that a hostile file can hurt nobody but that process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

WALL_SECONDS = 60
_WORKER = Path(__file__).with_name("sheet_worker.py")


class WorkerFailed(Exception):
    """The reader refused the workbook, broke down, or used more than its share; the text says which."""


def sheet_to_csv(workbook: Path, sheet: str | None, target: Path) -> dict[str, Any]:
    """Writes one sheet as CSV to ``target``; gives ``sheet`` and ``sheets``. Raises WorkerFailed.

    The child is started afresh (a process with Polars loaded must not be forked), isolated from the user's
    environment, without open files, under limits of memory (512 MB) and CPU (10 s).
    """
    command = [sys.executable, "-I", str(_WORKER), str(workbook.resolve()), sheet or "", str(target)]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            timeout=WALL_SECONDS,
            close_fds=True,
            stdin=subprocess.DEVNULL,
            check=False,
            env={"PYTHONIOENCODING": "utf-8"},
        )
    except subprocess.TimeoutExpired:
        raise WorkerFailed(f"reading it took longer than {WALL_SECONDS} s") from None
    if done.returncode != 0:
        raise WorkerFailed("reading it took more memory or time than a workbook may take")
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise WorkerFailed("it broke the reader") from None
    if "error" in answer:
        sheets = answer.get("sheets")
        listed = f"; its sheets are {', '.join(map(repr, sheets[:10]))}" if sheets else ""
        raise WorkerFailed(f"{answer['error']}{listed}")
    return answer

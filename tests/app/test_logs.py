"""One record is one line of JSON, whatever stands in it."""

from __future__ import annotations

import json
import logging
import sys

from duecourse.app.logs import JsonLines


def line(message: str, **extra: object) -> str:
    record = logging.makeLogRecord({"name": "due", "levelname": "INFO", "msg": message, "created": 1_790_000_000.25})
    vars(record).update(extra)
    return JsonLines().format(record)


def test_a_record_keeps_its_plain_facts() -> None:
    assert json.loads(line("paid", customer="C-1", queries=3, whole=object())) == {
        "time": "2026-09-21T14:13:20.250+00:00", "level": "INFO", "logger": "due", "message": "paid",
        "customer": "C-1", "queries": 3,
    }  # fmt: skip


def test_a_line_break_in_a_text_forges_no_record() -> None:
    forged = line('x\n{"level": "ERROR"}')
    assert "\n" not in forged
    assert json.loads(forged)["message"] == 'x\n{"level": "ERROR"}'


def test_a_trace_stands_in_its_record() -> None:
    try:
        raise ValueError("gone")
    except ValueError:
        found = line("failed", exc_info=sys.exc_info())
    assert "\n" not in found
    assert json.loads(found)["trace"].endswith("ValueError: gone")

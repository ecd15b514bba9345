from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime

import pytest

from missioncontrol.audit.models import AuditEntry
from missioncontrol.console.presentation.log_export import (
    COLUMNS,
    csv_head,
    csv_lines,
    json_lines,
)

AT = datetime(2026, 12, 1, 12, tzinfo=UTC)


def entry(**fields):
    values = {
        "log_index": 7,
        "action": "job.submit",
        "subject": "job:1",
        "actor": "operator:mei",
        "organisation": "ai-laboratory-1",
        "at": AT,
        "entry": '{"action":"job.submit","note":"a \u00fc, \\"b\\""}'.encode(),
        "leaf_hash": bytes(range(32)),
        **fields,
    }
    return AuditEntry(**values)


def rows(*entries):
    return list(csv.DictReader(io.StringIO(csv_head() + csv_lines(entries))))


class TestJsonLines:
    def test_hold_the_octets_that_were_hashed(self):
        found = entry()
        [line] = json_lines([found]).splitlines()
        assert json.loads(line)["entry"].encode() == found.entry

    def test_are_one_a_line_whatever_the_entry_holds(self):
        text = json_lines([entry(entry=b'{"a":"b\\n"}'), entry(log_index=None)])
        assert [json.loads(line)["log_index"] for line in text.splitlines()] == [7, None]

    def test_show_octets_that_are_no_text_any_more(self):
        assert json.loads(json_lines([entry(entry=b"\xff")]))["entry"] == "\ufffd"


class TestCsv:
    def test_has_every_column_with_what_it_is_called(self):
        [row] = rows(entry())
        assert tuple(row) == COLUMNS
        assert (row["log_index"], row["at"]) == ("7", "2026-12-01T12:00:00Z")
        assert row["entry"].encode() == entry().entry

    def test_leaves_the_index_empty_while_there_is_none(self):
        assert rows(entry(log_index=None))[0]["log_index"] == ""

    @pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx"])
    def test_gives_a_spreadsheet_no_formula(self, text):
        [row] = rows(entry(actor=text))
        assert row["actor"] == f"'{text}"

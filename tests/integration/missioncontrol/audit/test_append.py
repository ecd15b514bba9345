from __future__ import annotations

import json
from dataclasses import dataclass

import pytest
from django.db import transaction

from missioncontrol.audit.merkle.canonical import EntryError
from missioncontrol.audit.merkle.hashing import leaf_hash
from missioncontrol.audit.models import AuditEntry
from missioncontrol.audit.services import append_entry, sequence_entries
from tests.integration.missioncontrol.audit.log_entries import AT, append


@dataclass
class Person:
    audit_name: str


class TestAppendEntry:
    @pytest.mark.django_db
    def test_keeps_the_octets_that_are_hashed_and_columns_to_search_by(self):
        [row] = append(
            actor=Person("operator:bob"), organisation="kashi", details={"b": 1, "a": "é"}
        )
        row.refresh_from_db()
        logged = json.loads(bytes(row.entry))
        nonce = logged.pop("nonce")
        assert logged == {
            "version": 1,
            "action": "telecommand.approve",
            "subject": "telecommand:17",
            "actor": "operator:bob",
            "at": "2026-12-01T00:12:34.500000Z",
            "organisation": "kashi",
            "details": {"a": "é", "b": 1},
        }
        assert len(nonce) == 16
        assert bytes(row.leaf_hash) == leaf_hash(bytes(row.entry))
        assert (row.actor, row.organisation, row.log_index) == ("operator:bob", "kashi", None)

    @pytest.mark.django_db
    def test_gives_equal_deeds_of_one_instant_different_hashes(self):
        first, second = append(2)
        assert first.leaf_hash != second.leaf_hash

    @pytest.mark.django_db(transaction=True)
    def test_refuses_to_log_outside_a_transaction(self):
        with pytest.raises(RuntimeError, match=r"job\.submit is logged outside a transaction"):
            append_entry(action="job.submit", subject="job:1", actor="process:x", at=AT)
        assert not AuditEntry.objects.exists()

    @pytest.mark.django_db(transaction=True)
    def test_leaves_nothing_of_a_transaction_that_is_rolled_back(self):
        append(1, subject="kept:1")
        with transaction.atomic():
            append_entry(action="job.submit", subject="job:1", actor="process:x", at=AT)
            transaction.set_rollback(True)
        append(1, subject="kept:2")
        assert sequence_entries(at=AT) == 2
        assert list(
            AuditEntry.objects.order_by("log_index").values_list("log_index", "subject")
        ) == [(0, "kept:1"), (1, "kept:2")]

    @pytest.mark.django_db
    def test_refuses_details_that_have_no_canonical_form(self):
        with pytest.raises(EntryError, match="/details/at"):
            append(details={"at": AT})

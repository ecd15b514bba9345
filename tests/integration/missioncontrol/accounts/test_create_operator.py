from __future__ import annotations

import io
import sys

import pytest
from django.core.management import CommandError, call_command

from missioncontrol.accounts.models import Operator
from missioncontrol.audit.models import AuditEntry
from tests import factories

pytestmark = pytest.mark.django_db


def create(*arguments, password="correct horse battery\n", monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(password))
    call_command("create_operator", "alice", *arguments)


class TestCreateOperator:
    def test_makes_the_first_account_with_its_roles(self, monkeypatch, capsys):
        factories.organisation("operations")
        create(
            *("--organisation", "operations", "--role", "operator", "--role", "administrator"),
            monkeypatch=monkeypatch,
        )
        alice = Operator.objects.get(username="alice")
        assert alice.check_password("correct horse battery")
        assert {row.role for row in alice.memberships.all()} == {"operator", "administrator"}
        assert AuditEntry.objects.get().actor == "process:command-line"
        assert "alice is operator, administrator for Operations." in capsys.readouterr().out

    def test_makes_a_service_account_that_cannot_sign_in(self, monkeypatch):
        factories.organisation("operations")
        create(
            *("--organisation", "operations", "--role", "payload_member", "--service-account"),
            monkeypatch=monkeypatch,
        )
        assert not Operator.objects.get(username="alice").has_usable_password()

    def test_refuses_a_weak_password_and_an_unknown_organisation(self, monkeypatch):
        factories.organisation("operations")
        arguments = ("--organisation", "operations", "--role", "operator")
        with pytest.raises(CommandError, match="too short"):
            create(*arguments, password="short\n", monkeypatch=monkeypatch)
        with pytest.raises(CommandError, match=r"No organisation 'x'\. Known: operations\."):
            create("--organisation", "x", "--role", "operator", monkeypatch=monkeypatch)
        assert not Operator.objects.exists()

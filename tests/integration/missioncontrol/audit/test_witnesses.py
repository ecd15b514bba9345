from __future__ import annotations

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import IntegrityError, transaction

from missioncontrol.audit import selectors
from missioncontrol.audit.merkle.keys import KeyType, SigningKey
from missioncontrol.audit.models import AuditEntry, Witness
from missioncontrol.audit.services import (
    WitnessRefusedError,
    register_witness,
    retire_witness,
    witnesses,
)
from tests.integration.missioncontrol.audit.log_entries import AT

pytestmark = pytest.mark.django_db


def vkey(name="witness.example", *, seed=b"w", kind=KeyType.COSIGNATURE_V1):
    return SigningKey(name=name, type=kind, seed=seed * 32).verifier.to_vkey()


def register(**changed):
    fields = {
        "name": "Jodhpur",
        "organisation": "iit-j",
        "vkey": vkey(),
        "url": "https://witness.example/missions",
        "actor": "operator:root",
        "at": AT,
        **changed,
    }
    return register_witness(**fields)


class TestRegisterWitness:
    def test_stores_the_witness_and_logs_its_key(self):
        witness = register()
        witness.refresh_from_db()
        assert (witness.active, witness.last_size, witness.last_seen_at) == (True, 0, None)
        [entry] = AuditEntry.objects.all()
        assert (entry.action, entry.subject, entry.actor, entry.organisation, entry.at) == (
            "witness.register",
            "witness:Jodhpur",
            "operator:root",
            "iit-j",
            AT,
        )
        assert selectors.entry_content(entry)["details"] == {
            "vkey": vkey(),
            "url": "https://witness.example/missions",
        }

    @pytest.mark.parametrize(
        ("changed", "text"),
        [
            ({"vkey": "nonsense"}, "This is no witness's key"),
            ({"vkey": vkey(kind=KeyType.ED25519)}, "has the type 0x01; a witness's has 0x04"),
            ({"url": "ftp://witness.example"}, "is not the address of a witness"),
            ({"url": "file:///etc/passwd"}, "is not the address of a witness"),
            ({"url": "https://user:secret@witness.example"}, "without user name"),
            ({"url": "https://witness.example/?next=1"}, "without user name or query"),
            ({"name": ""}, "needs a name"),
            ({"organisation": ""}, "needs a name and the organisation"),
        ],
    )
    def test_refuses_what_is_no_witness(self, changed, text):
        with pytest.raises(WitnessRefusedError, match=text):
            register(**changed)
        assert not Witness.objects.exists()
        assert not AuditEntry.objects.exists()

    def test_gives_each_member_one_voice(self):
        register()
        other = {"name": "Second", "organisation": "iit-m", "vkey": vkey(seed=b"x")}
        with pytest.raises(WitnessRefusedError, match="iit-j has the witness Jodhpur, and one"):
            register(**{**other, "organisation": "iit-j"})
        with pytest.raises(WitnessRefusedError, match="A witness Jodhpur is active"):
            register(**{**other, "name": "Jodhpur"})
        with pytest.raises(WitnessRefusedError, match=r"is that of the witness Jodhpur. Make"):
            register(**{**other, "vkey": vkey("another.name")})  # same key, other name
        assert Witness.objects.count() == 1

    def test_the_database_gives_each_member_one_voice_too(self):
        register()
        for changed in ({"name": "Jodhpur"}, {"organisation": "iit-j"}, {"vkey": vkey()}):
            fields = {"name": "B", "organisation": "b", "vkey": vkey(seed=b"b"), **changed}
            with pytest.raises(IntegrityError), transaction.atomic():
                Witness.objects.create(url="https://b.example", **fields)

    def test_stops_at_the_number_of_lines_that_a_note_may_have(self, monkeypatch):
        assert witnesses.MAX_WITNESSES == 98
        monkeypatch.setattr(witnesses, "MAX_WITNESSES", 1)
        register()
        with pytest.raises(WitnessRefusedError, match="1 witnesses are active, which is the lim"):
            register(name="B", organisation="b", vkey=vkey(seed=b"b"))


class TestRetireWitness:
    def test_logs_it_and_frees_the_members_place_but_not_the_key(self):
        register()
        retire_witness(name="Jodhpur", actor="operator:root", at=AT)
        assert not Witness.objects.get().active
        assert AuditEntry.objects.latest("pk").action == "witness.retire"
        with pytest.raises(WitnessRefusedError, match=r"Jodhpur, which was retired. Make a new"):
            register()
        register(vkey=vkey(seed=b"n"))
        assert Witness.objects.filter(active=True).count() == 1

    def test_refuses_a_name_that_nobody_has(self):
        with pytest.raises(WitnessRefusedError, match="no active witness Nobody"):
            retire_witness(name="Nobody", actor="operator:root", at=AT)


class TestWitnessCommand:
    def test_registers_lists_and_retires(self, capsys, settings):
        settings.AUDIT_PUBLISHED_QUORUM = settings.AUDIT_SETTLED_QUORUM = 1
        key = vkey()
        named = ["Jodhpur", "--organisation", "iit-j", "--vkey", key, "--url", "http://w.example"]
        call_command("witness", "register", *named)
        assert "Jodhpur (iit-j), size 0: was not asked yet" in capsys.readouterr().out
        with pytest.raises(CommandError, match="Make a new key"):
            call_command("witness", "register", *named)
        call_command("witness", "retire", "Jodhpur")
        assert capsys.readouterr().out.startswith("0 witnesses; published needs 1, settled 1")
        call_command("witness", "list")
        assert "0 witnesses" in capsys.readouterr().out

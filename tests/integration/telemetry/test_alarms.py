from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from missioncontrol.accounts.policy import Role
from missioncontrol.audit.models import AuditEntry
from missioncontrol.kernel.errors import NotPermittedError
from telemetry import selectors, services
from telemetry.models import Alarm
from tests import factories
from tests.integration.missioncontrol.audit.log_entries import private_part
from tests.integration.telemetry import craft
from tests.integration.telemetry.craft import after, power, received, wheel


@pytest.fixture
def alice(db):
    return factories.operator("alice", Role.OPERATOR)


@pytest.fixture
def bob(db):
    return factories.operator("bob", Role.OPERATOR)


@pytest.fixture
def show(reception):
    """Let a value of VOLT be received."""

    def received_volts(second, volts):
        reception.receive_packets(received(power(second, volts)))

    return received_volts


@pytest.fixture
def alarm(show):
    show(1, 15)
    return Alarm.objects.get()


def acknowledge(alarm, person, second=60):
    return services.acknowledge_alarm(alarm_id=alarm.pk, operator=person, at=after(second))


def actions():
    return list(AuditEntry.objects.order_by("pk").values_list("action", "actor", "organisation"))


class TestFollowLimits:
    def test_raises_with_value_and_limit_in_words(self, alarm):
        assert (alarm.parameter, alarm.severity, alarm.value) == ("VOLT", "caution", "15")
        assert alarm.limit == "WARNING below 20 or above 30"
        assert alarm.raised_at == after(1)
        assert actions() == [("alarm.raise", "process:telemetry", "operations")]
        assert private_part(AuditEntry.objects.get())["value"] == "15"

    @pytest.mark.django_db(transaction=True)
    def test_tells_the_consoles(self, show, told):
        show(1, 45)
        messages = told("alarm")
        assert [(one["parameter"], one["severity"]) for one in messages] == [("VOLT", "critical")]

    def test_stays_one_alarm_while_values_stay_bad(self, alarm, show):
        for second in range(2, 6):
            show(second, 16)
        assert Alarm.objects.count() == 1
        assert len(actions()) == 1

    def test_a_worse_state_takes_the_acknowledgement_back(self, alarm, show, alice):
        acknowledge(alarm, alice)
        show(2, 45)
        alarm.refresh_from_db()
        assert (alarm.severity, alarm.value, alarm.raised_at) == ("critical", "45", after(1))
        assert (alarm.acknowledged_at, alarm.acknowledged_by) == (None, None)

    def test_a_milder_state_leaves_the_acknowledgement(self, show, alice):
        show(1, 45)
        alarm = Alarm.objects.get()
        acknowledge(alarm, alice)
        show(2, 35)
        alarm.refresh_from_db()
        assert (alarm.severity, alarm.acknowledged_by) == ("caution", alice)

    def test_clears_and_raises_anew(self, alarm, show):
        show(2, 25)
        alarm.refresh_from_db()
        assert alarm.cleared_at == after(2)
        show(3, 12)
        assert Alarm.objects.count() == 2
        assert [action for action, *_ in actions()] == [
            "alarm.raise",
            "alarm.clear",
            "alarm.raise",
        ]

    def test_waits_for_as_many_violations_as_the_dictionary_asks(self, reception):
        reception.receive_packets(received(power(1, temp=60)))
        assert not Alarm.objects.exists()
        reception.receive_packets(received(power(2, temp=60)))
        assert Alarm.objects.get().parameter == "TEMP"

    def test_leaves_alarms_alone_when_a_recorder_tells_of_the_past(self, alarm, show):
        show(500, 15)
        show(100, 25)  # it was well then, and is not now
        show(101, 45)
        alarm.refresh_from_db()
        assert (alarm.cleared_at, alarm.severity) == (None, "caution")

    def test_knows_the_parameters_of_two_spacecraft_apart(self, alarm):
        other = craft.spacecraft("DD-2", ccsds_id=0x43)
        with services.TelemetryReception(other) as reception:
            reception.receive_packets(received(power(1, 25), power(2, 15)))
        assert Alarm.objects.filter(cleared_at=None).count() == 2

    def test_the_database_refuses_a_second_open_alarm(self, alarm):
        alarm.pk = None
        with pytest.raises(IntegrityError), transaction.atomic():
            alarm.save(force_insert=True)

    def test_the_database_refuses_an_acknowledgement_by_nobody(self, alarm):
        with pytest.raises(IntegrityError, match="by_somebody"), transaction.atomic():
            Alarm.objects.update(acknowledged_at=after(1))


class TestAcknowledge:
    def test_notes_who_and_when(self, alarm, alice):
        acknowledge(alarm, alice)
        alarm.refresh_from_db()
        assert (alarm.acknowledged_by, alarm.acknowledged_at) == (alice, after(60))
        assert actions()[-1] == ("alarm.acknowledge", "operator:alice", "operations")

    def test_refuses_the_second(self, alarm, alice, bob):
        acknowledge(alarm, alice)
        with pytest.raises(services.AlarmRefusedError, match="by alice at 12:01:00Z already"):
            acknowledge(alarm, bob)
        assert len(actions()) == 2

    def test_refuses_somebody_without_the_role(self, alarm):
        member = factories.operator("member", Role.PAYLOAD_MEMBER)
        with pytest.raises(NotPermittedError, match=r"alarm\.acknowledge"):
            acknowledge(alarm, member)

    def test_refuses_an_operator_of_another_organisation(self, alarm):
        other = factories.operator(
            "other", Role.OPERATOR, member_of=factories.organisation("elsewhere")
        )
        with pytest.raises(NotPermittedError):
            acknowledge(alarm, other)

    def test_takes_one_that_is_cleared(self, alarm, show, alice):
        show(2, 25)
        acknowledge(alarm, alice)
        assert selectors.active_alarms() == []

    def test_raises_on_an_unknown_alarm(self, alice):
        with pytest.raises(Alarm.DoesNotExist):
            services.acknowledge_alarm(alarm_id=404, operator=alice, at=after(1))


class TestActiveAlarms:
    def test_shows_the_worst_first_and_what_nobody_has_seen(self, reception, alice, dd1):
        reception.receive_packets(received(wheel(1, 12), power(2, 45)))
        assert [one.parameter for one in selectors.active_alarms()] == ["VOLT", "SPEED"]
        reception.receive_packets(received(power(3, 25)))
        # Cleared, and nobody has seen it yet.
        assert {one.parameter for one in selectors.active_alarms(spacecraft=dd1)} == {
            "VOLT",
            "SPEED",
        }
        for one in selectors.active_alarms():
            acknowledge(one, alice)
        assert [one.parameter for one in selectors.active_alarms()] == ["SPEED"]

from __future__ import annotations

from datetime import timedelta

from django.test import override_settings

from missioncontrol.accounts.policy import Role
from telemetry import services
from telemetry.limits import LimitState
from telemetry.models import Alarm
from telemetry.pipeline import LimitTransition
from telemetry.services import alarms, exports, live_values, pending_rows, sessions
from telemetry.services.inputs import InputTally
from tests import factories
from tests.integration.service_scenarios import scenario, unlogged
from tests.integration.telemetry import craft
from tests.integration.telemetry.craft import AT

unlogged(
    "what the spacecraft sends is kept in the archive, octet by octet; alarms that follow from it "
    "are logged",
    services.TelemetryReception,
    pending_rows.PendingRows,
)
unlogged("shows values to open consoles and keeps nothing", live_values.LiveValues)
unlogged(
    "how long a connection to a station was open and what came over it; its contact is logged",
    sessions.open_session,
    sessions.close_session,
)
unlogged("the same values in fewer files", services.compact_archive)
unlogged("reads", alarms.states_in_force, exports.export_samples)
unlogged("how much came in and was lost at an input; the octets are in the archive", InputTally)


def cross_a_limit(call, spacecraft):
    call(
        spacecraft=spacecraft,
        transitions=[
            LimitTransition(
                parameter="VOLT",
                previous=LimitState.NOMINAL,
                current=LimitState.CRITICAL,
                value=45,
                limit="CRITICAL above 40",
                generated_at=AT,
                received_at=AT,
                recorded=False,
            )
        ],
    )


@scenario(services.follow_limits)
def raise_an_alarm(call):
    cross_a_limit(call, craft.spacecraft())


@scenario(services.acknowledge_alarm)
def acknowledge(call):
    cross_a_limit(services.follow_limits, craft.spacecraft())
    alice = factories.operator("alice", Role.OPERATOR)
    call(alarm_id=Alarm.objects.get().pk, operator=alice, at=AT)


@scenario(services.ingest_packet_file)
def ingest(call):
    call(
        spacecraft=craft.spacecraft(),
        octets=craft.power(1),
        name="dump.bin",
        actor="process:test",
        at=AT,
    )


@scenario(services.rebuild_archive)
def rebuild(call):
    spacecraft = craft.spacecraft()
    with services.TelemetryReception(spacecraft) as reception:
        reception.receive_packets(craft.received(craft.power(1)))
    call(spacecraft=spacecraft, actor="process:test", at=AT)


@scenario(services.keep_within_policy)
def forget(call):
    spacecraft = craft.spacecraft()
    with services.TelemetryReception(spacecraft) as reception:
        reception.receive_packets(craft.received(craft.power(1)))
        reception.settle()
    services.compact_archive(spacecraft=spacecraft)
    with override_settings(TELEMETRY_KEEP_COLUMNS_DAYS=30):
        call(spacecraft=spacecraft, actor="process:worker", at=AT + timedelta(days=60))

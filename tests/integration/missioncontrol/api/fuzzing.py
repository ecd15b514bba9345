"""What fuzzing finds: the demo mission with one thing of every kind, and several people."""

from __future__ import annotations

from datetime import timedelta
from itertools import cycle
from pathlib import Path
from typing import Any

from django.test import override_settings

from missioncontrol.accounts.models import Operator, Organisation
from missioncontrol.accounts.policy import Role, actions_of
from missioncontrol.accounts.services import create_token, set_single_sign_on
from missioncontrol.audit.services import sequence_entries
from missioncontrol.fleet.models import Antenna, MissionProfile, Spacecraft
from missioncontrol.kernel import clock
from missioncontrol.kernel.organisations import acting_for_everybody
from missioncontrol.operations.models import Operation
from missioncontrol.operations.services import start_operation
from missioncontrol.pipelines.demo import seed_mission
from telemetry.models import Alarm, BadFrame
from tests import factories
from tests.integration.missioncontrol.api.conftest import AT
from uplink.commanding.services import submit_telecommand
from uplink.jobs.services import submit_job

# A request that the description allows may still be refused, by a rule that no
# description can tell: there is no spacecraft of that name, the pass is over.
REFUSALS = ["304", "401", "403", "404", "409", "412", "422", "428", "429"]
CONFIGURATION: dict[str, Any] = {
    "seed": 20261201,
    "generation": {"max-examples": 1, "deterministic": True, "no-shrink": True},
    "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", *REFUSALS]}},
    "phases": {"coverage": {"unexpected-methods": ["patch", "trace"]}},
}


class Scene:
    """The mission at noon, and the people whose tokens requests are made with in turn."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with (
            acting_for_everybody(),
            override_settings(
                ARCHIVE_DIR=folder / "archive", FILES_DIR=folder / "files", LOG_DIR=folder / "log"
            ),
        ):
            seed_mission(at=AT)
            self._there = self._things()
            self._people = cycle(self._tokens())
            while sequence_entries(at=AT):
                pass

    @property
    def headers(self) -> dict[str, str]:
        """The token of whoever's turn it is."""
        return {"Authorization": f"Bearer {next(self._people)}"}

    def lead(self, case: Any) -> None:
        """Let a well-formed request be for something that is there."""
        if case.meta is None or not case.meta.generation.mode.is_positive:
            return
        for name in case.path_parameters or ():
            if name in self._there:
                case.path_parameters[name] = self._there[name]
            elif name == "name":
                case.path_parameters[name] = "KASHI" if "stations" in case.path else "DD-1"

    def _tokens(self) -> list[str]:
        """Return tokens: twice that of somebody who may do everything, then of a few others."""
        operating = Organisation.objects.get(slug="operator")
        laboratory = Organisation.objects.get(slug="ai-laboratory-1")
        everything = _token(factories.operator("fuzz", *Role, member_of=operating))
        return [
            everything,
            everything,
            _token(factories.operator("member", Role.PAYLOAD_MEMBER, member_of=laboratory)),
            everything,
            everything,
            _token(factories.operator("auditor", Role.AUDITOR, member_of=operating)),
        ]

    def _things(self) -> dict[str, Any]:
        """Make one thing of every kind; return what addresses call them."""
        craft = Spacecraft.objects.get(name="DD-1")
        operating = craft.organisation
        alice = factories.operator("alice", *Role, member_of=operating)
        token, _ = create_token(
            operator=alice, organisation=operating, name="x", at=AT, wall_at=clock.wall_now()
        )
        set_single_sign_on(
            organisation=operating,
            issuer="https://login.operator.example",
            client_id="mission-control",
            client_secret="hush",
            actor=alice,
            at=AT,
        )
        job = submit_job(
            spacecraft=craft,
            organisation=operating,
            submitted_by=alice,
            program="SHA256",
            input_octets=b"an input",
            at=AT,
        )
        contact = factories.contact(
            craft,
            Antenna.objects.get(name="KASHI-1"),
            MissionProfile.objects.filter(spacecraft=craft)[0],
            aos=AT + timedelta(hours=1),
        )
        alarm = Alarm.objects.create(
            spacecraft=craft,
            parameter="PWR_BATT_V",
            severity="serious",
            value="44.1",
            limit="below 45",
            raised_at=AT,
        )
        frame = BadFrame.objects.create(
            spacecraft=craft, station="KASHI", received_at=AT, reason="bad", octets=b"octets"
        )
        telecommand = submit_telecommand(
            spacecraft=craft, name="PING", arguments={}, submitted_by=alice, at=AT
        )
        operation = start_operation(
            kind=Operation.Kind.LOG_VERIFY,
            parameters={},
            organisation=operating,
            asked_by=alice,
            at=AT,
            wall_at=clock.wall_now(),
        )
        return {
            "alarm_id": alarm.pk,
            "contact_id": contact.pk,
            "frame_id": frame.pk,
            "log_index": 0,
            "number": job.number,
            "operation_id": operation.pk,
            "parameter": "PWR_BATT_V",
            "prefix": token.prefix,
            "slug": operating.slug,
            "telecommand_id": telecommand.pk,
            "transfer_id": job.uplink_id,
            "username": alice.username,
        }


def _token(person: Operator) -> str:
    """Return a new token with all rights that somebody has for the organisation at home."""
    roles = [Role(role) for role in person.memberships.values_list("role", flat=True)]
    _, secret = create_token(
        operator=person,
        organisation=person.home,
        name="fuzz",
        at=AT,
        wall_at=clock.wall_now(),
        scopes=actions_of(roles),
    )
    return secret

"""What fuzzing finds: the demo mission with one thing of every kind, and several people."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import cycle
from pathlib import Path
from typing import Any

import schemathesis
from django.test import override_settings
from schemathesis.core.parameters import ParameterLocation

from missioncontrol.accounts.models import Operator, Organisation
from missioncontrol.accounts.policy import Role, actions_of
from missioncontrol.accounts.services import create_token, set_single_sign_on
from missioncontrol.api.application import api
from missioncontrol.api.openapi import document_text
from missioncontrol.api.server_sent_events import MEDIA_TYPE as EVENT_STREAM
from missioncontrol.audit.merkle.keys import KeyType, SigningKey
from missioncontrol.audit.services import register_witness, sequence_entries
from missioncontrol.fleet.models import Antenna, MissionProfile, Spacecraft
from missioncontrol.kernel import clock
from missioncontrol.kernel.organisations import acting_for_everybody
from missioncontrol.operations.models import Operation
from missioncontrol.operations.services import start_operation
from missioncontrol.pipelines.demo import seed_mission
from missioncontrol.webhooks.models import Delivery
from missioncontrol.webhooks.services import create_webhook
from telemetry.models import Alarm, BadFrame
from tests import factories
from tests.integration.missioncontrol.api.conftest import AT
from tests.integration.missioncontrol.api.refusals import REFUSALS
from uplink.commanding.services import submit_telecommand
from uplink.jobs.services import submit_job

_VKEY = SigningKey(
    name="witness.example", type=KeyType.COSIGNATURE_V1, seed=b"v" * 32
).verifier.to_vkey()
_SENT = {
    "account": "alice",
    "organisation": "ai-laboratory-3",
    "spacecraft": "DD-1",
    "vkey": _VKEY,
}
_NAMED = {"/spacecraft/": "DD-1", "/stations/": "KASHI", "/witnesses/": "one"}
CONFIGURATION: dict[str, Any] = {
    "seed": 20261201,
    "generation": {"max-examples": 1, "deterministic": True, "no-shrink": True},
    "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", *REFUSALS]}},
    "phases": {"coverage": {"unexpected-methods": ["patch", "trace"]}},
    "max-stream-events": 1,  # what would follow is more of the same
}


def description() -> Any:
    """Return the API's description, as schemathesis attacks by it."""
    return schemathesis.openapi.from_dict(
        json.loads(document_text(api.get_openapi_schema())),
        config=schemathesis.Config.from_dict(CONFIGURATION),
    )


def may_stream(context: Any) -> bool:
    """Tell an operation that may answer with a stream."""
    answer = context.operation.definition.raw["responses"].get("200", {})
    return EVENT_STREAM in answer.get("content", {})


class Scene:
    """The mission at noon, and the people that requests are made as."""

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
            operating = Organisation.objects.get(slug="operator")
            laboratory = Organisation.objects.get(slug="ai-laboratory-1")
            self._chief = _token(factories.operator("fuzz", *Role, member_of=operating))
            self._others = cycle(
                [
                    _token(
                        factories.operator("member", Role.PAYLOAD_MEMBER, member_of=laboratory)
                    ),
                    _token(factories.operator("auditor", Role.AUDITOR, member_of=operating)),
                ]
            )
            while sequence_entries(at=AT):
                pass

    def askers(self, case: Any) -> list[dict[str, str]]:
        """Return whose tokens to make a request with.

        A request that can succeed is made by somebody who may hardly do anything,
        and then by somebody who may do everything; one that cannot by the latter.
        """
        can_succeed = case.meta is None or case.meta.generation.mode.is_positive
        tokens = [next(self._others), self._chief] if can_succeed else [self._chief]
        return [{"Authorization": f"Bearer {token}"} for token in tokens]

    def lead(self, case: Any) -> None:
        """Let what is well-formed of a request name something that is there."""
        if is_good(case, "path"):
            for name in case.path_parameters or ():
                if name == "name":
                    case.path_parameters[name] = _named(case.path)
                elif name in self._there:
                    case.path_parameters[name] = self._there[name]
        if is_good(case, "header") and "If-Match" in (case.headers or ()):
            case.headers["If-Match"] = "*"
            case.headers.pop("If-None-Match", None)
        if is_good(case, "body") and isinstance(case.body, dict):
            case.body |= {name: _SENT[name] for name in case.body.keys() & _SENT.keys()}

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
        register_witness(
            name="one",
            organisation="ai-laboratory-2",
            vkey=SigningKey(
                name="witness.example", type=KeyType.COSIGNATURE_V1, seed=b"w" * 32
            ).verifier.to_vkey(),
            url="https://witness.example",
            actor=alice,
            at=AT,
        )
        operation = start_operation(
            kind=Operation.Kind.LOG_VERIFY,
            parameters={},
            organisation=operating,
            asked_by=alice,
            at=AT,
            wall_at=clock.wall_now(),
        )
        webhook, _ = create_webhook(
            organisation=operating,
            name="results",
            url="https://hooks.example/in",
            types=["job.*"],
            actor=alice,
            at=AT,
            wall_at=clock.wall_now(),
        )
        delivery = Delivery.objects.create(
            webhook=webhook,
            log_index=0,
            event_type="job.submit",
            message_id="evt_1_0",
            created_at=clock.wall_now(),
        )
        return {
            "alarm_id": alarm.pk,
            "contact_id": contact.pk,
            "delivery_id": delivery.pk,
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
            "webhook_id": webhook.pk,
        }


def _named(path: str) -> str:
    return next(name for part, name in _NAMED.items() if part in path)


def is_good(case: Any, location: str) -> bool:
    """Tell whether this part of a request is as the description says it must be."""
    if case.meta is None:
        return True
    part = case.meta.components.get(ParameterLocation(location))
    return part is None or part.mode.is_positive


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

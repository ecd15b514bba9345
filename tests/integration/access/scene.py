"""The demo mission, and what the routes are about: each object is made when a recipe asks."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

from missioncontrol.accounts.models import (
    ApiToken,
    Membership,
    Operator,
    Organisation,
    SingleSignOn,
)
from missioncontrol.accounts.policy import Role
from missioncontrol.accounts.services import create_token, set_single_sign_on
from missioncontrol.audit.merkle.keys import KeyType, SigningKey
from missioncontrol.audit.models import AuditEntry, Witness
from missioncontrol.audit.selectors import log_folder
from missioncontrol.audit.services import register_witness, sequence_entries
from missioncontrol.console.presentation.plans import seen_mark
from missioncontrol.contacts.models import ContactWindow
from missioncontrol.contacts.services import recompute_group
from missioncontrol.fleet.models import Antenna, MissionProfile, Spacecraft
from missioncontrol.kernel import clock
from missioncontrol.kernel.models import ClockAnchor
from missioncontrol.operations.models import Operation
from missioncontrol.operations.services import start_operation
from missioncontrol.pipelines.demo import seed_mission
from missioncontrol.reservations.models import Reservation
from missioncontrol.scheduling import services as scheduling
from missioncontrol.scheduling.models import CalendarFeed, Contact, ContactRequest, Outage, Plan
from missioncontrol.scheduling.plan_problem import window_id
from missioncontrol.scheduling.selectors import get_plan
from missioncontrol.webhooks.models import Delivery, Webhook
from missioncontrol.webhooks.services import create_webhook
from telemetry.archive import RawPacket, open_writer
from telemetry.models import Alarm, BadFrame
from telemetry.selectors import archive_folder, newest_packets
from tests import factories
from tests.integration.access.cast import By, Cast, Whose
from tests.signing_in import sign_in
from uplink.commanding.models import Telecommand
from uplink.commanding.services import submit_telecommand
from uplink.jobs.models import Job
from uplink.jobs.services import submit_job
from uplink.transfers import storage
from uplink.transfers.models import Transfer

AT = datetime(2026, 12, 1, 12, tzinfo=UTC)
OUTPUT = b"what the program made"


class Scene:
    """The mission with its people, at a clock that stands still."""

    def __init__(self) -> None:
        seed_mission(at=AT)
        ClockAnchor.objects.update(mission_time=AT, last_seen=AT, factor=30, frozen=True)
        clock.forget()
        self.cast = Cast()
        self.spacecraft = Spacecraft.objects.select_related("organisation").get()
        # So that there is something to plan with.
        recompute_group(
            spacecraft_ids=[self.spacecraft.pk], start=AT, horizon=timedelta(hours=3), at=AT
        )
        self._contacts = 0
        # Who has asked for what the others act on.
        self.commander = factories.operator(
            "commander", Role.OPERATOR, member_of=self.organisation(Whose.OPERATING)
        )
        self.submitter = factories.operator(
            "submitter", Role.PAYLOAD_MEMBER, member_of=self.organisation(Whose.MEMBER)
        )

        # The log grows for good, so it does before anything that is taken back.
        self.entry = self._published(self.job())

    def _published(self, job: Job) -> AuditEntry:
        """Return the entry of a job's submission, covered by a checkpoint."""
        while sequence_entries(at=AT):
            pass
        return AuditEntry.objects.get(action="job.submit", subject=f"job:{job.number}")

    def organisation(self, whose: Whose) -> Organisation:
        return self.cast.organisations[whose]

    def person(self, username: str, *roles: Role, whose: Whose = Whose.MEMBER) -> Operator:
        """Make somebody who is acted on."""
        return factories.operator(username, *roles, member_of=self.organisation(whose))

    def contact(self, **fields: object) -> Contact:
        self._contacts += 1
        return factories.contact(
            self.spacecraft,
            Antenna.objects.get(name="KASHI-1"),
            MissionProfile.objects.get(spacecraft=self.spacecraft),
            **{"aos": AT + timedelta(minutes=20 * self._contacts), **fields},
        )

    def telecommand(self) -> Telecommand:
        """Make one that waits for a second person."""
        return submit_telecommand(
            spacecraft=self.spacecraft,
            name="PING",
            arguments={},
            submitted_by=self.commander,
            at=AT,
        )

    def alarm(self) -> Alarm:
        return Alarm.objects.create(
            spacecraft=self.spacecraft,
            parameter="PWR_BATT_V",
            severity="critical",
            value="41.5",
            limit="below 47",
            raised_at=AT,
        )

    def bad_frame(self) -> BadFrame:
        return BadFrame.objects.create(
            spacecraft=self.spacecraft,
            station="KASHI",
            received_at=AT,
            reason="its frame error control field does not match (CRC)",
            octets=bytes(128),
        )

    def packet_cursor(self) -> int:
        """Log a packet, once, and return its cursor."""
        newest = newest_packets(self.spacecraft, limit=1)
        if newest:
            return newest[0].packet.cursor
        packet = RawPacket(
            spacecraft=self.spacecraft.name,
            apid=100,
            sequence_count=0,
            generated_at=AT,
            received_at=AT,
            station="KASHI",
            octets=bytes.fromhex("0864c0000000") + bytes(1),
        )
        with open_writer(archive_folder(self.spacecraft)) as writer:
            return writer.append([packet], [])

    def job(self) -> Job:
        """Make one of the member's that waits for its first contact."""
        return submit_job(
            spacecraft=self.spacecraft,
            organisation=self.organisation(Whose.MEMBER),
            submitted_by=self.submitter,
            program="SHA256",
            input_octets=b"what to digest",
            at=AT,
        )

    def completed_job(self) -> Job:
        """Make one of the member's whose result is here."""
        job = self.job()
        job.state = Job.State.COMPLETED
        job.stored_result = f"jobs/{job.number}.out"
        job.output_sha256 = hashlib.sha256(OUTPUT).hexdigest()
        job.output_octets = len(OUTPUT)
        job.completed_at = AT
        job.save()
        storage.store(job.stored_result, OUTPUT)
        return job

    def transfer(self) -> Transfer:
        """Make one that waits, of the member's job."""
        uplink = self.job().uplink
        assert uplink is not None
        return uplink

    def operation(self) -> Operation:
        """Make one that waits: windows of the spacecraft, to be computed anew."""
        return start_operation(
            kind=Operation.Kind.CONTACT_WINDOW_RECOMPUTE,
            parameters={"spacecraft": [self.spacecraft.name], "start": "2026-12-01", "hours": 1},
            organisation=self.organisation(Whose.OPERATING),
            asked_by=self.commander,
            at=AT,
            wall_at=clock.wall_now(),
        )

    def guest(self) -> Operator:
        """Make another's person who holds a role at the member's."""
        person = self.person("guest", whose=Whose.OTHER)
        Membership.objects.create(
            operator=person, organisation=self.organisation(Whose.MEMBER), role=Role.AUDITOR
        )
        return person

    def close(self, account_id: int) -> None:
        Operator.objects.filter(pk=account_id).update(is_active=False)

    def give_codes(self, account_id: int) -> None:
        TOTP.activate(Operator.objects.get(pk=account_id), generate_totp_secret())

    def signed_in(self, person: Operator) -> Operator:
        """Let *person* sign in at one more browser."""
        sign_in(self.cast.client(self.cast.stranger, By.SESSION), person)
        return person

    def token(self) -> ApiToken:
        """Make one of a person of the member's."""
        token, _ = create_token(
            operator=self.submitter,
            organisation=self.organisation(Whose.MEMBER),
            name="of another",
            at=AT,
            wall_at=clock.wall_now(),
        )
        return token

    def single_sign_on(self) -> SingleSignOn:
        """Let the member have an identity provider, which cannot be reached."""
        return set_single_sign_on(
            organisation=self.organisation(Whose.MEMBER),
            issuer="https://login.invalid",
            client_id="mission-control",
            client_secret="secret",
            actor="process:test",
            at=AT,
        )

    def contact_request(self) -> ContactRequest:
        """Make one of the member's, for the operator's spacecraft."""
        return scheduling.request_contact(
            organisation=self.organisation(Whose.MEMBER),
            spacecraft=self.spacecraft,
            terms=scheduling.RequestTerms(
                kind=ContactRequest.Kind.DATA, earliest=AT, deadline=AT + timedelta(hours=9)
            ),
            actor=self.submitter,
            at=AT,
        )

    def outage(self) -> Outage:
        """Make one of the spacecraft, tomorrow."""
        return scheduling.declare_outage(
            of=self.spacecraft,
            begins=AT + timedelta(days=1),
            ends=AT + timedelta(days=1, hours=1),
            planned=True,
            reason="a bearing",
            actor=self.commander,
            at=AT,
        )

    def reservation(self) -> Reservation:
        """Make one that the member, as a provider, holds and that nobody asked for."""
        return Reservation.objects.create(
            provider=self.organisation(Whose.MEMBER).slug,
            satellite=self.spacecraft.name,
            antenna="KASHI-1",
            begins=AT + timedelta(hours=1),
            ends=AT + timedelta(hours=1, minutes=10),
            state=Reservation.State.SCHEDULED,
            made_at=AT,
            changed_at=AT,
            next_attempt_at=AT,
        )

    def window_name(self) -> str:
        """Return how plans name a window that nobody has booked."""
        window = ContactWindow.objects.select_related("station").order_by("-aos")[0]
        antenna = window.station.antennas.all()[0]
        return window_id(self.spacecraft.name, antenna.name, window.aos)

    def plan(self) -> Plan:
        """Make one that waits for a decision."""
        return scheduling.propose_plan(
            organisation=self.organisation(Whose.OPERATING),
            horizon=timedelta(hours=2),
            actor=self.commander,
            at=AT,
        )

    def approved_plan(self) -> Plan:
        return scheduling.approve_plan(plan_id=self.plan().pk, actor=self.commander, at=AT)

    def seen(self, plan: Plan) -> str:
        """Return what a page shows that it has seen of *plan*."""
        return seen_mark(get_plan(plan.pk))

    def calendar_feed(self) -> tuple[CalendarFeed, str]:
        """Make one of the member's; return it and its secret."""
        return scheduling.make_calendar_feed(
            organisation=self.organisation(Whose.MEMBER),
            of=self.spacecraft,
            actor=self.submitter,
            at=AT,
            wall_at=clock.wall_now(),
        )

    def webhook(self) -> Webhook:
        """Make one of the member's."""
        webhook, _ = create_webhook(
            organisation=self.organisation(Whose.MEMBER),
            name="results",
            url="https://hooks.example/",
            types=["job.*"],
            actor="process:test",
            at=AT,
            wall_at=clock.wall_now(),
        )
        return webhook

    def delivery(self) -> Delivery:
        """Make one that was given up."""
        return Delivery.objects.create(
            webhook=self.webhook(),
            log_index=1,
            event_type="job.submit",
            message_id="evt_1_1",
            state=Delivery.State.FAILED,
            created_at=clock.wall_now(),
            attempts=9,
        )

    def witness(self, **fields: str) -> Witness:
        return register_witness(**fields, actor="process:test", at=AT)

    def announcement(self) -> str:
        """Let a former key of the log have named its successor; return the key's identifier."""
        key = SigningKey(name="former", type=KeyType.ED25519, seed=bytes(32)).verifier
        log_folder().write_announcement(key, b"what it said")
        return key.key_id.hex()

"""What the browser tests find: a pass under way, telemetry, alarms, commands, jobs.

Everything is made by the services that make it in flight; what only another
process could make (a station's reports, a file that came down) is written as
that process would write it.
"""

from __future__ import annotations

import hashlib
import json
import time
from datetime import UTC, datetime, timedelta

from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.usersessions.models import UserSession
from django.contrib.sessions.backends.db import SessionStore

from missioncontrol.accounts.models import Operator, Organisation
from missioncontrol.accounts.policy import Role
from missioncontrol.accounts.services import create_operator
from missioncontrol.audit.services import sequence_entries
from missioncontrol.contacts.services import recompute_windows
from missioncontrol.fleet import selectors as fleet
from missioncontrol.fleet.models import Spacecraft
from missioncontrol.kernel import clock
from missioncontrol.kernel.processes import ProcessState, tell_processes
from missioncontrol.pipelines.demo import seed_mission
from missioncontrol.pipelines.models import (
    Acceptance,
    IntentState,
    RadiationIntent,
    StepKind,
    StepState,
)
from missioncontrol.pipelines.services import begin_step, end_step
from missioncontrol.scheduling.leases import claim_contact
from missioncontrol.scheduling.models import Contact, ContactRequest
from missioncontrol.scheduling.services import (
    RequestTerms,
    advance_contact,
    book_contacts,
    declare_outage,
    improve_plan,
    propose_plan,
    request_contact,
)
from missioncontrol.scheduling.solver.planning import Search
from telemetry.ccsds.frame_fault import FrameFault
from telemetry.models import BadFrame, ChannelFrames, hour_of
from telemetry.pipeline import ReceivedPacket
from telemetry.services import TelemetryReception, open_session
from tests.browser.members import cosign_newest, hold_reservation, register_witnesses, send_events
from tests.browser.packets import HousekeepingPackets
from uplink.commanding.models import Telecommand
from uplink.commanding.services import (
    approve_telecommand,
    reject_telecommand,
    release_telecommand,
    submit_telecommand,
)
from uplink.jobs.models import Job
from uplink.jobs.services import advance_jobs, submit_job
from uplink.transfers import storage
from uplink.transfers.models import Transfer

BEGIN = datetime(2026, 12, 1, 12, tzinfo=UTC)
# Five minutes into the first pass, over Kashi.
AT = datetime(2026, 12, 1, 12, 26, tzinfo=UTC)
# What was sent at this instant did not arrive.
LOST_AT = AT - timedelta(minutes=30)
PASSWORD = "a pass-phrase for the tests"
PEOPLE = {
    "alice": ("Alice Ode", "operator", [Role.OPERATOR]),
    "bob": ("Bob Iyer", "operator", [Role.OPERATOR, Role.APPROVER]),
    "mei": ("Mei Lin", "ai-laboratory-1", [Role.PAYLOAD_MEMBER]),
    "noor": ("Noor Haddad", "insurer-1", []),
    "ada": ("Ada Moreau", "operator", [Role.ADMINISTRATOR]),
    "lena": ("Lena Vogt", "ai-laboratory-1", [Role.ADMINISTRATOR, Role.AUDITOR]),
    # Each has its own test to itself: what it changes is their account.
    "pia": ("Pia Sol", "operator", [Role.OPERATOR, Role.APPROVER]),
    "otto": ("Otto Brandt", "operator", [Role.FLIGHT_DYNAMICS]),
    "tess": ("Tess Okafor", "ai-laboratory-1", [Role.PAYLOAD_MEMBER]),
    "rosa": ("Rosa Lind", "ai-laboratory-1", [Role.PAYLOAD_MEMBER]),
    "carl": ("Carl Nemec", "operator", [Role.OPERATOR]),
    "gus": ("Gus Lehto", "operator", [Role.OPERATOR]),
    "fay": ("Fay Duarte", "operator", [Role.FLIGHT_DYNAMICS]),
    "ines": ("Ines Prado", "operator", [Role.FLIGHT_DYNAMICS]),
    "hugo": ("Hugo Brand", "operator", [Role.FLIGHT_DYNAMICS]),
}


def build() -> None:
    """Make the scene; the clock stands five minutes into the pass and runs like the wall's."""
    seed_mission(at=BEGIN)
    clock.set_clock(mission_time=AT, factor=1.0)
    spacecraft = fleet.active_spacecraft()[0]
    people = {name: _person(name) for name in PEOPLE}
    recompute_windows(spacecraft=spacecraft, start=BEGIN, horizon=timedelta(hours=48), at=BEGIN)
    book_contacts(at=BEGIN)
    contact = Contact.objects.order_by("aos")[0]
    _receive(spacecraft, contact)
    _command(spacecraft, people)
    _run_jobs(spacecraft, people["mei"])
    register_witnesses(at=BEGIN)
    send_events(at=BEGIN)
    hold_reservation(at=AT)
    sequence_entries(at=AT)
    cosign_newest(at=AT)
    _fly(contact)
    _plan(spacecraft, people)
    _supervise()
    sequence_entries(at=AT)
    cosign_newest(at=AT)


def _person(name: str) -> Operator:
    display_name, slug, roles = PEOPLE[name]
    return create_operator(
        username=name,
        display_name=display_name,
        organisation=Organisation.objects.get(slug=slug),
        roles=roles,
        password=PASSWORD,
        at=BEGIN,
        actor="process:test",
    )


def make_stale(username: str) -> None:
    """Let somebody have signed in ten minutes ago; called in a process of its own."""
    for session in UserSession.objects.filter(user__username=username):
        store = SessionStore(session.session_key)
        for record in store[AUTHENTICATION_METHODS_SESSION_KEY]:
            record["at"] -= 600
        store.modified = True
        store.save()


def _receive(spacecraft: Spacecraft, contact: Contact) -> None:
    packets = HousekeepingPackets(spacecraft)
    session = open_session(contact=contact, at=contact.aos)
    begin = AT - timedelta(hours=1)
    instants = [begin + timedelta(seconds=10 * number) for number in range(360)]
    hot = {"CMP_GPU0_T": 96.0}
    with TelemetryReception(spacecraft) as reception:
        for instant in instants:
            late = {"PWR_BATT_V": 46.2} if instant > AT - timedelta(minutes=3) else {}
            received = [
                ReceivedPacket(octets=octets, received_at=instant, station="KASHI")
                for octets in packets.at(instant, **late, **hot)
                if instant != LOST_AT
            ]
            reception.receive_packets(received, session=session)
        reception.settle(session)
    type(session).objects.filter(pk=session.pk).update(
        frames_good=2381, frames_bad=2, frames_lost=3, last_frame_at=AT
    )
    for channel, good, lost in ((0, 2120, 3), (1, 261, 0)):
        ChannelFrames.objects.create(
            spacecraft=spacecraft,
            station="KASHI",
            virtual_channel=channel,
            hour=hour_of(AT),
            frames_good=good,
            frames_lost=lost,
        )
    for number in range(2):
        BadFrame.objects.create(
            spacecraft=spacecraft,
            contact=contact,
            station="KASHI",
            received_at=AT - timedelta(seconds=40 + number),
            fault=FrameFault.FECF,
            reason="frame error control field does not match (CRC)",
            octets=bytes(range(200)) + bytes([number]),
        )


def _command(spacecraft: Spacecraft, people: dict[str, Operator]) -> None:
    alice, bob = people["alice"], people["bob"]

    def ask(name: str, who: Operator, minutes: int, **arguments: object) -> Telecommand:
        return submit_telecommand(
            spacecraft=spacecraft,
            name=name,
            arguments=arguments,
            submitted_by=who,
            at=AT - timedelta(minutes=minutes),
        )

    flown = ask("PING", alice, 40)
    approve_telecommand(telecommand_id=flown.pk, approver=bob, at=AT - timedelta(minutes=38))
    stopped = ask("SET_TM_RATE", bob, 30, PERIOD_S=1)
    reject_telecommand(
        telecommand_id=stopped.pk,
        approver=alice,
        reason="One second fills the recorder before the next pass.",
        at=AT - timedelta(minutes=29),
    )
    ask("PAYLOAD_POWER", bob, 8, UNIT="GPU1", STATE="OFF")
    ask("SET_TM_RATE", alice, 5, PERIOD_S=10)
    ask("PING", bob, 4)


def _run_jobs(spacecraft: Spacecraft, mei: Operator) -> None:
    laboratory = Organisation.objects.get(slug="ai-laboratory-1")

    def submit(program: str, octets: bytes, minutes: int) -> Job:
        return submit_job(
            spacecraft=spacecraft,
            organisation=laboratory,
            submitted_by=mei,
            program=program,
            input_octets=octets,
            at=AT - timedelta(minutes=minutes),
        )

    image = b"P5 64 48 255\n" + bytes((x * y) % 256 for y in range(48) for x in range(64))
    complete(submit("IMAGE_STATISTICS", image, 55), image_statistics(image))
    under_way = submit("SHA256", b"orbital data centre " * 4000, 20)
    Transfer.objects.filter(pk=under_way.uplink_id).update(
        state=Transfer.State.ACTIVE, progress_octets=52_000
    )
    advance_jobs(spacecraft=spacecraft, at=AT)
    submit("SHA256", b"waits", 2)


def image_statistics(image: bytes) -> bytes:
    """Return what the program computes of the test picture."""
    pixels = image[len(b"P5 64 48 255\n") :]
    mean = sum(pixels) / len(pixels)
    deviation = (sum((pixel - mean) ** 2 for pixel in pixels) / len(pixels)) ** 0.5
    histogram = [sum(pixel // 16 == bin_ for pixel in pixels) for bin_ in range(16)]
    return json.dumps(
        {
            "width": 64,
            "height": 48,
            "min": min(pixels),
            "max": max(pixels),
            "mean": round(mean, 3),
            "std": round(deviation, 3),
            "histogram": histogram,
        },
        separators=(",", ":"),
    ).encode()


def complete(job: Job, output: bytes) -> None:
    """Let the result file of a job have come down, and the job pipeline find it."""
    manifest = {
        "job": job.number,
        "program": job.program,
        "input_sha256": job.input_sha256,
        "output_sha256": hashlib.sha256(output).hexdigest(),
        "output_octets": len(output),
        "started": (AT - timedelta(minutes=40)).isoformat(),
        "finished": (AT - timedelta(minutes=39)).isoformat(),
    }
    content = json.dumps(manifest, separators=(",", ":")).encode() + b"\n" + output
    stored_name = f"down/{job.number}"
    storage.store(stored_name, content)
    Transfer.objects.filter(pk=job.uplink_id).update(
        state=Transfer.State.COMPLETED,
        progress_octets=job.input_octets,
        completed_at=AT - timedelta(minutes=45),
    )
    advance_jobs(spacecraft=job.spacecraft, at=AT - timedelta(minutes=44))
    Transfer.objects.create(
        spacecraft=job.spacecraft,
        direction=Transfer.Direction.DOWN,
        source_entity=2,
        sequence_number=job.number,
        file_name=f"job-{job.number}.out",
        size_octets=len(content),
        progress_octets=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        state=Transfer.State.COMPLETED,
        stored_name=stored_name,
        created_at=AT - timedelta(minutes=38),
        completed_at=AT - timedelta(minutes=36),
    )
    advance_jobs(spacecraft=job.spacecraft, at=AT - timedelta(minutes=36))


def _fly(contact: Contact) -> None:
    lease = claim_contact(contact_id=contact.pk, holder="executor-1", lease_s=3600)
    assert lease is not None
    aos, epoch = contact.aos, lease.epoch
    begun = {
        StepKind.PREPASS: -110.0,
        StepKind.ACQUIRE: 0.0,
        StepKind.COP1: 2.5,
        StepKind.SERVE: 6.0,
    }
    told = {
        StepKind.PREPASS: "1 telecommand, 2 files to go; antenna ready",
        StepKind.ACQUIRE: "carrier lock 1.2 s after AOS",
        StepKind.COP1: "lock-out cleared, V(S) 0",
    }
    advance_contact(
        contact_id=contact.pk, epoch=epoch, to=Contact.State.PREPASS, at=aos - timedelta(minutes=2)
    )
    for kind, offset_s in begun.items():
        at = aos + timedelta(seconds=offset_s)
        if kind is StepKind.ACQUIRE:
            advance_contact(contact_id=contact.pk, epoch=epoch, to=Contact.State.PASS, at=at)
        step = begin_step(contact_id=contact.pk, epoch=epoch, kind=kind, at=at)
        if kind in told:
            done_at = at + timedelta(seconds=2)
            end_step(step=step, state=StepState.DONE, detail=told[kind], at=done_at)
    telecommand = Telecommand.objects.get(state=Telecommand.State.APPROVED, origin="")
    sent_at = aos + timedelta(seconds=8)
    release_telecommand(telecommand_id=telecommand.pk, contact_id=contact.pk, at=sent_at)
    RadiationIntent.objects.create(
        contact=contact,
        number=1,
        what="unlock (BC)",
        epoch=epoch,
        state=IntentState.RADIATED,
        intended_at=aos + timedelta(seconds=3),
        reported_at=aos + timedelta(seconds=3.4),
    )
    RadiationIntent.objects.create(
        contact=contact,
        number=2,
        what=f"PING #{telecommand.pk}",
        telecommand=telecommand,
        frame_sequence_number=0,
        epoch=epoch,
        state=IntentState.RADIATED,
        acceptance=Acceptance.ACCEPTED,
        evidence="N(S) 0, N(R) 1 of the CLCW",
        intended_at=sent_at,
        reported_at=sent_at + timedelta(seconds=0.4),
        resolved_at=sent_at + timedelta(seconds=2),
    )


def _plan(spacecraft: Spacecraft, people: dict[str, Operator]) -> None:
    """An antenna is out for the pass after next; a plan that repairs waits for approval."""
    laboratory = Organisation.objects.get(slug="ai-laboratory-1")
    for longest_s in (240, 1500):
        request_contact(
            organisation=laboratory,
            spacecraft=spacecraft,
            terms=RequestTerms(
                kind=ContactRequest.Kind.DATA,
                earliest=AT,
                deadline=AT + timedelta(hours=20),
                minimum_duration_s=longest_s,
                minimum_count=2,
            ),
            actor=people["mei"],
            at=AT,
        )
    hit = Contact.objects.order_by("aos")[2]
    declare_outage(
        of=hit.antenna,
        begins=hit.aos - timedelta(hours=1),
        ends=hit.aos + timedelta(hours=5),
        planned=False,
        reason="Drive fault in azimuth",
        actor=people["alice"],
        at=AT,
    )
    plan = propose_plan(
        organisation=Organisation.objects.get(slug="operator"),
        horizon=timedelta(hours=24),
        actor=people["alice"],
        at=AT,
        repairs=True,
    )
    search = Search(limit_s=1.0, elapsed_s=time.monotonic)
    improve_plan(plan_id=plan.pk, search=search, at=AT + timedelta(seconds=2))


def _supervise() -> None:
    at = datetime.now(UTC)
    names = [
        "broker",
        "web",
        "log-sequencer",
        "witness-rounds",
        "worker",
        "beat",
        "telemetry-link",
        "pass-executor",
    ]
    tell_processes(
        ProcessState(
            name=name,
            state="running",
            pid=4000 + number,
            restarts=int(name == "worker"),
            last_exit=-9 if name == "worker" else None,
            seen=at,
        )
        for number, name in enumerate(names)
    )

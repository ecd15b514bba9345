"""What members have in the scene: witnesses, a webhook that has sent, a reservation."""

from __future__ import annotations

from datetime import datetime, timedelta

from missioncontrol.accounts.models import Organisation
from missioncontrol.audit.merkle.checkpoint import parse_checkpoint_body
from missioncontrol.audit.merkle.cosignature import cosign
from missioncontrol.audit.merkle.keys import KeyType, SigningKey
from missioncontrol.audit.merkle.note import parse_note
from missioncontrol.audit.models import Checkpoint, Cosignature, Witness
from missioncontrol.audit.services import register_witness, sequence_entries
from missioncontrol.kernel import clock
from missioncontrol.reservations.providers.interface import ContactStatus, ProviderContact
from missioncontrol.reservations.services import compare_list
from missioncontrol.webhooks.models import Delivery
from missioncontrol.webhooks.services import create_webhook


def register_witnesses(*, at: datetime) -> None:
    """Let 23 of the 24 members run a witness; of two nothing is heard."""
    for number, member in enumerate(Organisation.objects.order_by("pk")[:23]):
        register_witness(
            name=f"witness-{number + 1}",
            organisation=member.slug,
            vkey=witness_key(number).verifier.to_vkey(),
            url=f"https://witness.{member.slug}.example",
            actor="process:test",
            at=at,
        )
    Witness.objects.filter(name__in=("witness-7", "witness-15")).update(
        last_error="no answer from https://witness.member.example within 5 s (connect timeout)",
        last_seen_at=at,
    )


def witness_key(number: int) -> SigningKey:
    """Return the key of the scene's witness of that number."""
    return SigningKey(
        name=f"member-{number + 1}.example/witness",
        type=KeyType.COSIGNATURE_V1,
        seed=bytes([number + 1]) * 32,
    )


def cosign_newest(*, at: datetime) -> None:
    """Let all witnesses that are there cosign the newest checkpoint; the 20th is one behind."""
    newest = Checkpoint.objects.latest()
    head = parse_checkpoint_body(parse_note(newest.note.encode()).text)
    for number, witness in enumerate(Witness.objects.filter(active=True).order_by("pk")):
        is_late = number == 19 and witness.cosigned_size > 0
        if witness.last_error or is_late:
            continue
        line = cosign(head, key=witness_key(number), at=at).format().removesuffix("\n")
        Cosignature.objects.get_or_create(
            checkpoint=newest,
            witness=witness,
            defaults={"line": line, "timestamp_s": int(at.timestamp())},
        )
        Witness.objects.filter(pk=witness.pk).update(cosigned_size=newest.size, last_seen_at=at)


def publish() -> None:
    """Put all that waits into the log and let it be cosigned; called in a process of its own."""
    while sequence_entries(at=clock.now()):
        pass
    cosign_newest(at=clock.now())


def send_events(*, at: datetime) -> None:
    """Give a member a webhook that has sent, waits, and has given up."""
    webhook, _ = create_webhook(
        organisation=Organisation.objects.get(slug="ai-laboratory-1"),
        name="results",
        url="https://pipeline.ai-laboratory-1.example/hooks",
        types=["job.*"],
        actor="process:test",
        at=at,
        wall_at=at,
    )
    for number, (state, attempts, answer) in enumerate(
        [
            ("DELIVERED", 1, {"response_status": 204, "took_ms": 38}),
            ("FAILED", 8, {"fault": "no answer within 15 s", "took_ms": 15000}),
            (
                "WAITING",
                2,
                {
                    "response_status": 503,
                    "took_ms": 210,
                    "response_excerpt": "<html>upstream connect error</html>",
                    "fault": "answered with 503",
                    "next_attempt_at": at + timedelta(minutes=5),
                },
            ),
        ]
    ):
        Delivery.objects.create(
            webhook=webhook,
            log_index=number,
            event_type="job.complete" if number else "job.submit",
            message_id=f"evt_{webhook.pk}_{number}",
            state=state,
            attempts=attempts,
            created_at=at,
            last_attempt_at=at + timedelta(seconds=number),
            **answer,
        )


def hold_reservation(*, at: datetime) -> None:
    """Let a provider of stations hold a contact that nobody here asked for."""
    held = ProviderContact(
        contact_id="c-17",
        token="by telephone",
        satellite="DD-1",
        antenna="TROLL-1",
        begins=at + timedelta(hours=30),
        ends=at + timedelta(hours=30, minutes=10),
        status=ContactStatus.SCHEDULED,
    )
    compare_list(
        provider="station-provider-1",
        listed=[held],
        until=at + timedelta(days=2),
        asked_at=at,
        at=at,
        wall_at=clock.wall_now(),
    )

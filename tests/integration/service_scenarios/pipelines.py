from __future__ import annotations

from missioncontrol.pipelines import services
from missioncontrol.pipelines.models import Acceptance, RadiationIntent
from missioncontrol.scheduling.models import Contact
from missioncontrol.scheduling.services import advance_contact
from tests import factories
from tests.factories import AT
from tests.integration.service_scenarios import scenario, unlogged
from tests.integration.service_scenarios.mission import contact
from tests.integration.service_scenarios.uplink import approved, released

unlogged(
    "the executor's notes about a pass; what came of it is pass.report and the contact's state",
    services.begin_step,
    services.end_step,
)
unlogged(
    "a frame's number, written before it is sent, and the station's word on it; what follows for "
    "its telecommand is logged",
    services.intend_frame,
    services.note_radiation,
)
unlogged("the next frame number of COP-1", services.save_fop_state)


def contact_for(telecommand):
    spacecraft = telecommand.spacecraft
    antenna = factories.antenna(factories.ground_station())
    return factories.contact(spacecraft, antenna, factories.mission_profile(spacecraft))


@scenario(services.intend_telecommand)
def intend_a_telecommand(call):
    telecommand = approved()
    call(
        contact_id=contact_for(telecommand).pk,
        epoch=0,
        number=1,
        telecommand_id=telecommand.pk,
        what=telecommand.name,
        frame_sequence_number=0,
        virtual_channel_id=0,
        at=AT,
        cut=lambda packet: [packet],
    )


@scenario(services.settle_acceptance)
def settle(call):
    telecommand = released()
    flown = contact_for(telecommand)
    intent = RadiationIntent.objects.create(
        contact=flown,
        number=1,
        what=telecommand.name,
        telecommand=telecommand,
        epoch=0,
        intended_at=AT,
    )
    call(
        intent_id=intent.pk,
        epoch=0,
        contact_id=flown.pk,
        acceptance=Acceptance.ACCEPTED,
        evidence="N(R) 1",
        at=AT,
    )


@scenario(services.requeue_unsent)
def requeue(call):
    telecommand = released()
    flown = contact_for(telecommand)
    call(contact_id=flown.pk, epoch=0, telecommand_id=telecommand.pk, at=AT)


@scenario(services.finish_pass)
def finish(call):
    flown = contact()
    for state in (Contact.State.PREPASS, Contact.State.PASS, Contact.State.POSTPASS):
        advance_contact(contact_id=flown.pk, epoch=0, to=state, at=AT)
    report = {"telecommands": [], "uplink": {"file_cltus": 0}}
    call(
        contact_id=flown.pk,
        epoch=0,
        to=Contact.State.COMPLETED,
        report=report,
        failure="",
        at=AT,
    )

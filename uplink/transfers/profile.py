"""The CFDP profile of a spacecraft's row, as the protocol takes it."""

from __future__ import annotations

import json

from missioncontrol.fleet.models import Spacecraft
from missioncontrol.fleet.profiles import CfdpProfile as StoredProfile
from uplink.cfdp.codes import ChecksumType, FaultHandler
from uplink.cfdp.profile import CfdpProfile

_CHECKSUMS = {"crc32": ChecksumType.CRC_32, "modular": ChecksumType.MODULAR}


def ground_profile(spacecraft: Spacecraft) -> CfdpProfile:
    """Return the ground's profile towards *spacecraft*.

    When a limit of tries is reached the transfer is suspended and goes on at
    the next contact: a bad pass must not cost a file.
    """
    stored = StoredProfile.model_validate_json(json.dumps(spacecraft.cfdp_profile))
    return CfdpProfile(
        local_entity_id=stored.ground_entity_id,
        remote_entity_id=stored.spacecraft_entity_id,
        entity_id_octets=stored.entity_id_octets,
        sequence_number_octets=stored.sequence_number_octets,
        checksum_type=_CHECKSUMS[stored.checksum],
        pdu_crc=stored.pdu_crc,
        segment_octets=stored.segment_octets,
        ack_timer_s=stored.ack_timer_s,
        nak_timer_s=stored.nak_timer_s,
        inactivity_s=stored.inactivity_s,
        ack_limit=stored.ack_limit,
        nak_limit=stored.nak_limit,
        limit_fault_handler=FaultHandler.SUSPEND,
    )

from __future__ import annotations

import pytest

from uplink.cfdp.codec import pdu_length
from uplink.cfdp.codes import (
    ConditionCode,
    Direction,
    FaultHandler,
    TransactionId,
    TransmissionMode,
)
from uplink.cfdp.errors import ProfileError
from uplink.cfdp.pdu import FileData, Metadata, Pdu
from uplink.cfdp.profile import CfdpProfile


def profile(**changes):
    return CfdpProfile(**{"local_entity_id": 1, "remote_entity_id": 2, **changes})


class TestCfdpProfile:
    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"entity_id_octets": 9}, "entity_id_octets .* is 9; the limits are 1 and 8"),
            ({"sequence_number_octets": 0}, "sequence_number_octets .* is 0"),
            ({"local_entity_id": 256, "entity_id_octets": 1}, "is 256; the limits are 0 and 255"),
            ({"remote_entity_id": -1}, "remote_entity_id .* is -1"),
            ({"remote_entity_id": 1}, "both 1"),
            ({"segment_octets": 0}, "segment_octets .* is 0"),
            ({"segment_octets": 65526}, "the limits are 1 and 65525"),
            ({"ack_limit": 0}, "ack_limit .* is 0"),
            ({"nak_limit": 0}, "nak_limit .* is 0"),
            ({"ack_timer_s": 0}, "ack_timer_s .* is 0; it must be more than 0 seconds"),
            ({"nak_timer_s": -1.0}, "nak_timer_s"),
            ({"inactivity_s": float("nan")}, "inactivity_s"),
        ],
    )
    def test_refuses_what_the_protocol_cannot_use(self, changes, reason):
        with pytest.raises(ProfileError, match=reason):
            profile(**changes)

    @pytest.mark.parametrize("large_file", [False, True])
    def test_tells_a_budget_that_the_longest_pdus_fit(self, large_file):
        for segment_octets in (1, 480, 65525):
            given = profile(segment_octets=segment_octets, pdu_crc=True)
            header = given.header(
                TransactionId(1, 7),
                direction=Direction.TOWARD_RECEIVER,
                transmission_mode=TransmissionMode.ACKNOWLEDGED,
                large_file=large_file,
            )
            longest = (
                FileData(offset=0, data=bytes(segment_octets)),
                Metadata(
                    source_file_name="x" * 255,
                    destination_file_name="y" * 255,
                    size_octets=0,
                    checksum_type=3,
                ),
            )
            lengths = [pdu_length(Pdu(header, body)) for body in longest]
            assert max(lengths) <= given.largest_pdu_octets <= max(lengths) + 4

    def test_addresses_the_peer_at_the_other_end(self):
        ours = profile().header(
            TransactionId(1, 7),
            direction=Direction.TOWARD_RECEIVER,
            transmission_mode=TransmissionMode.ACKNOWLEDGED,
            large_file=False,
        )
        theirs = profile().header(
            TransactionId(2, 7),
            direction=Direction.TOWARD_SENDER,
            transmission_mode=TransmissionMode.ACKNOWLEDGED,
            large_file=False,
        )
        assert (ours.source_entity_id, ours.destination_entity_id) == (1, 2)
        assert (theirs.source_entity_id, theirs.destination_entity_id) == (2, 1)

    def test_leaves_a_choice_only_for_limits(self):
        suspending = profile(limit_fault_handler=FaultHandler.SUSPEND)
        chosen = suspending.fault_handler(ConditionCode.INACTIVITY_DETECTED)
        assert chosen is FaultHandler.SUSPEND
        checksum = suspending.fault_handler(ConditionCode.FILE_CHECKSUM_FAILURE)
        assert checksum is FaultHandler.CANCEL

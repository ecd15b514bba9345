from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacepackets.cfdp import (
    ChecksumType as TheirChecksumType,
)
from spacepackets.cfdp import ConditionCode as TheirCondition
from spacepackets.cfdp import CrcFlag, LargeFileFlag, PduConfig, PduFactory
from spacepackets.cfdp import DeliveryCode as TheirDelivery
from spacepackets.cfdp import Direction as TheirDirection
from spacepackets.cfdp import FileStatus as TheirFileStatus
from spacepackets.cfdp import TransmissionMode as TheirMode
from spacepackets.cfdp.pdu import (
    AckPdu,
    EofPdu,
    FileDataPdu,
    FinishedPdu,
    KeepAlivePdu,
    MetadataParams,
    MetadataPdu,
    NakPdu,
    PromptPdu,
    TransactionStatus,
)
from spacepackets.cfdp.pdu import DirectiveType as TheirDirective
from spacepackets.cfdp.pdu.file_data import FileDataParams, RecordContinuationState
from spacepackets.cfdp.pdu.file_data import SegmentMetadata as TheirSegmentMetadata
from spacepackets.cfdp.pdu.finished import FinishedParams
from spacepackets.cfdp.pdu.prompt import ResponseRequired
from spacepackets.cfdp.tlv import EntityIdTlv, MessageToUserTlv
from spacepackets.util import UnsignedByteField

from tests.vectors import shared_vector
from uplink.cfdp.checksum import file_checksum
from uplink.cfdp.codec import decode_pdu, encode_pdu, pdu_length
from uplink.cfdp.codes import (
    ChecksumType,
    ConditionCode,
    DeliveryCode,
    Direction,
    DirectiveCode,
    FileStatus,
    TransmissionMode,
)
from uplink.cfdp.codes import TransactionStatus as OurStatus
from uplink.cfdp.errors import PduError
from uplink.cfdp.header import PduHeader
from uplink.cfdp.pdu import (
    Ack,
    Eof,
    FileData,
    Finished,
    KeepAlive,
    Metadata,
    Nak,
    Pdu,
    Prompt,
    PromptResponse,
    SegmentMetadata,
)
from uplink.cfdp.tlv import Tlv, TlvType

HEADER = PduHeader(
    direction=Direction.TOWARD_RECEIVER,
    transmission_mode=TransmissionMode.ACKNOWLEDGED,
    source_entity_id=0x0102,
    sequence_number=0x0A0B0C0D,
    destination_entity_id=0x0304,
    entity_id_octets=2,
    sequence_number_octets=4,
)
TOWARD_SENDER = replace(HEADER, direction=Direction.TOWARD_SENDER)


def their_config(header):
    return PduConfig(
        source_entity_id=UnsignedByteField(header.source_entity_id, header.entity_id_octets),
        dest_entity_id=UnsignedByteField(header.destination_entity_id, header.entity_id_octets),
        transaction_seq_num=UnsignedByteField(
            header.sequence_number, header.sequence_number_octets
        ),
        trans_mode=TheirMode(header.transmission_mode),
        file_flag=LargeFileFlag(header.large_file),
        crc_flag=CrcFlag(header.crc),
        direction=TheirDirection(header.direction),
    )


def their_metadata(config):
    return MetadataPdu(
        config,
        MetadataParams(True, TheirChecksumType.CRC_32, 70000, "input.bin", "job-7.in"),
        options=[MessageToUserTlv(b"hello")],
    )


def their_entity_id(number):
    return EntityIdTlv(number.to_bytes(2, "big"))


# One of each: how spacepackets makes it, and how we describe it.
PAIRS = {
    "metadata": (
        their_metadata,
        HEADER,
        Metadata(
            source_file_name="input.bin",
            destination_file_name="job-7.in",
            size_octets=70000,
            checksum_type=ChecksumType.CRC_32,
            closure_requested=True,
            options=(Tlv(TlvType.MESSAGE_TO_USER, b"hello"),),
        ),
    ),
    "file data": (
        lambda config: FileDataPdu(config, FileDataParams(b"octets", 480)),
        HEADER,
        FileData(offset=480, data=b"octets"),
    ),
    "file data with segment metadata": (
        lambda config: FileDataPdu(
            config,
            FileDataParams(
                b"octets",
                480,
                TheirSegmentMetadata(RecordContinuationState.START_AND_END, b"row 9"),
            ),
        ),
        HEADER,
        FileData(
            offset=480,
            data=b"octets",
            segment_metadata=SegmentMetadata(record_continuation_state=3, value=b"row 9"),
        ),
    ),
    "eof": (
        lambda config: EofPdu(config, b"\xde\xad\xbe\xef", 70000),
        HEADER,
        Eof(condition=ConditionCode.NO_ERROR, checksum=0xDEADBEEF, size_octets=70000),
    ),
    "eof (cancel)": (
        lambda config: EofPdu(
            config,
            b"\0\0\0\x01",
            5,
            fault_location=their_entity_id(0x0102),
            condition_code=TheirCondition.CANCEL_REQUEST_RECEIVED,
        ),
        HEADER,
        Eof(
            condition=ConditionCode.CANCEL_REQUEST_RECEIVED,
            checksum=1,
            size_octets=5,
            fault_location=0x0102,
        ),
    ),
    "finished": (
        lambda config: FinishedPdu(
            config,
            FinishedParams(
                TheirCondition.NO_ERROR,
                TheirDelivery.DATA_COMPLETE,
                TheirFileStatus.FILE_RETAINED,
            ),
        ),
        TOWARD_SENDER,
        Finished(
            condition=ConditionCode.NO_ERROR,
            delivery_code=DeliveryCode.COMPLETE,
            file_status=FileStatus.RETAINED,
        ),
    ),
    "finished (cancel)": (
        lambda config: FinishedPdu(
            config,
            FinishedParams(
                TheirCondition.FILE_CHECKSUM_FAILURE,
                TheirDelivery.DATA_INCOMPLETE,
                TheirFileStatus.DISCARDED_DELIBERATELY,
                fault_location=their_entity_id(0x0304),
            ),
        ),
        TOWARD_SENDER,
        Finished(
            condition=ConditionCode.FILE_CHECKSUM_FAILURE,
            delivery_code=DeliveryCode.INCOMPLETE,
            file_status=FileStatus.DISCARDED_DELIBERATELY,
            fault_location=0x0304,
        ),
    ),
    "ack of eof": (
        lambda config: AckPdu(
            config, TheirDirective.EOF_PDU, TheirCondition.NO_ERROR, TransactionStatus.ACTIVE
        ),
        TOWARD_SENDER,
        Ack(
            directive=DirectiveCode.EOF,
            condition=ConditionCode.NO_ERROR,
            status=OurStatus.ACTIVE,
        ),
    ),
    "ack of finished": (
        lambda config: AckPdu(
            config,
            TheirDirective.FINISHED_PDU,
            TheirCondition.NO_ERROR,
            TransactionStatus.TERMINATED,
        ),
        HEADER,
        Ack(
            directive=DirectiveCode.FINISHED,
            condition=ConditionCode.NO_ERROR,
            status=OurStatus.TERMINATED,
        ),
    ),
    "nak": (
        lambda config: NakPdu(config, 0, 4000, [(0, 0), (480, 960), (1440, 1500)]),
        TOWARD_SENDER,
        Nak(scope_start=0, scope_end=4000, requests=((0, 0), (480, 960), (1440, 1500))),
    ),
    "prompt": (
        lambda config: PromptPdu(config, ResponseRequired.KEEP_ALIVE),
        HEADER,
        Prompt(response=PromptResponse.KEEP_ALIVE),
    ),
    "keep alive": (
        lambda config: KeepAlivePdu(config, 1234),
        TOWARD_SENDER,
        KeepAlive(progress_octets=1234),
    ),
}

WIDTHS = [(1, 1), (2, 4), (4, 2), (8, 8)]


def their_pdu_and_ours(name, *, widths=(2, 4), crc=False, large_file=False):
    make, header, body = PAIRS[name]
    entity_id_octets, sequence_number_octets = widths
    header = replace(
        header,
        entity_id_octets=entity_id_octets,
        sequence_number_octets=sequence_number_octets,
        source_entity_id=1,
        destination_entity_id=2,
        sequence_number=200,
        crc=crc,
        large_file=large_file,
    )
    return make(their_config(header)), Pdu(header, body)


class TestAgainstSpacepackets:
    @pytest.mark.parametrize("name", PAIRS)
    @pytest.mark.parametrize("crc", [False, True])
    @pytest.mark.parametrize("large_file", [False, True])
    def test_encodes_the_same_octets(self, name, crc, large_file):
        theirs, ours = their_pdu_and_ours(name, crc=crc, large_file=large_file)
        assert encode_pdu(ours).hex() == bytes(theirs.pack()).hex()
        assert pdu_length(ours) == len(theirs.pack())

    @pytest.mark.parametrize("name", PAIRS)
    @pytest.mark.parametrize("crc", [False, True])
    @pytest.mark.parametrize("large_file", [False, True])
    def test_decodes_their_octets(self, name, crc, large_file):
        theirs, ours = their_pdu_and_ours(name, crc=crc, large_file=large_file)
        assert decode_pdu(bytes(theirs.pack())) == ours

    # Reading, spacepackets 0.32 does not shift an EOF's condition code down (240 for 15),
    # and forgets that file data had segment metadata; so those two cannot be compared.
    @pytest.mark.parametrize(
        "name", sorted(set(PAIRS) - {"eof (cancel)", "file data with segment metadata"})
    )
    def test_is_decoded_by_them(self, name):
        _, ours = their_pdu_and_ours(name, crc=True)
        assert bytes(PduFactory.from_raw(encode_pdu(ours)).pack()) == encode_pdu(ours)

    @pytest.mark.parametrize("widths", WIDTHS)
    def test_agrees_on_every_width_of_identifiers(self, widths):
        theirs, ours = their_pdu_and_ours("eof", widths=widths)
        assert encode_pdu(ours) == bytes(theirs.pack())
        assert decode_pdu(bytes(theirs.pack())) == ours


class TestAgainstRecordings:
    def test_reads_a_file_sent_by_nasa_cfs(self):
        capture = json.loads(shared_vector("frames/cfs_capture.json").read_text())
        recorded = [bytes.fromhex(pdu) for pdu in capture["pdus_class1"]]
        pdus = [decode_pdu(octets) for octets in recorded]
        assert [encode_pdu(pdu) for pdu in pdus] == recorded
        metadata, *segments, eof = [pdu.body for pdu in pdus]
        assert metadata == Metadata(
            source_file_name="/cf/gold.dat",
            destination_file_name="gold.dat",
            size_octets=1536,
            checksum_type=ChecksumType.MODULAR,
        )
        content = b"".join(segment.data for segment in segments)
        assert len(content) == metadata.size_octets == eof.size_octets
        checksum = file_checksum(
            ChecksumType.MODULAR,
            lambda offset, length: content[offset : offset + length],
            len(content),
        )
        assert checksum == eof.checksum
        header = pdus[0].header
        assert header.transmission_mode is TransmissionMode.UNACKNOWLEDGED
        assert (header.source_entity_id, header.destination_entity_id) == (25, 23)

    def test_reads_the_eof_of_yamcs_that_has_no_fault_location(self):
        vectors = json.loads(shared_vector("frames/yamcs_test_arrays.json").read_text())
        octets = bytes.fromhex(vectors["scalars"]["cfdp_eof_pdu_inactivity"])
        pdu = decode_pdu(octets)
        assert pdu.body == Eof(
            condition=ConditionCode.INACTIVITY_DETECTED, checksum=0, size_octets=0x65FC
        )
        assert pdu.header.version == 0
        assert encode_pdu(pdu) == octets


def octets_with(name, position, value):
    _, ours = their_pdu_and_ours(name)
    octets = bytearray(encode_pdu(ours))
    octets[position] = value
    return bytes(octets)


class TestDecodePdu:
    @given(octets=st.binary(max_size=80))
    def test_raises_only_pdu_errors_on_noise(self, octets):
        with suppress(PduError):
            decode_pdu(octets)

    @given(
        name=st.sampled_from(sorted(PAIRS)),
        crc=st.booleans(),
        position=st.integers(0, 40),
        value=st.integers(0, 255),
    )
    def test_raises_only_pdu_errors_on_a_changed_octet(self, name, crc, position, value):
        _, ours = their_pdu_and_ours(name, crc=crc)
        octets = bytearray(encode_pdu(ours))
        octets[position % len(octets)] = value
        try:
            decoded = decode_pdu(bytes(octets))
        except PduError:
            return
        assert not decoded.header.crc or decoded == ours  # a CRC lets nothing else through

    @pytest.mark.parametrize("name", PAIRS)
    def test_refuses_every_shortening(self, name):
        _, ours = their_pdu_and_ours(name)
        octets = encode_pdu(ours)
        for length in range(len(octets)):
            with pytest.raises(PduError):
                decode_pdu(octets[:length])

    def test_says_how_many_octets_are_missing(self):
        _, ours = their_pdu_and_ours("eof")
        with pytest.raises(PduError, match="says 10 octets, 9 are present"):
            decode_pdu(encode_pdu(ours)[:-1])

    def test_says_what_the_crc_should_be(self):
        _, ours = their_pdu_and_ours("eof", crc=True)
        octets = encode_pdu(ours)
        with pytest.raises(PduError, match=r"CRC is .*, its octets give"):
            decode_pdu(octets[:-1] + bytes((octets[-1] ^ 1,)))

    def test_refuses_a_crc_flag_without_room_for_the_crc(self):
        with pytest.raises(PduError, match="cannot hold its CRC"):
            decode_pdu(bytes.fromhex("2200010001020304"[:14]) + b"\x04")

    @pytest.mark.parametrize(
        ("octets", "reason"),
        [
            (octets_with("eof", 0, 0x40), "PDU version 2"),
            (octets_with("eof", 12, 0x0B), "directive code 0x0b"),
            (octets_with("eof", 13, 0xC0), "ConditionCode 12 is reserved"),
            (octets_with("ack of eof", 13, 0x70), "ACK of METADATA"),
            (octets_with("metadata", 19, 0xFF), "source file name"),
            (octets_with("metadata", 20, 0xFF), "is not UTF-8"),
            (octets_with("eof (cancel)", 22, 0x02), "TLV of type 2"),
        ],
    )
    def test_says_what_is_wrong(self, octets, reason):
        with pytest.raises(PduError, match=reason):
            decode_pdu(octets)

    def test_refuses_a_request_that_ends_before_it_starts(self):
        nak = Nak(scope_start=0, scope_end=10, requests=((5, 3),))
        with pytest.raises(PduError, match="from 5 to 3"):
            decode_pdu(encode_pdu(Pdu(TOWARD_SENDER, nak)))

    def test_keeps_filestore_responses_apart_from_the_fault_location(self):
        finished = Finished(
            condition=ConditionCode.FILESTORE_REJECTION,
            delivery_code=DeliveryCode.INCOMPLETE,
            file_status=FileStatus.DISCARDED_FILESTORE_REJECTION,
            filestore_responses=(Tlv(TlvType.FILESTORE_RESPONSE, b"\x10\x01a\x00\x00"),),
            fault_location=2,
        )
        pdu = Pdu(TOWARD_SENDER, finished)
        assert decode_pdu(encode_pdu(pdu)) == pdu


class TestEncodePdu:
    def test_refuses_an_offset_beyond_a_small_file(self):
        pdu = Pdu(HEADER, FileData(offset=1 << 32, data=b""))
        with pytest.raises(ValueError, match="segment offset 4294967296 does not fit 4 octets"):
            encode_pdu(pdu)
        large = Pdu(replace(HEADER, large_file=True), FileData(offset=1 << 32, data=b""))
        assert decode_pdu(encode_pdu(large)) == large

    def test_refuses_an_identifier_that_its_width_cannot_hold(self):
        pdu = Pdu(replace(HEADER, source_entity_id=65536), KeepAlive(progress_octets=0))
        with pytest.raises(ValueError, match="source entity id 65536 does not fit 2 octets"):
            encode_pdu(pdu)

    def test_refuses_a_width_of_nine(self):
        pdu = Pdu(replace(HEADER, entity_id_octets=9), KeepAlive(progress_octets=0))
        with pytest.raises(ValueError, match="entity id is 9 octets wide"):
            encode_pdu(pdu)

    def test_refuses_more_than_the_length_field_tells(self):
        with pytest.raises(ValueError, match="the limit is 65535"):
            encode_pdu(Pdu(HEADER, FileData(offset=0, data=bytes(65532))))

    def test_refuses_a_long_segment_metadata(self):
        long = SegmentMetadata(record_continuation_state=0, value=bytes(64))
        with pytest.raises(ValueError, match="64 octets; the limit is 63"):
            encode_pdu(Pdu(HEADER, FileData(offset=0, data=b"", segment_metadata=long)))

    def test_refuses_a_name_longer_than_its_length_octet(self):
        metadata = Metadata(
            source_file_name="x" * 256,
            destination_file_name="",
            size_octets=0,
            checksum_type=ChecksumType.NULL,
        )
        with pytest.raises(ValueError, match="length of source file name 256"):
            encode_pdu(Pdu(HEADER, metadata))

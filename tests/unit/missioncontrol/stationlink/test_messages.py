from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missioncontrol.stationlink.messages import (
    MAX_RECORD_OCTETS,
    Bye,
    Cltu,
    CltuReport,
    CltuState,
    Hello,
    Journal,
    MessageDecoder,
    Refused,
    Service,
    StationLinkError,
    Status,
    TmFrameReceived,
    Welcome,
    encode,
)

AT = datetime(2026, 12, 1, 0, 12, 34, 500_000, tzinfo=UTC)

instants = st.datetimes(
    min_value=datetime(1970, 1, 1),  # noqa: DTZ001  # hypothesis adds the zone
    max_value=datetime(2500, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
numbers = st.integers(min_value=0, max_value=2**53)
angles = st.floats(allow_nan=False, allow_infinity=False)
epochs = st.integers(min_value=0, max_value=2**32 - 1)
messages = st.one_of(
    st.builds(
        Hello,
        service=st.sampled_from(Service),
        spacecraft=st.text(),
        antenna=st.text(),
        contact=numbers,
        epoch=epochs,
        relay=st.text(),
    ),
    st.builds(Welcome, station=st.text(), antenna=st.text(), mission_time=instants),
    st.builds(Refused, reason=st.text()),
    st.builds(TmFrameReceived, received_at=instants, octets=st.binary(max_size=2048)),
    st.builds(Cltu, item=st.integers(0, 2**64 - 1), epoch=epochs, octets=st.binary(max_size=2048)),
    st.builds(
        CltuReport, item=numbers, state=st.sampled_from(CltuState), reason=st.text(), at=instants
    ),
    st.builds(
        Status,
        at=instants,
        azimuth_deg=angles,
        elevation_deg=angles,
        range_m=angles,
        range_rate_m_s=angles,
        carrier_lock=st.booleans(),
    ),
    st.builds(Journal, contact=numbers, radiated=st.lists(numbers).map(tuple)),
    st.builds(Bye, reason=st.text()),
)


def record(kind: int, payload: bytes) -> bytes:
    return (len(payload) + 1).to_bytes(4, "big") + bytes([kind]) + payload


def as_json(**values) -> bytes:
    return json.dumps(values).encode()


class TestMessages:
    @given(sent=st.lists(messages, max_size=8), size=st.integers(min_value=1, max_value=200))
    def test_come_back_as_sent_however_the_stream_is_cut(self, sent, size):
        stream = b"".join(encode(message) for message in sent)
        decoder = MessageDecoder()
        received = [
            message
            for start in range(0, len(stream), size)
            for message in decoder.receive(stream[start : start + size])
        ]
        assert received == sent

    def test_come_out_as_soon_as_their_last_octet_is_in(self):
        stream = encode(Bye(reason="LOS"))
        decoder = MessageDecoder()
        assert [decoder.receive(bytes([octet])) for octet in stream[:-1]] == [[]] * (
            len(stream) - 1
        )
        assert decoder.receive(stream[-1:]) == [Bye(reason="LOS")]

    @given(noise=st.binary(max_size=200), size=st.integers(min_value=1, max_value=20))
    def test_meet_noise_with_their_own_error_only(self, noise, size):
        decoder = MessageDecoder()
        with contextlib.suppress(StationLinkError):
            for start in range(0, len(noise), size):
                decoder.receive(noise[start : start + size])

    @given(kind=st.integers(0, 255), payload=st.binary(max_size=100))
    def test_meet_a_spoilt_payload_with_their_own_error_only(self, kind, payload):
        with contextlib.suppress(StationLinkError):
            [message] = MessageDecoder().receive(record(kind, payload))
            assert message.kind == kind

    def test_carry_the_reception_time_as_nanoseconds_since_1970(self):
        octets = encode(TmFrameReceived(received_at=AT, octets=b"\x01\x02"))
        assert octets[:5] == (11).to_bytes(4, "big") + b"\x04"
        assert int.from_bytes(octets[5:13], "big") == int(AT.timestamp() * 1000) * 1_000_000
        assert octets[13:] == b"\x01\x02"

    def test_carry_item_and_epoch_before_the_cltu(self):
        octets = encode(Cltu(item=7, epoch=3, octets=b"\xeb\x90"))
        assert octets.hex() == "0000000f" + "05" + "0000000000000007" + "00000003" + "eb90"

    def test_write_times_in_utc_with_z(self):
        octets = encode(Welcome(station="KASHI", antenna="KASHI-1", mission_time=AT))
        assert b'"mission_time":"2026-12-01T00:12:34.500000Z"' in octets


class TestEncode:
    @pytest.mark.parametrize(
        "message",
        [
            Cltu(item=2**64, epoch=0, octets=b""),
            Cltu(item=0, epoch=-1, octets=b""),
            TmFrameReceived(received_at=datetime(1969, 1, 1, tzinfo=UTC), octets=b""),
            TmFrameReceived(received_at=AT, octets=b"\0" * MAX_RECORD_OCTETS),
        ],
        ids=["item", "epoch", "time", "length"],
    )
    def test_refuses_what_does_not_fit(self, message):
        with pytest.raises(StationLinkError):
            encode(message)


class TestMessageDecoder:
    @pytest.mark.parametrize(
        ("octets", "reason"),
        [
            (b"\0\0\0\0", "a record of 0 octets"),
            ((MAX_RECORD_OCTETS + 1).to_bytes(4, "big"), "a record of 1048577 octets"),
            (record(10, b"{}"), "unknown record kind 10"),
            (record(9, b"[]"), "not a JSON object"),
            (record(9, b"{}"), "'reason'"),
            (record(9, as_json(reason=5)), "not a string"),
            (record(9, b'{"reason":' + b"[" * 100_000), "cannot be read"),
            (record(4, b"\0" * 7), "cannot be read"),
            (record(5, b"\0" * 11), "cannot be read"),
            (
                record(6, as_json(item=True, state="RADIATED", reason="", at="2026-12-01")),
                "not an integer",
            ),
            (
                record(6, as_json(item=1, state="RADIATED", reason="", at="2026-12-01T00:00:00")),
                "no zone",
            ),
            (record(6, as_json(item=1, state="SENT", reason="", at="")), "SENT"),
            (record(7, b'{"at":"2026-12-01T00:00:00Z","azimuth_deg":NaN}'), "no JSON number"),
            (record(8, as_json(contact=1, radiated=[1, "2"])), "not a list of item numbers"),
        ],
    )
    def test_says_what_is_wrong(self, octets, reason):
        with pytest.raises(StationLinkError, match=reason):
            MessageDecoder().receive(octets)

    def test_reads_a_hello_of_a_peer_that_knows_no_relays(self):
        values = {"service": "return", "spacecraft": "DD-1", "antenna": "KASHI-1"}
        octets = record(1, as_json(**values, contact=1, epoch=2, version=1))
        [hello] = MessageDecoder().receive(octets)
        assert (hello.epoch, hello.relay) == (2, "")

    def test_ignores_fields_that_it_does_not_know(self):
        octets = record(9, as_json(reason="LOS", later="addition"))
        assert MessageDecoder().receive(octets) == [Bye(reason="LOS")]

    def test_refuses_an_angle_that_is_no_number(self):
        values = {
            "at": "2026-12-01T00:00:00Z",
            "azimuth_deg": 1,
            "elevation_deg": "high",
            "range_m": 1.0,
            "range_rate_m_s": 1.0,
            "carrier_lock": True,
        }
        with pytest.raises(StationLinkError, match="'elevation_deg' is 'high'"):
            MessageDecoder().receive(record(7, as_json(**values)))
        values |= {"elevation_deg": 5.0, "carrier_lock": 1}
        with pytest.raises(StationLinkError, match="'carrier_lock' is 1"):
            MessageDecoder().receive(record(7, as_json(**values)))

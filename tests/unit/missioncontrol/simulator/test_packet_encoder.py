from __future__ import annotations

import random
from datetime import UTC, datetime

import numpy as np
import pytest

from missioncontrol.simulator.packet_encoder import EncoderError, container_encoders
from missioncontrol.simulator.telemetry_packets import TelemetryPackets
from telemetry.dictionary import compile_dictionary, engineering, parse_xtce
from telemetry.dictionary.model import IntegerEncoding, TypeKind
from tests.unit.missioncontrol.simulator.demo import (
    demo_dictionary,
    demo_mission,
    demo_spacecraft,
)

AT = datetime(2026, 12, 1, 12, 0, 0, 500_000, tzinfo=UTC)


def value_within(parameter, rng):
    """Return a value that the parameter's field can hold, and how exact it can be."""
    kind, encoding = parameter.type.kind, parameter.type.encoding
    if kind is TypeKind.ENUMERATED:
        return rng.choice(parameter.type.labels).label, 0
    if kind is TypeKind.STRING:
        return rng.choice(["2.4.1", "12345678", ""]), 0
    if not isinstance(encoding, IntegerEncoding):
        return float(np.float32(rng.uniform(-20, 20))), 0
    high = (1 << encoding.size_bits - encoding.signed) - 1
    raw = rng.randint(-high - 1 if encoding.signed else 0, high)
    if parameter.calibrator is None:
        return raw, 0
    offset, slope = parameter.calibrator.coefficients
    return offset + slope * (raw + rng.uniform(-0.4, 0.4)), abs(slope) * 0.41


@pytest.mark.parametrize("seed", range(20))
def test_the_decoder_reads_back_what_the_encoder_wrote(seed):
    rng = random.Random(seed)
    dictionary = demo_dictionary()
    packets = TelemetryPackets(dictionary, demo_spacecraft().link_profile)
    drawn = {
        name: value_within(parameter, rng)
        for name, parameter in dictionary.parameters.items()
        if not name.startswith(("PKT_", "VER_"))
    }
    values = {name: value for name, (value, _) in drawn.items()}
    made = packets.housekeeping(values, channel=0, at=AT)
    result = compile_dictionary(dictionary).decode(made)
    assert result.undecoded == []
    read = {
        name: engineering(dictionary.parameters[name], column)[0]
        for batch in result.batches
        for name, column in batch.columns.items()
    }
    assert len(made) == 6
    assert read.pop("PKT_TIME").astype(datetime) == AT.replace(tzinfo=None)
    assert {read.pop("PKT_APID"), read.pop("PKT_SEQUENCE_COUNT")} == {105, 0}
    assert read.keys() == values.keys()
    for name, (value, tolerance) in drawn.items():
        if isinstance(value, str):
            assert read[name] == value
        else:
            assert float(read[name]) == pytest.approx(value, abs=tolerance + 1e-9), name


class TestContainerEncoder:
    def test_cuts_a_value_to_the_range_of_its_field(self):
        encoder = container_encoders(demo_dictionary(), start_octets=12)[100]
        values = dict.fromkeys(encoder.parameters, 0.0) | {"PWR_MODE": "SAFE"}
        high = encoder.encode(values | {"PWR_SA_P": 1e9, "PWR_BATT_I": 1e9})
        low = encoder.encode(values | {"PWR_SA_P": -1.0, "PWR_BATT_I": -1e9})
        assert high[:3] == b"\x03\xff\xff"
        assert low[:3] == b"\x03\x00\x00"
        assert high[9:11] == b"\x7f\xff"
        assert low[9:11] == b"\x80\x00"

    def test_refuses_a_calibration_that_it_cannot_invert(self):
        xml = demo_mission().attachment("dd1.xtce.xml")
        curved = xml.replace(
            '<Term exponent="1" coefficient="0.1"/>',
            '<Term exponent="1" coefficient="0.1"/><Term exponent="2" coefficient="1.0"/>',
            1,
        )
        with pytest.raises(EncoderError, match="The calibrator of PWR_SA_P has"):
            container_encoders(parse_xtce(curved.encode()), start_octets=12)


class TestTelemetryPackets:
    def test_counts_each_channel_and_apid_by_itself_and_goes_on_after_a_restart(self):
        packets = TelemetryPackets(demo_dictionary(), demo_spacecraft().link_profile)

        def count(channel):
            packet = packets.verification(
                request_id=1, stage="START", success=True, code=0, channel=channel, at=AT
            )
            return int.from_bytes(packet[2:4], "big") & 0x3FFF

        assert [count(0), count(0), count(1), count(0)] == [0, 1, 0, 2]
        saved = packets.snapshot()
        packets = TelemetryPackets(demo_dictionary(), demo_spacecraft().link_profile)
        packets.restore(saved)
        assert [count(0), count(1)] == [3, 1]

    def test_names_the_parameters_that_have_no_model(self):
        packets = TelemetryPackets(demo_dictionary(), demo_spacecraft().link_profile)
        with pytest.raises(ValueError, match="PWR_MODE, PWR_SA_P"):
            packets.check_parameters({})

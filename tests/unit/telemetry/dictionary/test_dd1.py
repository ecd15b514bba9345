"""The demonstration spacecraft's dictionary is what its mission file promises."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from lxml import etree

from telemetry.ccsds.space_packet import TELEMETRY, SpacePacket
from telemetry.ccsds.time_codes import CucFormat
from telemetry.dictionary import compile_dictionary, engineering, parse_xtce
from telemetry.dictionary.model import PolynomialCalibrator, TypeKind
from telemetry.limits import LimitState, definition_of
from tests.vectors import shared_vector

FILE = Path(__file__).resolve().parents[4] / "missioncontrol/fleet/missions/dd1.xtce.xml"
HOUSEKEEPING = {
    "PowerHousekeeping": 100,
    "ThermalHousekeeping": 101,
    "ComputeHousekeeping": 102,
    "AttitudeHousekeeping": 103,
    "CommsHousekeeping": 104,
    "SoftwareHousekeeping": 105,
}
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
XML_BASE_SCHEMA = b"""<schema xmlns="http://www.w3.org/2001/XMLSchema"
 targetNamespace="http://www.w3.org/XML/1998/namespace"><attribute name="base" type="anyURI"/>
 </schema>"""


@pytest.fixture
def dictionary():
    return parse_xtce(FILE.read_bytes())


def packet(apid: int, body: bytes, *, at: datetime = EPOCH) -> bytes:
    return SpacePacket(
        packet_type=TELEMETRY,
        apid=apid,
        sequence_count=7,
        has_secondary_header=True,
        data=CucFormat(epoch=EPOCH).encode(at) + body,
    ).encode()


class BaseSchema(etree.Resolver):
    """Stands in for the one schema that XTCE's imports from the web."""

    def resolve(self, url, public_id, context):
        return self.resolve_string(XML_BASE_SCHEMA, context) if url.endswith("xml.xsd") else None


def test_is_valid_against_the_schema():
    parser = etree.XMLParser()
    parser.resolvers.add(BaseSchema())
    schema = etree.XMLSchema(etree.parse(shared_vector("xtce_SpaceSystem_1.2.xsd"), parser))
    schema.assertValid(etree.fromstring(FILE.read_bytes()))


def test_has_the_promised_subsystems_and_packets(dictionary):
    assert dictionary.name == "DD-1"
    assert set(dictionary.subsystems) == {
        *("DD-1", "Power", "Thermal", "Compute", "Attitude", "Comms", "OnBoardSoftware")
    }
    decoder = compile_dictionary(dictionary)
    assert set(decoder.containers) == {*HOUSEKEEPING, "Verification"}
    for name, apid in HOUSEKEEPING.items():
        [batch] = decoder.decode([packet(apid, bytes(100))]).batches
        assert (batch.container, len(batch.columns) >= 13) == (name, True)


def test_comes_at_least_every_ten_seconds(dictionary):
    periods = {c.name: c.expected_period_s for c in dictionary.containers.values()}
    assert {periods[name] for name in HOUSEKEEPING} == {10.0}
    assert periods["Verification"] is None


def test_describes_every_parameter_and_calibrates_by_straight_lines_that_rise(dictionary):
    for parameter in dictionary.parameters.values():
        assert parameter.description
        calibrator = parameter.calibrator
        if calibrator is not None:
            assert isinstance(calibrator, PolynomialCalibrator)
            assert (len(calibrator.coefficients), calibrator.coefficients[1] > 0) == (2, True)
            assert parameter.unit


def test_every_limit_can_be_reached_by_some_raw_value(dictionary):
    for parameter in dictionary.parameters.values():
        definition = definition_of(parameter)
        if definition is None:
            continue
        bits = parameter.type.encoding.size_bits
        signed = getattr(parameter.type.encoding, "signed", False)
        low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
        counts = (
            np.arange(0, 8)
            if parameter.type.kind is TypeKind.ENUMERATED
            else np.unique(np.linspace(low, high, 20_000).astype(np.int64))
        )
        states = set(definition.states(engineering(parameter, counts)).tolist())
        levels = {LimitState[r.level.name] for r in definition.ranges}
        levels |= set((definition.labels or {}).values())
        assert states == {LimitState.NOMINAL, *levels}, parameter.name


def test_reads_the_time_and_the_battery(dictionary):
    at = datetime(2026, 12, 1, 12, 0, 0, 500_000, tzinfo=UTC)
    body = bytes([0]) + b"".join(
        count.to_bytes(2, "big") for count in (30_000, 40_000, 21_000, 51_200)
    )
    body += (-2000).to_bytes(2, "big", signed=True) + bytes(40)
    [batch] = compile_dictionary(dictionary).decode([packet(100, body, at=at)]).batches

    def value(name: str):
        return engineering(dictionary.parameters[name], batch.columns[name])[0]

    assert value("PKT_TIME") == np.datetime64("2026-12-01T12:00:00.500000")
    assert value("PKT_SEQUENCE_COUNT") == 7
    assert value("PWR_MODE") == "SUNLIT"
    assert value("PWR_SA_P") == pytest.approx(3000.0)
    assert value("PWR_BATT_V") == pytest.approx(51.2)
    assert value("PWR_BATT_I") == pytest.approx(-10.0)


def test_reads_a_verification_report(dictionary):
    body = (0x18C8_C005).to_bytes(4, "big") + bytes([3, 1]) + (0).to_bytes(2, "big")
    [batch] = compile_dictionary(dictionary).decode([packet(110, body)]).batches
    values = {
        name: engineering(dictionary.parameters[name], column)[0]
        for name, column in batch.columns.items()
        if name.startswith("VER_")
    }
    assert values == {
        "VER_REQUEST_ID": 0x18C8_C005,
        "VER_STAGE": "COMPLETION",
        "VER_SUCCESS": "SUCCESS",
        "VER_CODE": 0,
    }

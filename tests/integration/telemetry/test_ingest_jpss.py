"""7,200 real packets of JPSS-1 through the product's own path, read back and compared."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import space_packet_parser
from django.core.management import CommandError, call_command
from space_packet_parser.xtce.definitions import XtcePacketDefinition

from missioncontrol.audit.models import AuditEntry
from telemetry import selectors, services
from telemetry.models import BadFrame
from tests import factories
from tests.vectors import shared_vector

pytestmark = pytest.mark.django_db(transaction=True)

AT = datetime(2026, 12, 1, tzinfo=UTC)
CDS = {
    "code": "CDS",
    "day_octets": 2,
    "submillisecond_octets": 2,
    "epoch": "1958-01-01T00:00:00Z",
}


@pytest.fixture
def archive(settings, tmp_path):
    settings.ARCHIVE_DIR = tmp_path / "archive"


@pytest.fixture
def jpss(archive):
    return factories.spacecraft(
        "JPSS-1",
        link_profile={"kind": "space_packets", "packet_time": CDS},
        telemetry_dictionary=shared_vector("xtce_jpss/jpss1_geolocation_xtce_v1.xml").read_text(),
    )


@pytest.fixture(scope="module")
def packets_file():
    return shared_vector("xtce_jpss/J01_geolocation_packets.bin")


def expected_values(packets_file):
    """What space-packet-parser says, by parameter."""
    definition = XtcePacketDefinition.from_xtce(
        shared_vector("xtce_jpss/jpss1_geolocation_xtce_v1.xml")
    )
    columns: dict[str, list] = {}
    with packets_file.open("rb") as stream:
        for octets in space_packet_parser.ccsds_generator(stream):
            for name, value in definition.parse_bytes(octets).items():
                columns.setdefault(name, []).append(value)
    return columns


def test_every_real_value_reads_back_equal_to_space_packet_parser(jpss, packets_file, capsys):
    call_command("ingest", str(packets_file), spacecraft="JPSS-1")
    assert capsys.readouterr().out.startswith("7200 packets")
    expected = expected_values(packets_file)
    first = selectors.latest_values(jpss, names=["ADAESCID"])[0].generated_at
    span = {"start": first - timedelta(days=2), "end": first + timedelta(days=2)}
    for name, values in expected.items():
        read = selectors.history(jpss, name, **span)
        assert len(read.values) == 7200, name
        ours, theirs = np.array(read.values, float), np.array([float(v) for v in values])
        np.testing.assert_allclose(ours, theirs, rtol=1e-8, err_msg=name)
    assert not BadFrame.objects.exists()
    assert AuditEntry.objects.filter(action="telemetry.ingest").count() == 1


def test_a_second_ingest_of_the_same_file_doubles_nothing(jpss, packets_file):
    octets = packets_file.read_bytes()[: 71 * 300]
    for _ in range(2):
        services.ingest_packet_file(
            spacecraft=jpss, octets=octets, name="dump", actor="process:test", at=AT
        )
    newest = selectors.latest_values(jpss, names=["ADGPSPOSX"])[0].generated_at
    read = selectors.history(
        jpss, "ADGPSPOSX", start=newest - timedelta(days=1), end=newest + timedelta(days=1)
    )
    assert len(read.values) == 300


def test_keeps_what_is_no_packet_with_its_reason(jpss, packets_file):
    octets = packets_file.read_bytes()[: 71 * 3 - 5]  # the third packet is cut
    report = services.ingest_packet_file(
        spacecraft=jpss, octets=octets, name="cut", actor="process:test", at=AT
    )
    assert (report.packets, report.bad) == (2, 1)
    [bad] = BadFrame.objects.all()
    assert bytes(bad.octets) == octets[142:]
    assert "66 octets whose header announces 71" in bad.reason


def test_names_the_spacecraft_that_are_known(jpss, packets_file):
    with pytest.raises(CommandError, match=r"No spacecraft 'JPSS-2'\. Known: JPSS-1\."):
        call_command("ingest", str(packets_file), spacecraft="JPSS-2")

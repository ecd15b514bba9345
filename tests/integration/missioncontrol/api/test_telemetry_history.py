from __future__ import annotations

import io
from datetime import UTC, datetime

import pyarrow.ipc
import pytest

from telemetry.models import ChannelFrames
from telemetry.services import TelemetryReception
from tests.integration.missioncontrol.api.conftest import assert_problem, assert_wrong_field
from tests.integration.telemetry import craft
from tests.integration.telemetry.craft import power, received

PATH = "/spacecraft/DD-9/telemetry/VOLT/samples"
SPAN = {"start": "2026-12-01T12:00:00Z", "end": "2026-12-01T13:00:00Z"}


@pytest.fixture
def filled(settings, tmp_path, mission):
    """DD-9 with 100 packets, one a second, of which three are missing."""
    settings.ARCHIVE_DIR = tmp_path / "archive"
    made = craft.spacecraft("DD-9", ccsds_id=0x55, organisation=mission_operator(mission))
    with TelemetryReception(made) as reception:
        packets = [power(s, 10 + s % 90, rate=float(s)) for s in range(100) if s not in (7, 8, 40)]
        reception.receive_packets(received(*packets))
    return made


def mission_operator(_mission):
    from missioncontrol.fleet.models import Spacecraft

    return Spacecraft.objects.get(name="DD-1").organisation


class TestSamples:
    def test_gives_samples_as_json(self, filled, operator):
        answer = operator.get(PATH, SPAN).json()
        assert answer["times"][:2] == [
            "2026-12-01T12:00:00.000000Z",
            "2026-12-01T12:00:01.000000Z",
        ]
        assert answer["values"][:3] == [10, 11, 12]
        assert (len(answer["values"]), answer["unit"], answer["truncated"]) == (97, "V", False)

    def test_takes_milliseconds_and_gives_the_newest_as_open_mct_asks(self, filled, operator):
        start_ms = int(datetime(2026, 12, 1, 12, tzinfo=UTC).timestamp() * 1000)
        asked = {"start": start_ms, "end": start_ms + 50_000, "strategy": "latest", "size": 3}
        assert operator.get(PATH, asked).json()["values"] == [57, 58, 59]

    def test_says_that_history_is_away_while_its_server_is(self, filled, operator, settings):
        settings.ARCHIVE_URL = "http://mission:hidden@127.0.0.1:1/archive"
        for asked in (SPAN, {**SPAN, "strategy": "minmax", "size": 10}):
            answer = operator.get(PATH, asked)
            assert_problem(answer, 503, "history-away")
            assert answer["Retry-After"] == "5"
            assert "127.0.0.1" not in answer.content.decode()

    @pytest.mark.parametrize("start", ["-1", "1" * 15, "--5", "²", "0001-01-01T00:00:00Z"])
    def test_refuses_times_that_cannot_be_asked_about(self, filled, operator, start):
        answer = operator.get(PATH, {"start": start, "end": "2026-12-01T12:00:00Z"})
        assert_wrong_field(answer, "query.start", "a time")

    def test_gives_least_and_greatest_of_at_most_so_many_parts(self, filled, operator):
        asked = {**SPAN, "end": "2026-12-01T12:01:40Z", "strategy": "minmax", "size": 10}
        answer = operator.get(PATH, asked).json()
        assert len(answer["times"]) == 10
        assert (answer["minimum"][0], answer["maximum"][0], answer["count"][0]) == (10, 19, 8)
        assert sum(answer["count"]) == 97

    def test_gives_arrow_that_pyarrow_reads(self, filled, operator):
        answer = operator.get(PATH, SPAN, Accept="application/vnd.apache.arrow.stream")
        assert answer["Content-Type"] == "application/vnd.apache.arrow.stream"
        table = pyarrow.ipc.open_stream(io.BytesIO(answer.content)).read_all()
        assert table.column_names == ["times", "values"]
        assert table["values"].to_pylist() == operator.get(PATH, SPAN).json()["values"]
        assert table["times"][0].as_py() == craft.AT
        assert table.schema.metadata[b"unit"] == b"V"

    def test_gives_csv(self, filled, operator):
        answer = operator.get(PATH, {**SPAN, "format": "csv"})
        lines = answer.content.decode().splitlines()
        assert lines[:2] == ['"times","values"', "2026-12-01 12:00:00.000000Z,10"]
        assert len(lines) == 98

    def test_labels_come_as_text(self, filled, operator):
        path = PATH.replace("VOLT", "MODE")
        assert set(operator.get(path, SPAN).json()["values"]) == {"IDLE"}
        table = pyarrow.ipc.open_stream(
            io.BytesIO(operator.get(path, {**SPAN, "format": "arrow"}).content)
        ).read_all()
        assert set(table["values"].to_pylist()) == {"IDLE"}

    def test_refuses_parts_of_what_is_no_number(self, filled, operator):
        path = PATH.replace("VOLT", "MODE")
        answer = operator.get(path, {**SPAN, "strategy": "minmax", "size": 9})
        assert_wrong_field(answer, "query.size", "MODE is enumerated")

    def test_refuses_an_interval_that_ends_before_it_starts(self, filled, operator):
        answer = operator.get(PATH, {"start": SPAN["end"], "end": SPAN["start"]})
        assert_wrong_field(answer, "query.end", "a time after the start")

    def test_knows_only_what_the_dictionary_has(self, filled, operator):
        assert_problem(operator.get(PATH.replace("VOLT", "AMPS"), SPAN), 404, "not-found", "AMPS")


class TestOthers:
    def test_packets_can_be_followed(self, filled, operator):
        first = operator.get("/spacecraft/DD-9/packets", {"limit": 60}).json()
        second = operator.get("/spacecraft/DD-9/packets", {"cursor": first["next"]}).json()
        counts = [p["sequence_count"] for p in first["items"] + second["items"]]
        assert counts == [s for s in range(100) if s not in (7, 8, 40)]
        assert (
            operator.get("/spacecraft/DD-9/packets", {"cursor": second["next"]}).json()["items"]
            == []
        )

    def test_a_cursor_that_was_never_given_is_refused(self, filled, operator):
        answer = operator.get("/spacecraft/DD-9/packets", {"cursor": 10**12})
        assert_wrong_field(answer, "query.cursor", "packet log")

    def test_gaps_say_what_is_missing(self, filled, operator):
        gaps = operator.get("/spacecraft/DD-9/gaps", SPAN).json()["items"]
        assert [(gap["apid"], gap["missing"]) for gap in gaps] == [(100, 2), (100, 1)]
        assert gaps[0]["after"] == "2026-12-01T12:00:06Z"

    def test_gaps_are_looked_for_in_a_week_at_most(self, filled, operator):
        span = {"start": "2026-12-01T00:00:00Z", "end": "2026-12-09T00:00:00Z"}
        answer = operator.get("/spacecraft/DD-9/gaps", span)
        assert_wrong_field(answer, "query.end", "7 days")

    def test_inputs_are_listed(self, filled, operator):
        assert operator.get("/spacecraft/DD-9/inputs").json()["items"] == []

    def test_frames_are_counted_by_virtual_channel_page_by_page(self, filled, operator):
        for channel, lost in enumerate((0, 3)):
            ChannelFrames.objects.create(
                spacecraft=filled,
                station="KASHI",
                virtual_channel=channel,
                hour=datetime(2026, 12, 1, 12, tzinfo=UTC),
                frames_good=1000,
                frames_lost=lost,
            )
        url = "/spacecraft/DD-9/virtual-channels"
        first = operator.get(url, {**SPAN, "limit": 1}).json()
        second = operator.get(url, {**SPAN, "cursor": first["next"]}).json()
        assert [one["frames_lost"] for one in first["items"] + second["items"]] == [0, 3]
        assert second["items"][0]["station"] == "KASHI"

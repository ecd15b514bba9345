from __future__ import annotations

import threading
from datetime import timedelta

import numpy as np
import pytest

from telemetry.archive import (
    ArchiveError,
    ArchiveUnavailableError,
    ClickHouseServer,
    ColumnGroup,
    ColumnPlace,
    check,
    column_store,
    compact,
    forget_before,
    open_reader,
    open_writer,
    rebuild,
)
from telemetry.archive.clickhouse.samples import CREATE_TABLE
from telemetry.archive.packet_rows import rows_of_packets
from tests.unit.telemetry.archive.test_archive import (
    START,
    at,
    decoded,
    group,
    packet,
    segment_again,
)

pytestmark = [pytest.mark.once, pytest.mark.xdist_group("clickhouse")]

DAY = timedelta(days=1)


def read(folder, server, parameter="VOLT", **more):
    asked = {"spacecraft": "DD-1", "start": START - DAY, "end": START + DAY, **more}
    with open_reader(folder, clickhouse=server) as reader:
        return reader.read(parameter=parameter, **asked)


def fill(folder, server, seconds):
    with open_writer(folder, clickhouse=server) as writer:
        packets = [packet(second) for second in seconds]
        writer.append(packets, decoded(packets))


class TestWhatIsStored:
    def test_is_read_by_sql_with_times_and_numbers(self, tmp_path, clickhouse):
        with open_writer(tmp_path, clickhouse=clickhouse) as writer:
            columns = {"F": np.array([1.5], "f4"), "T": np.frombuffer(b"ab", "V2")}
            writer.append([], [group([1], [-7], dtype="i2", **columns)])
        found = clickhouse.select("SELECT parameter, time, value FROM samples ORDER BY parameter")
        assert found["parameter"].to_pylist() == ["F", "T", "VOLT"]
        assert found["time"].to_pylist() == [START + timedelta(seconds=1)] * 3
        assert str(found["value"].to_pylist()) == "[1.5, nan, -7.0]"

    def test_stands_there_once_however_often_it_came(self, tmp_path, clickhouse):
        for _ in range(3):
            fill(tmp_path, clickhouse, range(10))
        clickhouse.run("OPTIMIZE TABLE samples FINAL")
        [rows] = clickhouse.select("SELECT count() AS n FROM samples")["n"].to_pylist()
        assert rows == 10

    def test_keeps_the_first_of_two_layouts_of_one_row(self, tmp_path, clickhouse):
        with open_writer(tmp_path, clickhouse=clickhouse) as writer:
            writer.append(
                [], [group([1], [10], dtype="u1"), group([1], [99], OTHER=np.array([0]))]
            )
            writer.append([], [group([1], [98])])
        assert read(tmp_path, clickhouse).values.tolist() == [10]
        assert read(tmp_path, clickhouse, limit=1).values.tolist() == [10]

    def test_may_be_of_any_year_at_once(self, tmp_path, clickhouse):
        """A clock that is wrong makes rows of more months than an insert may have by default."""
        seconds = range(0, 150 * 31 * 86_400, 31 * 86_400)
        with open_writer(tmp_path, clickhouse=clickhouse) as writer:
            writer.append([], [group(seconds, range(150))])
        assert len(read(tmp_path, clickhouse, end=START + 9999 * DAY)) == 150

    def test_may_be_of_any_time_that_fits_its_column(self, tmp_path, clickhouse):
        times = np.array([-(2**62), -1, 2**62])
        own = ColumnGroup(
            spacecraft="DD-1",
            container="Power",
            times_us=times,
            sequence_counts=np.zeros(3, dtype=np.uint16),
            columns={"VOLT": np.arange(3)},
        )
        with open_writer(tmp_path, clickhouse=clickhouse) as writer:
            for _ in range(2):
                writer.append([], [own])
        found = clickhouse.select("SELECT time_us FROM samples FINAL ORDER BY time_us")
        assert found["time_us"].to_pylist() == times.tolist()

    def test_takes_names_as_they_are(self, tmp_path, clickhouse):
        name = "it's {x:String} \\ \t\n' OR 1 --"
        with open_writer(tmp_path, clickhouse=clickhouse) as writer:
            writer.append([], [group([1], [5], parameter=name, container=name, spacecraft=name)])
            writer.append([], [group([2], [6])])
        for limit in (None, 9):
            found = read(tmp_path, clickhouse, name, spacecraft=name, limit=limit)
            assert found.values.tolist() == [5]

    def test_goes_into_a_table_that_was_made_otherwise(self, tmp_path, clickhouse):
        clickhouse.run(CREATE_TABLE.replace("toYYYYMM(", "toYear("))
        fill(tmp_path, clickhouse, range(3))
        assert read(tmp_path, clickhouse).values.tolist() == [0, 1, 2]

    def test_is_no_number_where_it_is_octets(self, tmp_path, clickhouse):
        with open_writer(tmp_path, clickhouse=clickhouse) as writer:
            writer.append([], [group([1], np.frombuffer(b"ab", "V2"), dtype="V2")])
        with open_reader(tmp_path, clickhouse=clickhouse) as reader:
            for calibrate in (None, np.sqrt):
                with pytest.raises(ArchiveError, match="'VOLT' is no number"):
                    reader.read_decimated(
                        spacecraft="DD-1",
                        parameter="VOLT",
                        start=START,
                        end=START + DAY,
                        buckets=2,
                        calibrate=calibrate,
                    )

    def test_is_read_by_several_threads_at_once(self, tmp_path, clickhouse):
        fill(tmp_path, clickhouse, range(20))
        found = []
        threads = [
            threading.Thread(target=lambda: found.append(len(read(tmp_path, clickhouse))))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [20] * 8


class TestServerThatIsAway:
    def test_leaves_the_packets_logged_and_the_columns_to_be_made_good(
        self, tmp_path, clickhouse, away
    ):
        with open_writer(tmp_path, clickhouse=away) as writer:
            with pytest.raises(ArchiveUnavailableError, match=r"does not answer: .*refused"):
                writer.append([packet(1)], decoded([packet(1)]))
            assert writer.packets_without_columns
            for second in (2, 3):
                batch = [packet(second)]
                writer.log(rows_of_packets(batch))
                writer.add(decoded(batch))
            assert (writer.has_waiting, writer.waiting_rows) == (False, 0)
            with pytest.raises(ArchiveUnavailableError):
                writer.recover(segment_again)
            assert writer.packets_without_columns
        with open_reader(tmp_path, clickhouse=away) as reader:
            page = reader.packets_since(0, spacecraft="DD-1")
        assert [one.sequence_count for one in page.packets] == [1, 2, 3]
        with open_writer(tmp_path, clickhouse=clickhouse) as writer:
            assert writer.packets_without_columns
            assert writer.recover(segment_again) == 3
            assert not writer.packets_without_columns
            writer.append([packet(4)], decoded([packet(4)]))
        assert read(tmp_path, clickhouse).values.tolist() == [1, 2, 3, 4]
        assert check(tmp_path).faults == []

    def test_fails_no_close(self, tmp_path, away):
        with open_writer(tmp_path, clickhouse=away) as writer:
            writer.log(rows_of_packets([packet(1)]))
            writer.add(decoded([packet(1)]))
        with open_writer(tmp_path, clickhouse=away) as writer:
            assert writer.packets_without_columns

    def test_repeats_what_a_kill_left_between_the_server_and_the_folder(
        self, tmp_path, clickhouse
    ):
        with open_writer(tmp_path, clickhouse=clickhouse) as writer:
            packets = [packet(second) for second in range(5)]
            writer.log(rows_of_packets(packets))
            writer.add(decoded(packets))
            column_store(clickhouse).store(1, writer._waiting)
            writer._let_go()  # as if it had been killed here
        assert len(read(tmp_path, clickhouse)) == 0
        with open_writer(tmp_path, clickhouse=clickhouse) as writer:
            assert writer.recover(segment_again) == 5
        assert read(tmp_path, clickhouse).values.tolist() == list(range(5))
        assert read(tmp_path, clickhouse, limit=3).values.tolist() == [2, 3, 4]

    def test_takes_history_with_it_and_nothing_else(self, tmp_path, clickhouse, away):
        fill(tmp_path, clickhouse, range(5))
        with open_reader(tmp_path, clickhouse=away) as reader:
            assert reader.latest(spacecraft="DD-1")["VOLT"].raw.tolist() == [4]
            assert len(reader.packets_since(0, spacecraft="DD-1").packets) == 5
            asked = {"spacecraft": "DD-1", "parameter": "VOLT", "start": START, "end": at(9)}
            with pytest.raises(ArchiveUnavailableError):
                reader.read(**asked)
            with pytest.raises(ArchiveUnavailableError):
                reader.read_decimated(**asked, buckets=3)

    def test_is_told_from_one_that_refuses(self, clickhouse_url):
        wrong = {
            clickhouse_url.replace("mission:", "mission:x"): "Authentication failed",
            clickhouse_url + "_not": "Database .* does not exist",
        }
        for url, why in wrong.items():
            with pytest.raises(ArchiveUnavailableError, match=f"refuses: Code: .*{why}") as error:
                column_store(ClickHouseServer.at(url)).require_ready()
            assert "p%3Aa" not in str(error.value)
        assert "p:a" not in repr(ClickHouseServer.at(clickhouse_url))


class TestPlaces:
    def test_columns_are_brought_there_and_back_by_a_rebuild(self, tmp_path, clickhouse):
        fill(tmp_path, None, range(5))
        with pytest.raises(ArchiveUnavailableError, match="are in its folder, and ARCHIVE_URL"):
            read(tmp_path, clickhouse)
        for packets, server in ((5, clickhouse), (10, None), (15, clickhouse)):
            assert rebuild(tmp_path, segment_again, column_store(server)) == packets
            assert read(tmp_path, server).values.tolist() == list(range(5))
            fill(tmp_path, server, range(5))
            assert len(read(tmp_path, server)) == 5
        with pytest.raises(ArchiveUnavailableError, match="are in ClickHouse, and ARCHIVE_URL"):
            read(tmp_path, None)
        assert check(tmp_path).columns_in is ColumnPlace.CLICKHOUSE

    def test_packets_are_logged_while_columns_are_somewhere_else(self, tmp_path, clickhouse):
        fill(tmp_path, None, range(3))
        with (
            open_writer(tmp_path, clickhouse=clickhouse) as writer,
            pytest.raises(ArchiveUnavailableError, match="rebuild_archive"),
        ):
            writer.append([packet(3)], decoded([packet(3)]))
        assert read(tmp_path, None).values.tolist() == [0, 1, 2]
        assert rebuild(tmp_path, segment_again, column_store(clickhouse)) == 4
        assert read(tmp_path, clickhouse).values.tolist() == [0, 1, 2, 3]

    def test_a_rebuild_replaces_what_was_decoded_otherwise(self, tmp_path, clickhouse):
        fill(tmp_path, clickhouse, range(4))
        with open_writer(tmp_path / "other", clickhouse=clickhouse) as writer:
            writer.append([], [group([1], spacecraft="DD-2")])

        def doubled(rows):
            [own] = segment_again(rows)
            yield ColumnGroup(
                spacecraft=own.spacecraft,
                container=own.container,
                times_us=own.times_us,
                sequence_counts=own.sequence_counts,
                columns={"VOLT": own.columns["VOLT"] * 2},
            )

        # As after the loss of the database: what is stored is of editions that come again.
        for file in tmp_path.glob("segments.sqlite3*"):
            file.unlink()
        for _ in range(2):
            rebuild(tmp_path, doubled, column_store(clickhouse))
            assert read(tmp_path, clickhouse).values.tolist() == [0, 2, 4, 6]
        editions = clickhouse.select(
            "SELECT spacecraft, edition, count() AS n FROM samples FINAL GROUP BY 1, 2 ORDER BY 1"
        )
        assert [tuple(row.values()) for row in editions.to_pylist()] == [
            ("DD-1", 3, 4),
            ("DD-2", 1, 1),
        ]

    def test_a_rebuild_while_somebody_reads_leaves_no_hole(
        self, tmp_path, clickhouse, monkeypatch
    ):
        fill(tmp_path, clickhouse, range(4))
        select = ClickHouseServer.select
        asked = []

        def rebuilt_meanwhile(server, query, **parameters):
            asked.append(parameters["edition"])
            if len(asked) == 1:
                with monkeypatch.context() as patch:
                    patch.setattr(ClickHouseServer, "select", select)
                    rebuild(tmp_path, segment_again, column_store(clickhouse))
            return select(server, query, **parameters)

        monkeypatch.setattr(ClickHouseServer, "select", rebuilt_meanwhile)
        assert read(tmp_path, clickhouse).values.tolist() == [0, 1, 2, 3]
        assert asked == [1, 2]

    def test_a_rebuild_that_fails_leaves_the_old_columns_in_force(
        self, tmp_path, clickhouse, away
    ):
        fill(tmp_path, clickhouse, range(4))
        with pytest.raises(ArchiveUnavailableError):
            rebuild(tmp_path, segment_again, column_store(away))
        assert read(tmp_path, clickhouse).values.tolist() == [0, 1, 2, 3]

    def test_old_columns_are_forgotten_and_newest_values_kept(self, tmp_path, clickhouse):
        fill(tmp_path, clickhouse, range(10))
        store = column_store(clickhouse)
        assert forget_before(tmp_path, columns=at(7), store=store).segments == 7
        assert forget_before(tmp_path, columns=at(7), store=store).segments == 0
        assert read(tmp_path, clickhouse).values.tolist() == [7, 8, 9]
        assert forget_before(tmp_path, columns=at(99), store=store).segments == 3
        with open_reader(tmp_path, clickhouse=clickhouse) as reader:
            assert reader.latest(spacecraft="DD-1")["VOLT"].raw.tolist() == [9]
        with pytest.raises(ArchiveUnavailableError, match="ARCHIVE_URL says its folder"):
            forget_before(tmp_path, columns=at(7))

    def test_compaction_is_left_to_the_server(self, tmp_path, clickhouse):
        for second in range(20):
            fill(tmp_path, clickhouse, [second])
        report = compact(tmp_path)
        assert (report.segments_before, report.packet_batches_merged) == (0, 19)
        assert len(read(tmp_path, clickhouse)) == 20

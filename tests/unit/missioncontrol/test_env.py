from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missioncontrol import env
from missioncontrol.env import EnvironmentValueError


@pytest.fixture
def given_value(monkeypatch):
    return lambda value: monkeypatch.setenv("SETTING", value)


class TestSimpleValues:
    def test_takes_the_default_where_nothing_or_nothing_much_is_set(self, monkeypatch):
        monkeypatch.delenv("SETTING", raising=False)
        assert env.text("SETTING", "default") == "default"
        monkeypatch.setenv("SETTING", "")
        assert env.text("SETTING", "default") == "default"
        assert env.integer("SETTING", 7, low=1, high=9) == 7
        assert env.flag("SETTING", default=True) is True
        assert env.names("SETTING", "a, b,,c ") == ["a", "b", "c"]

    @pytest.mark.parametrize("value", ["0", "10", "-3", "seven", "7.0", "1e1"])
    def test_refuses_a_number_that_is_none_or_outside(self, given_value, value):
        given_value(value)
        with pytest.raises(EnvironmentValueError) as error:
            env.integer("SETTING", 7, low=1, high=9)
        assert str(error.value) == f"SETTING is {value!r}; give a whole number from 1 to 9."

    @pytest.mark.parametrize(
        ("value", "meant"),
        [("1", True), ("YES", True), ("on", True), ("0", False), ("No", False), ("off", False)],
    )
    def test_reads_flags(self, given_value, value, meant):
        given_value(value)
        assert env.flag("SETTING", default=not meant) is meant

    def test_refuses_a_flag_that_is_neither(self, given_value):
        given_value("maybe")
        with pytest.raises(EnvironmentValueError, match=r"SETTING is 'maybe'; give yes or no\."):
            env.flag("SETTING", default=True)

    def test_refuses_a_file_for_a_folder(self, given_value, tmp_path):
        file = tmp_path / "file"
        file.touch()
        given_value(str(file))
        with pytest.raises(EnvironmentValueError, match="which is a file; give a folder"):
            env.folder("SETTING", tmp_path)
        given_value(str(tmp_path / "new"))
        assert env.folder("SETTING", tmp_path) == tmp_path / "new"


class TestPairsAndServices:
    def test_read_a_list_of_names_and_values(self, given_value):
        given_value(" a=1 ,b-2=x=y,")
        assert env.pairs("SETTING") == {"a": "1", "b-2": "x=y"}
        given_value("")
        assert env.pairs("SETTING") == {}

    @pytest.mark.parametrize("value", ["secret", "a=", "A=secret", "=secret", "a=1,a=secret"])
    def test_refuse_what_is_none_without_showing_it(self, given_value, value):
        given_value(value)
        with pytest.raises(EnvironmentValueError, match=r"SETTING: item \d") as error:
            env.pairs("SETTING")
        assert "secret" not in str(error.value)

    def test_take_https_and_http_on_this_machine(self, given_value):
        given_value("a=https://polar.example/v1/,b=http://127.0.0.1:8000,c=http://[::1]/x")
        assert env.services("SETTING") == {
            "a": "https://polar.example/v1",
            "b": "http://127.0.0.1:8000",
            "c": "http://[::1]/x",
        }

    @pytest.mark.parametrize(
        ("value", "said"),
        [
            ("a=http://polar.example", "http:// for this machine only"),
            ("a=ftp://polar.example", "give https://host/path"),
            ("a=https://", "give https://host/path"),
            ("a=https://polar.example:99999", "give https://host/path"),
            ("a=https://me:hidden@polar.example", "holds a user name"),
            ("a=https://polar.example/?key=hidden", "holds a user name, a query"),
        ],
    )
    def test_refuse_other_addresses_without_showing_a_password(self, given_value, value, said):
        given_value(value)
        with pytest.raises(EnvironmentValueError, match=said) as error:
            env.services("SETTING")
        assert "hidden" not in str(error.value)


class TestRate:
    @pytest.mark.parametrize(
        ("value", "rate"),
        [
            ("600/minute", (600, 60)),
            ("1/second", (1, 1)),
            ("5/hour", (5, 3600)),
            ("9/day", (9, 86400)),
        ],
    )
    def test_reads_a_number_and_a_window(self, given_value, value, rate):
        given_value(value)
        assert env.rate("SETTING", "1/day") == rate

    @pytest.mark.parametrize(
        "value", ["600", "0/minute", "-1/minute", "1.5/minute", "600/week", "600 / minute", "many"]
    )
    def test_refuses_anything_else(self, given_value, value):
        given_value(value)
        with pytest.raises(EnvironmentValueError) as error:
            env.rate("SETTING", "1/day")
        assert str(error.value) == (
            f"SETTING is {value!r}; give a number from 1 on and second, minute, hour or day, as "
            "in 600/minute."
        )


class TestClickHouse:
    @pytest.mark.parametrize(
        "value",
        [
            "",
            "http://127.0.0.1:8123/archive",
            "https://mission:p%40ss@history.internal:8443/mission_1/",
        ],
    )
    def test_takes_a_database_over_http_or_nothing(self, given_value, value):
        given_value(value)
        assert env.clickhouse("SETTING") == value

    @pytest.mark.parametrize(
        "value",
        [
            "clickhouse://mission:hidden@history:9000/archive",
            "http://mission:hidden@history:8123",
            "http://mission:hidden@history:8123/",
            "http://mission:hidden@history:port/archive",
            "http://mission:hidden@history:8123/a.b",
            "http://mission:hidden@history:8123/a/b",
            "http://mission:hidden@history:8123/archive?user=mission",
            "http:///archive",
            "archive",
        ],
    )
    def test_refuses_all_else_and_shows_no_password(self, given_value, value):
        given_value(value)
        with pytest.raises(EnvironmentValueError, match="http://user:password@host:8123") as error:
            env.clickhouse("SETTING")
        assert "hidden" not in str(error.value)


class TestDatabase:
    def read(self):
        return env.database("SETTING", default_file=Path("/var/lib/mission.sqlite3"))

    @given(
        name=st.text(
            st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1
        ).filter(lambda name: name.strip() and name not in {".", ".."})
    )
    def test_finds_the_default_file_in_any_folder(self, name):
        file = Path("/var/lib") / name / "mission.sqlite3"
        assert env.database("NOT_SET", default_file=file)["NAME"] == str(file)

    def test_reads_sqlite(self, given_value):
        given_value("sqlite:////data/with%20space.sqlite3")
        values = self.read()
        assert values["NAME"] == "/data/with space.sqlite3"
        assert values["OPTIONS"]["transaction_mode"] == "IMMEDIATE"

    def test_reads_postgresql(self, given_value):
        given_value("postgresql://mission:p%40ss@db.internal:5433/mission")
        values = self.read()
        assert [values[key] for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT")] == [
            "mission",
            "mission",
            "p@ss",
            "db.internal",
            "5433",
        ]

    def test_reads_a_unix_socket_as_libpq_writes_it(self, given_value):
        given_value("postgresql://mission@/mission?host=/run/postgresql")
        values = self.read()
        assert (values["HOST"], values["PORT"], values["NAME"]) == (
            "/run/postgresql",
            "",
            "mission",
        )

    @pytest.mark.parametrize(
        "value",
        [
            "mysql://mission:hidden@db/mission",
            "postgresql://mission:hidden@db",
            "postgresql://mission:hidden@db:port/mission",
            "postgresql://mission:hidden@db:99999/mission",
            "sqlite://",
            "sqlite:///",
            "sqlite://host/file.sqlite3",
            "/data/file.sqlite3",
        ],
    )
    def test_refuses_everything_else_and_shows_no_password(self, given_value, value):
        given_value(value)
        with pytest.raises(EnvironmentValueError, match=r"SETTING is .*give sqlite:") as error:
            self.read()
        assert "hidden" not in str(error.value)


class TestBroker:
    @pytest.mark.parametrize(
        "value", ["redis://localhost:6379/0", "rediss://:secret@broker/1", "unix:///run/b.sock"]
    )
    def test_takes_what_the_client_takes(self, given_value, value):
        given_value(value)
        assert env.broker("SETTING", default="") == value

    @pytest.mark.parametrize(
        "value", ["amqp://user:hidden@broker", "localhost:6379", "redis://:hidden@broker:port/0"]
    )
    def test_refuses_everything_else_and_shows_no_password(self, given_value, value):
        given_value(value)
        with pytest.raises(EnvironmentValueError, match=r"SETTING is .*give redis://") as error:
            env.broker("SETTING", default="")
        assert "hidden" not in str(error.value)


class TestSecret:
    def test_is_made_once_and_kept_for_the_owner_alone(self, tmp_path):
        file = tmp_path / "new" / "secret-key"
        first = env.secret("NOT_SET", file=file)
        assert len(first) == 64
        assert env.secret("NOT_SET", file=file) == first
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert list(file.parent.iterdir()) == [file]

    def test_is_one_for_all_who_start_at_once(self, tmp_path):
        made = []
        together = threading.Barrier(8)

        def start():
            together.wait()
            made.append(env.secret("NOT_SET", file=tmp_path / "secret-key"))

        threads = [threading.Thread(target=start) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(made) == 8
        assert len(set(made)) == 1

    def test_comes_from_the_environment_first(self, given_value, tmp_path):
        given_value("x" * 50)
        assert env.secret("SETTING", file=tmp_path / "secret-key") == "x" * 50
        assert not (tmp_path / "secret-key").exists()

    def test_refuses_a_short_one(self, given_value, tmp_path):
        given_value("changeme")
        with pytest.raises(EnvironmentValueError, match="8 characters; give at least 50"):
            env.secret("SETTING", file=tmp_path / "secret-key")

    def test_refuses_a_file_that_a_full_disk_cut_short(self, tmp_path):
        file = tmp_path / "secret-key"
        file.write_text("")
        with pytest.raises(EnvironmentValueError, match=r"holds 0 characters .* delete it"):
            env.secret("NOT_SET", file=file)

from __future__ import annotations

from telemetry.archive import ClickHouseServer


class TestServer:
    def test_reads_its_parts_from_a_url(self):
        server = ClickHouseServer.at("https://mission:p%40ss%2F@history.internal:8443/archive/")
        assert server == ClickHouseServer(
            address="https://history.internal:8443",
            database="archive",
            user="mission",
            password="p@ss/",
        )

    def test_shows_its_password_to_nobody(self):
        assert "hidden" not in repr(ClickHouseServer.at("http://mission:hidden@history/archive"))

    def test_may_be_asked_as_the_default_user(self):
        assert ClickHouseServer.at("http://[::1]:8123/archive") == ClickHouseServer(
            address="http://[::1]:8123", database="archive"
        )

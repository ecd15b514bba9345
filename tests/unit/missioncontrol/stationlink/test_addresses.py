from __future__ import annotations

import pytest

from missioncontrol.stationlink.addresses import station_address


class TestStationAddress:
    @pytest.mark.parametrize(
        ("link_url", "address"),
        [
            ("simulator", ("127.0.0.1", 18400)),
            ("tcp://station.example:9000", ("station.example", 9000)),
            ("tcp://[::1]:9000", ("::1", 9000)),
        ],
    )
    def test_reads_both_forms(self, link_url, address):
        assert station_address(link_url, simulator_address="127.0.0.1:18400") == address

    @pytest.mark.parametrize("link_url", ["", "tcp://station", "http://station:80", "tcp://:9000"])
    def test_refuses_another(self, link_url):
        with pytest.raises(ValueError, match="neither 'simulator' nor tcp://host:port"):
            station_address(link_url, simulator_address="127.0.0.1:18400")

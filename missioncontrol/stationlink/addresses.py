"""Where a station is reached. Pure."""

from __future__ import annotations

from urllib.parse import urlsplit

SIMULATOR = "simulator"  # the link of an antenna that the simulator plays


def station_address(link_url: str, *, simulator_address: str) -> tuple[str, int]:
    """Return host and port of an antenna's link.

    Args:
        link_url: ``simulator`` or ``tcp://host:port``.
        simulator_address: ``host:port`` of the simulator.

    Raises:
        ValueError: neither form, or no port.
    """
    url = f"tcp://{simulator_address}" if link_url == SIMULATOR else link_url
    parts = urlsplit(url)
    if parts.scheme != "tcp" or not parts.hostname or not parts.port:
        raise ValueError(f"the link {url!r} is neither {SIMULATOR!r} nor tcp://host:port")
    return parts.hostname, parts.port

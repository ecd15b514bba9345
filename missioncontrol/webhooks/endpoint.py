"""Where a webhook may lead: to the world outside, never into our own network.

A member chooses the address, and we send requests to it from inside. Without
this it could reach the database, the broker or a cloud's metadata. What an
address says is checked when it is given; what a name leads to is checked at
each request, by whoever resolves it.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import urlsplit

MAX_LENGTH: Final = 500
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}
_PRINTABLE: Final = re.compile(r"[\x21-\x7e]+")
_HOST: Final = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+")
_NAT64: Final = IPv6Network("64:ff9b::/96")  # RFC 6052: an IPv4 address is in the last 32 bits


class EndpointError(ValueError):
    """A webhook cannot lead there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An address, taken apart."""

    scheme: str
    host: str  # a name or an address, without brackets
    port: int
    target: str  # path and query

    @property
    def authority(self) -> str:
        """What the header ``Host`` says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def parse_endpoint(url: str, *, allowed_hosts: Collection[str]) -> Endpoint:
    """Return what *url* says.

    Args:
        url: https; http only for a loopback host.
        allowed_hosts: Hosts that may lead into our own network
            (``WEBHOOK_ALLOWED_HOSTS``).

    Raises:
        EndpointError: a webhook cannot lead there.
    """
    if len(url) > MAX_LENGTH or not _PRINTABLE.fullmatch(url):
        raise EndpointError(
            f"The address has {len(url)} characters; 1 to {MAX_LENGTH} of ASCII without spaces "
            "are allowed (a name in another script in its xn-- form)."
        )
    endpoint = _taken_apart(url)
    own = _own(endpoint.host)
    if own and endpoint.host not in allowed_hosts:
        raise EndpointError(
            f"{endpoint.host} is {own}, which no webhook leads to. Whoever runs mission control "
            "can allow it (WEBHOOK_ALLOWED_HOSTS)."
        )
    if endpoint.scheme == "http" and own != _LOOPBACK:
        raise EndpointError(
            f"{url} is not protected on the way: give an https:// address. http:// is for the "
            "own machine only."
        )
    return endpoint


def require_outside(addresses: Collection[str], *, host: str) -> None:
    """Refuse a host if any of its addresses is not on the public internet.

    Raises:
        EndpointError: one is not.
    """
    for address in addresses:
        own = why_internal(address)
        if own:
            raise EndpointError(
                f"{host} leads to {address}, {own}, which no webhook leads to. Whoever runs "
                "mission control can allow it (WEBHOOK_ALLOWED_HOSTS)."
            )


def why_internal(address: str) -> str:
    """Return what an IP address is if it is not a public one; empty: it is."""
    plain = _plain(ip_address(address))
    if plain.is_loopback:
        return _LOOPBACK
    if plain.is_link_local:
        return "a link-local address"
    if plain.is_multicast:
        return "a multicast address"
    return "" if plain.is_global else "a private or reserved address"


_LOOPBACK: Final = "a loopback address"


def _taken_apart(url: str) -> Endpoint:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise EndpointError(f"{url} is no address: {error}.") from error
    host = parts.hostname or ""
    if parts.scheme not in _DEFAULT_PORTS or not _HOST.fullmatch(host) or port == 0:
        raise EndpointError(f"{url} is no address of a webhook; give https://host/path.")
    if "@" in parts.netloc or "#" in url:
        raise EndpointError(
            "The address holds a user name or a fragment, which are not sent. Put what tells "
            "your receiver who calls into the path or the query."
        )
    return Endpoint(
        scheme=parts.scheme,
        host=host,
        port=port or _DEFAULT_PORTS[parts.scheme],
        target=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
    )


def _own(host: str) -> str:
    """Return why a host is one of our own network, as far as its writing tells."""
    if host == "localhost" or host.endswith(".localhost"):
        return _LOOPBACK
    try:
        return why_internal(host)
    except ValueError:
        return ""  # a name


def _plain(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address that an IPv6 address carries inside, if it does."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo[1] if address.teredo is not None else None
    return address.ipv4_mapped or address.sixtofour or teredo or address

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missioncontrol.webhooks.endpoint import (
    MAX_LENGTH,
    EndpointError,
    parse_endpoint,
    require_outside,
    why_internal,
)

# RFC 6890 and its updates: none of these is anybody's on the internet.
INTERNAL = [
    *("127.0.0.1", "127.255.255.254", "::1"),
    *("10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fd00::1", "fc00::1"),
    *("169.254.169.254", "169.254.0.1", "fe80::1"),
    *("100.64.0.1", "100.127.255.255", "198.18.0.1"),
    *("0.0.0.0", "::", "255.255.255.255", "240.0.0.1"),
    *("224.0.0.1", "239.255.255.250", "ff02::1", "ff0e::1"),
    *("192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1"),
]
# The same behind an IPv6 address that leads to an IPv4 one.
CARRIED = [
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254"),
    *("64:ff9b::127.0.0.1", "64:ff9b::10.1.2.3"),
    *("2002:7f00:1::", "2002:a00:1::"),
    "2001:0:4136:e378:8000:63bf:f5ff:fffe",  # Teredo of 10.0.0.1
]
PUBLIC = ["1.1.1.1", "8.8.8.8", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8"]


class TestAddress:
    @pytest.mark.parametrize("address", INTERNAL + CARRIED)
    def test_of_our_own_network_is_named(self, address):
        assert why_internal(address).startswith(("a loopback", "a link", "a private", "a multi"))

    @pytest.mark.parametrize("address", PUBLIC)
    def test_of_the_internet_is_let_through(self, address):
        assert why_internal(address) == ""

    @given(st.ip_addresses(network="10.0.0.0/8") | st.ip_addresses(network="fc00::/7"))
    def test_of_a_private_network_never_passes(self, address):
        assert why_internal(str(address))

    @pytest.mark.parametrize("address", INTERNAL)
    def test_makes_the_host_refused_also_among_public_ones(self, address):
        with pytest.raises(EndpointError, match=f"hook.example leads to {address}, a"):
            require_outside(["1.1.1.1", address], host="hook.example")

    def test_may_be_public_all_of_them(self):
        require_outside(PUBLIC, host="hook.example")


class TestEndpoint:
    @pytest.mark.parametrize(
        ("url", "authority", "target"),
        [
            ("https://hook.example", "hook.example", "/"),
            ("https://Hook.Example:443/a/b?c=d", "hook.example", "/a/b?c=d"),
            ("https://hook.example:8443/?x", "hook.example:8443", "/?x"),
            ("https://1.1.1.1/x", "1.1.1.1", "/x"),
            ("https://[2606:4700::1111]:9/x", "[2606:4700::1111]:9", "/x"),
        ],
    )
    def test_is_taken_apart(self, url, authority, target):
        endpoint = parse_endpoint(url, allowed_hosts=[])
        assert (endpoint.scheme, endpoint.authority, endpoint.target) == (
            "https",
            authority,
            target,
        )

    @pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "http://localhost/", "http://[::1]/"])
    def test_may_be_this_machine_where_that_is_allowed(self, url):
        hosts = ["127.0.0.1", "localhost", "::1"]
        assert parse_endpoint(url, allowed_hosts=hosts).scheme == "http"
        with pytest.raises(EndpointError, match="WEBHOOK_ALLOWED_HOSTS"):
            parse_endpoint(url, allowed_hosts=[])

    def test_may_be_a_private_one_where_that_is_allowed_but_not_without_tls(self):
        assert parse_endpoint("https://10.0.0.1/", allowed_hosts=["10.0.0.1"]).host == "10.0.0.1"
        with pytest.raises(EndpointError, match="not protected on the way"):
            parse_endpoint("http://10.0.0.1/", allowed_hosts=["10.0.0.1"])

    @pytest.mark.parametrize("address", INTERNAL)
    def test_is_no_address_of_our_own_network(self, address):
        host = f"[{address}]" if ":" in address else address
        with pytest.raises(EndpointError, match="which no webhook leads to"):
            parse_endpoint(f"https://{host}/", allowed_hosts=[])

    @pytest.mark.parametrize(
        ("url", "says"),
        [
            ("http://hook.example/", "give an https:// address"),
            ("ftp://hook.example/", "no address of a webhook"),
            ("https:///x", "no address of a webhook"),
            ("https://hook.example:0/", "no address of a webhook"),
            ("https://hook.example:70000/", "is no address"),
            ("https://[::1/", "is no address"),
            ("https://user:secret@hook.example/", "user name or a fragment"),
            ("https://hook.example/#x", "user name or a fragment"),
            ("https://hook.example/\r\nHost: other", "ASCII without spaces"),
            ("https://höök.example/", "xn-- form"),
            ("https://hook example/", "ASCII without spaces"),
            ("https://hook$.example/", "no address of a webhook"),
            ("", "0 characters"),
            ("https://hook.example/" + "x" * MAX_LENGTH, f"1 to {MAX_LENGTH}"),
        ],
    )
    def test_is_refused_with_the_reason(self, url, says):
        with pytest.raises(EndpointError) as caught:
            parse_endpoint(url, allowed_hosts=[])
        assert says in str(caught.value)

    def test_is_refused_without_repeating_a_password(self):
        with pytest.raises(EndpointError) as caught:
            parse_endpoint("https://user:secret@hook.example/", allowed_hosts=[])
        assert "secret" not in str(caught.value)

    @given(st.text(max_size=60))
    def test_never_raises_anything_else(self, text):
        for url in (text, f"https://{text}"):
            with suppress(EndpointError):
                parse_endpoint(url, allowed_hosts=[])

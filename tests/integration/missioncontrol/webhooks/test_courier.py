"""Where a message may go, and that it goes nowhere else."""

from __future__ import annotations

import socket
import ssl
from contextlib import contextmanager

import pytest

from missioncontrol.webhooks.courier import Courier, Message
from missioncontrol.webhooks.endpoint import parse_endpoint
from tests.integration.missioncontrol.webhooks.certificates import write_certificates
from tests.integration.missioncontrol.webhooks.receiver import receiving

pytestmark = pytest.mark.once


@contextmanager
def courier(*allowed_hosts, timeout_s=2.0):
    courier = Courier(allowed_hosts=allowed_hosts, timeout_s=timeout_s)
    try:
        yield courier
    finally:
        courier.stop()


def send(one, url, *, allowed_hosts=(), within_s=10):
    endpoint = parse_endpoint(url, allowed_hosts=allowed_hosts)
    message = Message(headers={"webhook-id": "evt_1"}, body=b"{}")
    [outcome] = one.send(endpoint, [message]).result(timeout=within_s)
    return outcome


@pytest.fixture
def receiver():
    with receiving() as receiver:
        yield receiver


def port_of(receiver):
    return int(receiver.url.split(":")[2].split("/")[0])


@pytest.fixture
def names(monkeypatch):
    """What names lead to, each time that they are asked for."""
    answers, asked = {}, []
    real = socket.getaddrinfo

    def getaddrinfo(host, port, *arguments, **named):
        if host not in answers:
            return real(host, port, *arguments, **named)
        asked.append(host)
        addresses = answers[host]
        now = addresses.pop(0) if len(addresses) > 1 else addresses[0]
        return [found for each in now.split() for found in real(each, port, *arguments, **named)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return answers, asked


class TestOwnNetwork:
    @pytest.mark.parametrize(
        "host", ["0x7f.1", "2130706433", "127.1", "0177.0.0.1", "localhost.localdomain"]
    )
    def test_is_not_reached_by_another_writing_of_its_address(self, receiver, names, host):
        names[0]["localhost.localdomain"] = ["127.0.0.1"]
        with courier() as one:
            outcome = send(one, f"https://{host}:{port_of(receiver)}/")
        assert f"{host} leads to 127.0.0.1, a loopback address" in outcome.fault
        assert receiver.connections == 0

    @pytest.mark.parametrize(
        "addresses", ["10.0.0.7", "169.254.169.254", "93.184.216.34 127.0.0.1", "::1", "fd00::1"]
    )
    def test_is_not_reached_by_a_name(self, receiver, names, addresses):
        names[0]["hook.example"] = [addresses]
        with courier() as one:
            outcome = send(one, f"https://hook.example:{port_of(receiver)}/")
        assert "which no webhook leads to" in outcome.fault
        assert receiver.connections == 0

    def test_is_not_reached_by_a_name_that_changes_its_mind(self, receiver, names):
        """DNS rebinding: public when it is checked, loopback when it is used."""
        answers, asked = names
        answers["hook.example"] = ["192.88.99.1", "127.0.0.1"]
        with courier(timeout_s=0.5) as one:
            outcome = send(one, f"https://hook.example:{port_of(receiver)}/")
        assert outcome.status is None
        assert receiver.connections == 0
        assert asked == ["hook.example"]

    def test_is_not_reached_by_a_redirect(self, receiver):
        with receiving() as inner:
            receiver.mood, receiver.answer_headers = 307, {"Location": inner.url}
            with courier("127.0.0.1") as one:
                outcome = send(one, receiver.url, allowed_hosts=["127.0.0.1"])
            assert inner.connections == 0
        assert outcome.status == 307
        assert "redirects are not followed" in outcome.fault

    def test_is_not_reached_by_a_proxy_of_the_environment(self, receiver, monkeypatch):
        with receiving() as proxy:
            for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
                monkeypatch.setenv(name, f"http://127.0.0.1:{port_of(proxy)}")
            with courier("127.0.0.1") as one:
                outcome = send(one, receiver.url, allowed_hosts=["127.0.0.1"])
            assert proxy.connections == 0
        assert outcome.status == 200

    def test_is_reached_where_that_is_allowed(self, receiver):
        with courier("127.0.0.1") as one:
            assert send(one, receiver.url, allowed_hosts=["127.0.0.1"]).status == 200


class TestTls:
    """A receiver with a certificate for hook.example, at an address that is not in it."""

    @pytest.fixture
    def secured(self, tmp_path, monkeypatch):
        write_certificates(tmp_path, "hook.example")
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
        shown = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tmp_path / "server.pem")
        context.sni_callback = lambda _line, name, _context: shown.append(name)
        with receiving(tls=context) as receiver:
            yield receiver, shown

    def test_checks_the_certificate_for_the_name_and_connects_to_the_address(self, secured, names):
        receiver, shown = secured
        names[0]["hook.example"] = ["127.0.0.1"]
        with courier("hook.example") as one:
            outcome = send(one, f"https://hook.example:{port_of(receiver)}/a?b")
        assert (outcome.status, outcome.fault) == (200, "")
        [message] = receiver.got
        assert message.path == "/a?b"
        assert message.headers["host"] == f"hook.example:{port_of(receiver)}"
        assert shown == ["hook.example"]

    def test_refuses_a_certificate_of_another_name(self, secured, names):
        receiver, _ = secured
        names[0]["other.example"] = ["127.0.0.1"]
        with courier("other.example") as one:
            outcome = send(one, f"https://other.example:{port_of(receiver)}/")
        assert "certificate" in outcome.fault.lower()
        assert receiver.got == []

    def test_refuses_an_authority_that_nobody_knows(self, secured, names, monkeypatch):
        receiver, _ = secured
        monkeypatch.delenv("SSL_CERT_FILE")
        names[0]["hook.example"] = ["127.0.0.1"]
        with courier("hook.example") as one:
            outcome = send(one, f"https://hook.example:{port_of(receiver)}/")
        assert "certificate" in outcome.fault.lower()
        assert receiver.got == []


class TestRun:
    """Several messages to one endpoint."""

    @pytest.fixture
    def endpoint(self, receiver):
        return parse_endpoint(receiver.url, allowed_hosts=["127.0.0.1"])

    def messages(self, count):
        return [
            Message(headers={"webhook-id": f"evt_{number}"}, body=b"{}") for number in range(count)
        ]

    def test_goes_over_one_connection_if_the_receiver_lets_it(self, receiver, endpoint):
        receiver.lines = "kept"
        with courier("127.0.0.1") as one:
            outcomes = one.send(endpoint, self.messages(10)).result(timeout=10)
        assert [each.status for each in outcomes] == [200] * 10
        assert receiver.ids == [f"evt_{number}" for number in range(10)]
        assert receiver.connections == 1

    def test_goes_on_where_the_receiver_closes_each(self, receiver, endpoint):
        with courier("127.0.0.1") as one:
            outcomes = one.send(endpoint, self.messages(5)).result(timeout=10)
        assert [each.status for each in outcomes] == [200] * 5
        assert receiver.connections == 5

    def test_ends_without_a_fault_where_the_receiver_drops_the_line(self, receiver, endpoint):
        receiver.lines = "dropped"
        with courier("127.0.0.1") as one:
            outcomes = one.send(endpoint, self.messages(5)).result(timeout=10)
        assert [(each.status, each.fault) for each in outcomes] == [(200, "")] * len(outcomes)
        assert 1 <= len(outcomes) <= 5
        assert receiver.ids == [f"evt_{number}" for number in range(len(outcomes))]

    def test_ends_with_the_first_fault(self, receiver, endpoint):
        receiver.mood = lambda message: 500 if message.id == "evt_2" else 200
        with courier("127.0.0.1") as one:
            outcomes = one.send(endpoint, self.messages(5)).result(timeout=10)
        assert [each.status for each in outcomes] == [200, 200, 500]
        assert receiver.ids == ["evt_0", "evt_1", "evt_2"]

    def test_ends_when_it_has_lasted_long_enough(self, receiver, endpoint, monkeypatch):
        monkeypatch.setattr("missioncontrol.webhooks.courier.RUN_S", 0.0)
        with courier("127.0.0.1") as one:
            outcomes = one.send(endpoint, self.messages(5)).result(timeout=10)
        assert len(outcomes) == 1

    def test_asks_for_the_address_once(self, receiver, names):
        names[0]["hook.example"] = ["127.0.0.1", "127.0.0.2"]
        endpoint = parse_endpoint("https://hook.example/", allowed_hosts=[])
        with courier() as one:
            [outcome] = one.send(endpoint, self.messages(3)).result(timeout=10)
        assert "leads to 127.0.0.1" in outcome.fault
        assert names[1] == ["hook.example"]


class TestStopping:
    def test_breaks_off_what_hangs(self, receiver):
        receiver.mood = "hang"
        with courier("127.0.0.1", timeout_s=30) as one:
            endpoint = parse_endpoint(receiver.url, allowed_hosts=["127.0.0.1"])
            coming = one.send(endpoint, [Message(headers={}, body=b"{}")])
            while not receiver.got:
                pass
        assert coming.done() or coming.cancelled()

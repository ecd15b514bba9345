from __future__ import annotations

import pytest

from missioncontrol.audit.log_folder import MissingFileError
from missioncontrol.audit.merkle.errors import FormatError
from missioncontrol.audit.merkle.tiles import EntryBundle, Tile
from missioncontrol.client.errors import NotAdmittedError, UnreachableError, UsageError
from missioncontrol.client.http_log import HttpLog

pytestmark = pytest.mark.once


@pytest.fixture
def remote(log, server):
    log.grow_to(300)
    return HttpLog(f"{server.address}/", pause_s=0.01)


def status(code, **headers):
    def answer(handler):
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()

    return answer


def body(octets, *, promised=None):
    def answer(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(promised or len(octets)))
        handler.end_headers()
        handler.wfile.write(octets)

    return answer


def test_reads_the_octets_of_every_kind_of_file(remote, log):
    assert remote.read_checkpoint() == log.checkpoints[300].note.format()
    for tile in (Tile(0, 0), Tile(0, 1, 44), Tile(1, 0, 1)):
        assert remote.read_tile(tile) == log.folder.read_tile(tile)
    for bundle in (EntryBundle(0), EntryBundle(1, 44)):
        assert remote.read_bundle(bundle) == log.folder.read_bundle(bundle)


def test_cuts_a_partial_file_from_the_full_one_once_the_log_has_grown(remote, log):
    tile, bundle = Tile(0, 1, 44), EntryBundle(1, 44)
    octets = log.folder.read_tile(tile), log.folder.read_bundle(bundle)
    log.grow_to(600)
    assert not (log.path / tile.path).exists()
    assert (remote.read_tile(tile), remote.read_bundle(bundle)) == octets


def test_says_what_is_missing(remote, log):
    with pytest.raises(MissingFileError, match="tile/0/007 is missing from http"):
        remote.read_tile(Tile(0, 7))
    with pytest.raises(MissingFileError, match=r"tile/entries/007\.p/3 is missing from http"):
        remote.read_bundle(EntryBundle(7, 3))
    (log.path / "checkpoint").unlink()
    assert remote.read_checkpoint() is None


@pytest.mark.parametrize("answer", [status(503), body(b"short", promised=900)])
def test_asks_again_after_a_passing_fault(remote, server, log, answer):
    server.answers["/checkpoint"] = answer
    assert remote.read_checkpoint() == log.checkpoints[300].note.format()
    assert server.asked == ["/checkpoint"] * 2


def test_gives_up_after_three_faults(remote, server):
    def fail(handler):
        server.answers["/checkpoint"] = fail
        status(500)(handler)

    server.answers["/checkpoint"] = fail
    with pytest.raises(UnreachableError, match="checkpoint answers 500"):
        remote.read_checkpoint()
    assert server.asked == ["/checkpoint"] * 3


def test_follows_no_redirect(remote, server):
    def redirect(handler):
        server.answers["/checkpoint"] = redirect
        status(302, Location=f"{server.address}/tile/0/000")(handler)

    server.answers["/checkpoint"] = redirect
    with pytest.raises(UnreachableError, match="answers 302"):
        remote.read_checkpoint()
    assert set(server.asked) == {"/checkpoint"}


def test_reads_no_more_than_a_file_of_a_log_can_have(remote, server):
    server.answers["/tile/0/000"] = body(bytes(256 * 32 + 1))
    with pytest.raises(FormatError, match="longer than 8192 octets"):
        remote.read_tile(Tile(0, 0))


def test_stops_an_answer_that_takes_for_ever(remote, server, monkeypatch):
    monkeypatch.setattr("missioncontrol.client.http_log._DEADLINE_S", -1)
    with pytest.raises(UnreachableError, match="took longer"):
        remote.read_checkpoint()


def test_says_that_nobody_answers(remote, server):
    server.shutdown()
    server.server_close()
    with pytest.raises(UnreachableError, match="cannot be read"):
        remote.read_checkpoint()


@pytest.mark.parametrize("address", ["ftp://h/log", "file:///etc", "http://", "log"])
def test_refuses_what_is_no_address_of_a_server(address):
    with pytest.raises(UsageError, match="is not an http or https address"):
        HttpLog(address)


class TestToken:
    TOKEN = "mc_0a1b2c3d4e_secret"

    @pytest.fixture
    def guarded(self, log, server):
        log.grow_to(300)
        server.token = self.TOKEN
        return server

    def test_is_shown_with_every_request(self, guarded, log):
        remote = HttpLog(guarded.address, token=self.TOKEN)
        assert remote.read_checkpoint() == log.checkpoints[300].note.format()
        assert remote.read_tile(Tile(0, 0)) == log.folder.read_tile(Tile(0, 0))

    @pytest.mark.parametrize("token", [None, "mc_0a1b2c3d4e_wrong"])
    def test_is_asked_for_at_once_where_it_is_needed(self, guarded, token):
        with pytest.raises(NotAdmittedError, match=r"answers 401 .* --token-file or in MC_TOKEN"):
            HttpLog(guarded.address, token=token).read_checkpoint()
        assert guarded.asked == ["/checkpoint"]

    def test_that_may_not_read_is_told_so(self, guarded):
        guarded.answers["/checkpoint"] = status(403)
        with pytest.raises(NotAdmittedError, match="token given may not read the log"):
            HttpLog(guarded.address, token=self.TOKEN).read_checkpoint()

    @pytest.mark.parametrize("address", ["http://ops.example/log", "http://10.0.0.7:8000/log"])
    def test_never_travels_in_the_clear(self, address):
        with pytest.raises(UsageError, match=r"would travel to .* in the clear"):
            HttpLog(address, token=self.TOKEN)

    @pytest.mark.parametrize(
        "address", ["https://ops.example/log", "http://localhost:1/log", "http://[::1]:1/log"]
    )
    def test_travels_inside_tls_or_this_machine(self, address):
        HttpLog(address, token=self.TOKEN)

    def test_is_not_shown_to_whom_the_server_points(self, guarded):
        guarded.answers["/checkpoint"] = status(302, Location=f"{guarded.address}/tile/0/000")
        remote = HttpLog(guarded.address, token=self.TOKEN, pause_s=0.01)
        assert remote.read_checkpoint()  # at the second try
        assert guarded.asked == ["/checkpoint"] * 2


def test_comes_back_when_a_busy_server_says_so(remote, server, log, monkeypatch):
    slept = []
    monkeypatch.setattr("missioncontrol.client.http_log.time.sleep", slept.append)
    server.answers["/checkpoint"] = status(429, **{"Retry-After": "7"})
    assert remote.read_checkpoint() == log.checkpoints[300].note.format()
    assert slept == [7.0]
    server.answers["/checkpoint"] = status(429, **{"Retry-After": "86400"})
    remote.read_checkpoint()
    assert slept[1:] == [60.0]

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.http import HttpResponse

from missioncontrol.kernel import admission
from missioncontrol.kernel.admission import Admission


class Crowd:
    """Requests that stay inside until they are told to go."""

    def __init__(self) -> None:
        self.inside = 0
        self.most = 0
        self.may_go = threading.Event()
        self.arrived = threading.Semaphore(0)
        self._lock = threading.Lock()

    def answer(self, _request) -> HttpResponse:
        with self._lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        self.arrived.release()
        assert self.may_go.wait(10)
        with self._lock:
            self.inside -= 1
        return HttpResponse()


@pytest.fixture
def crowd(settings):
    settings.REQUESTS_AT_ONCE = 3
    return Crowd()


def test_lets_no_more_in_than_there_are_places_and_the_others_after_them(crowd):
    door = Admission(crowd.answer)
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(door, None) for _ in range(8)]
        for _ in range(3):
            assert crowd.arrived.acquire(timeout=10)
        assert crowd.inside == 3
        crowd.may_go.set()
        assert [each.result(10).status_code for each in answers] == [200] * 8
    assert crowd.most == 3


def test_tells_who_waits_too_long_to_ask_again(crowd, monkeypatch):
    monkeypatch.setattr(admission, "WAIT_S", 0.01)
    door = Admission(crowd.answer)
    with ThreadPoolExecutor(3) as pool:
        for _ in range(3):
            pool.submit(door, None)
            assert crowd.arrived.acquire(timeout=10)
        late = door(None)
        crowd.may_go.set()
    assert (late.status_code, late["Retry-After"]) == (503, "5")
    assert b"Ask again" in late.content


def test_gives_the_place_back_after_a_failure(crowd):
    def fail(_request):
        raise ValueError("broken")

    door = Admission(fail)
    for _ in range(4):
        with pytest.raises(ValueError, match="broken"):
            door(None)

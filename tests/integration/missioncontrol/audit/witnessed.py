"""Witnesses registered in the database, and rounds that run until they rest."""

from __future__ import annotations

import time

from missioncontrol.audit.services import WitnessRounds, register_witness
from tests.integration.missioncontrol.audit.log_entries import AT


def register(members):
    """Register each test witness for an organisation of its own."""
    return [
        register_witness(
            name=member.name,
            organisation=f"member-{number}",
            vkey=member.vkey,
            url=member.url,
            actor="operator:root",
            at=AT,
        )
        for number, member in enumerate(members)
    ]


class Rounds:
    """WitnessRounds on a clock that the test moves."""

    def __init__(self, *, timeout_s=2.0):
        self.rounds = WitnessRounds(timeout_s=timeout_s)
        self.monotonic_s = 0.0

    def step(self):
        return self.rounds.step(at=AT, monotonic_s=self.monotonic_s)

    def settle(self, *, until=None, limit_s=10.0):
        """Step until nobody is asked any more, or *until* holds; return what was stored."""
        stored = self.step()
        deadline = time.monotonic() + limit_s
        while self.rounds._asked and not (until and until()):
            assert time.monotonic() < deadline, self.rounds._asked
            self.rounds.wait(0.05)
            stored += self.step()
        return stored

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uplink.commanding.verification import SETTLED_WITHIN, effect_of, overdue

AT = datetime(2026, 12, 1, 12, tzinfo=UTC)
STAGES = ["ACCEPTANCE", "START", "COMPLETION"]
WAITING = ["EXPIRED", "RELEASED", "RADIATED", "ACCEPTED", "STARTED"]


@dataclass(frozen=True)
class Report:
    stage: str
    success: bool = True
    code: int = 0
    cursor: int = 1
    request_id: int = 1
    at: datetime = AT


class TestEffectOf:
    @pytest.mark.parametrize("state", WAITING)
    def test_completion_completes_also_when_earlier_reports_were_lost(self, state):
        assert effect_of(state, Report("COMPLETION")).state == "COMPLETED"

    @pytest.mark.parametrize(
        ("state", "stage", "reached"),
        [
            ("RADIATED", "ACCEPTANCE", "ACCEPTED"),
            ("ACCEPTED", "START", "STARTED"),
            ("STARTED", "ACCEPTANCE", "STARTED"),
            ("EXPIRED", "ACCEPTANCE", "ACCEPTED"),
            ("RELEASED", "START", "STARTED"),
        ],
    )
    def test_a_report_moves_forwards_only(self, state, stage, reached):
        assert effect_of(state, Report(stage)).state == reached

    @pytest.mark.parametrize("state", WAITING)
    def test_a_failure_at_any_stage_fails_with_stage_and_code(self, state):
        effect = effect_of(state, Report("START", success=False, code=3))
        assert effect.state == "FAILED"
        assert effect.failure == "The spacecraft reports that the start failed, code 3."

    @pytest.mark.parametrize("state", ["COMPLETED", "FAILED", "REJECTED", "SUBMITTED", "APPROVED"])
    @pytest.mark.parametrize("success", [True, False])
    def test_a_final_or_unsent_state_stays(self, state, success):
        assert effect_of(state, Report("COMPLETION", success=success)).state == state

    @given(
        reports=st.lists(st.sampled_from(STAGES), min_size=1),
        again=st.lists(st.integers(0, 20)),
    )
    def test_order_and_repetition_do_not_matter(self, reports, again):
        repeated = reports + [reports[index % len(reports)] for index in again]
        states = []
        for sequence in (reports, repeated, sorted(repeated), sorted(repeated, reverse=True)):
            state = "RELEASED"
            for stage in sequence:
                state = effect_of(state, Report(stage)).state
            states.append(state)
        assert len(set(states)) == 1


class TestOverdue:
    def reason(self, state, *, after_s, accepted_after_s=None):
        return overdue(
            state=state,
            sent_at=AT,
            accepted_at=None
            if accepted_after_s is None
            else AT + timedelta(seconds=accepted_after_s),
            accept_s=120,
            complete_s=300,
            at=AT + timedelta(seconds=after_s),
        )

    def test_waits_until_the_window_for_acceptance_is_over(self):
        assert self.reason("RADIATED", after_s=120) == ""
        assert "did not report acceptance within 120 s" in self.reason("RADIATED", after_s=121)

    def test_leaves_time_to_settle_a_radiation_that_is_unknown(self):
        limit_s = SETTLED_WITHIN.total_seconds()
        assert self.reason("RELEASED", after_s=limit_s) == ""
        reason = self.reason("RELEASED", after_s=limit_s + 1)
        assert reason.startswith("Neither station nor spacecraft showed within 12 h whether it")

    @pytest.mark.parametrize("state", ["ACCEPTED", "STARTED"])
    def test_counts_the_window_for_completion_from_the_acceptance(self, state):
        assert self.reason(state, after_s=400, accepted_after_s=100) == ""
        late = self.reason(state, after_s=401, accepted_after_s=100)
        assert "did not report completion within 300 s" in late

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from uplink.cfdp.timers import Timers

T0 = datetime(2026, 3, 1, tzinfo=UTC)


def after(seconds):
    return T0 + timedelta(seconds=seconds)


class TestTimers:
    def test_expire_in_the_order_of_their_deadlines_and_once(self):
        timers = Timers()
        timers.start("late", T0, 9)
        timers.start("early", T0, 4)
        assert timers.next_deadline() == after(4)
        assert timers.take_expired(after(3.9)) == []
        assert timers.take_expired(after(10)) == ["early", "late"]
        assert timers.take_expired(after(10)) == []
        assert timers.next_deadline() is None

    def test_stand_still_while_suspended(self):
        timers = Timers()
        timers.start("ack", T0, 10)
        timers.suspend(after(4))
        assert timers.next_deadline() is None
        assert timers.take_expired(after(5000)) == []
        assert timers.is_set("ack")
        timers.resume(after(5000))
        assert timers.next_deadline() == after(5006)

    def test_started_while_suspended_begin_to_run_on_resume(self):
        timers = Timers()
        timers.suspend(T0)
        timers.start("nak", after(1), 10)
        timers.resume(after(100))
        assert timers.next_deadline() == after(110)

    def test_stop_while_suspended(self):
        timers = Timers(suspended=True)
        timers.start("nak", T0, 10)
        timers.stop_all()
        timers.resume(T0)
        assert timers.next_deadline() is None

    def test_do_not_count_the_time_between_snapshot_and_restore(self):
        timers = Timers()
        timers.start("ack", T0, 10)
        restored = Timers.restore(timers.snapshot(after(4)), after(900))
        assert restored.next_deadline() == after(906)

    def test_stay_suspended_over_a_restore(self):
        timers = Timers()
        timers.start("ack", T0, 10)
        timers.suspend(after(3))
        restored = Timers.restore(timers.snapshot(after(50)), after(900))
        assert restored.suspended
        restored.resume(after(1000))
        assert restored.next_deadline() == after(1007)

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uplink.tc.farm1 import ControlCommandExecuted, Farm1, FarmState, FrameAccepted, FrameDiscarded
from uplink.tc.tc_frame import SetVr, TcFrame, Unlock, control_frame


def ad(number, **fields):
    plain = {"spacecraft_id": 9, "virtual_channel_id": 1, "bypass": False, "data": b"x"}
    return TcFrame(**(plain | {"frame_sequence_number": number} | fields))


def bd():
    return ad(0, bypass=True)


def bc(command):
    return control_frame(spacecraft_id=9, virtual_channel_id=1, command=command)


def farm(**fields):
    return Farm1(**({"spacecraft_id": 9, "virtual_channel_id": 1, "window_width": 20} | fields))


def locked_out():
    locked = farm()
    locked.receive_frame(ad(10))
    assert locked.state is FarmState.LOCKOUT
    return locked


class TestFarm1:
    @given(
        numbers=st.lists(st.integers(0, 255), max_size=60), window=st.sampled_from([2, 20, 254])
    )
    def test_accepts_ad_frames_in_order_only(self, numbers, window):
        receiver = farm(window_width=window)
        accepted = [
            number
            for number in numbers
            if isinstance(receiver.receive_frame(ad(number)), FrameAccepted)
        ]
        assert accepted == list(range(len(accepted)))
        assert receiver.clcw().report_value == receiver.expected_sequence_number == len(accepted)

    def test_e1_accepts_the_frame_expected_and_ends_the_retransmission(self):
        receiver = farm()
        receiver.receive_frame(ad(1))
        assert receiver.clcw().retransmit
        assert receiver.receive_frame(ad(0)) == FrameAccepted(ad(0))
        assert (receiver.clcw().retransmit, receiver.clcw().report_value) == (False, 1)

    def test_e1_counts_on_from_255_to_0(self):
        receiver = farm()
        receiver.receive_frame(bc(SetVr(255)))
        assert isinstance(receiver.receive_frame(ad(255)), FrameAccepted)
        assert isinstance(receiver.receive_frame(ad(0)), FrameAccepted)
        assert receiver.expected_sequence_number == 1

    def test_e2_waits_while_it_has_no_buffer(self):
        receiver = farm(buffer_frames=1)
        receiver.receive_frame(ad(0))
        assert receiver.receive_frame(ad(1)) == FrameDiscarded(
            "N(S) 1, V(R) 1: no buffer for it, wait"
        )
        assert receiver.state is FarmState.WAIT
        assert (receiver.clcw().wait, receiver.clcw().retransmit) == (True, True)

    def test_e10_takes_frames_again_when_a_buffer_is_released(self):
        receiver = farm(buffer_frames=1)
        receiver.receive_frame(ad(0))
        receiver.receive_frame(ad(1))
        receiver.release_buffer()
        assert receiver.state is FarmState.OPEN
        assert receiver.clcw().retransmit  # until the frame comes again
        assert isinstance(receiver.receive_frame(ad(1)), FrameAccepted)

    @pytest.mark.parametrize("number", [1, 9])
    def test_e3_asks_for_a_missing_frame(self, number):
        receiver = farm()
        event = receiver.receive_frame(ad(number))
        assert event == FrameDiscarded(f"N(S) {number}, V(R) 0: a frame before it is missing")
        assert (receiver.state, receiver.clcw().retransmit) == (FarmState.OPEN, True)

    @pytest.mark.parametrize("number", [255, 246])
    def test_e4_discards_a_frame_it_has_had(self, number):
        receiver = farm()
        event = receiver.receive_frame(ad(number))
        assert event == FrameDiscarded(f"N(S) {number}, V(R) 0: received before")
        assert (receiver.state, receiver.clcw().retransmit) == (FarmState.OPEN, False)

    @pytest.mark.parametrize("number", [10, 128, 245])
    def test_e5_locks_out_on_a_frame_outside_both_windows(self, number):
        receiver = farm()
        receiver.receive_frame(ad(number))
        assert receiver.state is FarmState.LOCKOUT
        assert receiver.clcw().lockout
        assert receiver.receive_frame(ad(0)) == FrameDiscarded("N(S) 0, V(R) 0: lockout")

    @pytest.mark.parametrize("make", [farm, locked_out])
    def test_e6_accepts_every_bd_frame_and_counts_it(self, make):
        receiver = make()
        for count in (1, 2, 3, 0, 1):
            assert receiver.receive_frame(bd()) == FrameAccepted(bd())
            assert receiver.clcw().farm_b_counter == count

    def test_e7_unlock_ends_lockout_and_is_counted(self):
        receiver = locked_out()
        assert receiver.receive_frame(bc(Unlock())) == ControlCommandExecuted(Unlock())
        assert (receiver.state, receiver.clcw().farm_b_counter) == (FarmState.OPEN, 1)

    def test_e7_unlock_ends_wait_and_retransmit(self):
        receiver = farm(buffer_frames=1)
        receiver.receive_frame(ad(0))
        receiver.receive_frame(ad(1))
        receiver.receive_frame(bc(Unlock()))
        assert (receiver.clcw().wait, receiver.clcw().retransmit) == (False, False)

    def test_e8_sets_what_it_expects(self):
        receiver = farm()
        receiver.receive_frame(ad(2))
        receiver.receive_frame(bc(SetVr(77)))
        report = receiver.clcw()
        assert (report.report_value, report.retransmit, report.farm_b_counter) == (77, False, 1)

    def test_e8_changes_nothing_but_the_count_in_lockout(self):
        receiver = locked_out()
        receiver.receive_frame(bc(SetVr(77)))
        report = receiver.clcw()
        assert (report.report_value, report.lockout, report.farm_b_counter) == (0, True, 1)

    def test_e9_discards_a_control_command_it_does_not_know(self):
        receiver = farm()
        event = receiver.receive_frame(ad(0, bypass=True, control_command=True, data=b"\x07"))
        assert isinstance(event, FrameDiscarded)
        assert receiver.clcw().farm_b_counter == 0

    def test_e11_reports_the_flags_of_the_receiver(self):
        report = farm().clcw(no_rf_available=True, no_bit_lock=True, status_field=3)
        assert (report.no_rf_available, report.no_bit_lock, report.status_field) == (True, True, 3)
        assert (report.virtual_channel_id, report.cop_in_effect) == (1, 1)

    @pytest.mark.parametrize("fields", [{"spacecraft_id": 8}, {"virtual_channel_id": 2}])
    def test_discards_a_frame_for_somebody_else(self, fields):
        receiver = farm()
        assert isinstance(receiver.receive_frame(ad(0, **fields)), FrameDiscarded)
        assert receiver.expected_sequence_number == 0

    @pytest.mark.parametrize(
        ("fields", "text"),
        [
            ({"window_width": 0}, "FARM window width 0"),
            ({"window_width": 3}, "FARM window width 3"),
            ({"window_width": 256}, "FARM window width 256"),
            ({"buffer_frames": 0}, "needs at least 1"),
        ],
    )
    def test_refuses_a_setting_that_makes_no_sense(self, fields, text):
        with pytest.raises(ValueError, match=text):
            farm(**fields)

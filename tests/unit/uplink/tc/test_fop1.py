from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.ccsds.clcw import Clcw
from uplink.tc.fop1 import Fop1
from uplink.tc.fop1_effects import (
    AcceptedResponse,
    Alert,
    AlertKind,
    FopParameters,
    NegativeConfirm,
    PositiveConfirm,
    RejectedResponse,
    Suspend,
    TimeoutType,
    TransmitFrame,
)
from uplink.tc.fop1_table import TABLE, State
from uplink.tc.tc_frame import (
    SegmentFlags,
    SegmentHeader,
    SetVr,
    Unlock,
    decode_control_command,
)

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
T1 = timedelta(seconds=30)


def clcw(report_value, **fields):
    quiet = {
        "virtual_channel_id": 1,
        "lockout": False,
        "wait": False,
        "retransmit": False,
        "farm_b_counter": 0,
    }
    return Clcw(**(quiet | {"report_value": report_value} | fields))


def fop(**parameters):
    chosen = FopParameters(**({"window_width": 4, "t1_initial": T1} | parameters))
    return Fop1(spacecraft_id=9, virtual_channel_id=1, parameters=chosen)


def active(*, sent=0, **parameters):
    """Return FOP-1 in state S1 with so many frames sent and none acknowledged."""
    sender = fop(**parameters)
    sender.initiate_ad_without_clcw_check(request_id="init", at=AT)
    for number in range(sent):
        sender.transfer_ad(request_id=f"r{number}", data=bytes([number]), at=AT)
    return sender


def retransmitting(*, sent=3, **parameters):
    sender = active(sent=sent, **parameters)
    sender.on_clcw(clcw(0, retransmit=True), at=AT)
    assert sender.state is State.RETRANSMIT_WITHOUT_WAIT
    return sender


def waiting(*, sent=3, **parameters):
    sender = active(sent=sent, **parameters)
    sender.on_clcw(clcw(0, retransmit=True, wait=True), at=AT)
    assert sender.state is State.RETRANSMIT_WITH_WAIT
    return sender


def suspended(*, sent=2):
    sender = active(sent=sent, transmission_limit=1, timeout_type=TimeoutType.SUSPEND)
    assert sender.on_time(AT + T1) == [Suspend(State.ACTIVE)]
    return sender


def sent_numbers(effects):
    return [e.frame.frame_sequence_number for e in effects if isinstance(e, TransmitFrame)]


def confirmed(effects):
    return [e.request_id for e in effects if isinstance(e, PositiveConfirm)]


def alerts(effects):
    return [e.kind for e in effects if isinstance(e, Alert)]


class TestTransfer:
    def test_numbers_the_frames_and_keeps_them_until_acknowledged(self):
        sender = active()
        for number in range(3):
            header = SegmentHeader(SegmentFlags.UNSEGMENTED, 2)
            [accepted, transmit] = sender.transfer_ad(
                request_id=f"r{number}", data=b"data", segment_header=header, at=AT
            )
            assert accepted == AcceptedResponse(f"r{number}")
            frame = transmit.frame
            assert (frame.bypass, frame.frame_sequence_number) == (False, number)
            assert (frame.spacecraft_id, frame.virtual_channel_id) == (9, 1)
            assert (frame.data, frame.segment_header) == (b"data", header)
        assert (sender.next_frame_sequence_number, sender.unacknowledged_frames) == (3, 3)
        assert sender.on_clcw(clcw(2), at=AT) == [PositiveConfirm("r0"), PositiveConfirm("r1")]
        assert sender.unacknowledged_frames == 1

    def test_lets_one_request_wait_for_the_window_and_rejects_the_next(self):
        sender = active(sent=4)
        assert sender.transfer_ad(request_id="waits", data=b"w", at=AT) == []
        assert not sender.can_accept_ad
        assert sender.transfer_ad(request_id="too many", data=b"t", at=AT) == [
            RejectedResponse("too many", "another AD request waits for room in the window")
        ]
        effects = sender.on_clcw(clcw(1), at=AT)
        assert effects[:2] == [PositiveConfirm("r0"), AcceptedResponse("waits")]
        assert sent_numbers(effects) == [4]
        assert sender.can_accept_ad

    def test_counts_on_from_255_to_0(self):
        sender = fop()
        sender.set_vs(request_id="v", value=254, at=AT)
        sender.initiate_ad_without_clcw_check(request_id="init", at=AT)
        numbers = []
        for name in "abc":
            numbers += sent_numbers(sender.transfer_ad(request_id=name, data=b"x", at=AT))
        assert numbers == [254, 255, 0]
        assert confirmed(sender.on_clcw(clcw(0), at=AT)) == ["a", "b"]

    @pytest.mark.parametrize("make", [fop, active, retransmitting, waiting, suspended])
    def test_sends_bd_frames_in_every_state(self, make):
        sender = make()
        before = sender.state
        [accepted, transmit] = sender.transfer_bd(request_id="b", data=b"now", at=AT)
        assert accepted == AcceptedResponse("b")
        assert (transmit.frame.bypass, transmit.frame.control_command) == (True, False)
        assert sender.state is before

    def test_rejects_ad_frames_before_the_service_is_initiated(self):
        assert fop().transfer_ad(request_id="r", data=b"x", at=AT) == [
            RejectedResponse("r", "the AD service is not active (state INITIAL)")
        ]


class TestInitiation:
    def test_begins_at_once_without_clcw_check(self):
        sender = fop()
        assert sender.initiate_ad_without_clcw_check(request_id="i", at=AT) == [
            AcceptedResponse("i"),
            PositiveConfirm("i"),
        ]
        assert sender.state is State.ACTIVE

    def test_waits_for_the_clcw_that_expects_its_number(self):
        sender = fop()
        assert sender.initiate_ad_with_clcw_check(request_id="i", at=AT) == [AcceptedResponse("i")]
        assert sender.next_deadline() == AT + T1
        assert sender.on_clcw(clcw(0), at=AT) == [PositiveConfirm("i")]
        assert (sender.state, sender.next_deadline()) == (State.ACTIVE, None)

    def test_ends_when_the_clcw_expects_another_number(self):
        sender = fop()
        sender.initiate_ad_with_clcw_check(request_id="i", at=AT)
        effects = sender.on_clcw(clcw(5), at=AT)
        assert effects == [NegativeConfirm("i", AlertKind.NNR.value), Alert(AlertKind.NNR)]
        assert sender.state is State.INITIAL

    def test_unlocks_and_waits_for_the_end_of_lockout(self):
        sender = fop()
        [accepted, transmit] = sender.initiate_ad_with_unlock(request_id="i", at=AT)
        assert accepted == AcceptedResponse("i")
        assert transmit.frame.control_command
        assert decode_control_command(transmit.frame.data) == Unlock()
        assert sender.on_clcw(clcw(0, lockout=True), at=AT) == []
        assert sender.on_clcw(clcw(0), at=AT) == [PositiveConfirm("i")]
        assert sender.state is State.ACTIVE

    def test_sets_both_ends_to_a_number(self):
        sender = fop()
        [_, transmit] = sender.initiate_ad_with_set_vr(request_id="i", value=200, at=AT)
        assert decode_control_command(transmit.frame.data) == SetVr(200)
        assert sender.on_clcw(clcw(13), at=AT) == []
        assert sender.on_clcw(clcw(200), at=AT) == [PositiveConfirm("i")]
        assert sent_numbers(sender.transfer_ad(request_id="r", data=b"x", at=AT)) == [200]

    @pytest.mark.parametrize("timeout_type", TimeoutType)
    def test_repeats_a_control_command_up_to_the_limit(self, timeout_type):
        sender = fop(transmission_limit=3, timeout_type=timeout_type)
        sent = sender.initiate_ad_with_set_vr(request_id="i", value=7, at=AT)[1]
        for repeat in (1, 2):
            assert sender.on_time(AT + repeat * T1) == [sent]
        assert sender.on_time(AT + 3 * T1) == [
            NegativeConfirm("i", AlertKind.T1.value),
            Alert(AlertKind.T1),
        ]
        assert sender.state is State.INITIAL

    def test_is_refused_while_active(self):
        sender = active()
        for directive in (
            sender.initiate_ad_without_clcw_check,
            sender.initiate_ad_with_clcw_check,
            sender.initiate_ad_with_unlock,
        ):
            assert directive(request_id="i", at=AT) == [
                RejectedResponse("i", "state ACTIVE; terminate the AD service first")
            ]
        assert sender.state is State.ACTIVE

    def test_a_new_initiation_gives_the_suspended_frames_back(self):
        sender = suspended(sent=2)
        effects = sender.initiate_ad_without_clcw_check(request_id="i", at=AT)
        reason = "the AD service is initiated anew"
        assert effects == [
            AcceptedResponse("i"),
            NegativeConfirm("r0", reason),
            NegativeConfirm("r1", reason),
            PositiveConfirm("i"),
        ]

    @pytest.mark.parametrize("value", [-1, 256])
    def test_refuses_a_number_that_no_frame_has(self, value):
        with pytest.raises(ValueError, match=f"frame sequence number {value} is outside 0 to 255"):
            fop().initiate_ad_with_set_vr(request_id="i", value=value, at=AT)


class TestClcw:
    """Table 5-1, row by row; the frames sent have the numbers 0, 1, 2."""

    def test_e1_changes_nothing_when_all_is_acknowledged(self):
        sender = active()
        assert sender.on_clcw(clcw(0), at=AT) == []
        assert sender.state is State.ACTIVE

    @pytest.mark.parametrize("make", [retransmitting, waiting, lambda: active(sent=3)])
    def test_e2_all_acknowledged_stops_the_timer(self, make):
        sender = make()
        assert confirmed(sender.on_clcw(clcw(3), at=AT)) == ["r0", "r1", "r2"]
        assert (sender.state, sender.next_deadline()) == (State.ACTIVE, None)

    @pytest.mark.parametrize("make", [retransmitting, waiting, lambda: active(sent=3)])
    def test_e6_some_acknowledged_goes_on(self, make):
        sender = make()
        assert confirmed(sender.on_clcw(clcw(2), at=AT)) == ["r0", "r1"]
        assert sender.state is State.ACTIVE
        assert sender.next_deadline() is not None

    def test_e5_nothing_new_is_ignored_while_active(self):
        sender = active(sent=3)
        assert sender.on_clcw(clcw(0), at=AT) == []
        assert sender.state is State.ACTIVE

    @pytest.mark.parametrize("make", [retransmitting, waiting])
    def test_e5_the_retransmit_flag_may_not_fall_by_itself(self, make):
        sender = make()
        effects = sender.on_clcw(clcw(0), at=AT)
        assert alerts(effects) == [AlertKind.SYNCH]
        assert [e.request_id for e in effects if isinstance(e, NegativeConfirm)] == [
            "r0",
            "r1",
            "r2",
        ]
        assert (sender.state, sender.unacknowledged_frames) == (State.INITIAL, 0)

    @pytest.mark.parametrize("make", [retransmitting, waiting, lambda: active(sent=3)])
    @pytest.mark.parametrize(
        ("report", "kind"),
        [
            (clcw(3, wait=True), AlertKind.CLCW),  # E3
            (clcw(3, retransmit=True), AlertKind.SYNCH),  # E4
            (clcw(1, wait=True), AlertKind.CLCW),  # E7
            (clcw(4), AlertKind.NNR),  # E13, beyond V(S)
            (clcw(255), AlertKind.NNR),  # E13, before NN(R)
            (clcw(1, lockout=True), AlertKind.LOCKOUT),  # E14
        ],
    )
    def test_e3_e4_e7_e13_e14_end_the_service(self, make, report, kind):
        sender = make()
        assert alerts(sender.on_clcw(report, at=AT)) == [kind]
        assert (sender.state, sender.next_deadline()) == (State.INITIAL, None)

    @pytest.mark.parametrize(
        ("report", "acknowledged"),
        [(clcw(1, retransmit=True), ["r0"]), (clcw(0, retransmit=True), [])],
    )
    def test_e101_e102_end_the_service_when_frames_go_only_once(self, report, acknowledged):
        effects = active(sent=3, transmission_limit=1).on_clcw(report, at=AT)
        assert confirmed(effects) == acknowledged
        assert alerts(effects) == [AlertKind.LIMIT]

    @pytest.mark.parametrize("make", [retransmitting, waiting, lambda: active(sent=3)])
    def test_e8_sends_again_what_is_left(self, make):
        sender = make()
        effects = sender.on_clcw(clcw(1, retransmit=True), at=AT)
        assert (confirmed(effects), sent_numbers(effects)) == (["r0"], [1, 2])
        assert sender.state is State.RETRANSMIT_WITHOUT_WAIT

    @pytest.mark.parametrize("make", [retransmitting, waiting, lambda: active(sent=3)])
    def test_e9_holds_back_while_told_to_wait(self, make):
        sender = make()
        effects = sender.on_clcw(clcw(1, retransmit=True, wait=True), at=AT)
        assert (confirmed(effects), sent_numbers(effects)) == (["r0"], [])
        assert sender.state is State.RETRANSMIT_WITH_WAIT

    @pytest.mark.parametrize("make", [waiting, lambda: active(sent=3)])
    def test_e10_sends_all_again(self, make):
        sender = make()
        effects = sender.on_clcw(clcw(0, retransmit=True), at=AT + T1 / 2)
        assert sent_numbers(effects) == [0, 1, 2]
        assert sender.state is State.RETRANSMIT_WITHOUT_WAIT
        assert sender.next_deadline() == AT + T1 / 2 + T1

    def test_e10_is_not_repeated_for_each_clcw(self):
        sender = retransmitting()
        assert sender.on_clcw(clcw(0, retransmit=True), at=AT) == []

    @pytest.mark.parametrize("make", [retransmitting, waiting, lambda: active(sent=3)])
    def test_e11_waits(self, make):
        sender = make()
        assert sender.on_clcw(clcw(0, retransmit=True, wait=True), at=AT) == []
        assert sender.state is State.RETRANSMIT_WITH_WAIT

    def test_e12_e103_send_nothing_beyond_the_limit(self):
        sender = retransmitting(transmission_limit=2)
        assert sender.on_clcw(clcw(0, retransmit=True, wait=True), at=AT) == []
        assert sender.state is State.RETRANSMIT_WITH_WAIT
        assert sender.on_clcw(clcw(0, retransmit=True), at=AT) == []
        assert sender.state is State.RETRANSMIT_WITHOUT_WAIT

    def test_e15_an_invalid_clcw_ends_the_service(self):
        assert alerts(active(sent=1).on_invalid_clcw(at=AT)) == [AlertKind.CLCW]

    def test_a_waiting_request_is_rejected_when_the_service_ends(self):
        sender = active(sent=4)
        sender.transfer_ad(request_id="waits", data=b"w", at=AT)
        effects = sender.on_clcw(clcw(0, lockout=True), at=AT)
        assert RejectedResponse("waits", AlertKind.LOCKOUT.value) in effects

    @pytest.mark.parametrize(
        "report", [clcw(9, virtual_channel_id=2), clcw(9, cop_in_effect=0, lockout=True)]
    )
    def test_takes_no_notice_of_another_channel_or_cop(self, report):
        sender = active(sent=1)
        assert sender.on_clcw(report, at=AT) == []
        assert sender.state is State.ACTIVE

    def test_takes_no_notice_of_any_clcw_before_initiation(self):
        sender = fop()
        for report in (clcw(7), clcw(0, lockout=True), clcw(0, wait=True, retransmit=True)):
            assert sender.on_clcw(report, at=AT) == []
        assert sender.on_invalid_clcw(at=AT) == []


class TestTimer:
    def test_does_nothing_before_its_time(self):
        sender = active(sent=1)
        assert sender.on_time(AT + T1 - timedelta(microseconds=1)) == []
        assert sender.next_deadline() == AT + T1

    def test_does_not_run_while_nothing_is_unacknowledged(self):
        sender = active()
        assert sender.next_deadline() is None
        assert sender.on_time(AT + 100 * T1) == []

    @pytest.mark.parametrize("timeout_type", TimeoutType)
    def test_e16_e104_sends_all_again_below_the_limit(self, timeout_type):
        sender = active(sent=3, transmission_limit=2, timeout_type=timeout_type)
        assert sent_numbers(sender.on_time(AT + T1)) == [0, 1, 2]
        assert sender.next_deadline() == AT + 2 * T1

    def test_e17_ends_the_service_at_the_limit(self):
        sender = active(sent=1, transmission_limit=1)
        assert sender.on_time(AT + T1) == [
            NegativeConfirm("r0", AlertKind.T1.value),
            Alert(AlertKind.T1),
        ]
        assert (sender.state, sender.next_deadline()) == (State.INITIAL, None)

    def test_an_acknowledgement_begins_the_count_anew(self):
        sender = active(sent=2, transmission_limit=2)
        sender.on_time(AT + T1)
        sender.on_clcw(clcw(1), at=AT + T1)
        assert sent_numbers(sender.on_time(AT + 2 * T1)) == [1]

    @pytest.mark.parametrize("timeout_type", TimeoutType)
    def test_sends_nothing_while_told_to_wait(self, timeout_type):
        sender = waiting(transmission_limit=2, timeout_type=timeout_type)
        assert sender.on_time(AT + T1) == []
        assert sender.state is State.RETRANSMIT_WITH_WAIT

    def test_a_link_that_failed_ends_the_service(self):
        assert alerts(active(sent=1).on_link_failed(at=AT)) == [AlertKind.LLIF]


class TestSuspension:
    @pytest.mark.parametrize(
        ("make", "state"),
        [
            (active, State.ACTIVE),
            (retransmitting, State.RETRANSMIT_WITHOUT_WAIT),
            (waiting, State.RETRANSMIT_WITH_WAIT),
        ],
    )
    def test_e18_resumes_in_the_state_it_left(self, make, state):
        limit = 2 if make is retransmitting else 1
        sender = make(sent=3, transmission_limit=3, timeout_type=TimeoutType.SUSPEND)
        sender.set_parameters(
            FopParameters(
                t1_initial=T1, transmission_limit=limit, timeout_type=TimeoutType.SUSPEND
            )
        )
        assert sender.on_time(AT + T1) == [Suspend(state)]
        assert (sender.state, sender.is_suspended) == (State.INITIAL, True)
        assert sender.next_deadline() is None
        assert sender.resume_ad(request_id="go on", at=AT + 5 * T1) == [
            AcceptedResponse("go on"),
            PositiveConfirm("go on"),
        ]
        assert (sender.state, sender.is_suspended) == (state, False)
        assert sender.next_deadline() == AT + 6 * T1
        assert confirmed(sender.on_clcw(clcw(3), at=AT + 5 * T1)) == ["r0", "r1", "r2"]

    def test_e104_suspends_an_initiation_that_saw_no_clcw(self):
        sender = fop(timeout_type=TimeoutType.SUSPEND)
        sender.initiate_ad_with_clcw_check(request_id="i", at=AT)
        assert sender.on_time(AT + T1) == [Suspend(State.INITIALISING_WITHOUT_BC_FRAME)]
        assert confirmed(sender.resume_ad(request_id="go on", at=AT + T1)) == ["go on"]
        assert confirmed(sender.on_clcw(clcw(0), at=AT + T1)) == ["i"]

    def test_e30_cannot_resume_what_was_not_suspended(self):
        for make in (fop, active):
            assert make().resume_ad(request_id="r", at=AT) == [
                RejectedResponse("r", "the AD service is not suspended")
            ]

    def test_termination_ends_a_suspension(self):
        sender = suspended(sent=1)
        assert sender.terminate_ad(request_id="end", at=AT) == [
            AcceptedResponse("end"),
            NegativeConfirm("r0", AlertKind.TERM.value),
            Alert(AlertKind.TERM),
            PositiveConfirm("end"),
        ]
        assert not sender.is_suspended

    def test_e35_cannot_set_vs_while_suspended_or_active(self):
        assert suspended().set_vs(request_id="v", value=1, at=AT) == [
            RejectedResponse("v", "the AD service is suspended; terminate it")
        ]
        assert active().set_vs(request_id="v", value=1, at=AT) == [
            RejectedResponse("v", "state ACTIVE; terminate the AD service first")
        ]


class TestTermination:
    @pytest.mark.parametrize("make", [retransmitting, waiting, lambda: active(sent=3)])
    def test_gives_every_frame_back_unconfirmed(self, make):
        sender = make()
        effects = sender.terminate_ad(request_id="end", at=AT)
        assert [e.request_id for e in effects if isinstance(e, NegativeConfirm)] == [
            "r0",
            "r1",
            "r2",
        ]
        assert (alerts(effects), confirmed(effects)) == ([AlertKind.TERM], ["end"])
        assert sender.state is State.INITIAL

    def test_keeps_the_number_for_the_next_initiation(self):
        sender = active(sent=3)
        sender.terminate_ad(request_id="end", at=AT)
        sender.initiate_ad_with_clcw_check(request_id="i", at=AT)
        assert confirmed(sender.on_clcw(clcw(3), at=AT)) == ["i"]
        assert sent_numbers(sender.transfer_ad(request_id="r", data=b"x", at=AT)) == [3]


class TestParameters:
    @pytest.mark.parametrize(
        ("fields", "text"),
        [
            ({"window_width": 0}, "FOP window width 0 is outside 1 to 255"),
            ({"window_width": 256}, "FOP window width 256 is outside 1 to 255"),
            ({"transmission_limit": 0}, "transmission limit 0 is outside 1 to 255"),
            ({"t1_initial": timedelta()}, "timer of 0.0 s; it must be above 0"),
        ],
    )
    def test_refuses_what_cannot_work(self, fields, text):
        with pytest.raises(ValueError, match=text):
            FopParameters(**fields)


reports = st.builds(
    clcw,
    st.integers(0, 8) | st.integers(250, 255),
    lockout=st.sampled_from([False, False, False, True]),
    wait=st.booleans(),
    retransmit=st.booleans(),
)
steps = st.one_of(
    st.tuples(st.just("on_clcw"), reports),
    st.tuples(st.just("on_time"), st.integers(0, 90)),
    st.tuples(st.sampled_from(["on_invalid_clcw", "on_link_failed"]), st.none()),
    st.tuples(
        st.sampled_from(
            [
                "initiate_ad_without_clcw_check",
                "initiate_ad_with_clcw_check",
                "initiate_ad_with_unlock",
                "terminate_ad",
                "resume_ad",
            ]
        ),
        st.none(),
    ),
    st.tuples(st.sampled_from(["initiate_ad_with_set_vr", "set_vs"]), st.integers(0, 255)),
    st.tuples(st.sampled_from(["transfer_ad", "transfer_bd"]), st.binary(min_size=1, max_size=4)),
)


def take(sender, name, argument, *, number, at):
    """Call the method *name* with what it wants; return its effects."""
    method = getattr(sender, name)
    if name == "on_clcw":
        return method(argument, at=at)
    if name == "on_time":
        return method(at)
    if name.startswith("on_"):
        return method(at=at)
    if name.startswith("transfer"):
        return method(request_id=f"t{number}", data=argument, at=at)
    if argument is not None:
        return method(request_id=f"t{number}", value=argument, at=at)
    return method(request_id=f"t{number}", at=at)


def run(sender, taken, *, restoring):
    effects, at = [], AT
    for number, (name, argument) in enumerate(taken):
        if name == "on_time":
            at += timedelta(seconds=argument)
        effects.append(take(sender, name, argument, number=number, at=at))
        if restoring:
            sender = Fop1.restore(json.loads(json.dumps(sender.snapshot())))
    return effects


class TestAnySequence:
    @given(
        taken=st.lists(steps, max_size=40),
        limit=st.integers(1, 3),
        timeout_type=st.sampled_from(TimeoutType),
        begun=st.integers(0, 4),
    )
    def test_never_meets_a_pair_that_the_table_excludes(self, taken, limit, timeout_type, begun):
        sender = active(sent=begun, transmission_limit=limit, timeout_type=timeout_type)
        effects = run(sender, taken, restoring=False)
        finished = [
            effect.request_id
            for effect in chain.from_iterable(effects)
            if isinstance(effect, PositiveConfirm | NegativeConfirm | RejectedResponse)
        ]
        assert len(finished) == len(set(finished))  # no request ends twice

    @given(taken=st.lists(steps, max_size=40), timeout_type=st.sampled_from(TimeoutType))
    def test_does_the_same_when_restored_after_every_step(self, taken, timeout_type):
        senders = [active(sent=2, transmission_limit=2, timeout_type=timeout_type) for _ in "ab"]
        straight = run(senders[0], taken, restoring=False)
        assert run(senders[1], taken, restoring=True) == straight

    def test_refuses_a_snapshot_of_another_version(self):
        with pytest.raises(ValueError, match="version 0, this program reads version 1"):
            Fop1.restore(active().snapshot() | {"version": 0})


class TestTable:
    def test_has_a_cell_for_every_state(self):
        assert all(len(row) == len(State) for row in TABLE.values())

    def test_leads_to_the_initial_state_after_every_alert(self):
        for event, row in TABLE.items():
            for actions, next_state in filter(None, row):
                if any(action.name.startswith("ALERT_") for action in actions):
                    assert next_state is State.INITIAL, event

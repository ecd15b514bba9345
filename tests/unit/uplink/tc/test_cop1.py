"""Both ends of COP-1, joined by a wire that loses, doubles and spoils what it carries."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.ccsds.clcw import decode_clcw
from telemetry.ccsds.frame_builder import VirtualChannelMultiplexer
from telemetry.ccsds.frame_fault import FrameError
from telemetry.ccsds.tm_frame import TmFrameFormat, decode_tm_frame
from uplink.tc.cltu import CltuReceived, CltuReceiver, encode_cltu
from uplink.tc.farm1 import Farm1, FrameAccepted
from uplink.tc.fop1 import Fop1
from uplink.tc.fop1_effects import (
    Alert,
    AlertKind,
    FopParameters,
    NegativeConfirm,
    PositiveConfirm,
    RejectedResponse,
    TransmitFrame,
)
from uplink.tc.fop1_table import State
from uplink.tc.tc_frame import (
    TcFrameError,
    TcFrameFormat,
    decode_tc_frame,
    encode_tc_frame,
    split_frames,
)

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
STEP = timedelta(seconds=1)
SPACECRAFT, CHANNEL = 9, 1
TC_FORMAT = TcFrameFormat(has_segment_header=False)
TM_FORMAT = TmFrameFormat(frame_length_octets=20, has_ocf=True, has_fecf=True)

# What happens to one transmission: the bits to turn, or how often it arrives.
fates = st.lists(
    st.one_of(
        st.sampled_from([1, 1, 0, 2]),
        st.frozensets(st.integers(0, 159), min_size=1, max_size=5),
    ),
    max_size=80,
)


class Wire:
    """Carries octets; when the fates it was given run out, it carries all of them well."""

    def __init__(self, drawn):
        self._fates = iter(drawn)

    def carry(self, octets):
        fate = next(self._fates, 1)
        if isinstance(fate, int):
            return [octets] * fate
        spoilt = int.from_bytes(octets, "big")
        for bit in fate:
            spoilt ^= 1 << bit % (8 * len(octets))
        return [spoilt.to_bytes(len(octets), "big")]


class Spacecraft:
    def __init__(self, **fields):
        self.farm = Farm1(
            spacecraft_id=SPACECRAFT, virtual_channel_id=CHANNEL, window_width=16, **fields
        )
        self._receiver = CltuReceiver(randomised=True)
        self._downlink = VirtualChannelMultiplexer(
            spacecraft_id=SPACECRAFT, frame_format=TM_FORMAT
        )
        self.accepted = []

    def hear(self, octets):
        for event in self._receiver.receive(octets + b"\x55" * 16):
            if not isinstance(event, CltuReceived):
                continue
            for frame in split_frames(event.octets):
                self._take(frame)

    def _take(self, octets):
        try:
            frame = decode_tc_frame(octets, TC_FORMAT)
        except TcFrameError:
            return
        event = self.farm.receive_frame(frame)
        if isinstance(event, FrameAccepted):
            self.accepted.append(event.frame.data)

    def speak(self):
        return self._downlink.next_frame(self.farm.clcw().encode())


class Pass:
    """Drives FOP-1 against a spacecraft, one second of mission time at a step."""

    def __init__(self, *, up, down, restart=(), limit=255, **spacecraft):
        self.spacecraft = Spacecraft(**spacecraft)
        self.fop = Fop1(
            spacecraft_id=SPACECRAFT,
            virtual_channel_id=CHANNEL,
            parameters=FopParameters(
                window_width=8, t1_initial=4 * STEP, transmission_limit=limit
            ),
        )
        self.at = AT
        self.log = []
        self._up, self._down = Wire(up), Wire(down)
        self._restart = set(restart)
        self._steps = 0

    def carry_out(self, effects):
        self.log += effects
        for effect in effects:
            if isinstance(effect, TransmitFrame):
                cltu = encode_cltu(encode_tc_frame(effect.frame, TC_FORMAT), randomised=True)
                for arrived in self._up.carry(cltu):
                    self.spacecraft.hear(arrived)

    def step(self):
        self.at += STEP
        self._steps += 1
        for octets in self._down.carry(self.spacecraft.speak()):
            try:
                frame = decode_tm_frame(octets, TM_FORMAT)
            except FrameError:
                continue
            self.carry_out(self.fop.on_clcw(decode_clcw(frame.ocf), at=self.at))
        self.carry_out(self.fop.on_time(self.at))
        if self._steps in self._restart:
            self.fop = Fop1.restore(json.loads(json.dumps(self.fop.snapshot())))

    def initiate(self):
        name = f"init {self._steps}"
        number = self.fop.next_frame_sequence_number
        if self.spacecraft.farm.clcw().lockout:
            self.carry_out(self.fop.initiate_ad_with_unlock(request_id=name, at=self.at))
        else:
            self.carry_out(
                self.fop.initiate_ad_with_set_vr(request_id=name, value=number, at=self.at)
            )

    def send_all(self, payloads, *, initiate_again):
        """Ask for each payload once; return when FOP-1 has an answer about every one."""
        waiting = list(enumerate(payloads))
        for _ in range(2000):
            if self.fop.state is State.INITIAL and initiate_again:
                self.initiate()
            while waiting and self.fop.can_accept_ad:
                number, payload = waiting.pop(0)
                self.carry_out(
                    self.fop.transfer_ad(request_id=f"r{number}", data=payload, at=self.at)
                )
            self.step()
            answered = self.answers(PositiveConfirm, NegativeConfirm, RejectedResponse)
            if len(answered) == len(payloads):
                return
        raise AssertionError(f"no answer about {len(payloads) - len(answered)} requests")

    def answers(self, *kinds):
        return [
            effect.request_id
            for effect in self.log
            if isinstance(effect, kinds) and effect.request_id.startswith("r")
        ]


payload_lists = st.lists(st.binary(min_size=1, max_size=12), max_size=25).map(
    lambda payloads: [bytes([number]) + payload for number, payload in enumerate(payloads)]
)


class TestCop1:
    @given(
        payloads=payload_lists,
        up=fates,
        down=fates,
        restart=st.sets(st.integers(1, 60)),
        first=st.integers(0, 255),
    )
    @settings(deadline=None)
    def test_delivers_everything_once_and_in_order(self, payloads, up, down, restart, first):
        contact = Pass(up=up, down=down, restart=restart)
        contact.carry_out(
            contact.fop.initiate_ad_with_set_vr(request_id="init", value=first, at=AT)
        )
        contact.send_all(payloads, initiate_again=False)
        assert contact.spacecraft.accepted == payloads
        assert contact.answers(PositiveConfirm) == [f"r{n}" for n in range(len(payloads))]
        assert not any(isinstance(effect, Alert) for effect in contact.log)

    @given(payloads=payload_lists, up=fates, down=fates, every=st.integers(1, 5))
    @settings(deadline=None)
    def test_delivers_everything_to_a_spacecraft_that_often_cannot_take_more(
        self, payloads, up, down, every
    ):
        contact = Pass(up=up, down=down, buffer_frames=2)
        plain_step = contact.step

        def step():
            plain_step()
            if contact.at.second % every == 0:
                contact.spacecraft.farm.release_buffer()

        contact.step = step
        contact.carry_out(contact.fop.initiate_ad_with_set_vr(request_id="i", value=0, at=AT))
        contact.send_all(payloads, initiate_again=False)
        assert contact.spacecraft.accepted == payloads
        assert not any(isinstance(effect, Alert) for effect in contact.log)

    @given(payloads=payload_lists, up=fates, down=fates, limit=st.integers(1, 3))
    @settings(deadline=None)
    def test_never_delivers_twice_nor_out_of_order_though_the_service_ends_often(
        self, payloads, up, down, limit
    ):
        contact = Pass(up=up, down=down, limit=limit)
        contact.send_all(payloads, initiate_again=True)
        accepted = contact.spacecraft.accepted
        numbers = [payload[0] for payload in accepted]
        assert numbers == sorted(set(numbers))
        confirmed = {int(name[1:]) for name in contact.answers(PositiveConfirm)}
        assert confirmed <= set(numbers)

    def test_goes_on_at_the_next_pass_where_the_last_one_stopped(self):
        contact = Pass(up=[], down=[])
        contact.carry_out(contact.fop.initiate_ad_with_clcw_check(request_id="init", at=AT))
        contact.send_all([b"\x00", b"\x01"], initiate_again=False)
        contact.carry_out(contact.fop.terminate_ad(request_id="los", at=contact.at))
        kept = json.dumps(contact.fop.snapshot())

        contact.fop = Fop1.restore(json.loads(kept))
        contact.at += timedelta(hours=2)
        contact.log.clear()
        contact.carry_out(contact.fop.initiate_ad_with_clcw_check(request_id="aos", at=contact.at))
        contact.send_all([b"\x02"], initiate_again=False)
        assert contact.spacecraft.accepted == [b"\x00", b"\x01", b"\x02"]

    def test_recovers_from_lockout_with_unlock(self):
        contact = Pass(up=[], down=[])
        contact.carry_out(contact.fop.set_vs(request_id="v", value=100, at=AT))
        contact.carry_out(contact.fop.initiate_ad_without_clcw_check(request_id="i", at=AT))
        contact.carry_out(contact.fop.transfer_ad(request_id="r0", data=b"far ahead", at=AT))
        contact.step()
        assert contact.log[-1] == Alert(AlertKind.LOCKOUT)
        contact.carry_out(contact.fop.set_vs(request_id="v", value=0, at=contact.at))
        contact.carry_out(contact.fop.initiate_ad_with_unlock(request_id="u", at=contact.at))
        contact.step()
        assert contact.fop.state is State.ACTIVE
        contact.log.clear()
        contact.send_all([b"now"], initiate_again=False)
        assert contact.spacecraft.accepted == [b"now"]

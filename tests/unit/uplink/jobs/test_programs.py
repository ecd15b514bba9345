from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missioncontrol.simulator import programs as onboard
from uplink.jobs.programs import (
    MAX_INPUT_OCTETS,
    MAX_OUTPUT_OCTETS,
    Program,
    ProgramInputError,
    check_input,
)


def matrices(rows, inner, columns, *, extra=b""):
    floats = rows * inner + inner * columns
    return struct.pack(">HHH", rows, inner, columns) + bytes(4 * floats) + extra


def image(width=3, height=2, brightest=255, *, pixels=None, header=None):
    head = header or f"P5\n{width} {height}\n{brightest}\n".encode()
    return head + (bytes(width * height) if pixels is None else pixels)


class TestCheckInput:
    @pytest.mark.parametrize(
        ("program", "octets"),
        [
            (Program.SHA256, b"x"),
            (Program.SHA256, b"x" * MAX_INPUT_OCTETS),
            (Program.MATRIX_PRODUCT, matrices(1, 1, 1)),
            (Program.MATRIX_PRODUCT, matrices(64, 32, 16)),
            (Program.MATRIX_PRODUCT, matrices(2048, 1, 2048)),
            (Program.IMAGE_STATISTICS, image()),
            (Program.IMAGE_STATISTICS, image(1, 1, 1)),
            (Program.IMAGE_STATISTICS, image(header=b"P5 3 2 255 ")),
            (Program.IMAGE_STATISTICS, image(header=b"P5\n# a comment\n3 2\n255\n")),
            # The pixels may look like white space or a comment.
            (Program.IMAGE_STATISTICS, image(pixels=b"\n# \n\t ")),
        ],
    )
    def test_takes_what_the_program_on_board_takes(self, program, octets):
        check_input(program, octets)
        assert onboard.run_program(program, octets)

    @pytest.mark.parametrize(
        ("program", "octets", "complaint"),
        [
            (Program.SHA256, b"", "The input of SHA256 is empty"),
            (Program.SHA256, b"x" * (MAX_INPUT_OCTETS + 1), "the limit is 4194304"),
            (Program.MATRIX_PRODUCT, b"\0\1\0", "3 octets hold no shape"),
            (Program.MATRIX_PRODUCT, matrices(2, 2, 2, extra=b"\0"), "takes 38 octets; the input"),
            (Program.MATRIX_PRODUCT, matrices(2, 2, 2)[:-1], "the input has 37"),
            (Program.MATRIX_PRODUCT, matrices(0, 3, 3), "n=0, k=3, m=3"),
            (Program.MATRIX_PRODUCT, matrices(65535, 1, 65535), "17179344900 octets; the limit"),
            (Program.IMAGE_STATISTICS, b"P6\n3 2\n255\n" + bytes(6), "begins with b'P6'"),
            (Program.IMAGE_STATISTICS, b"P5\n3 2\n", "No PGM header"),
            (Program.IMAGE_STATISTICS, b"P5\n3 2\n255", "0 follow its header"),
            (Program.IMAGE_STATISTICS, b"P5 # never ends", "No PGM header"),
            (Program.IMAGE_STATISTICS, image(brightest=256), "values up to 256"),
            (Program.IMAGE_STATISTICS, image(brightest=0), "values up to 0"),
            (Program.IMAGE_STATISTICS, image(0, 5), "image of 0 x 5"),
            (Program.IMAGE_STATISTICS, image(pixels=bytes(5)), "5 follow its header"),
            (Program.IMAGE_STATISTICS, image(pixels=bytes(7)), "7 follow its header"),
            (Program.IMAGE_STATISTICS, image(header=b"P5 -3 2 255 "), "not with P5"),
            (Program.IMAGE_STATISTICS, image(header=b"P5 3.0 2 255 "), "not with P5"),
            (
                Program.IMAGE_STATISTICS,
                b"P5 " + b"9" * 5000 + b" 2 255 " + bytes(6),
                "not with P5",
            ),
        ],
    )
    def test_refuses_what_would_only_fail_on_board(self, program, octets, complaint):
        with pytest.raises(ProgramInputError, match=complaint):
            check_input(program, octets)

    @given(program=st.sampled_from(Program), octets=st.binary(max_size=60))
    def test_agrees_with_the_program_on_board(self, program, octets):
        """Whatever is taken here runs there."""
        try:
            check_input(program, octets)
        except ProgramInputError:
            return
        onboard.run_program(program, octets)

    @given(octets=st.binary(max_size=40).map(lambda tail: b"P5 " + tail))
    def test_raises_nothing_else_on_a_broken_image(self, octets):
        with contextlib.suppress(ProgramInputError):
            check_input(Program.IMAGE_STATISTICS, octets)


def test_every_program_runs_on_board_and_says_what_it_takes():
    assert {program.value for program in Program} == set(onboard.PROGRAMS)
    assert all(program.description for program in Program)
    assert MAX_OUTPUT_OCTETS == onboard.MAX_OUTPUT_OCTETS

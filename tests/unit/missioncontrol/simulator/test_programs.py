from __future__ import annotations

import hashlib
import json
import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from missioncontrol.simulator.programs import MAX_OUTPUT_OCTETS, ProgramError, run_program

SMALL = st.integers(min_value=-99, max_value=99)


def matrix_input(rows, inner, columns, values):
    return struct.pack(f">3H{len(values)}f", rows, inner, columns, *values)


class TestMatrixProduct:
    @given(data=st.data(), shape=st.tuples(*[st.integers(1, 5)] * 3))
    def test_agrees_with_sums_of_products(self, data, shape):
        rows, inner, columns = shape
        values = data.draw(
            st.lists(SMALL, min_size=inner * (rows + columns), max_size=inner * (rows + columns))
        )
        left, right = values[: rows * inner], values[rows * inner :]
        expected = [
            sum(left[r * inner + i] * right[i * columns + c] for i in range(inner))
            for r in range(rows)
            for c in range(columns)
        ]
        output = run_program("MATRIX_PRODUCT", matrix_input(rows, inner, columns, values))
        assert list(struct.unpack(f">{rows * columns}f", output)) == expected

    def test_agrees_with_numpy_on_fractions(self):
        rng = np.random.default_rng(5)
        left, right = rng.normal(size=(17, 33)), rng.normal(size=(33, 9))
        octets = struct.pack(">3H", 17, 33, 9)
        octets += left.astype(">f4").tobytes() + right.astype(">f4").tobytes()
        output = np.frombuffer(run_program("MATRIX_PRODUCT", octets), ">f4").reshape(17, 9)
        np.testing.assert_allclose(output, left @ right, rtol=1e-4, atol=1e-5)

    def test_gives_nothing_for_an_empty_matrix(self):
        assert run_program("MATRIX_PRODUCT", matrix_input(0, 3, 0, [])) == b""

    @pytest.mark.parametrize(
        ("octets", "reason"),
        [
            (b"\0\1", "the shape alone has 6"),
            (matrix_input(2, 2, 2, [1.0] * 7), "make 38"),
            (matrix_input(65535, 0, 65535, []), f"the limit is {MAX_OUTPUT_OCTETS}"),
        ],
    )
    def test_refuses_what_does_not_fit(self, octets, reason):
        with pytest.raises(ProgramError, match=reason):
            run_program("MATRIX_PRODUCT", octets)


class TestSha256:
    @given(octets=st.binary(max_size=300))
    def test_is_the_digest(self, octets):
        assert run_program("SHA256", octets) == hashlib.sha256(octets).digest()


class TestImageStatistics:
    @given(
        width=st.integers(1, 12),
        pixels=st.binary(min_size=12, max_size=120),
        comment=st.sampled_from([b"", b"# taken in orbit\n"]),
    )
    def test_agrees_with_arithmetic(self, width, pixels, comment):
        height = len(pixels) // width
        pixels = pixels[: width * height]
        header = b"P5\n" + comment + f"{width} {height}\n255\n".encode()
        output = run_program("IMAGE_STATISTICS", header + pixels)
        told = json.loads(output)
        mean = sum(pixels) / len(pixels)
        assert (told["width"], told["height"]) == (width, height)
        assert (told["min"], told["max"]) == (min(pixels), max(pixels))
        assert told["mean"] == pytest.approx(mean)
        variance = sum((pixel - mean) ** 2 for pixel in pixels) / len(pixels)
        assert told["std"] == pytest.approx(math.sqrt(variance), abs=1e-9)
        assert told["histogram"] == [
            sum(16 * low <= pixel < 16 * (low + 1) for pixel in pixels) for low in range(16)
        ]
        assert list(told) == sorted(told)
        assert b" " not in output

    @pytest.mark.parametrize(
        ("octets", "reason"),
        [
            (b"P2\n1 1\n255\n0", "no binary PGM"),
            (b"", "no binary PGM"),
            (b"P5\n2 2\n65535\n\0\0\0\0", "maximum 65535"),
            (b"P5\n0 2\n255\n", "at least one pixel"),
            (b"P5\n2 2\n255\n\0\0\0", "3 pixels; 2 x 2 make 4"),
        ],
    )
    def test_refuses_what_is_no_such_image(self, octets, reason):
        with pytest.raises(ProgramError, match=reason):
            run_program("IMAGE_STATISTICS", octets)


def test_an_unknown_program_is_refused():
    with pytest.raises(ProgramError, match="no program 'FORTRAN'"):
        run_program("FORTRAN", b"")

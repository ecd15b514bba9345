from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uplink.jobs.results import MANIFEST_LIMIT_OCTETS, ResultError, read_result_file

INPUT = "ab" * 32


def result_file(output=b"output", **changes):
    manifest = {
        "job": 7,
        "program": "SHA256",
        "input_sha256": INPUT,
        "output_sha256": hashlib.sha256(output).hexdigest(),
        "output_octets": len(output),
        "started": "2026-12-01T12:00:00Z",
        "finished": "2026-12-01T12:01:00Z",
        **changes,
    }
    return json.dumps(manifest).encode() + b"\n" + output


def read(content):
    return read_result_file(content, job=7, program="SHA256", input_sha256=INPUT)


class TestReadResultFile:
    @given(output=st.binary(max_size=100))
    def test_gives_the_output_octet_for_octet(self, output):
        result = read(result_file(output))
        assert result.output == output
        assert result.output_sha256 == hashlib.sha256(output).hexdigest()
        assert result.manifest["started"] == "2026-12-01T12:00:00Z"

    @pytest.mark.parametrize(
        ("change", "complaint"),
        [
            ({"job": 8}, "its job is '8', expected 7"),
            ({"job": True}, "its job is 'True', expected 7"),
            ({"job": "7"}, "its job is '7', expected 7"),
            ({"program": "MATRIX_PRODUCT"}, "its program is 'MATRIX_PRODUCT'"),
            ({"input_sha256": "cd" * 32}, "its input_sha256 is 'cdcd"),
            ({"output_sha256": "00" * 32}, "its output_sha256 is '0000"),
            ({"output_octets": 5}, "its output_octets is '5', expected 6"),
            ({"output_octets": 6.0}, "its output_octets is '6.0', expected 6"),
            ({"output_octets": None}, "its output_octets is 'None'"),
        ],
    )
    def test_refuses_the_result_of_something_else(self, change, complaint):
        with pytest.raises(ResultError, match=complaint):
            read(result_file(**change))

    @pytest.mark.parametrize(
        ("content", "complaint"),
        [
            (b"", "it has no manifest"),
            (result_file().split(b"\n")[0], "it has no manifest"),
            (b"x" * (MANIFEST_LIMIT_OCTETS + 1) + b"\n", "it has no manifest"),
            (b"not json\n", "is no JSON"),
            (b"\xff\xfe\n", "is no JSON"),
            (b"[" * 4000 + b"\n", "is no JSON"),
            (b"[]\n", "no JSON object"),
            (b"{}\n", "its job is 'None'"),
        ],
    )
    def test_refuses_what_is_no_result(self, content, complaint):
        with pytest.raises(ResultError, match=complaint):
            read(content)

    def test_quotes_no_more_than_a_line_of_what_the_sky_says(self):
        with pytest.raises(ResultError) as error:
            read(result_file(program="x" * 3000))
        assert len(str(error.value)) < 200

    @given(content=st.binary(max_size=200))
    def test_raises_nothing_else_on_noise(self, content):
        with pytest.raises(ResultError):
            read(content)

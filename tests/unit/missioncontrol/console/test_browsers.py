from __future__ import annotations

import pytest

from missioncontrol.console.presentation.browsers import browser_words

_KIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


class TestBrowserWords:
    @pytest.mark.parametrize(
        ("says", "words"),
        [
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
                "Firefox 145 on Linux",
            ),
            (
                f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_KIT} Chrome/142.0.0.0 Safari/537.36",
                "Chrome 142 on Windows",
            ),
            (
                f"Mozilla/5.0 (Windows NT 10.0) {_KIT} Chrome/142.0.0.0 Safari/537.36 Edg/142.0.1",
                "Edge 142 on Windows",
            ),
            (
                f"Mozilla/5.0 (X11; Linux x86_64) {_KIT} HeadlessChrome/142.0.0.0 Safari/537.36",
                "Chrome 142 on Linux",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 "
                "(KHTML, like Gecko) Version/18.1 Safari/605.1.15",
                "Safari 18 on macOS",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 "
                "(KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
                "Safari 18 on iOS",
            ),
            (
                f"Mozilla/5.0 (Linux; Android 14) {_KIT} Chrome/142.0.0.0 Mobile Safari/537.36",
                "Chrome 142 on Android",
            ),
            ("curl/8.5.0", "curl 8"),
            ("", "unknown browser"),
            ("x" * 200, "x" * 40),
        ],
    )
    def test_are_what_a_person_recognises(self, says, words):
        assert browser_words(says) == words

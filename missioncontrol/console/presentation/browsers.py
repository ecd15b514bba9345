"""Which browser a session came from, in words that a person recognises."""

from __future__ import annotations

import re
from typing import Final

# What each claims to be besides: Edge says Chrome, Chrome says Safari. The first that fits is it.
_BROWSERS: Final = (
    ("Edge", re.compile(r"\bEdg(?:A|iOS)?/(\d+)")),
    ("Opera", re.compile(r"\bOPR/(\d+)")),
    ("Firefox", re.compile(r"\b(?:Firefox|FxiOS)/(\d+)")),
    ("Chrome", re.compile(r"\b(?:Headless)?(?:Chrome|CriOS|Chromium)/(\d+)")),
    ("Safari", re.compile(r"\bVersion/(\d+)\S* (?:Mobile/\S+ )?Safari/")),
    ("curl", re.compile(r"^curl/(\d+)")),
)
_SYSTEMS: Final = (
    ("iOS", re.compile(r"iPhone|iPad")),
    ("Android", re.compile(r"Android")),
    ("Windows", re.compile(r"Windows")),
    ("macOS", re.compile(r"Mac OS X|Macintosh")),
    ("ChromeOS", re.compile(r"CrOS")),
    ("Linux", re.compile(r"Linux|X11")),
)
_SHOWN_OF_AN_UNKNOWN: Final = 40


def browser_words(user_agent: str) -> str:
    """Return e.g. ``Firefox 145 on Linux``; of an unknown one the beginning of what it says."""
    browser = next(
        (f"{name} {found[1]}" for name, test in _BROWSERS if (found := test.search(user_agent))),
        "",
    )
    if not browser:
        return user_agent[:_SHOWN_OF_AN_UNKNOWN].strip() or "unknown browser"
    system = next((name for name, test in _SYSTEMS if test.search(user_agent)), "")
    return f"{browser} on {system}" if system else browser

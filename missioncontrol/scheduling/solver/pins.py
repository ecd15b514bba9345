"""Pins: what somebody wants of a plan whatever it costs, a window booked or one left free."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """What is settled of one window before a plan is made.

    ``request`` says for whom it is booked; None: nothing is booked in it.
    """

    window: str  # of an opportunity, or of a kept contact
    request: str | None


def pin_faults(
    pins: Iterable[Pin], windows: Mapping[str, str], asked: Mapping[str, str]
) -> Iterator[str]:
    """Yield what is wrong with pins.

    Args:
        pins: Of a problem.
        windows: The spacecraft of each opportunity and each kept contact, by its id.
        asked: The spacecraft of each request, by its id.
    """
    seen: set[str] = set()
    for pin in pins:
        if pin.window in seen:
            yield f"Window {pin.window} is pinned twice."
        seen.add(pin.window)
        if pin.window not in windows:
            yield f"Window {pin.window} is pinned, but it is not in the problem."
        elif pin.request is not None and asked.get(pin.request) != windows[pin.window]:
            yield (
                f"Window {pin.window} is pinned for {pin.request}, which is no request of "
                f"{windows[pin.window]}."
            )

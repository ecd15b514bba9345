"""Where the tests find published vectors and recorded data."""

from __future__ import annotations

from pathlib import Path

import pytest

_SHARED = Path(__file__).resolve().parents[3] / "shared"


def shared_file(name: str) -> Path | None:
    """Return the path of a file beside the checkout, or None where it is absent."""
    path = _SHARED / name
    return path if path.exists() else None


def shared_vector(name: str) -> Path:
    """Return the path of a shared vector, or skip the test where it is absent.

    Large recordings and vectors of other projects stand beside the project,
    not in it, so that the project ships nobody else's files.
    """
    path = shared_file(f"vectors/{name}")
    if path is None:
        pytest.skip(f"the recorded data {name!r} is not beside this checkout (../shared/vectors)")
    return path

"""The token that a member shows to a log's server. It never stands among the arguments."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Final

from missioncontrol.client.errors import UsageError
from missioncontrol.client.input_files import read_secret

TOKEN_VARIABLE: Final = "MC_TOKEN"  # noqa: S105  # the variable's name
_MAX_TOKEN_OCTETS: Final = 4096


def read_token(options: argparse.Namespace) -> str | None:
    """Return the token of ``--token-file``, or else that of ``MC_TOKEN``, or None.

    Raises:
        UsageError: The file cannot be read, or is open to others; or there is no
            token in it.
    """
    file: Path | None = options.token_file
    if file is not None:
        octets = read_secret(file, limit=_MAX_TOKEN_OCTETS)
        return _checked(octets.decode("utf-8", errors="replace"), where=str(file))
    text = os.environ.get(TOKEN_VARIABLE)
    return None if text is None else _checked(text, where=TOKEN_VARIABLE)


def _checked(text: str, *, where: str) -> str:
    token = text.strip()
    # No part of it is shown: it may be the right one, pasted with something else.
    if not token or any(not "!" <= sign <= "~" for sign in token):
        raise UsageError(
            f"{where} holds no token: one line of letters, digits and signs, as you were given it."
        )
    return token

"""Why the program could not decide. What it decided against is a ``VerificationError``."""

from __future__ import annotations


class UndecidedError(Exception):
    """Nothing was verified and nothing refused: ends with status 2."""


class UnreachableError(UndecidedError):
    """The log's server does not answer, or not with what was asked for."""


class NotAdmittedError(UndecidedError):
    """The log's server answers, but not to us: without a token, or with a wrong one."""


class UsageError(UndecidedError):
    """The program was asked for what it cannot do. The text says what to give instead."""

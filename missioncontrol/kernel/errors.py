"""The refusals that a person or a pipeline reads."""

from __future__ import annotations


class RefusedError(Exception):
    """The request is understood and declined; the text says why and what to do.

    Nothing was changed. The console shows the text, the API answers with a
    problem document (RFC 9457), a command exits with it.
    """


class NotPermittedError(RefusedError):
    """This person or token may not do this."""

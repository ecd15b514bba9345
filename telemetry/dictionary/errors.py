"""What can be wrong with a dictionary that was read."""

from __future__ import annotations


class DictionaryError(ValueError):
    """The dictionary cannot be compiled: it contradicts itself.

    Attributes:
        line: Line in the source document; 0 where there is none.
    """

    def __init__(self, message: str, *, line: int = 0) -> None:
        self.line = line
        super().__init__(f"line {line}: {message}" if line else message)

"""What can be wrong with something that claims to come from the log.

The classes follow what a witness must answer (C2SP tlog-witness): octets that
cannot be read, a signature nobody trusts, a proof that does not hold.
"""

from __future__ import annotations


class VerificationError(ValueError):
    """What was checked does not hold. The text says what, which, and the limit."""


class FormatError(VerificationError):
    """The octets are not in the format they claim."""


class SignatureError(VerificationError):
    """No trusted key signed, or a trusted key's signature is wrong."""


class OriginError(VerificationError):
    """The checkpoint belongs to another log."""


class QuorumError(VerificationError):
    """Fewer distinct witnesses cosigned than the policy asks for."""


class FreshnessError(VerificationError):
    """The checkpoint is older than the policy allows, or older than one already seen."""


class ProofError(VerificationError):
    """A Merkle proof does not lead to the root it was checked against."""


class SplitViewError(ProofError):
    """Two checkpoints of one log at one size have different roots: evidence of a fork."""


class OpeningError(VerificationError):
    """The private payload is not the one that the entry was committed to."""


class LogMismatchError(VerificationError):
    """The stored log is not the one its checkpoint was signed for.

    Attributes:
        index: The first wrong entry, or None where only the whole is known to
            be wrong.
    """

    def __init__(self, message: str, *, index: int | None = None) -> None:
        self.index = index
        super().__init__(message)

"""What a provider of stations can be asked, and what it answers.

Pure: no network, no clock, no database. The words and states are those of AWS
Ground Station (ReserveContact, ListContacts, CancelContact).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol


class ContactStatus(StrEnum):
    """Where a provider is with a contact."""

    SCHEDULING = "SCHEDULING"
    SCHEDULED = "SCHEDULED"
    FAILED_TO_SCHEDULE = "FAILED_TO_SCHEDULE"
    PREPASS = "PREPASS"
    PASS = "PASS"  # noqa: S105  # a satellite pass
    POSTPASS = "POSTPASS"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLING = "CANCELLING"
    CANCELLED = "CANCELLED"
    PROVIDER_CANCELLED = "PROVIDER_CANCELLED"
    PROVIDER_FAILED = "PROVIDER_FAILED"


_STATUS = ContactStatus
# The provider has the antenna set aside for us, or had it to the end.
HELD: Final = frozenset(
    {_STATUS.SCHEDULED, _STATUS.PREPASS, _STATUS.PASS, _STATUS.POSTPASS, _STATUS.COMPLETED}
)
# It has not, and will not.
GIVEN_UP: Final = frozenset(
    {
        *(_STATUS.FAILED_TO_SCHEDULE, _STATUS.CANCELLING, _STATUS.CANCELLED),
        *(_STATUS.PROVIDER_CANCELLED, _STATUS.PROVIDER_FAILED, _STATUS.FAILED),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedContact:
    """What is to be reserved. Times are UTC."""

    token: str  # the same for every time that this one is asked for
    satellite: str
    ground_station: str
    antenna: str
    begins: datetime  # AOS
    ends: datetime  # LOS
    pre_pass_s: int  # the antenna is occupied so long before
    post_pass_s: int  # and after


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderContact:
    """A contact as the provider has it."""

    contact_id: str
    token: str
    satellite: str
    antenna: str
    begins: datetime
    ends: datetime
    status: ContactStatus
    reason: str = ""


class ProviderUnavailableError(Exception):
    """There is no answer, or none that can be used: ask again later.

    Args:
        fault: Why, as people read it.
        retry_after_s: How long the provider asked to be left alone, if it did.
    """

    def __init__(self, fault: str, *, retry_after_s: float | None = None) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(fault)


class ReservationRefusedError(Exception):
    """The provider does not give the contact; the text is its reason."""


class Provider(Protocol):
    """Who can set an antenna aside for us. It may be called from several threads."""

    def reserve(self, wanted: WantedContact) -> ProviderContact:
        """Ask for a contact; asked again with the same token, it answers how it stands.

        Raises:
            ReservationRefusedError: it is not given.
            ProviderUnavailableError: what came of it is unknown.
        """
        ...

    def contacts(self, begins: datetime, ends: datetime) -> list[ProviderContact]:
        """List what is reserved for us and touches [begins, ends).

        Raises:
            ProviderUnavailableError: there is no complete list.
        """
        ...

    def cancel(self, contact_id: str) -> None:
        """Give a contact back; one that the provider does not have is given back already.

        Raises:
            ProviderUnavailableError: what came of it is unknown.
        """
        ...

"""The openings of entries as models ask for them: only to those who are entitled."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.db.models import Manager, OuterRef, Q, QuerySet

from missioncontrol.kernel.organisations import current_context

if TYPE_CHECKING:
    from missioncontrol.audit.merkle.opening import Opening as Octets
    from missioncontrol.audit.models import AuditEntry, Opening


class OpeningRows(Manager["Opening"]):
    """Shows an opening where the work is done for its owner or for one of its readers.

    The log stands below the organisations, so it goes by their slugs.
    """

    def get_queryset(self) -> QuerySet[Opening]:
        """Return the openings that can be seen here.

        Raises:
            NoOrganisationContextError: nobody said for whom the work is done.
        """
        context = current_context()
        rows = super().get_queryset()
        if context.everybody:
            return rows
        reading = self._readers().filter(opening=OuterRef("pk"), organisation__in=context.slugs)
        return rows.filter(Q(owner__in=context.slugs) | Q(pk__in=reading.values("opening")))

    def record(
        self, *, entry: AuditEntry, owner: str, readers: Iterable[str], opening: Octets
    ) -> None:
        """Keep the opening of a new entry, whoever the work is done for.

        Writing shows nobody anything; a process writes for members that it
        never reads of.
        """
        rows: QuerySet[Opening] = QuerySet(self.model, using=self._db)
        rows.bulk_create(
            [self.model(entry=entry, owner=owner, payload=opening.payload, salt=opening.salt)]
        )
        others = sorted({*readers} - {owner, ""})
        self._readers().bulk_create(
            self._readers().model(opening_id=entry.pk, organisation=slug) for slug in others
        )

    def _readers(self) -> QuerySet[Any]:
        related: Any = self.model._meta.get_field("readers").related_model
        return QuerySet(related, using=self._db)

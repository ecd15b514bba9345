"""Rows that belong to organisations, as models ask for them."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import Manager, Model, Q, QuerySet

from missioncontrol.kernel.organisations import current_context

_Row = TypeVar("_Row", bound=Model)


class OrganisationRows(Manager[_Row]):
    """The manager of a model whose rows belong to organisations.

    It shows those of the organisations that the work is done for, and refuses
    a query where nobody said for whom. Give the model
    ``Meta.base_manager_name = "objects"``, so that following a foreign key and
    reading a row again go the same way.
    """

    def __init__(self, *paths: str) -> None:
        """Take the ways to an organisation, e.g. ``"spacecraft__organisation"``; one is enough."""
        super().__init__()
        self._paths = paths

    def get_queryset(self) -> QuerySet[_Row]:
        """Return the rows that can be seen here.

        Raises:
            NoOrganisationContextError: nobody said for whom the work is done.
        """
        context = current_context()
        rows = super().get_queryset()
        if context.everybody:
            return rows
        visible = Q()
        for path in self._paths:
            visible |= _leads_to(self.model, path, context.ids)
        return rows.filter(visible)


def _leads_to(model: type[Model], path: str, ids: frozenset[int]) -> Q:
    """Return the condition that *path* ends at one of the organisations.

    Subqueries, no joins: locking a row must not lock what it belongs to.
    """
    head, _, rest = path.partition("__")
    if not rest:
        return Q(**{f"{head}__in": ids})
    related: Any = model._meta.get_field(head).related_model
    further: QuerySet[Any] = QuerySet(related).filter(_leads_to(related, rest, ids))
    return Q(**{f"{head}__in": further.values("pk")})

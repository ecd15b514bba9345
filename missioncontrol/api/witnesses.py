"""The members' witnesses: whose cosignatures the log asks for."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router, Schema
from pydantic import Field

from missioncontrol.accounts.policy import Action
from missioncontrol.api.authentication import (
    TOKEN,
    TOKEN_OR_SESSION,
    permitted,
    principal_of,
)
from missioncontrol.api.conditions import READ, tagged
from missioncontrol.api.fields import Instant, Sent, Slug, example
from missioncontrol.api.organisations import organisation_in_field
from missioncontrol.api.paging import Page, PageQuery, newest_first
from missioncontrol.api.problems import NotFoundError
from missioncontrol.audit import services
from missioncontrol.audit.models import Witness
from missioncontrol.kernel import clock

router = Router(tags=["consortium log"], auth=TOKEN_OR_SESSION)

WitnessName = Annotated[str, Field(max_length=100, pattern=r"^[^\x00-\x1f/]+$")]


class WitnessOut(Schema):
    """A witness. ``cosigned_size``: entries under the largest checkpoint that it cosigned here.

    ``fault`` tells what went wrong when it was last asked; empty: nothing.
    """

    model_config = example(
        name="laboratory-one",
        organisation="ai-laboratory-1",
        vkey="laboratory-one+5f1e0c77+BPxr0hb3RqZ4dZ0hHuDgVNUrGrpm0dmDkzIqVXfCFPmU",
        url="https://witness.laboratory.example",
        active=True,
        cosigned_size=4711,
        last_seen_at="2026-12-01T12:00:00Z",
        fault="",
    )

    name: str
    organisation: str
    vkey: str
    url: str
    active: bool
    cosigned_size: int
    last_seen_at: Instant | None
    fault: str


class WitnessIn(Sent):
    """A witness that a member runs: its key as the member handed it over, and where it answers."""

    model_config = example(
        name="laboratory-one",
        organisation="ai-laboratory-1",
        vkey="laboratory-one+5f1e0c77+BPxr0hb3RqZ4dZ0hHuDgVNUrGrpm0dmDkzIqVXfCFPmU",
        url="https://witness.laboratory.example",
    )

    name: WitnessName
    organisation: Slug
    vkey: Annotated[str, Field(max_length=300, pattern=r"^[!-~]+$")]
    url: Annotated[str, Field(max_length=300, pattern=r"^https?://[!-~]+$")]


@router.get("/witnesses", response=Page[WitnessOut], summary="Witnesses")
def list_witnesses(request: HttpRequest, asked: Query[PageQuery]) -> Page[WitnessOut]:
    """Return the members' witnesses, the newest first, also those that are retired."""
    principal_of(request).require(Action.WITNESS_VIEW)
    found, cursor = newest_first(Witness.objects.all(), cursor=asked.cursor, limit=asked.limit)
    return Page(items=[_witness_out(each) for each in found], next=cursor)


@router.get("/witnesses/{name}", response=WitnessOut, summary="One witness", openapi_extra=READ)
def get_witness(
    request: HttpRequest, response: HttpResponse, name: Path[WitnessName]
) -> WitnessOut:
    """Return the active witness of that name, or the one that was retired last."""
    principal_of(request).require(Action.WITNESS_VIEW)
    witness = Witness.objects.filter(name=name).order_by("-active", "-pk").first()
    if witness is None:
        raise NotFoundError(f"There is no witness {name!r}; GET /witnesses lists them.")
    return tagged(request, response, _witness_out(witness))


@router.post("/witnesses", auth=TOKEN, response={201: WitnessOut}, summary="Register a witness")
def register_witness(request: HttpRequest, response: HttpResponse, asked: WitnessIn) -> WitnessOut:
    """Have a member's witness asked for its cosignature from now on."""
    principal = permitted(request, Action.WITNESS_MANAGE)
    organisation = organisation_in_field(asked.organisation, "body.organisation")
    witness = services.register_witness(
        name=asked.name,
        organisation=organisation.slug,
        vkey=asked.vkey,
        url=asked.url,
        actor=principal.operator,
        at=clock.now(),
    )
    response["Location"] = f"{request.path}/{quote(witness.name)}"
    return _witness_out(witness)


@router.post(
    "/witnesses/{name}/retire", auth=TOKEN, response=WitnessOut, summary="Retire a witness"
)
def retire_witness(request: HttpRequest, name: Path[WitnessName]) -> WitnessOut:
    """Ask a witness no longer, and count its cosignatures no longer; its key cannot come back."""
    principal = permitted(request, Action.WITNESS_MANAGE)
    if not Witness.objects.filter(name=name, active=True).exists():
        raise NotFoundError(f"There is no active witness {name!r}; GET /witnesses lists them.")
    return _witness_out(
        services.retire_witness(name=name, actor=principal.operator, at=clock.now())
    )


def _witness_out(witness: Witness) -> WitnessOut:
    return WitnessOut(
        name=witness.name,
        organisation=witness.organisation,
        vkey=witness.vkey,
        url=witness.url,
        active=witness.active,
        cosigned_size=witness.cosigned_size,
        last_seen_at=witness.last_seen_at,
        fault=witness.last_error,
    )

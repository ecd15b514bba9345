"""What the API's description says beyond its operations: refusals, header fields, conditions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from ninja.openapi.schema import OpenAPISchema

from missioncontrol.api.conditions import condition_of
from missioncontrol.api.idempotency import KEPT_FOR, KEY_HEADER, KEY_PATTERN, REPLAY_HEADER
from missioncontrol.api.problems import MEDIA_TYPE, Problem, type_of
from missioncontrol.audit.receipt_header import RECEIPT_HEADER

_SCHEMA: Final = "#/components/schemas/{model}"
_ETAG: Final = "9b2f04e7c3a15d6886f0c1d2e3a4b5c6"


@dataclass(frozen=True, slots=True)
class _Refusal:
    """An answer of a refusal: its name in the description, what it means, and examples."""

    name: str
    description: str
    details: dict[str, str]  # what the product says, by the kind of problem
    headers: tuple[str, ...] = ()


_REFUSALS: Final = {
    400: _Refusal(
        "NotJson",
        "The body is no JSON",
        {"bad-request": "The body is no JSON in UTF-8: Expecting value: line 1 column 1."},
    ),
    401: _Refusal(
        "NotSignedIn",
        "No token that is in force",
        {"not-signed-in": "This token is unknown, expired or revoked."},
        ("WWW-Authenticate",),
    ),
    403: _Refusal(
        "NotPermitted",
        "No role grants this, or it takes a fresh proof of identity",
        {
            "not-permitted": "carol may not do telecommand.view. It takes the role operator.",
            "confirmation-needed": "token.manage takes a proof of identity of the last 5 minutes.",
        },
    ),
    404: _Refusal(
        "NotFound",
        "No such thing, or another member's",
        {"not-found": "There is no job 99, or it is another member's."},
    ),
    409: _Refusal(
        "Refused",
        "Understood and declined; `detail` says why and what to do",
        {"refused": "Job 17 is RUNNING; only a job that waits can be cancelled."},
    ),
    410: _Refusal(
        "Erased",
        "It was erased; `detail` says when, by whom and why",
        {"erased": "The private part of entry 4711 was erased on 2026-12-02 by alice: a request."},
    ),
    411: _Refusal(
        "LengthRequired",
        "A body in pieces",
        {"length-required": "Send the body in one piece with its Content-Length."},
    ),
    412: _Refusal(
        "PreconditionFailed",
        "It is no longer as `If-Match` says, or there is one already (`If-None-Match: *`)",
        {"precondition-failed": "It has changed since you read it. Read it again."},
    ),
    413: _Refusal(
        "TooLarge",
        "The body is larger than the limit",
        {"too-large": "The body has 9000000 octets; the limit is 5657941."},
    ),
    415: _Refusal(
        "UnsupportedMediaType",
        "The body is not called JSON",
        {"unsupported-media-type": "The body is said to be text/plain; send JSON."},
    ),
    422: _Refusal(
        "InvalidInput",
        "Wrong fields, `errors` lists each with what is allowed; or a key used before",
        {
            "invalid-input": "Nothing was done: body.spacecraft cannot be as given.",
            "idempotency-key-reused": "The Idempotency-Key 'run-1' belongs to another request.",
        },
    ),
    428: _Refusal(
        "PreconditionRequired",
        "`If-Match` is missing",
        {"precondition-required": "Read it first, and send its ETag as If-Match."},
    ),
    429: _Refusal(
        "TooManyRequests",
        "Asked too often; `Retry-After` says when to ask again",
        {"quota-exceeded": "This token has asked 600 times within 60 s, which is the limit."},
        ("Retry-After",),
    ),
    500: _Refusal("Failed", "A fault of the product", {"failed": "The product failed at this."}),
    503: _Refusal(
        "Unavailable",
        "Not now, and nothing was done; `Retry-After` says when to ask again",
        {
            "unavailable": "The database is away or busy; nothing was done.",
            "history-away": "The history of values cannot be had now.",
            "broker-away": "No ticket can be kept while the broker is away.",
            "too-many-streams": "1000 streams are open here, which is the limit.",
        },
        ("Retry-After",),
    ),
}

_HEADERS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "ETag": (
        "Names this state of the resource, for If-Match and If-None-Match",
        {"type": "string", "pattern": '^"[!-~]+"$', "examples": [f'"{_ETAG}"']},
    ),
    "Location": ("Where the new resource is", {"type": "string", "examples": ["/api/v1/jobs/17"]}),
    "Retry-After": (
        "After so many seconds ask again",
        {"type": "integer", "minimum": 1, "examples": [2]},
    ),
    "WWW-Authenticate": (
        "How to sign in",
        {"type": "string", "examples": ['Bearer realm="mission control"']},
    ),
    REPLAY_HEADER: (
        "Nothing was done: the request came before, and this is what it was answered",
        {"type": "string", "enum": ["true"]},
    ),
    RECEIPT_HEADER: (
        "Leaf hashes of the log entries that this wrote, in their order: GET "
        "/audit/receipts/{leaf_hash} gives the proof of each once it is published",
        {
            "type": "string",
            "pattern": "^[0-9a-f]{64}(, [0-9a-f]{64})*$",
            "examples": ["5f1e0c77" * 8],
        },
    ),
    "RateLimit-Policy": (
        "What may be asked, by policy: q requests in w seconds "
        "(draft-ietf-httpapi-ratelimit-headers)",
        {"type": "string", "examples": ['"token";q=600;w=60, "organisation";q=3000;w=60']},
    ),
    "RateLimit": (
        "What is left, by policy: r requests until it is whole again in t seconds",
        {"type": "string", "examples": ['"token";r=599;t=60, "organisation";r=2998;t=41']},
    ),
}
# These are there whenever their response is described with them; the others sometimes.
_ALWAYS: Final = {"ETag", "Location", "WWW-Authenticate", "Retry-After"}

_PARAMETERS: Final = {
    "IdempotencyKey": {
        "name": KEY_HEADER,
        "description": (
            "A new one for each new request. The same request under the same key is answered "
            f"again, not done again, for {KEPT_FOR.days * 24} hours."
        ),
        "schema": {"type": "string", "pattern": KEY_PATTERN, "examples": ["run-2026-12-01-17"]},
    },
    "IfNoneMatch": {
        "name": "If-None-Match",
        "description": "ETags that the client has; if one is still right, 304 without a body",
        "schema": {"type": "string", "examples": [f'"{_ETAG}"']},
    },
    "IfMatch": {
        "name": "If-Match",
        "description": "The ETag that the client has seen; if it is no longer right, 412",
        "schema": {"type": "string", "examples": [f'"{_ETAG}"']},
    },
    "IfNoneYet": {
        "name": "If-None-Match",
        "description": "`*`, instead of If-Match: there must be none yet",
        "schema": {"type": "string", "examples": ["*"]},
    },
}


def completed(document: OpenAPISchema) -> OpenAPISchema:
    """Add to each operation what it may answer, and the header fields of both ways."""
    _add_components(document["components"])
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _complete(path, method, operation)
    _drop_unused(document)
    return document


def document_text(document: OpenAPISchema) -> str:
    """Return the description as it is committed: indented JSON."""
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _add_components(components: dict[str, Any]) -> None:
    schema = Problem.model_json_schema(by_alias=True, ref_template=_SCHEMA)
    components["schemas"] |= schema.pop("$defs", {})
    components["schemas"]["Problem"] = schema
    components["headers"] = {
        name: {"description": description, "schema": schema, "required": name in _ALWAYS}
        for name, (description, schema) in _HEADERS.items()
    }
    components["parameters"] = {
        name: {"in": "header", "required": False, **parameter}
        for name, parameter in _PARAMETERS.items()
    }
    components["responses"] = {
        refusal.name: {
            "description": refusal.description,
            "headers": _headers(*refusal.headers),
            "content": {
                MEDIA_TYPE: {
                    "schema": {"$ref": _SCHEMA.format(model="Problem")},
                    "examples": {
                        kind: {"value": _example(status, kind, detail)}
                        for kind, detail in refusal.details.items()
                    },
                }
            },
        }
        for status, refusal in _REFUSALS.items()
    }


def _example(status: int, kind: str, detail: str) -> dict[str, Any]:
    document = Problem(
        type=type_of(kind),
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        instance="/api/v1/jobs",
    )
    return document.model_dump(by_alias=True, exclude_defaults=True)


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    condition = condition_of(operation)
    for parameter in operation["parameters"]:
        # Those of JSON Schema, which stand in the schema, have another form here.
        parameter.pop("examples", None)
    answers = operation["responses"]
    for status, answer in answers.items():
        if "$ref" not in answer:
            fields = _headers(*_fields_of(status, method, condition))
            answer["headers"] = {**fields, **answer.get("headers", {})}
    for status in _possible(path, method, operation, condition):
        answers[status] = {"$ref": f"#/components/responses/{_REFUSALS[status].name}"}
    if condition == "read":
        answers[304] = {
            "description": "The client has what there is",
            "headers": _headers("ETag"),
        }
    operation["parameters"] += [
        {"$ref": f"#/components/parameters/{name}"} for name in _asked(method, condition)
    ]
    operation["responses"] = dict(sorted(answers.items()))


def _fields_of(status: int, method: str, condition: str) -> list[str]:
    """Return the header fields of an answer that is no refusal."""
    fields = {201: ["Location"], 202: ["Location", "Retry-After"]}.get(status, [])
    if status != HTTPStatus.NO_CONTENT and condition:
        fields = [*fields, "ETag"]
    return fields if method == "get" else [*fields, REPLAY_HEADER, RECEIPT_HEADER]


def _asked(method: str, condition: str) -> list[str]:
    """Return the header fields that a request may have."""
    conditional = {
        "read": ["IfNoneMatch"],
        "change": ["IfMatch"],
        "demanding": ["IfMatch", "IfNoneYet"],
    }.get(condition, [])
    return conditional if method == "get" else ["IdempotencyKey", *conditional]


def _headers(*names: str) -> dict[str, Any]:
    return {
        name: {"$ref": f"#/components/headers/{name}"}
        for name in (*names, "RateLimit-Policy", "RateLimit")
    }


def _possible(path: str, method: str, operation: dict[str, Any], condition: str) -> list[int]:
    """Return the refusals that an operation may answer with."""
    statuses = [401, 403, 429, 500, 503]
    if "{" in path:
        statuses.append(404)
    if method != "get":
        statuses += [409, 411, 413, 415, 422]
    elif path.endswith(("/result", "/receipt", "/log", "/checkpoint", "/processes")):
        statuses.append(409)
    if "requestBody" in operation:
        statuses.append(400)
    if operation["parameters"]:
        statuses.append(422)
    if condition in {"read", "change", "demanding"}:
        statuses.append(412)
    if condition == "demanding":
        statuses.append(428)
    return statuses


def _drop_unused(document: OpenAPISchema) -> None:
    """Take out the schemas that nothing refers to: those of queries stand in the operations."""
    schemas = document["components"]["schemas"]
    while True:
        text = json.dumps(document)
        unused = [name for name in schemas if f'"{_SCHEMA.format(model=name)}"' not in text]
        if not unused:
            return
        for name in unused:
            del schemas[name]

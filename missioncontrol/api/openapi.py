"""What the API's description says beyond its operations: the answers of a refusal."""

from __future__ import annotations

import json
from typing import Any, Final

from ninja.openapi.schema import OpenAPISchema

from missioncontrol.api.problems import MEDIA_TYPE, Problem

_SCHEMA: Final = "#/components/schemas/{model}"
_PROBLEMS: Final = {
    401: ("NotSignedIn", "No token that is in force"),
    403: ("NotPermitted", "No role grants this"),
    404: ("NotFound", "No such thing, or another member's"),
    409: ("Refused", "Understood and declined; `detail` says why and what to do"),
    413: ("TooLarge", "The body is larger than the limit"),
    422: ("InvalidInput", "Wrong fields; `errors` lists each with what is allowed"),
    503: ("Busy", "Not now; `Retry-After` says in how many seconds to ask again"),
}


def add_problems(document: OpenAPISchema) -> OpenAPISchema:
    """Add to each operation the problem documents that it may answer with."""
    components = document["components"]
    schema = Problem.model_json_schema(ref_template=_SCHEMA)
    components["schemas"] |= schema.pop("$defs", {})
    components["schemas"]["Problem"] = schema
    content = {MEDIA_TYPE: {"schema": {"$ref": _SCHEMA.format(model="Problem")}}}
    components["responses"] = {
        name: {"description": description, "content": content}
        for name, description in _PROBLEMS.values()
    }
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for status in _possible(path, method, operation):
                name, _ = _PROBLEMS[status]
                operation["responses"][status] = {"$ref": f"#/components/responses/{name}"}
    _drop_unused(document)
    return document


def document_text(document: OpenAPISchema) -> str:
    """Return the description as it is committed: indented JSON."""
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


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


def _possible(path: str, method: str, operation: dict[str, Any]) -> list[int]:
    statuses = [401, 403]
    if "{" in path:
        statuses.append(404)
    if method != "get" or path.endswith(("/result", "/receipt", "/log", "/checkpoint")):
        statuses.append(409)
    if "requestBody" in operation:
        statuses.append(413)
    if operation["parameters"] or "requestBody" in operation:
        statuses.append(422)
    return statuses

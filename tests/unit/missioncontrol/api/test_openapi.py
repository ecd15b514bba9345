"""The description of the API, as clients are generated from it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema_rs
import pytest
import schemathesis

from missioncontrol.api.application import api
from missioncontrol.api.openapi import document_text
from uplink.commanding.models import Telecommand
from uplink.jobs.models import Job

COMMITTED = Path(__file__).resolve().parents[4] / "docs" / "openapi.json"
DOCUMENT = json.loads(document_text(api.get_openapi_schema()))
# A page.
OTHERS = {"LatestOut"}
OPERATIONS = [
    pytest.param(path, method, operation, id=operation["operationId"])
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
]


# What is sent and answered; pages of them, enumerations and problems stand apart.
MODELS = [
    name
    for name in DOCUMENT["components"]["schemas"]
    if re.fullmatch(r"\w+(In|Out)", name) and name not in OTHERS
]


def references(node):
    """Yield every ``$ref`` below *node*."""
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def resolve(reference):
    assert reference.startswith("#/")
    node = DOCUMENT
    for part in reference[2:].split("/"):
        node = node[part]
    return node


def parameters(operation):
    return [resolve(each["$ref"]) if "$ref" in each else each for each in operation["parameters"]]


def header_parameters(operation):
    return {each["name"] for each in parameters(operation) if each["in"] == "header"}


def answers(operation):
    return {
        status: resolve(answer["$ref"]) if "$ref" in answer else answer
        for status, answer in operation["responses"].items()
    }


def test_the_committed_description_is_the_one_of_the_code():
    assert COMMITTED.read_text(encoding="utf-8") == document_text(api.get_openapi_schema()), (
        "Write it anew: manage.py write_openapi docs/openapi.json"
    )


def test_it_is_openapi_3_1():
    assert re.fullmatch(r"3\.1\.\d+", DOCUMENT["openapi"])
    assert {"title", "version"} <= set(DOCUMENT["info"])


def test_every_reference_leads_somewhere():
    found = set(references(DOCUMENT))
    assert len(found) > 20
    for reference in found:
        resolve(reference)


def test_every_component_has_a_name_that_the_standard_allows():
    for kind in DOCUMENT["components"].values():
        assert all(re.fullmatch(r"[A-Za-z0-9._-]+", name) for name in kind)


def test_every_schema_is_used():
    used = set(references(DOCUMENT))
    names = DOCUMENT["components"]["schemas"]
    assert {f"#/components/schemas/{name}" for name in names} <= used


@pytest.mark.parametrize(
    ("path", "states"), [("/telecommands", Telecommand.State), ("/jobs", Job.State)]
)
def test_the_states_to_select_by_are_those_of_the_resource(path, states):
    [state] = [
        each
        for each in DOCUMENT["paths"][f"/api/v1{path}"]["get"]["parameters"]
        if each["name"] == "state"
    ]
    assert state["schema"]["anyOf"][0]["enum"] == states.values


def test_operations_have_different_names():
    names = [each.values[2]["operationId"] for each in OPERATIONS]
    assert len(set(names)) == len(names) > 60


def test_it_is_valid_by_the_standards_own_schema():
    schemathesis.openapi.from_dict(DOCUMENT).validate()


@pytest.mark.parametrize("name", MODELS)
def test_every_model_of_a_resource_has_an_example_that_fits(name):
    schema = DOCUMENT["components"]["schemas"][name]
    assert schema["examples"]
    # The whole document, so that references lead somewhere.
    validator = jsonschema_rs.validator_for({**DOCUMENT, "$ref": f"#/components/schemas/{name}"})
    for example in schema["examples"]:
        validator.validate(example)


def test_every_example_of_a_refusal_fits():
    problem = jsonschema_rs.validator_for({**DOCUMENT, "$ref": "#/components/schemas/Problem"})
    for status, response in DOCUMENT["components"]["responses"].items():
        [content] = response["content"].values()
        assert content["examples"], status
        for kind, example in content["examples"].items():
            problem.validate(example["value"])
            assert example["value"]["type"].endswith(f":{kind}")


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
class TestOperation:
    def test_declares_the_parameters_of_its_path(self, path, method, operation):
        declared = [each for each in parameters(operation) if each["in"] == "path"]
        assert {each["name"] for each in declared} == set(re.findall(r"{(\w+)}", path))
        assert all(each["required"] for each in declared)

    def test_declares_each_parameter_once(self, path, method, operation):
        named = [(each["in"], each["name"]) for each in parameters(operation)]
        assert len(set(named)) == len(named)
        assert all("schema" in each for each in parameters(operation))

    def test_has_a_summary_and_a_description(self, path, method, operation):
        assert operation["summary"]
        assert operation["description"]

    def test_describes_every_answer(self, path, method, operation):
        for status, answer in answers(operation).items():
            assert answer["description"]
            assert {"RateLimit", "RateLimit-Policy"} <= set(answer["headers"])
            content = set(answer.get("content", ()))
            if int(status) >= 400:
                assert content == {"application/problem+json"}
            else:
                assert (content == set()) is (status in {"204", "304"})

    def test_describes_every_refusal_that_can_come_anywhere(self, path, method, operation):
        assert {"401", "403", "429", "500", "503"} < set(operation["responses"])

    def test_a_change_takes_a_token_and_nothing_else(self, path, method, operation):
        schemes = {name for each in operation["security"] for name in each}
        assert schemes == (
            {"BearerToken", "ConsoleSession"} if method == "get" else {"BearerToken"}
        )
        assert schemes <= set(DOCUMENT["components"]["securitySchemes"])

    def test_a_read_has_no_body(self, path, method, operation):
        assert method in {"get", "post", "put", "patch", "delete"}
        assert method in {"post", "put", "patch"} or "requestBody" not in operation

    def test_a_change_takes_an_idempotency_key(self, path, method, operation):
        assert ("Idempotency-Key" in header_parameters(operation)) is (method != "get")
        for status, answer in answers(operation).items():
            may_be_repeated = method != "get" and status.startswith("2")
            assert ("Idempotent-Replayed" in answer["headers"]) is may_be_repeated

    def test_a_new_resource_says_where_it_is(self, path, method, operation):
        for status, answer in answers(operation).items():
            assert ("Location" in answer["headers"]) is (status in {"201", "202"})
            waits = status in {"202", "429", "503"}
            waits |= (operation["operationId"], status) == ("get_operation", "200")
            assert ("Retry-After" in answer["headers"]) is waits

    def test_a_list_comes_in_pages(self, path, method, operation):
        for status, answer in answers(operation).items():
            if not status.startswith("2") or "content" not in answer:
                continue
            # Where there is a stream too, the page stands first.
            schema = next(iter(answer["content"].values()))["schema"]
            schema = resolve(schema["$ref"]) if "$ref" in schema else schema
            for each in schema.get("anyOf", [schema]):
                one = resolve(each["$ref"]) if "$ref" in each else each
                assert one["type"] in {"object", "string"}  # never a bare array
            if "items" in schema.get("properties", {}):
                # Events are named by their numbers, so the number is the cursor.
                cursor, following = (
                    ("after", "after") if path.endswith("/events") else ("cursor", "next")
                )
                assert {cursor, "limit"} <= {each["name"] for each in parameters(operation)}
                assert following in schema["properties"]

    def test_what_is_read_under_a_condition_has_an_etag(self, path, method, operation):
        conditional = "If-None-Match" in header_parameters(operation) and method == "get"
        assert ("304" in operation["responses"]) is conditional
        if conditional:
            assert "ETag" in answers(operation)["200"]["headers"]
            assert "ETag" in answers(operation)["304"]["headers"]

    def test_what_is_changed_under_a_condition_may_fail_by_it(self, path, method, operation):
        if method == "get":
            return
        conditional = "If-Match" in header_parameters(operation)
        assert ("412" in operation["responses"]) is conditional
        demanding = "If-None-Match" in header_parameters(operation)
        assert ("428" in operation["responses"]) is demanding


@pytest.mark.parametrize(
    "name",
    [
        "set_single_sign_on",
        "remove_single_sign_on",
        "close_account",
        "open_account",
        "grant_role",
        "revoke_role",
    ],
)
def test_changes_of_who_gets_in_demand_what_was_seen(name):
    [operation] = [each.values[2] for each in OPERATIONS if each.id == name]
    assert "428" in operation["responses"]

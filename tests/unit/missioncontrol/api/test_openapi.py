"""The description of the API, as clients are generated from it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from missioncontrol.api.application import api
from missioncontrol.api.openapi import document_text
from uplink.commanding.models import Telecommand
from uplink.jobs.models import Job

COMMITTED = Path(__file__).resolve().parents[4] / "docs" / "openapi.json"
DOCUMENT = json.loads(document_text(api.get_openapi_schema()))
OPERATIONS = [
    pytest.param(path, method, operation, id=operation["operationId"])
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
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
    assert len(set(names)) == len(names) == 29


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
class TestOperation:
    def test_declares_the_parameters_of_its_path(self, path, method, operation):
        declared = [each for each in operation["parameters"] if each["in"] == "path"]
        assert {each["name"] for each in declared} == set(re.findall(r"{(\w+)}", path))
        assert all(each["required"] for each in declared)

    def test_declares_each_parameter_once(self, path, method, operation):
        named = [(each["in"], each["name"]) for each in operation["parameters"]]
        assert len(set(named)) == len(named)
        assert all("schema" in each for each in operation["parameters"])

    def test_has_a_summary_and_a_description(self, path, method, operation):
        assert operation["summary"]
        assert operation["description"]

    def test_describes_every_answer(self, path, method, operation):
        answers = {
            status: resolve(answer["$ref"]) if "$ref" in answer else answer
            for status, answer in operation["responses"].items()
        }
        assert all(answer["description"] for answer in answers.values())
        assert all(answer["content"] for answer in answers.values())
        assert {"401", "403"} < set(answers)
        for status, answer in answers.items():
            refused = int(status) >= 400
            assert refused == ("application/problem+json" in answer["content"])

    def test_a_change_takes_a_token_and_nothing_else(self, path, method, operation):
        schemes = {name for each in operation["security"] for name in each}
        assert schemes == (
            {"BearerToken", "ConsoleSession"} if method == "get" else {"BearerToken"}
        )
        assert schemes <= set(DOCUMENT["components"]["securitySchemes"])

    def test_a_read_has_no_body(self, path, method, operation):
        assert method in {"get", "post"}
        assert method == "post" or "requestBody" not in operation

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from missioncontrol.scheduling.solver.document import plan_document
from missioncontrol.scheduling.solver.planning import greedy_plan, make_plan
from tests.unit.missioncontrol.scheduling.solver.problems import (
    problem,
    request,
    search,
    window,
)


@pytest.fixture
def stored(tmp_path):
    asked = problem(windows=[window("w", 0, 300)], requests=[request()])

    def store(name, plan, **changes):
        document = plan_document(asked, plan)
        document["plan"].update(changes)
        file = tmp_path / name
        file.write_text(json.dumps(document))
        return str(file)

    return {
        "good": store("good.json", make_plan(asked, search())),
        "greedy": store("greedy.json", greedy_plan(asked)),
        "bad": store("bad.json", greedy_plan(asked), objective=1e9),
    }


def run(*files):
    out, err = StringIO(), StringIO()
    try:
        call_command("verify_plan", *files, stdout=out, stderr=err)
    except CommandError as error:
        return out.getvalue(), err.getvalue(), str(error)
    return out.getvalue(), err.getvalue(), None


class TestVerifyPlan:
    def test_says_what_it_found_true(self, stored):
        out, err, error = run(stored["good"], stored["greedy"])
        assert (err, error) == ("", None)
        first, second = out.splitlines()
        assert first.endswith("1 contacts, objective 300.000, gap 0.0000%: verified")
        assert second.endswith("1 contacts, objective 300.000, no bound: verified")

    def test_names_what_is_wrong_and_checks_the_rest(self, stored):
        out, err, error = run(stored["bad"], stored["good"])
        assert "The objective is 1000000000.0; the contacts add up to 300.0." in err
        assert error.startswith("1 of 2 plans refused: ")
        assert out.count("verified") == 1

    @pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 1}', "\ud800"])
    def test_refuses_what_is_no_plan(self, text, tmp_path):
        file = tmp_path / "plan.json"
        file.write_bytes(text.encode("utf-8", "surrogatepass"))
        _, err, error = run(str(file))
        assert error is not None
        assert err.startswith(f"{file}: ")

    def test_refuses_a_file_that_is_not_there(self, tmp_path):
        _, err, error = run(str(tmp_path / "no.json"))
        assert "No such file" in err
        assert error is not None

from __future__ import annotations

import ast
import copy
import json
import re
from pathlib import Path

import pytest

from missioncontrol.scheduling import plan_verifier
from missioncontrol.scheduling.plan_verifier import PlanVerificationError, verify_plan
from missioncontrol.scheduling.solver.document import FORMAT, digest_of, plan_document
from missioncontrol.scheduling.solver.planning import make_plan
from missioncontrol.scheduling.solver.problem import Contact, KeptContact, Member
from tests.unit.missioncontrol.scheduling.solver.problems import (
    antenna,
    at,
    outage,
    problem,
    request,
    search,
    window,
)


def everything():
    """Return a problem that uses every rule, and more than it can serve."""
    return problem(
        windows=[
            window("a1", 0, 600),
            window("a2", 900, 1500),
            window("b1", 500, 1100, spacecraft="DD-7"),
            window("b2", 2000, 2600, spacecraft="DD-2", path=["SANYA-1"], quality=0.5),
            window("c1", 2100, 2500, spacecraft="DD-3", path=["RELAY", "KIRUNA-1"]),
            window("c2", 3000, 3050, spacecraft="DD-3", path=["RELAY"]),
            window("d1", 4000, 4500, spacecraft="DD-4", path=["RELAY"]),
            window("e1", 4100, 4500, spacecraft="DD-5", path=["RELAY"]),
            window("f1", 4200, 4500, spacecraft="DD-6", path=["RELAY"]),
            window("g1", 5000, 5600, spacecraft="DD-1", path=["SANYA-1"]),
            window("h1", 7000, 7500, spacecraft="DD-2", path=["SANYA-1"]),
        ],
        requests=[
            request("data", maximum_count=4),
            request("low", spacecraft="DD-7", value_per_s=0.1, profile="trimmed"),
            request("trimmed", spacecraft="DD-2", profile="trimmed", priority=3),
            request("relayed", spacecraft="DD-3", minimum_duration_s=100, latest=at(2200)),
            request("d", spacecraft="DD-4", owner="beta"),
            request("e", spacecraft="DD-5", owner="beta"),
            request("f", spacecraft="DD-6", value=1.0),
            request(
                "housekeeping",
                minimum_count=4,
                missing_cost=9.0,
                shared=True,
                value_per_s=0.0,
                antennas=frozenset({"KIRUNA-1"}),
            ),
        ],
        antennas=[
            antenna("KIRUNA-1", setup_s=60, teardown_s=30),
            antenna("SANYA-1"),
            antenna("RELAY", capacity=2),
        ],
        members=(Member(name="beta", entitled_s=2000, cost_per_missing_s=0.1),),
        outages=(outage("SANYA-1", 7200, 7300),),
        kept=(
            KeptContact(
                contact=Contact(
                    id="old",
                    request="data",
                    spacecraft="DD-1",
                    path=("SANYA-1",),
                    begins=at(8000),
                    ends=at(8200),
                ),
                bonus=50.0,
                frozen=True,
            ),
        ),
    )


@pytest.fixture(scope="module")
def sound():
    asked = everything()
    return plan_document(asked, make_plan(asked, search()))


def contact(document, name):
    return next(one for one in document["plan"]["contacts"] if one["id"] == name)


def without(document, name):
    contacts = document["plan"]["contacts"]
    contacts.remove(contact(document, name))


def with_contact(document, name, wanted, spacecraft, path, begins_s, ends_s):
    document["plan"]["contacts"].append(
        {
            "id": name,
            "request": wanted,
            "spacecraft": spacecraft,
            "path": path,
            "begins": at(begins_s).isoformat(),
            "ends": at(ends_s).isoformat(),
        }
    )


def signed(document):
    """Let the digest fit again after a change of the problem."""
    document["plan"]["input_digest"] = digest_of(document["problem"])


def set_problem(document, kind, name, **changes):
    key = "id" if kind in {"opportunities", "requests"} else "name"
    next(one for one in document["problem"][kind] if one[key] == name).update(changes)
    signed(document)


def pinned(document, **pin):
    document["problem"]["pins"].append(pin)
    signed(document)


def plan_field(name, value):
    return lambda document: document["plan"].update({name: value})


def contact_field(contact_name, field, value):
    return lambda document: contact(document, contact_name).update({field: value})


def more(name, by):
    return lambda document: document["plan"].update({name: document["plan"][name] + by})


MUTATIONS = {
    "another format": (r"The format is", lambda document: document.update(format="plan/0")),
    "another digest": (r"answers another problem", plan_field("input_digest", "sha256:00")),
    "a problem changed afterwards": (
        r"answers another problem",
        lambda document: document["problem"]["antennas"][0].update(setup_s=0.0),
    ),
    "an unknown method": (r"The method 'GUESSED'", plan_field("method", "GUESSED")),
    "a seed that is no integer": (r"The seed '1'", plan_field("seed", "1")),
    "no solver": (r"does not say which solver", plan_field("solver", "")),
    "a larger objective": (r"The objective is 5223", more("objective", 1.0)),
    "a smaller objective": (r"The objective is 5221", more("objective", -1.0)),
    "an objective that is no number": (
        r"The objective is nan",
        plan_field("objective", float("nan")),
    ),
    "another bonus": (r"The bonus is 51", more("bonus", 1.0)),
    "a bound below the objective": (
        r"above the bound",
        lambda document: document["plan"].update(
            bound=document["plan"]["objective"] - 1.0, gap=0.0
        ),
    ),
    "another gap": (r"The gap is 0.01", plan_field("gap", 0.01)),
    "a gap without a bound": (r"cannot be read", plan_field("bound", None)),
    "a contact left out": (
        r"housekeeping is short of 3",
        lambda document: without(document, "a1"),
    ),
    "a contact twice": (
        r"Window a1 is used twice",
        lambda document: document["plan"]["contacts"].append(
            copy.deepcopy(contact(document, "a1"))
        ),
    ),
    "a contact without a window": (r"a9 is in no window", contact_field("a1", "id", "a9")),
    "a contact for an unknown request": (
        r"unknown requests \['nobody'\]",
        contact_field("a1", "request", "nobody"),
    ),
    "a contact for another spacecraft's request": (
        r"a1 is of DD-1, its request of DD-4",
        contact_field("a1", "request", "d"),
    ),
    "a contact of another spacecraft": (
        r"a1 is of another spacecraft's window",
        contact_field("a1", "spacecraft", "DD-4"),
    ),
    "a contact over another antenna": (
        r"a1 runs along another path",
        contact_field("a1", "path", ["SANYA-1"]),
    ),
    "a contact along half its path": (
        r"c1 runs along another path",
        contact_field("c1", "path", ["RELAY"]),
    ),
    "a contact that begins too early": (
        r"a1 is not cut",
        contact_field("a1", "begins", at(-60).isoformat()),
    ),
    "a contact that ends too late": (
        r"b2 is not cut",
        contact_field("b2", "ends", at(2660).isoformat()),
    ),
    "a whole window that is trimmed": (
        r"a1 is not cut",
        contact_field("a1", "ends", at(540).isoformat()),
    ),
    "a trimmed window off its grid": (
        r"b2 is not cut",
        contact_field("b2", "begins", at(2030).isoformat()),
    ),
    "a contact shorter than viable": (
        r"b2 breaks its request's times",
        contact_field("b2", "begins", at(2540).isoformat()),
    ),
    "a contact that ends before it begins": (
        r"b2 breaks its request's times",
        contact_field("b2", "ends", at(1940).isoformat()),
    ),
    "two contacts on one antenna": (
        r"KIRUNA-1 has 2 contacts at once as b1",
        lambda document: with_contact(document, "b1", "low", "DD-7", ["KIRUNA-1"], 560, 920),
    ),
    "contacts too near for set-up": (
        r"KIRUNA-1 has 2 contacts at once as b1",
        lambda document: with_contact(document, "b1", "low", "DD-7", ["KIRUNA-1"], 680, 800),
    ),
    "a spacecraft in two places": (
        r"DD-1 has 2 contacts at once as g1",
        contact_field("g1", "begins", at(1400).isoformat()),
    ),
    "a relay with more contacts than links": (
        r"RELAY has 3 contacts at once as f1",
        lambda document: with_contact(document, "f1", "f", "DD-6", ["RELAY"], 4200, 4500),
    ),
    "more contacts than wanted": (
        r"data has 4 contacts, more than 1",
        lambda document: set_problem(document, "requests", "data", maximum_count=1),
    ),
    "a contact before the earliest": (
        r"d1 breaks its request's times",
        lambda document: set_problem(document, "requests", "d", earliest=at(4001).isoformat()),
    ),
    "a contact after the latest": (
        r"d1 breaks its request's times",
        lambda document: set_problem(document, "requests", "d", latest=at(3999).isoformat()),
    ),
    "a contact after the deadline": (
        r"d1 breaks its request's times",
        lambda document: set_problem(document, "requests", "d", deadline=at(4499).isoformat()),
    ),
    "a contact over an antenna not allowed": (
        r"d1 breaks its request's times or antennas",
        lambda document: set_problem(document, "requests", "d", antennas=["SANYA-1"]),
    ),
    "a contact longer than allowed": (
        r"b2 is not cut",
        lambda document: set_problem(document, "requests", "trimmed", maximum_duration_s=300.0),
    ),
    "a contact during an outage": (
        r"h1 falls into the outage of SANYA-1",
        lambda document: with_contact(document, "h1", "trimmed", "DD-2", ["SANYA-1"], 7000, 7300),
    ),
    "a contact while its spacecraft is out": (
        r"d1 falls into the outage of DD-4",
        lambda document: (
            document["problem"]["outages"][0].update(resource="DD-4", begins=at(4400).isoformat()),
            signed(document),
        ),
    ),
    "a frozen contact left out": (
        r"Frozen contact old",
        lambda document: without(document, "old"),
    ),
    "a frozen contact moved": (
        r"Frozen contact old",
        contact_field("old", "ends", at(8100).isoformat()),
    ),
    "a pinned window left free": (
        r"Window f1 is pinned for f, and not so booked",
        lambda document: pinned(document, window="f1", request="f"),
    ),
    "a pinned window booked for another": (
        r"Window a1 is pinned for housekeeping",
        lambda document: pinned(document, window="a1", request="housekeeping"),
    ),
    "a contact in a window that is to be free": (
        r"Window a1 is pinned for None",
        lambda document: pinned(document, window="a1", request=None),
    ),
    "an unserved request kept quiet": (r"Request f is short of 1", plan_field("unserved", [])),
    "a served request called unserved": (
        r"Request d is short of 0",
        lambda document: document["plan"]["unserved"].append(
            {**document["plan"]["unserved"][0], "request": "d"}
        ),
    ),
    "an unserved request twice": (
        r"stands there twice",
        lambda document: document["plan"]["unserved"].append(
            dict(document["plan"]["unserved"][0])
        ),
    ),
    "fewer missing than there are": (
        r"is short of 1",
        lambda document: document["plan"]["unserved"][0].update(missing=0),
    ),
    "no reason": (
        r"has no reason",
        lambda document: document["plan"]["unserved"][0].update(reason=""),
    ),
    "a conflict with a contact that is not there": (
        r"names contacts that are not there",
        lambda document: document["plan"]["unserved"][0].update(
            conflicts=[{"opportunity": "a1", "contacts": ["a9"]}]
        ),
    ),
    "a negative price": (
        r"a price of -1 for RELAY",
        lambda document: document["plan"]["prices"].append(
            {
                "antenna": "RELAY",
                "begins": at(0).isoformat(),
                "ends": at(1).isoformat(),
                "price": -1,
            }
        ),
    ),
    "a price of an unknown antenna": (
        r"a price of 1 for MIYUN-1",
        lambda document: document["plan"]["prices"].append(
            {
                "antenna": "MIYUN-1",
                "begins": at(0).isoformat(),
                "ends": at(1).isoformat(),
                "price": 1,
            }
        ),
    ),
    "a minimum that costs more": (
        r"The objective is 5222",
        lambda document: set_problem(document, "requests", "housekeeping", missing_cost=10.0),
    ),
    "a share that costs more": (
        r"The objective is 5222",
        lambda document: set_problem(document, "members", "beta", cost_per_missing_s=0.2),
    ),
    "another quality": (
        r"The objective is 5222",
        lambda document: set_problem(document, "opportunities", "a1", quality=0.9),
    ),
    "another priority": (
        r"The objective is 5222",
        lambda document: set_problem(document, "requests", "d", priority=4),
    ),
    "no contacts at all": (r"cannot be read", lambda document: document["plan"].pop("contacts")),
    "times without a zone": (
        r"cannot be read",
        contact_field("a1", "begins", "2026-12-01T00:00:00"),
    ),
}


class TestVerifyPlan:
    def test_accepts_what_the_solver_made(self, sound):
        verify_plan(json.loads(json.dumps(sound)))

    def test_has_a_plan_to_judge_that_uses_every_rule(self, sound):
        plan = sound["plan"]
        assert {"a1", "b2", "c1", "d1", "e1", "old"} <= {one["id"] for one in plan["contacts"]}
        assert {one["request"] for one in plan["unserved"]} == {"f", "housekeeping", "low"}
        assert plan["prices"]
        assert plan["bonus"] == 50.0

    @pytest.mark.parametrize("mutation", MUTATIONS)
    def test_refuses(self, mutation, sound):
        document = json.loads(json.dumps(sound))
        fault, mutate = MUTATIONS[mutation]
        mutate(document)
        with pytest.raises(PlanVerificationError) as refused:
            verify_plan(document)
        assert any(re.search(fault, found) for found in refused.value.faults)

    def test_names_every_fault(self, sound):
        document = json.loads(json.dumps(sound))
        without(document, "old")
        document["plan"]["solver"] = ""
        with pytest.raises(PlanVerificationError) as refused:
            verify_plan(document)
        assert "The plan does not say which solver made it." in refused.value.faults
        assert (
            "Frozen contact old is not in the plan, and no outage hits it." in refused.value.faults
        )
        assert "The plan has" in str(refused.value)

    def test_lets_go_of_a_frozen_contact_that_an_outage_hits(self):
        asked = everything()
        document = plan_document(asked, make_plan(asked, search()))
        document["problem"]["outages"].append(
            {
                **document["problem"]["outages"][0],
                "begins": at(8100).isoformat(),
                "ends": at(8150).isoformat(),
            }
        )
        signed(document)
        without(document, "old")
        with pytest.raises(PlanVerificationError) as refused:
            verify_plan(document)
        assert not any("Frozen" in fault for fault in refused.value.faults)

    def test_refuses_what_is_no_document(self):
        with pytest.raises(PlanVerificationError, match="cannot be read"):
            verify_plan({"format": FORMAT})


class TestIndependence:
    def test_the_verifier_is_short_and_imports_nothing_that_made_the_plan(self):
        text = Path(plan_verifier.__file__).read_text()
        imported = {
            name
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for name in [getattr(node, "module", None) or node.names[0].name]
        }
        assert imported <= {
            "__future__",
            "collections",
            "collections.abc",
            "datetime",
            "hashlib",
            "json",
            "math",
            "typing",
        }
        assert len(text.splitlines()) <= 250

    def test_both_write_the_same_format(self):
        assert plan_verifier.FORMAT == FORMAT

"""Checks a stored plan against its problem, with nothing of what made it.

Reads the JSON document by itself and shares no code with the solver: it looks every rule up
in the problem and adds the objective up again. It proves no bound, only that the plan keeps below.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

FORMAT: Final = "orbital-mission-control/plan/1"
_METHODS: Final = {"GREEDY", "FIRST_COME", "FREEZE_FIRST", "OPTIMISED", "REPAIRED"}
_CODES: Final = {"NO_WINDOW", "TOO_SHORT", "OUTAGE", "CONFLICT"}
_TOLERANCE: Final = 1e-6  # of the objective
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_SHOWN: Final = 20
Record = dict[str, Any]


class PlanVerificationError(ValueError):
    """The plan is not what it says it is; ``faults`` lists everything found."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("\n".join([f"The plan has {len(faults)} faults:", *faults[:_SHOWN]]))


def verify_plan(document: Record) -> None:
    """Check a plan against its problem.

    Raises:
        PlanVerificationError: Something is not true; it lists all that was found.
    """
    try:
        faults = [*_Verification(document).faults()]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise PlanVerificationError([f"The document cannot be read: {error!r}."]) from error
    if faults:
        raise PlanVerificationError(faults)


def _us(text: str) -> int:
    return (datetime.fromisoformat(text) - _EPOCH) // timedelta(microseconds=1)


def _as_us(seconds: float) -> int:
    return round(seconds * 1e6)


def _duration_s(contact: Record) -> float:
    return (_us(contact["ends"]) - _us(contact["begins"])) / 1e6


def _identity(contact: Record) -> tuple[Any, ...]:
    names = ("id", "request", "spacecraft", "begins", "ends")
    return (*(contact[name] for name in names), *contact["path"])


def _untrue(*claims: tuple[object, str]) -> Iterator[str]:
    yield from (fault for claim, fault in claims if not claim)


class _Verification:
    def __init__(self, document: Record) -> None:
        self.format = document["format"]
        self.problem, self.plan = document["problem"], document["plan"]
        self.contacts: list[Record] = self.plan["contacts"]
        self.begins, self.ends = _us(self.problem["begins"]), _us(self.problem["ends"])
        self.profiles = {one["name"]: one for one in self.problem["profiles"]}
        self.antennas = {one["name"]: one for one in self.problem["antennas"]}
        self.windows = {one["id"]: one for one in self.problem["opportunities"]}
        self.requests = {one["id"]: one for one in self.problem["requests"]}
        self.here = {_identity(one) for one in self.contacts}
        self.kept = {_identity(one): one for one in self.problem["kept"]}
        self.of_spacecraft: defaultdict[str, list[Record]] = defaultdict(list)
        for contact in self.contacts:
            self.of_spacecraft[contact["spacecraft"]].append(contact)

    def faults(self) -> Iterator[str]:
        text = json.dumps(self.problem, sort_keys=True, separators=(",", ":"))
        digest = f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
        plan = self.plan
        unknown = {one["request"] for one in self.contacts} - self.requests.keys()
        yield from _untrue(
            (self.format == FORMAT, f"The format is {self.format!r}, not {FORMAT!r}."),
            (plan["input_digest"] == digest, f"The plan answers another problem than {digest}."),
            (plan["method"] in _METHODS, f"The method {plan['method']!r} is none of ours."),
            (type(plan["seed"]) is int, f"The seed {plan['seed']!r} is no integer."),
            (plan["solver"], "The plan does not say which solver made it."),
            (not unknown, f"There are contacts for the unknown requests {sorted(unknown)}."),
        )
        if unknown:
            return  # nothing else can be looked up
        for one in self.contacts:
            yield from (f"Contact {one['id']} {fault}." for fault in self.contact_faults(one))
        yield from self.faults_together()
        yield from self.count_faults()
        yield from self.figure_faults()
        yield from self.unserved_faults()

    def contact_faults(self, contact: Record) -> Iterator[str]:
        request, window = self.requests[contact["request"]], self.windows.get(contact["id"])
        if contact["spacecraft"] != request["spacecraft"]:
            yield f"is of {contact['spacecraft']}, its request of {request['spacecraft']}"
        for outage in self.outages_of(contact):
            yield f"falls into the outage of {outage['resource']} at {outage['begins']}"
        if _identity(contact) in self.kept:
            return  # it keeps its time, whatever its window and its request say now
        if window is None:
            yield "is in no window of the problem and in no running plan"
            return
        yield from _untrue(
            (contact["spacecraft"] == window["spacecraft"], "is of another spacecraft's window"),
            (contact["path"] == window["path"], "runs along another path than its window"),
            (self.is_cut_right(contact, request, window), "is not cut as its profile says"),
            (self.meets_terms(contact, request), "breaks its request's times or antennas"),
        )

    def is_cut_right(self, contact: Record, request: Record, window: Record) -> bool:
        head = _us(contact["begins"]) - _us(window["begins"])
        tail = _us(window["ends"]) - _us(contact["ends"])
        step_s = self.profiles[request["profile"]]["trim_step_s"]
        longest_s = request["maximum_duration_s"] or math.inf
        if step_s is None:
            return head == tail == 0
        on_grid = min(head, tail) >= 0 == head % _as_us(step_s) == tail % _as_us(step_s)
        return on_grid and _duration_s(contact) <= longest_s

    def meets_terms(self, contact: Record, request: Record) -> bool:
        """Return whether a contact meets a request's terms, all but its longest duration."""
        begins, ends = _us(contact["begins"]), _us(contact["ends"])
        profile, allowed = self.profiles[request["profile"]], request["antennas"]
        shortest_s = max(request["minimum_duration_s"], profile["minimum_contact_s"])
        return (
            max(_us(request["earliest"]), self.begins) <= begins < ends
            and ends <= min(_us(request["deadline"]), self.ends)
            and (request["latest"] is None or begins <= _us(request["latest"]))
            and ends - begins >= _as_us(shortest_s)
            and (allowed is None or set(contact["path"]) <= set(allowed))
        )

    def occupied(self, contact: Record, resource: str) -> tuple[int, int]:
        """Return when a contact occupies an antenna, or its spacecraft."""
        begins, ends = _us(contact["begins"]), _us(contact["ends"])
        if resource == contact["spacecraft"]:
            return begins, ends
        antenna = self.antennas[resource]
        profile = self.profiles[self.requests[contact["request"]]["profile"]]
        before_s = max(antenna["setup_s"], profile["pre_pass_s"])
        after_s = max(antenna["teardown_s"], profile["post_pass_s"])
        return begins - _as_us(before_s), ends + _as_us(after_s)

    def outages_of(self, contact: Record) -> Iterator[Record]:
        for outage in self.problem["outages"]:
            if outage["resource"] in (contact["spacecraft"], *contact["path"]):
                begins, ends = self.occupied(contact, outage["resource"])
                if begins < _us(outage["ends"]) and ends > _us(outage["begins"]):
                    yield outage

    def faults_together(self) -> Iterator[str]:
        edges: defaultdict[str, list[tuple[int, int, str]]] = defaultdict(list)
        for contact in self.contacts:
            for resource in (contact["spacecraft"], *contact["path"]):
                begins, ends = self.occupied(contact, resource)
                edges[resource] += [(begins, 1, contact["id"]), (ends, -1, contact["id"])]
        for resource, changes in edges.items():
            capacity, depth = self.antennas.get(resource, {"capacity": 1})["capacity"], 0
            for _at, change, name in sorted(changes):  # at one moment ends come first
                depth += change
                if depth > capacity:
                    yield f"{resource} has {depth} contacts at once as {name} begins."

    def count_faults(self) -> Iterator[str]:
        used, own = (Counter(one[of] for one in self.contacts) for of in ("id", "request"))
        yield from (f"Window {name} is used twice." for name, uses in used.items() if uses > 1)
        for name, request in self.requests.items():
            most = request["maximum_count"]
            if most is not None and own[name] > most:
                yield f"Request {name} has {own[name]} contacts, more than {most}."
        for identity, kept in self.kept.items():
            if kept["frozen"] and identity not in self.here and not any(self.outages_of(kept)):
                yield f"Frozen contact {kept['id']} is not in the plan, and no outage hits it."
        booked = {one["id"]: one["request"] for one in self.contacts}
        for pin in self.problem.get("pins", ()):  # older documents have none
            if booked.get(pin["window"]) != pin["request"]:
                yield f"Window {pin['window']} is pinned for {pin['request']}, and not so booked."

    def missing(self, request: Record, wanted: int) -> int:
        counted = 0
        for one in self.of_spacecraft[request["spacecraft"]]:
            own = one["request"] == request["id"]
            counted += own or (request["shared"] and self.meets_terms(one, request))
        return max(wanted - counted, 0)  # contacts too few

    def figure_faults(self) -> Iterator[str]:
        bonus = math.fsum(one["bonus"] for key, one in self.kept.items() if key in self.here)
        worth = math.fsum(map(self.worth, self.contacts)) - math.fsum(self.shortfalls())
        objective, bound, gap = self.plan["objective"], self.plan["bound"], self.plan["gap"]
        room = _TOLERANCE * max(1.0, abs(objective))
        for name, figure in (("bonus", bonus), ("objective", worth + bonus)):
            if not abs(self.plan[name] - figure) <= room:
                yield f"The {name} is {self.plan[name]}; the contacts add up to {figure}."
        if (bound, gap) == (None, None):
            return
        if not bound >= objective - room:
            yield f"The objective {objective} is above the bound {bound}."
        if not abs(gap * max(abs(bound), 1e-9) - max(bound - objective, 0.0)) <= room:
            yield f"The gap is {gap}, but bound less objective is {bound - objective}."

    def worth(self, contact: Record) -> Any:
        request = self.requests[contact["request"]]
        quality = self.windows.get(contact["id"], {"quality": 1.0})["quality"]
        each = request["value"] + request["value_per_s"] * _duration_s(contact)
        return quality * 2.0 ** (5 - request["priority"]) * each

    def shortfalls(self) -> Iterator[float]:
        for request in self.requests.values():
            missing = self.missing(request, request["minimum_count"])
            yield missing * request["missing_cost"] * 2.0 ** (5 - request["priority"])
        served_s: defaultdict[str, float] = defaultdict(float)
        for contact in self.contacts:
            served_s[self.requests[contact["request"]]["owner"]] += _duration_s(contact)
        for member in self.problem["members"]:
            missing_s = max(member["entitled_s"] - served_s[member["name"]], 0.0)
            yield missing_s * member["cost_per_missing_s"]

    def unserved_faults(self) -> Iterator[str]:
        said = {one["request"]: one for one in self.plan["unserved"]}
        names = {one["id"] for one in self.contacts}
        for name, request in self.requests.items():
            missing = self.missing(request, max(request["minimum_count"], 1))
            if missing != (said[name]["missing"] if name in said else 0):
                yield f"Request {name} is short of {missing} contacts; the plan says otherwise."
        for one in self.plan["unserved"]:
            opposed = {contact for each in one["conflicts"] for contact in each["contacts"]}
            yield from _untrue(
                (said[one["request"]] is one, f"Unserved {one['request']} stands there twice."),
                (one["request"] in self.requests, f"Unserved {one['request']} is no request."),
                (one["code"] in _CODES and one["reason"], f"{one['request']} has no reason."),
                (opposed <= names, f"{one['request']} names contacts that are not there."),
            )
        for one in self.plan["prices"]:
            if one["antenna"] not in self.antennas or not one["price"] >= 0.0:
                yield f"There is a price of {one['price']} for {one['antenna']}."

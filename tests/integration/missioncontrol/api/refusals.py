"""How well-formed requests may be refused, as schemathesis is told."""

from __future__ import annotations

# By a rule that no description can tell: there is no spacecraft of that name, the
# pass is over, somebody else has changed it since, what it held was erased.
REFUSALS = ["304", "401", "403", "404", "409", "410", "412", "422", "428", "429"]

"""deploy/env.example documents what the code reads, no more and no less."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from missioncontrol.simulator.options import parse_options

ROOT = Path(__file__).resolve().parents[2]
_READERS = {
    *("text", "integer", "flag", "names", "pairs", "services", "rate"),
    *("folder", "database", "clickhouse", "broker", "secret"),
}


class _Recorder(dict[str, str]):
    """An empty environment that remembers what it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()

    def get(self, key, default=None):
        self.asked.add(key)
        return default


def _names_read(source: str) -> Iterator[str]:
    """Yield the names in ``env.text("NAME", ...)`` and ``os.environ.get("NAME")``."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        owner, called = ast.unparse(node.func.value), node.func.attr
        if (owner == "env" and called in _READERS) or (owner == "os.environ" and called == "get"):
            name = node.args[0]
            assert isinstance(name, ast.Constant), ast.unparse(node)
            yield str(name.value)


def _read_by_the_code() -> set[str]:
    settings = (ROOT / "missioncontrol" / "settings.py").read_text(encoding="utf-8")
    environment = _Recorder()
    parse_options(
        ["--mission", "m.yaml", "--state-dir", "s", "--clock-url", "http://127.0.0.1/health"],
        environment,
    )
    return set(_names_read(settings)) | environment.asked


def _documented() -> list[str]:
    example = (ROOT / "deploy" / "env.example").read_text(encoding="utf-8")
    return re.findall(r"^# ([A-Z][A-Z0-9_]*)=", example, flags=re.MULTILINE)


def test_has_every_variable_that_is_read_and_no_other():
    assert set(_documented()) == _read_by_the_code()


def test_has_each_variable_once():
    assert len(_documented()) == len(set(_documented()))


def test_every_reader_of_env_is_known_here():
    source = (ROOT / "missioncontrol" / "env.py").read_text(encoding="utf-8")
    functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    assert {node.name for node in functions if not node.name.startswith("_")} == _READERS


def test_no_other_module_reads_the_environment():
    allowed = {
        Path("missioncontrol/env.py"),
        Path("missioncontrol/settings.py"),
        Path("missioncontrol/simulator/__main__.py"),
        Path("missioncontrol/supervision/children.py"),  # hands it on to the processes
        # A program of its own, which members run: it follows XDG_DATA_HOME and reads MC_TOKEN.
        Path("missioncontrol/client/kept_checkpoints.py"),
        Path("missioncontrol/client/tokens.py"),
    }
    reading = {
        path.relative_to(ROOT)
        for package in ("missioncontrol", "telemetry", "uplink")
        for path in (ROOT / package).rglob("*.py")
        if re.search(r"os\.(environ(?!\.setdefault)|getenv)", path.read_text(encoding="utf-8"))
    }
    assert reading <= allowed

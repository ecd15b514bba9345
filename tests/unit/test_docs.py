"""What the documents point to exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("README.md", "docs/**/*.md", "deploy/**/*.md")
    for path in ROOT.glob(pattern)
)
# Text of these names files of ours by their path from the root.
NAMING_FILES = [
    "docs/architecture.md",
    "docs/contributing.md",
    "docs/dependencies.md",
    "docs/mission-file.md",
    "docs/security/README.md",
    "docs/standards.md",
]
_TOP = r"(?:missioncontrol|telemetry|uplink|tests|docs|deploy|\.ci)"


def _read(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


def _prose(text: str) -> str:
    """Return the text without fenced blocks, where brackets mean something else."""
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def _anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _make_targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", _read("Makefile"), flags=re.MULTILINE))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_leads_to_a_file(document):
    folder = (ROOT / document).parent
    for target in re.findall(r"\]\(([^)\s]+)\)", _prose(_read(document))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (folder / path).resolve() if path else ROOT / document
        assert file.is_relative_to(ROOT), target
        assert file.exists(), f"{document} links to {target}, which is not there"
        if anchor:
            assert anchor in _anchors(file.read_text(encoding="utf-8")), target


@pytest.mark.parametrize("document", NAMING_FILES)
def test_every_file_it_names_exists(document):
    named = re.findall(rf"`({_TOP}/[\w./-]+)`", _read(document))
    assert named
    missing = [name for name in named if not (ROOT / name).exists()]
    assert not missing


def test_every_standard_has_a_file():
    rows = [line for line in _read("docs/standards.md").splitlines() if line.startswith("| ")][1:]
    assert rows
    assert all(re.search(rf"`{_TOP}/[\w./-]+\.py`", row) for row in rows)


def test_every_package_stands_in_the_architecture():
    text = _read("docs/architecture.md")
    for package in (ROOT / "missioncontrol").iterdir():
        if (package / "__init__.py").exists():
            assert f"`missioncontrol/{package.name}/`" in text


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_make_target_it_names_exists(document):
    named = set(re.findall(r"(?:`|^ {4}|=\S+ )make ([a-z-]+)", _read(document), re.MULTILINE))
    assert named <= _make_targets()


def test_the_readme_names_the_two_commands():
    assert {"run", "test"} <= set(
        re.findall(r"^ {4}make ([a-z]+)", _read("README.md"), re.MULTILINE)
    )


def test_every_direct_dependency_is_explained():
    text = _read("docs/dependencies.md")
    for file in ("requirements.in", "requirements-dev.in"):
        for line in _read(file).splitlines():
            name = re.match(r"[A-Za-z][\w-]*", line)
            if name:
                assert f"| {name[0]} |" in text, f"{name[0]} of {file} is not explained"


def test_every_decision_is_listed_and_numbered_on():
    pages = sorted(path.name for path in (ROOT / "docs" / "adr").glob("*.md"))
    assert [page[:4] for page in pages] == [f"{number:04}" for number in range(1, len(pages) + 1)]
    index = _read("docs/adr/0001-record-decisions.md")
    assert all(f"]({page})" in index for page in pages[1:])


@pytest.mark.parametrize("name", ["manage.py verify_log", "manage.py load_mission"])
def test_commands_that_operators_need_are_documented(name):
    assert name in _read("deploy/runbook.md")


def test_every_management_command_that_is_named_exists():
    commands = {
        path.stem
        for package in ("missioncontrol", "telemetry", "uplink")
        for path in (ROOT / package).glob("**/management/commands/*.py")
    } | {"changepassword", "check", "collectstatic", "makemigrations", "migrate", "shell"}
    for document in DOCUMENTS:
        named = set(re.findall(r"manage\.py ([a-z_]+)", _read(document)))
        assert named <= commands, f"{document}: {sorted(named - commands)}"

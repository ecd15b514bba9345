"""What stands in the console's templates and static files, without a browser."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest
from django.template.loader import get_template

from missioncontrol import console

CONSOLE = Path(console.__file__).parent
TEMPLATES = sorted((CONSOLE / "templates").rglob("*.html"))
SCRIPTS = sorted((CONSOLE / "static" / "console").glob("*.js"))
COMMENT = re.compile(r"{% comment %}.*?{% endcomment %}|{#.*?#}", re.DOTALL)


def by_name(path: Path) -> str:
    return str(path.relative_to(CONSOLE))


class TestVendoredFiles:
    def test_are_the_ones_in_the_lock_and_no_others(self):
        lock = json.loads((CONSOLE / "vendor.lock.json").read_text())
        locked = {name: digest for library in lock for name, digest in library["files"].items()}
        for name, digest in locked.items():
            found = hashlib.sha256((CONSOLE / name).read_bytes()).hexdigest()
            assert digest == f"sha256:{found}", name
        present = {by_name(path) for path in (CONSOLE / "static/console/vendor").iterdir()}
        assert present <= set(locked)

    def test_each_have_a_licence(self):
        lock = json.loads((CONSOLE / "vendor.lock.json").read_text())
        assert all(library["licence"] for library in lock)


class TestTemplates:
    @pytest.mark.parametrize("path", TEMPLATES, ids=by_name)
    def test_compile(self, path):
        get_template(str(path.relative_to(CONSOLE / "templates")))

    @pytest.mark.parametrize("path", TEMPLATES, ids=by_name)
    def test_have_nothing_that_the_content_security_policy_refuses(self, path):
        source = COMMENT.sub("", path.read_text())
        assert not re.search(r"\sstyle=|\son[a-z]+=|<style|javascript:|hx-on", source)
        for tag in re.findall(r"<script[^>]*>", source):
            assert "src=" in tag, tag

    @pytest.mark.parametrize("path", TEMPLATES, ids=by_name)
    def test_ask_nothing_of_another_host(self, path):
        source = COMMENT.sub("", path.read_text())
        # A name below .example belongs to nobody (RFC 6761).
        assert not re.search(r"https?://(?!([a-z]+\.)+example\b)", source)


class TestStatusShapes:
    def test_are_drawn_for_each_of_the_six(self):
        sprite = (CONSOLE / "static/console/icons.svg").read_text()
        style = (CONSOLE / "static/console/console.css").read_text()
        for status in ("critical", "serious", "caution", "normal", "standby", "off"):
            assert f'id="status-{status}"' in sprite
            assert f"[data-status={status}]" in style


class TestScripts:
    @pytest.mark.parametrize("path", SCRIPTS, ids=by_name)
    def test_need_no_evaluation_and_no_other_host(self, path):
        source = path.read_text()
        assert not re.search(r"\beval\(|new Function|innerHTML|https?://(?!www\.w3\.org)", source)

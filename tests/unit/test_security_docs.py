"""What docs/security/ promises can be looked up, and nothing is left out."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECURITY = ROOT / "docs" / "security"

# Requirements of levels 1 and 2 in ASVS 5.0.0, counted in the standard's own table.
ASVS_COUNTS = {
    "1": 27, "2": 11, "3": 19, "4": 10, "5": 9, "6": 35, "7": 18, "8": 7, "9": 7,
    "10": 29, "11": 14, "12": 9, "13": 13, "14": 9, "15": 13, "16": 16, "17": 7,
}  # fmt: skip
# Subcategories of the Cybersecurity Framework 1.1.
NIST_COUNTS = {"ID": 29, "PR": 39, "DE": 18, "RS": 16, "RC": 6}


def rows(page: str, pattern: str) -> list[list[str]]:
    """Return the cells of the rows whose first cell is like *pattern*."""
    lines = (SECURITY / page).read_text(encoding="utf-8").splitlines()
    cells = [[each.strip() for each in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if re.fullmatch(pattern, row[0])]


@pytest.fixture(scope="module")
def asvs():
    return rows("asvs.md", r"\d+\.\d+\.\d+")


@pytest.fixture(scope="module")
def nist():
    return rows("nist-ir-8401.md", r"[A-Z]{2}\.[A-Z]{2}-\d+")


@pytest.mark.parametrize("page", ["asvs.md", "nist-ir-8401.md"])
def test_every_file_that_is_named_exists(page):
    text = (SECURITY / page).read_text(encoding="utf-8")
    named = re.findall(r"`((?:[\w.-]+/)+[\w.@-]+|\w+\.(?:txt|toml))`", text)
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_asvs_has_every_requirement_once(asvs):
    identifiers = [row[0] for row in asvs]
    assert len(set(identifiers)) == len(identifiers)
    assert Counter(each.split(".")[0] for each in identifiers) == ASVS_COUNTS


def test_asvs_says_of_each_how_it_stands_and_why(asvs):
    for identifier, level, asked, standing, how, shown_by in asvs:
        assert level in {"1", "2"}, identifier
        assert asked, identifier
        assert how, identifier
        assert standing in {"met", "in part", "not met", "does not apply"}, identifier
        assert shown_by or standing != "met", f"{identifier}: met, and nothing shows it"


def test_asvs_counts_its_own_rows(asvs):
    [total] = rows("asvs.md", "all")
    kinds = Counter(row[3] for row in asvs)
    counted = [kinds[each] for each in ("met", "in part", "not met", "does not apply")]
    assert list(map(int, total[1:])) == [len(asvs), *counted]


def test_nist_has_every_subcategory_once(nist):
    identifiers = [row[0] for row in nist]
    assert len(set(identifiers)) == len(identifiers)
    assert Counter(each.split(".")[0] for each in identifiers) == NIST_COUNTS


def test_nist_says_who_does_each_and_what_is_left(nist):
    for identifier, _about, standing, product, _operator in nist:
        assert standing in {"by the product", "in part", "operator"}, identifier
        assert (standing == "operator") == (not product), identifier

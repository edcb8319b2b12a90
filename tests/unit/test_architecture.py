"""Promises about the tree that no type checker holds."""

from __future__ import annotations

import re
from pathlib import Path

from capture.settings import reference_table, variables

ROOT = Path(__file__).parents[2]


def test_every_setting_is_documented_as_the_code_has_it():
    assert reference_table() in (ROOT / "docs" / "settings.md").read_text("utf-8")


def test_every_setting_is_described_once_with_a_meaning_and_what_is_allowed():
    names = [name for name, _ in variables()]

    assert len(names) == len(set(names))
    assert all(variable.meaning and variable.allowed and variable.default for _, variable in variables())


def test_the_constraints_hold_hashes_and_no_address():
    lock = (ROOT / "constraints.txt").read_text("utf-8")
    requirements = [line for line in lock.splitlines() if line and not line.startswith((" ", "#"))]

    assert "://" not in lock
    assert not re.search(r"^\s*-", lock.replace("    --hash=", ""), re.MULTILINE)
    assert all("==" in requirement for requirement in requirements)
    assert all(re.search(rf"^{re.escape(one)}\n    --hash=sha256:", lock, re.MULTILINE) for one in requirements)


def test_every_direct_dependency_is_locked():
    pyproject = (ROOT / "pyproject.toml").read_text("utf-8")
    lists = re.findall(r"^(?:dependencies|local|dev|build) = \[(.*?)\]$", pyproject, re.MULTILINE | re.DOTALL)
    wanted = {name for one in lists for name in re.findall(r'"([A-Za-z0-9-]+)[><=~]', one)}
    locked = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "constraints.txt").read_text("utf-8"), re.MULTILINE))

    assert len(wanted) > 15
    assert wanted <= locked


def test_every_make_target_has_a_help_line():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony is not None

    for target in phony[1].split():
        assert re.search(rf"^{target}:.*## \S", makefile, re.MULTILINE), target

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from tests.conftest import REPOSITORY
from training.cli import cli as digitmill_train
from worker.cli import main as digitmill

PAGES = [REPOSITORY / "README.md", REPOSITORY / "CHANGELOG.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]
MAKEFILE = (REPOSITORY / "Makefile").read_text("utf-8")

# Where somebody's own machine shows through: its folders, and the package index it installs from.
MACHINE = re.compile(r"/(work|root|home/\w+)/|(extra-)?index-url|trusted-host", re.IGNORECASE)
MAY_NAME_THEM = {"docs/adr", "tests/test_documentation.py"}


def code_lines(page: Path) -> list[str]:
    """The shell lines that a page shows: in ```sh blocks, and between backticks in its text."""
    text = page.read_text("utf-8")
    blocks = re.findall(r"```(?:sh|bash|console)\n(.*?)```", text, re.DOTALL)
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    return [line.strip() for block in blocks for line in block.splitlines()] + inline


def test_the_references_of_commands_and_settings_are_current() -> None:
    checked = subprocess.run(
        [sys.executable, "scripts/write_reference.py", "--check"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_commands_that_a_page_shows_exist_with_these_options(page: Path) -> None:
    for line in code_lines(page):
        match = re.match(r"(?:\$ )?(digitmill(?:-train)?) (.*)", line)
        if match is None:
            continue
        command: click.Command = digitmill if match[1] == "digitmill" else digitmill_train
        words = re.split(r"[|<>&;]", match[2])[0].partition(" #")[0].split()
        options = {flag for p in command.params for flag in (*p.opts, *p.secondary_opts)}
        for name in (word for word in words if re.fullmatch(r"[a-z][a-z-]*", word)):
            if not isinstance(command, click.Group):
                break
            found = command.get_command(click.Context(command), name)
            assert found is not None, f"{line}: no such command"
            command = found
            options |= {flag for p in command.params for flag in (*p.opts, *p.secondary_opts)}
        shown = {word.partition("=")[0] for word in words if re.fullmatch(r"-{1,2}[a-z][a-z-]*(=.*)?", word)}
        assert shown <= options | {"--help", "-h"}, f"{line}: {shown - options} is no option of it"


def test_every_make_target_that_a_page_names_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
    named = {
        target
        for page in PAGES
        for line in code_lines(page)
        for target in re.findall(r"^make(?: [A-Z]+=\S+)* ([a-z-]+)", line)
    }

    assert {"demo", "test"} <= named <= targets


def test_make_alone_prints_every_target_that_is_meant_for_people() -> None:
    printed = subprocess.run(
        ["make", "--no-print-directory"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout

    helped = set(re.findall(r"^([a-z-]+):.*##", MAKEFILE, re.MULTILINE))
    assert {line.split()[0] for line in printed.splitlines()} == helped
    assert {"demo", "test", "bench", "accuracy", "chaos"} <= helped


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_within_the_project_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8"))
    local = [target.partition("#")[0] for target in targets if "://" not in target]

    assert [target for target in local if target and not (page.parent / target).exists()] == []


def test_no_file_names_the_machine_it_was_written_on() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    found = []
    for name in filter(None, listed.stdout.split("\0")):
        if any(name.startswith(exempt) for exempt in MAY_NAME_THEM):
            continue
        content = (REPOSITORY / name).read_bytes() if (REPOSITORY / name).exists() else b""
        if b"\0" not in content:
            found += [f"{name}: {match[0]}" for match in MACHINE.finditer(content.decode("utf-8", "replace"))]

    assert found == []

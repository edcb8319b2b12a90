"""Exit codes and sentences: what a script may rely on when a command goes wrong."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import peewee
import psycopg2
import pytest
import redis

from capture.errors import Permanent, Refused, SystemFault
from console.cli import COMMANDS, main
from console.cli.exits import Conflict, ExitCode, Failed, NotFound, TimedOut, ending_of

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Refused("no"), ExitCode.REFUSED),
        (NotFound("no"), ExitCode.NOT_FOUND),
        (Conflict("no"), ExitCode.CONFLICT),
        (TimedOut("no"), ExitCode.TIMEOUT),
        (Failed("no"), ExitCode.FAILED),
        (Permanent("no"), ExitCode.FAILED),
        (SystemFault("no"), ExitCode.UNREACHABLE),
        (psycopg2.OperationalError("no"), ExitCode.UNREACHABLE),
        (psycopg2.InterfaceError("no"), ExitCode.UNREACHABLE),
        (peewee.OperationalError("no"), ExitCode.UNREACHABLE),
        (redis.ConnectionError("no"), ExitCode.UNREACHABLE),
        (psycopg2.OperationalError("canceling statement due to statement timeout"), ExitCode.TIMEOUT),
    ],
)
def test_every_kind_of_error_has_its_exit_code_and_one_line(error: Exception, code: ExitCode) -> None:
    ending = ending_of(error)

    assert ending is not None
    assert ending.code == code
    assert "\n" not in ending.sentence


def test_a_fault_of_ours_is_no_ending_but_keeps_its_trace() -> None:
    assert ending_of(KeyError("a bug")) is None
    assert ending_of(psycopg2.ProgrammingError("a bug")) is None


@pytest.mark.parametrize("arguments", [["jobs", "list"], ["jobs", "show"]])
def test_each_verb_of_jobs_has_an_example_in_its_help(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*arguments, "--help"]) == 0
    assert "Example: capture jobs" in capsys.readouterr().out


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_has_an_example_in_its_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    assert f"capture {command}" in capsys.readouterr().out.partition("Example")[2]


def test_the_overview_names_every_command_and_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    overview = capsys.readouterr().out

    assert all(f"  {command} " in overview for command in COMMANDS)
    assert all(f"  {int(code)} " in overview for code in ExitCode)


@pytest.mark.parametrize(
    "arguments",
    [
        ["rpo", "octo/demo"],
        ["repo"],
        ["repo", "octo/demo\n"],
        ["repo", "https://github.com/octo/demo"],
        ["repo", "octo/demo", "--since-days", "-1"],
        ["repo", "octo/demo", "--since-days", "1e3"],
        ["jobs", "list", "--state", "asleep"],
        ["jobs", "list", "--limit", "0"],
        ["jobs", "show", "7"],
        ["worker", "-p", "0"],
        ["worker", "-Q", "fast"],
        ["status", "octo"],
    ],
)
def test_what_is_misspelt_or_absurd_is_refused_in_one_line(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == ExitCode.REFUSED
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.strip().splitlines()) == 1


def test_wrong_settings_are_refused_all_together(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RETRY_MAX_ATTEMPTS", "many")
    monkeypatch.setenv("DB_POOL_MAX", "0")

    assert main(["config"]) == ExitCode.REFUSED
    said = capsys.readouterr().err
    assert "RETRY_MAX_ATTEMPTS" in said
    assert "DB_POOL_MAX" in said


def test_config_prints_value_and_source_masks_secrets_and_warns_of_misspelt_names(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITHUB_TOKEN", "made-up-and-secret")
    monkeypatch.setenv("RETRY_MAX_ATEMPTS", "5")
    (tmp_path / ".env").write_text("CRASH_LIMIT=9\n")

    assert main(["config"]) == 0
    said = capsys.readouterr()
    lines = dict(line.split("\t", 1) for line in said.out.splitlines())
    assert lines["CRASH_LIMIT"] == "9\t.env"
    assert lines["RETRY_MAX_ATTEMPTS"] == "3\tdefault"
    assert lines["GITHUB_TOKEN"].endswith("\tenvironment")
    assert "made-up-and-secret" not in said.out + said.err
    assert "RETRY_MAX_ATEMPTS" in said.err
    assert "RETRY_MAX_ATTEMPTS" in said.err


def test_without_servers_commands_say_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CAPTURE_HOME", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL", raising=False)

    assert main(["status"]) == ExitCode.REFUSED
    assert "capture up" in capsys.readouterr().err


def test_help_comes_at_once() -> None:
    command = [sys.executable, "-c", "from console.cli import main; raise SystemExit(main(['--help']))"]
    seconds = []
    for _ in range(5):
        began = time.perf_counter()
        subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL, env=os.environ)
        seconds.append(time.perf_counter() - began)

    assert min(seconds) < 0.3

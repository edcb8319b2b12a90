"""The commands that read and send, against a real database."""

from __future__ import annotations

import json
from typing import Any

import psycopg2
import pytest

from capture.producer import send
from console.cli import main
from console.cli.exits import ExitCode
from console.follow import follow
from models.database import disconnect

NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"
UNKNOWN = "00000000-0000-7000-8000-000000000000"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Any, database_url: str, redis_url: str) -> Any:
    """The test's servers, as a user would name them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CAPTURE_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("REDIS_URL", redis_url)
    yield
    disconnect()


@pytest.fixture
def connection(database_url: str) -> Any:
    """A connection of the test's own."""
    opened = psycopg2.connect(database_url)
    opened.autocommit = True
    yield opened
    opened.close()


def execute(connection: Any, sql: str, *params: Any) -> list[Any]:
    """The rows of a statement."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall()) if cursor.description else []


def asked(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    """What a command prints as JSON."""
    assert main([*arguments, "--json"]) == ExitCode.OK
    return json.loads(capsys.readouterr().out)


def test_repo_stores_one_manual_job_and_prints_its_id(connection: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["repo", "octo/demo", "--since-days", "30"]) == ExitCode.OK
    job_id = capsys.readouterr().out.strip()

    assert execute(
        connection, "SELECT id::text, actor, args, kwargs, processor_type FROM progressive_capture_jobs"
    ) == [(job_id, "capture_repository", ["octo/demo"], {"since_days": 30}, "realtime")]
    assert main(["repo", "Octo/Demo", "--since-days", "30"]) == ExitCode.OK
    assert capsys.readouterr().out.strip() == job_id


def test_a_repository_outside_the_grammar_stores_nothing(connection: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["repo", "octo/demo.git"]) == ExitCode.REFUSED

    assert execute(connection, "SELECT count(*) FROM progressive_capture_jobs") == [(0,)]
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_a_sent_job_is_stored_while_redis_is_down(
    connection: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")

    assert main(["repo", "octo/demo"]) == ExitCode.OK
    assert execute(connection, "SELECT count(*) FROM progressive_capture_jobs") == [(1,)]
    assert capsys.readouterr().err == ""


def test_waiting_ends_with_the_error_of_a_request_that_failed(
    connection: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["repo", "octo/gone"]) == ExitCode.OK
    execute(
        connection,
        "UPDATE progressive_capture_jobs SET status = 'processing', epoch = epoch + 1, worker_id = gen_random_uuid(), ready_rank = NULL",
    )
    execute(
        connection,
        "UPDATE progressive_capture_jobs SET status = 'failed', worker_id = NULL, error = 'There is no such repository.'",
    )
    outcome = follow(capsys.readouterr().out.strip(), lambda _jobs: None)

    assert (outcome.completed, outcome.error) == (False, "There is no such repository.")


def test_jobs_are_listed_newest_first_and_filtered(connection: Any, capsys: pytest.CaptureFixture[str]) -> None:
    first = send(connection, "fetch_prs", "octo/one")
    second = send(connection, "fetch_comments", "octo/two")

    assert [job["id"] for job in asked(capsys, "jobs", "list")] == [second, first]
    assert [job["id"] for job in asked(capsys, "jobs", "list", "--limit", "1")] == [second]
    assert [job["id"] for job in asked(capsys, "jobs", "list", "--type", "fetch_prs")] == [first]
    assert [job["id"] for job in asked(capsys, "jobs", "list", "--repo", "OCTO/two")] == [second]
    assert asked(capsys, "jobs", "list", "--state", "failed") == []


def test_a_job_is_shown_with_its_transitions(connection: Any, capsys: pytest.CaptureFixture[str]) -> None:
    job_id = send(connection, "fetch_prs", "octo/one")
    shown = asked(capsys, "jobs", "show", job_id)

    assert (shown["id"], shown["state"], shown["failures"], shown["dead_letters"]) == (job_id, "pending", [], [])
    assert [(move["from"], move["to"], move["why"]) for move in shown["transitions"]] == [(None, "pending", "sent")]
    assert main(["jobs", "show", job_id]) == ExitCode.OK
    assert "transitions" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["jobs", "show", UNKNOWN], ["status", "octo/unknown"]])
def test_what_does_not_exist_ends_with_4(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == ExitCode.NOT_FOUND
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_status_counts_jobs_by_type_and_state(connection: Any, capsys: pytest.CaptureFixture[str]) -> None:
    send(connection, "fetch_prs", "octo/one")
    send(connection, "fetch_prs", "octo/two")
    found = asked(capsys, "status")

    assert found["jobs"] == [{"type": "fetch_prs", "state": "pending", "count": 2}]
    assert (found["workers"], found["leader"]) == ([], None)
    assert found["oldest_ready_seconds"] > 0
    assert main(["status"]) == ExitCode.OK
    assert "leader: none" in capsys.readouterr().out


def test_status_of_a_repository_has_its_requests_and_rows(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["repo", "octo/demo"]) == ExitCode.OK
    job_id = capsys.readouterr().out.strip()
    found = asked(capsys, "status", "octo/demo")

    assert [request["id"] for request in found["requests"]] == [job_id]
    assert found["rows"] == {"pull_requests": 0, "reviews": 0, "review_comments": 0, "comments": 0, "commits": 0}
    assert main(["status", "octo/demo"]) == ExitCode.OK


@pytest.mark.parametrize(
    "arguments",
    [
        ["status"],
        ["jobs", "list"],
        ["jobs", "show", UNKNOWN],
        ["repo", "octo/demo"],
        ["db", "check"],
        ["db", "upgrade"],
        ["worker"],
    ],
)
def test_a_database_out_of_reach_ends_with_3_in_one_sentence(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", NOWHERE)

    assert main(arguments) == ExitCode.UNREACHABLE
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.strip().splitlines()) == 1


def test_an_old_schema_is_unhealthy_until_it_is_upgraded(connection: Any, capsys: pytest.CaptureFixture[str]) -> None:
    execute(connection, "DROP SCHEMA public CASCADE")
    execute(connection, "CREATE SCHEMA public")

    assert main(["db", "check"]) == ExitCode.FAILED
    assert "capture db upgrade" in capsys.readouterr().err
    assert main(["status"]) == ExitCode.FAILED
    assert main(["db", "upgrade"]) == ExitCode.OK
    assert main(["db", "check"]) == ExitCode.OK
    assert main(["db", "upgrade"]) == ExitCode.OK

"""Settings: read once, every fault named at once, secrets never shown."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from capture.errors import Refused
from capture.settings import Settings, SettingsError, default_home

NOWHERE = Path("/nonexistent/.env")


def load(dotenv: Path = NOWHERE, **environ: str) -> Settings:
    return Settings.load({"HOME": "/home/somebody", **environ}, dotenv)


def faults(**environ: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        load(**environ)
    return caught.value.faults


def test_an_empty_environment_gives_the_defaults():
    settings = load()

    assert (settings.database_url, settings.redis_url, settings.github_tokens) == (None, None, ())
    assert (settings.max_concurrent_jobs, settings.job_timeout_minutes, settings.retry_max_attempts) == (10, 30, 3)
    assert (settings.db_pool_max, settings.db_pool_min, settings.db_connect_timeout_ms) == (20, 2, 2000)
    assert (settings.sentry_traces_sample_rate, settings.health_check_interval_ms) == (0.1, 300000)
    assert (settings.lease_seconds, settings.lease_renew_seconds, settings.leader_lease_seconds) == (30, 10, 5)
    assert settings.capture_home == Path("/home/somebody/.local/share/progressive-capture")
    assert settings.warnings == ()
    assert {row.source for row in settings.describe()} == {"default"}


def test_every_default_is_allowed():
    defaults = {row.name: row.value for row in load().describe() if row.value != "none"}

    assert load(**defaults) == load()


def test_all_faults_are_reported_together_each_with_its_name_and_what_is_allowed():
    found = faults(
        DB_POOL_MAX="many", LEASE_SECONDS="nan", RETRY_NO_WAIT="perhaps", DATABASE_URL="mysql://a:b@c/d", MAX_RUNS="0"
    )

    assert found == (
        "DATABASE_URL: is not such an address; allowed: postgresql://…, postgres://…",
        "RETRY_NO_WAIT: 'perhaps' is neither on nor off; allowed: 1 or 0 (true, yes, on; false, no, off)",
        "MAX_RUNS: 0 is out of range; allowed: 1 to 1000000",
        "LEASE_SECONDS: nan is out of range; allowed: 1 to 600",
        "DB_POOL_MAX: 'many' is not a whole number; allowed: 1 to 1000",
    )


def test_the_error_is_one_line_per_fault_and_a_refusal():
    with pytest.raises(Refused) as caught:
        load(DB_POOL_MAX="0", DB_POOL_MIN="-1")

    assert len(str(caught.value).splitlines()) == 3


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({"DB_POOL_MIN": "9", "DB_POOL_MAX": "8"}, "DB_POOL_MIN"),
        ({"LEASE_SECONDS": "8"}, "LEASE_RENEW_SECONDS"),
        ({"RETRY_MAX_SECONDS": "1"}, "RETRY_BASE_SECONDS"),
    ],
)
def test_settings_that_contradict_each_other_are_a_fault(environ, name):
    (fault,) = faults(**environ)

    assert fault.startswith(f"{name}: ")


def test_a_fault_does_not_drag_a_contradiction_with_a_default_along():
    assert len(faults(DB_POOL_MAX="x", DB_POOL_MIN="50")) == 1


@pytest.mark.parametrize("text", ["1e3", "1_0", "٣", "3.0", "0x10", "9" * 5000])
def test_only_plain_digits_are_a_whole_number(text):
    assert faults(CRASH_LIMIT=text)


@pytest.mark.parametrize(
    ("root", "graphql"),
    [
        ("https://api.github.com", "https://api.github.com/graphql"),
        ("https://api.github.com/", "https://api.github.com/graphql"),
        ("https://git.example.org/api/v3", "https://git.example.org/api/graphql"),
        ("https://git.example.org/api/v3/", "https://git.example.org/api/graphql"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/graphql"),
        ("http://[::1]:8080/api/v3", "http://[::1]:8080/api/graphql"),
    ],
)
def test_the_graphql_address_follows_from_the_root(root, graphql):
    assert load(GITHUB_API_URL=root).github_graphql_url == graphql


@pytest.mark.parametrize(
    "root",
    [
        "http://api.github.com",
        "http://127.0.0.1.example.org",
        "ftp://localhost",
        "https://",
        "https://a b",
        "https://x/?a=b",
        "//x",
        "https://x:port",
    ],
)
def test_a_root_that_is_no_address_or_sends_the_token_in_the_clear_is_refused(root):
    (fault,) = faults(GITHUB_API_URL=root)

    assert fault.startswith("GITHUB_API_URL: ")


def test_a_root_with_a_password_is_refused_without_showing_it():
    assert "hunter2" not in faults(GITHUB_API_URL="https://me:hunter2@api.github.com")[0]


def test_the_tokens_are_the_union_of_both_names_in_order():
    assert load(GITHUB_TOKEN="a", GITHUB_TOKENS="b, a,,c ").github_tokens == ("a", "b", "c")
    assert load(GITHUB_TOKENS="b").github_tokens == ("b",)


def test_a_secret_may_stand_in_a_file(tmp_path):
    (tmp_path / "token").write_text("s3cret\n")

    settings = load(GITHUB_TOKEN_FILE=str(tmp_path / "token"))

    assert settings.github_tokens == ("s3cret",)
    assert ("GITHUB_TOKEN", "***", "file") in settings.describe()


def test_a_secret_given_twice_or_in_an_unreadable_or_empty_file_is_a_fault(tmp_path):
    (tmp_path / "empty").touch()

    found = faults(
        GITHUB_TOKEN="a", GITHUB_TOKEN_FILE="b", SENTRY_DSN_FILE=str(tmp_path), REDIS_URL_FILE=str(tmp_path / "empty")
    )

    assert [fault.partition(":")[0] for fault in found] == ["REDIS_URL_FILE", "GITHUB_TOKEN", "SENTRY_DSN_FILE"]


def test_only_secrets_may_stand_in_a_file():
    assert load(DB_POOL_MAX_FILE="/etc/hostname").warnings == (
        "DB_POOL_MAX_FILE is not a setting: is DB_POOL_MAX meant?",
    )


SECRETS = {
    "DATABASE_URL": "postgresql://me:hunter2@db/capture?sslmode=require&sslpassword=hunter2",
    "REDIS_URL": "rediss://:hunter2@cache/0",
    "GITHUB_TOKEN": "ghp_hunter2",
    "GITHUB_TOKENS": "hunter2a,hunter2b",
    "SENTRY_DSN": "https://hunter2@sentry.example.org/1",
}


def test_no_secret_is_shown_in_any_print():
    settings = load(**SECRETS)

    for shown in (repr(settings), str(settings), f"{settings}", repr(settings.describe())):
        assert "hunter2" not in shown
    assert "postgresql://me:***@db/capture?sslmode=require&sslpassword=***" in repr(settings)


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_no_secret_is_shown_in_a_fault(name):
    assert "hunter2" not in "".join(faults(**{name: "hun ter2/hunter2"}))


@pytest.mark.parametrize("password", ["pa/ss", "p@ss", "p:a:s", "pa%20ss"])
def test_a_password_with_signs_in_it_is_masked_whole(password):
    assert "s" not in repr(load(REDIS_URL=f"redis://:{password}@c/0")).split("redis://", 1)[1]


def test_the_environment_wins_over_the_file_and_the_source_is_told(tmp_path):
    dotenv = tmp_path / ".env"
    dotenv.write_text("# ours\nexport CRASH_LIMIT=4 # four\nMAX_RUNS='7'\nGITHUB_TOKEN=\"a#b\"\n\nFAULT_LIMIT=\n")

    settings = load(dotenv, CRASH_LIMIT="5")

    assert (settings.crash_limit, settings.max_runs, settings.fault_limit) == (5, 7, 100)
    assert settings.github_tokens == ("a#b",)
    sources = {row.name: row.source for row in settings.describe()}
    assert (sources["CRASH_LIMIT"], sources["MAX_RUNS"], sources["FAULT_LIMIT"]) == ("environment", ".env", "default")


def test_a_line_that_is_no_assignment_is_a_fault_that_does_not_show_it(tmp_path):
    (tmp_path / ".env").write_text("MAX_RUNS=1\nghp_hunter2\n")

    with pytest.raises(SettingsError, match=r"\.env: line 2 is not an assignment") as caught:
        load(tmp_path / ".env")
    assert "hunter2" not in str(caught.value)


def test_a_misspelt_name_is_a_warning_with_a_suggestion():
    settings = load(
        DATABSE_URL="x", DB_POOL_SIZE="3", max_concurrent_jobs="3", CAPTURE_QQQ="1", PATH="/bin", EDITOR="vi"
    )

    assert settings.warnings == (
        "CAPTURE_QQQ is not a setting: docs/settings.md lists those there are.",
        "DATABSE_URL is not a setting: is DATABASE_URL meant?",
        "DB_POOL_SIZE is not a setting: is DB_POOL_MIN meant?",
        "max_concurrent_jobs is not a setting: is MAX_CONCURRENT_JOBS meant?",
    )


def test_the_home_follows_the_xdg_rules():
    assert default_home({"XDG_DATA_HOME": "/data", "HOME": "/h"}) == Path("/data/progressive-capture")
    assert default_home({"XDG_DATA_HOME": "data", "HOME": "/h"}) == Path("/h/.local/share/progressive-capture")
    assert load(CAPTURE_HOME="state").capture_home == Path.cwd() / "state"


def test_settings_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        load().max_runs = 3  # type: ignore[misc]

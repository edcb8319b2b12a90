"""Settings: one frozen object, read once from the environment at the entry point and passed down."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from capture.environment import Environment, misspelt
from capture.errors import Refused
from capture.variables import Variable, address, api_root, dsn, folder, number, secret, secrets, switch, whole

#: Names that our tests read and that are no settings.
KNOWN_ELSEWHERE = frozenset({"CAPTURE_TEST_EXTERNAL"})
_ENTERPRISE_SUFFIX = "/api/v3"


class SettingsError(Refused):
    """Some settings are wrong; the text names each variable, its fault and what is allowed, a line each."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(["Some settings are wrong:", *(f"  {fault}" for fault in faults)]))
        self.faults = tuple(faults)


class Described(NamedTuple):
    """One row of ``capture config``: the value is masked where it is secret."""

    name: str
    value: str
    source: str
    """``environment``, ``.env``, ``file`` (a ``NAME_FILE``) or ``default``."""


def default_home(environ: Mapping[str, str]) -> Path:
    """The embedded servers' home as the XDG rules have it: a relative ``XDG_DATA_HOME`` counts as none."""
    data = environ.get("XDG_DATA_HOME", "")
    home = environ.get("HOME", "") or "~"
    base = Path(data) if data.startswith("/") else Path(os.path.expanduser(home)) / ".local" / "share"  # noqa: PTH111
    return base.absolute() / "progressive-capture"


def _home_of_this_process() -> Path:
    return default_home(os.environ)


@dataclass(frozen=True, repr=False)
class Settings:
    """Everything that can be set; a field is its variable in lower case, and its default is the product's."""

    database_url: str | None = address(
        ("postgresql", "postgres"), "PostgreSQL; a session connection, no transaction pooler", "embedded"
    )
    redis_url: str | None = address(("redis", "rediss", "unix"), "Redis or Valkey", "embedded")
    github_token: str | None = secret("The one GitHub token, or one more")
    github_tokens: tuple[str, ...] = secrets("GitHub tokens, one per identity; `GITHUB_TOKEN` is added to them")
    github_api_url: str = api_root(
        "https://api.github.com", "Root of GitHub's API; of an Enterprise Server `https://HOST/api/v3`"
    )
    github_page_size: int = whole(
        25, 1, 100, "Pull requests asked for in one page at the start; doubled after clean pages, halved after faults"
    )
    github_deadline_seconds: float = number(
        60, 1, 600, "A call to GitHub is given up after so long in all, its body included"
    )
    github_tries: int = whole(5, 1, 20, "Times that one page is asked for within a run, before the run fails")
    capture_home: Path = folder(  # noqa: RUF009
        "Where the embedded servers keep their state", "`~/.local/share/progressive-capture`", _home_of_this_process
    )
    capture_reference_data: Path | None = folder(  # noqa: RUF009
        "Folder with GitHub's schema and recorded histories, for tests and the stand-in", "none", lambda: None
    )
    max_concurrent_jobs: int = whole(10, 1, 256, "Jobs run at once by one process; the lower of this and `-t` holds")
    job_timeout_minutes: float = number(
        30, 0.01, 1440, "A run of a job that declares no limit of its own is ended after so long"
    )
    retry_max_attempts: int = whole(3, 0, 100, "Retries after failures in a row, before the job is given up")
    retry_backoff_multiplier: float = number(2, 1, 10, "Each wait is so many times the one before")
    retry_base_seconds: float = number(60, 0, 86400, "The first wait")
    retry_max_seconds: float = number(3600, 0, 604800, "The longest wait, before jitter")
    retry_jitter: float = number(0.3, 0, 1, "Up to this part of a wait is added to it, at random")
    retry_no_wait: bool = switch(False, "All retry waits are zero: the tests' one switch")
    crash_limit: int = whole(3, 1, 100, "Workers that may die under one job, before it is given up")
    fault_limit: int = whole(100, 1, 100000, "System faults in a row, before a job is given up")
    max_runs: int = whole(1000, 1, 1000000, "Runs of one job, deferrals aside, before it is given up")
    lease_seconds: float = number(30, 1, 600, "A worker that does not renew its lease for so long is taken for lost")
    lease_renew_seconds: float = number(
        10, 0.2, 300, "A worker renews its lease so often; at most half of `LEASE_SECONDS`"
    )
    leader_lease_seconds: float = number(5, 1, 60, "Another process leads after a leader was silent for so long")
    drain_seconds: float = number(30, 0, 3600, "At shutdown, running jobs have so long to reach their next commit")
    seconds_per_point: float = number(60, 0, 3600, "A point of score is worth so many seconds of waiting")
    db_pool_max: int = whole(20, 1, 1000, "Connections to PostgreSQL of one process, at most")
    db_pool_min: int = whole(2, 0, 1000, "Connections opened at the start; at most `DB_POOL_MAX`")
    db_pool_idle_timeout_ms: int = whole(30000, 1000, 86400000, "An idle connection is closed after so long")
    db_pool_acquire_timeout_ms: int = whole(30000, 100, 600000, "A thread waits so long for a free connection")
    db_connect_timeout_ms: int = whole(2000, 100, 60000, "Opening a connection may take so long")
    sentry_dsn: str | None = dsn("Where errors are reported")
    sentry_traces_sample_rate: float = number(0.1, 0, 1, "The part of runs that is traced in Sentry")
    health_check_interval_ms: int = whole(300000, 1000, 86400000, "Health is judged so often")

    warnings: tuple[str, ...] = ()
    """Names in the environment that look like ours and are not, each with a suggestion."""
    sources: Mapping[str, str] = field(default_factory=dict, compare=False)
    """Where each variable came from, by name; absent: the default."""

    def __post_init__(self) -> None:
        """The single token is one of the tokens."""
        if self.github_token:
            object.__setattr__(self, "github_tokens", tuple(dict.fromkeys((self.github_token, *self.github_tokens))))

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None, dotenv: Path = Path(".env")) -> Settings:
        """What ``environ`` says and, where that is silent, ``dotenv``; :class:`SettingsError` holds all faults."""
        environ = os.environ if environ is None else environ
        found = Environment(environ, dotenv)
        faults = found.faults
        values: dict[str, Any] = {"capture_home": default_home(environ)}
        sources: dict[str, str] = {}
        broken: set[str] = set()
        for name, variable in variables():
            given = found.find(name, is_secret=variable.secret)
            if given is None:
                continue
            sources[name] = given.source
            try:
                values[name.lower()] = variable.parse(given.text)
            except ValueError as fault:
                faults.append(f"{name}: {fault}; allowed: {variable.allowed}")
                broken.add(name)
        settings = cls(**values, warnings=tuple(misspelt(found.names, known_names())), sources=sources)
        faults += settings._contradictions(broken)
        if faults:
            raise SettingsError(faults)
        return settings

    @property
    def github_graphql_url(self) -> str:
        """The GraphQL address that belongs to ``github_api_url``."""
        if self.github_api_url.endswith(_ENTERPRISE_SUFFIX):
            return self.github_api_url.removesuffix("/v3") + "/graphql"
        return f"{self.github_api_url}/graphql"

    def describe(self) -> list[Described]:
        """Every variable with its value, masked where it is secret, and where it came from."""
        return [
            Described(name, variable.show(getattr(self, name.lower())), self.sources.get(name, "default"))
            for name, variable in variables()
        ]

    def __repr__(self) -> str:
        """What differs from the defaults, masked."""
        given = [f"{row.name.lower()}={row.value}" for row in self.describe() if row.source != "default"]
        return f"Settings({', '.join(given)})"

    def _contradictions(self, broken: set[str]) -> Iterator[str]:
        for name, value, limit, highest in (
            ("DB_POOL_MIN", self.db_pool_min, "DB_POOL_MAX", self.db_pool_max),
            ("LEASE_RENEW_SECONDS", self.lease_renew_seconds, "half of LEASE_SECONDS", self.lease_seconds / 2),
            ("RETRY_BASE_SECONDS", self.retry_base_seconds, "RETRY_MAX_SECONDS", self.retry_max_seconds),
        ):
            if value > highest and not broken & {name, limit.removeprefix("half of ")}:
                yield f"{name}: {value:g} is more than {limit}; allowed: up to {highest:g}"


def variables() -> list[tuple[str, Variable]]:
    """Every variable's name and contract, in the order of the fields."""
    fields = dataclasses.fields(Settings)
    return [(one.name.upper(), one.metadata["variable"]) for one in fields if "variable" in one.metadata]


def known_names() -> set[str]:
    """Every name that may stand in the environment: the variables, ``NAME_FILE`` of the secret ones, our tests' own."""
    files = {f"{name}_FILE" for name, variable in variables() if variable.secret}
    return {name for name, _ in variables()} | files | KNOWN_ELSEWHERE


def reference_table() -> str:
    """The table of docs/settings.md, as Markdown."""
    rows = [
        f"| `{name}`{' (secret)' if one.secret else ''} | {one.default} | {one.allowed} | {one.meaning} |"
        for name, one in variables()
    ]
    return "\n".join(["| variable | default | allowed | meaning |", "|---|---|---|---|", *rows]) + "\n"

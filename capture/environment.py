"""The environment as we read it: variables, then ``.env``; a secret also from the file that ``NAME_FILE`` names."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

#: A name that begins so is meant for us, even where it resembles none of ours.
OUR_PREFIXES = ("CAPTURE_", "DB_POOL_", "RETRY_")
#: How alike a foreign name must be before we speak of it; 1 is equal.
ALIKE, ALIKE_WITH_OUR_PREFIX = 0.87, 0.7


class Given(NamedTuple):
    """A variable's text and where it stood: ``environment``, ``.env`` or ``file``."""

    text: str
    source: str


class Environment:
    """Two layers of variables, the process's before ``.env``; what cannot be read is noted in ``faults``."""

    def __init__(self, environ: Mapping[str, str], dotenv: Path) -> None:
        self.faults: list[str] = []
        self._layers = (("environment", environ), (".env", self._read_dotenv(dotenv)))

    @property
    def names(self) -> set[str]:
        """Every name that is set in either layer."""
        return {name for _, layer in self._layers for name in layer}

    def find(self, name: str, *, is_secret: bool) -> Given | None:
        """The text of ``name`` in the first layer that has it; an empty one counts as none."""
        for source, layer in self._layers:
            text = layer.get(name, "").strip()
            path = layer.get(f"{name}_FILE", "").strip() if is_secret else ""
            if text and path:
                self.faults.append(f"{name}: given together with {name}_FILE; allowed: one of the two")
                return None
            if path:
                return self._read_secret(name, path)
            if text:
                return Given(text, source)
        return None

    def _read_secret(self, name: str, path: str) -> Given | None:
        try:
            text = Path(path).expanduser().read_text("utf-8").strip()
        except (OSError, ValueError, RuntimeError):
            self.faults.append(f"{name}_FILE: {path!r} cannot be read; allowed: a readable text file")
            return None
        if not text:
            self.faults.append(f"{name}_FILE: {path!r} is empty; allowed: a file that holds the secret")
            return None
        return Given(text, "file")

    def _read_dotenv(self, path: Path) -> dict[str, str]:
        if not path.is_file():
            return {}
        try:
            lines = path.read_text("utf-8").splitlines()
        except (OSError, ValueError) as error:
            self.faults.append(f"{path.name}: cannot be read ({type(error).__name__}); allowed: a readable text file")
            return {}
        found: dict[str, str] = {}
        for position, line in enumerate(lines, start=1):
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            match = re.fullmatch(r"\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*)", line)
            if match is None:
                self.faults.append(f"{path.name}: line {position} is not an assignment; allowed: NAME=value")
                continue
            found[match[1]] = _unquoted(match[2].strip())
        return found


def misspelt(names: Iterable[str], known: set[str]) -> Iterator[str]:
    """A sentence for each of ``names`` that looks like one of the ``known`` ones and is none."""
    for name in sorted(set(names) - known):
        is_ours = name.upper().startswith(OUR_PREFIXES)
        cutoff = ALIKE_WITH_OUR_PREFIX if is_ours else ALIKE
        close = difflib.get_close_matches(name.upper(), sorted(known), n=1, cutoff=cutoff)
        if close:
            yield f"{name} is not a setting: is {close[0]} meant?"
        elif is_ours:
            yield f"{name} is not a setting: docs/settings.md lists those there are."


def _unquoted(text: str) -> str:
    """A quoted value as it stands between its quotes, another one up to `` #``."""
    quoted = re.fullmatch(r"""(["'])(.*)\1\s*(?:#.*)?""", text)
    return quoted[2] if quoted else re.sub(r"(^|\s+)#.*", "", text)

"""A job to be sent: everything about it is checked at the door, and bad input is refused with one sentence."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from capture.errors import Refused
from capture.ids import new_id
from capture.job_types import JobType
from capture.priority import Facts, processor_type

MAX_PAYLOAD_BYTES: Final = 64 * 1024
#: An escaped NUL, whose backslash is not itself escaped.
_NUL: Final = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to be sent, checked; ``id`` is its message's id."""

    id: str
    actor: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    facts: Facts
    job_type: JobType
    queue: str | None = None
    """None: routed by the facts."""
    delay_seconds: float = 0.0
    capture_run_id: str | None = None
    blocked_by: tuple[str, ...] = ()
    repository: str | None = None
    unique_key: str | None = None

    @property
    def processor_type(self) -> str:
        """The queue it goes to."""
        return self.queue or processor_type(self.facts)


def checked(
    actor: str,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    *,
    job_type: JobType,
    facts: Facts,
    queue: str | None = None,
    delay_seconds: float = 0.0,
    capture_run_id: str | None = None,
    blocked_by: Sequence[str] = (),
    job_id: str | None = None,
) -> NewJob:
    """The job if everything about it is right; raises ``Refused`` with one sentence, and nothing is stored."""
    if not 0 <= delay_seconds <= 366 * 86400:
        raise Refused("delay must be between zero and a year.")
    if delay_seconds and blocked_by:
        raise Refused(
            "delay and blocked_by do not go together: a blocked job is due when what it waits for is completed."
        )
    for one in (job_id, capture_run_id, *blocked_by):
        _require_id(one)
    text = canonical(actor, list(args), dict(kwargs))
    by_name = job_type.bind(actor, tuple(args), kwargs)
    key = None
    if job_type.unique:
        scope = canonical(actor, [], _one_spelling(by_name)) if by_name else text
        key = fingerprint(scope + (capture_run_id or ""))
    repository = by_name.get("repository")
    return NewJob(
        id=job_id or new_id(),
        actor=actor,
        args=tuple(args),
        kwargs=dict(kwargs),
        facts=facts,
        job_type=job_type,
        queue=queue,
        delay_seconds=delay_seconds,
        capture_run_id=capture_run_id,
        blocked_by=tuple(blocked_by),
        repository=repository if isinstance(repository, str) else None,
        unique_key=key,
    )


def canonical(actor: str, args: list[Any], kwargs: dict[str, Any]) -> str:
    """One spelling of actor and arguments as JSON; raises ``Refused`` for what is not JSON or is too large."""
    try:
        text = json.dumps([actor, args, kwargs], sort_keys=True, allow_nan=False, separators=(",", ":"))
        same = json.loads(text) == [actor, args, kwargs]
    except (TypeError, ValueError, RecursionError):
        raise Refused(f"The arguments of {actor} are not JSON: send text, numbers, lists and the like.") from None
    if not same:
        raise Refused(
            f"The arguments of {actor} would change on their way through JSON: send text, numbers, lists and the like."
        )
    if any("\ud800" <= character <= "\udfff" for character in json.dumps([args, kwargs], ensure_ascii=False)):
        raise Refused(
            f"The arguments of {actor} hold half a character (a lone surrogate), which PostgreSQL does not store."
        )
    if _NUL.search(text):
        raise Refused(f"The arguments of {actor} hold a NUL character, which PostgreSQL does not store.")
    if len(text.encode()) > MAX_PAYLOAD_BYTES:
        raise Refused(f"The arguments of {actor} are over 64 kB: store the data and send its key.")
    return text


def fingerprint(text: str) -> str:
    """What makes two live jobs the same."""
    return hashlib.sha256(text.encode()).hexdigest()[:40]


def _require_id(value: str | None) -> None:
    if value is not None and not _ID.fullmatch(str(value)):
        raise Refused(
            f"{str(value)[:60]!r} is not the id of a job or capture run: use the message_id that send returned."
        )


def _one_spelling(by_name: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments by name, with the repository as GitHub compares names: without regard to case."""
    return {key: value.lower() if key == "repository" else value for key, value in by_name.items()}

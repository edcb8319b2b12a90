"""How the orders of a Door are carried out; runs on the server's own loop."""

from __future__ import annotations

import hashlib
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from .api import Api
from .dataset import LISTS, Dataset, Record
from .faults import Fault
from .journal import Holds, Journal, Rule
from .limits import Limits
from .things import Person, Pull
from .world import STATES, Repo

PUBLIC = frozenset(
    [
        "log",
        "stats",
        "pages_asked",
        "reset",
        "fail",
        "hold_before",
        "is_holding",
        "release",
        "configure",
        "refuse_token",
        "truth",
        "add",
        "set_state",
        "rename",
        "rename_user",
        "edit_pull",
        "delete_pull",
        "force_push",
        "put_item",
        "delete_item",
    ]
)


class Orders:
    """One method for each order; arguments and answers are plain JSON. Raises ValueError for a bad order."""

    def __init__(self, api: Api) -> None:
        self.api = api

    def carry_out(self, order: str, arguments: Record) -> Any:
        """Do what is ordered."""
        if order not in PUBLIC:
            raise ValueError(f"There is no order {order!r}.")
        return getattr(self, order)(**arguments)

    def log(self) -> list[Record]:
        """See Door."""
        return self.api.journal.as_records()

    def stats(self) -> Record:
        """See Door."""
        return self.api.journal.stats()

    def pages_asked(self, **rule: Any) -> list[int | None]:
        """See Door."""
        return [entry.page for entry in self.api.journal.asked(Rule(**rule))]

    def reset(self) -> None:
        """See Door."""
        self.api.holds.release()
        self.api.journal, self.api.holds = Journal(), Holds()
        self.api.faults.ordered.clear()
        self.api.accounts.known.clear()
        self.api.bad_tokens.clear()

    def fail(self, kind: str, rule: Record, **options: Any) -> None:
        """See Door."""
        if "numbers" in options:
            options["numbers"] = tuple(options["numbers"])
        self.api.faults.ordered.append(Fault(kind, Rule(**rule), **options))

    def hold_before(self, rule: Record) -> None:
        """See Door."""
        self.api.holds.add(Rule(**rule))

    def is_holding(self) -> bool:
        """See Door."""
        return bool(self.api.holds.holding)

    def release(self) -> None:
        """See Door."""
        self.api.holds.release()

    def configure(self, **settings: Any) -> None:
        """See Door."""
        for name, value in settings.items():
            if name in {field.name for field in fields(Limits)}:
                setattr(self.api.accounts.limits, name, value)
            elif name in {"latency_seconds", "compute_limit_nodes"}:
                setattr(self.api, name, value)
            else:
                raise ValueError(f"There is no setting {name!r}.")
        for identity in self.api.accounts.known.values():
            identity.budgets.clear()
            identity.waits.clear()

    def refuse_token(self, token: str) -> None:
        """See Door."""
        self.api.bad_tokens.add(hashlib.sha256(token.encode()).hexdigest()[:12])

    def truth(self, repository: str) -> Record:
        """See Door."""
        return self._repo(repository).data

    def add(self, data: Record) -> None:
        """See Door."""
        self.api.world.add(Dataset(data))

    def set_state(self, repository: str, state: str) -> None:
        """See Door."""
        if state not in STATES:
            raise ValueError(f"A repository is one of {', '.join(STATES)}, not {state!r}.")
        self._repo(repository).state = state

    def rename(self, repository: str, new_name: str) -> None:
        """See Door."""
        repo = self._repo(repository)
        old, (owner, _, name) = repo.name, new_name.partition("/")
        repo.facts.update(owner=owner, name=name, former_names=[*repo.facts["former_names"], old])
        for pull in repo.pulls.values():
            if pull.raw["head_repo"] == old:
                pull.raw["head_repo"] = new_name
        repo.changed()

    def rename_user(self, login: str, new_login: str, reused_by: int | None = None) -> None:
        """See Door."""
        person = self.api.world.find_person(login)
        if person is None:
            raise ValueError(f"Nobody is called {login!r}.")
        person.login = new_login
        if reused_by is not None:
            self.api.world.people[reused_by] = Person(reused_by, login, "User", None)

    def edit_pull(self, repository: str, number: int, changes: Record) -> None:
        """See Door."""
        pull = self._pull(repository, number)
        pull.raw.update({"updated_at": _now(), **changes})
        pull.repo.changed()

    def delete_pull(self, repository: str, number: int) -> None:
        """See Door."""
        pull = self._pull(repository, number)
        del pull.repo.pulls[number]
        pull.repo.data["pulls"].remove(pull.raw)
        pull.repo.changed()

    def force_push(self, repository: str, number: int, keep: int = 0) -> None:
        """See Door."""
        pull = self._pull(repository, number)
        commits, kept, now = pull.repo.data["commits"], pull.raw["commits"][:keep], _now()
        last = pull.raw["commits"][-1]
        sha = hashlib.sha1(f"{pull.raw['id']}:{now}:{last}".encode(), usedforsecurity=False).hexdigest()
        line = [*commits[last]["c"][:2], now]
        commits[sha] = {**commits[last], "a": line, "c": line, "p": kept[-1:] or [pull.raw["base_sha"]]}
        pull.raw.update(commits=[*kept, sha], head_sha=sha, updated_at=now)
        pull.repo.changed()

    def put_item(self, repository: str, number: int, kind: str, item: Record, touch: bool = True) -> None:
        """See Door."""
        pull = self._pull(repository, number)
        items = self._items(pull, kind)
        known = next((old for old in items if old["id"] == item["id"]), None)
        if known is None:
            items.append(item)
        else:
            known.update(item)
        if touch:
            pull.raw["updated_at"] = _now()
        pull.repo.changed()

    def delete_item(self, repository: str, number: int, kind: str, item_id: int) -> None:
        """See Door."""
        pull = self._pull(repository, number)
        items = self._items(pull, kind)
        items[:] = [item for item in items if item["id"] != item_id]
        pull.repo.changed()

    def _repo(self, repository: str) -> Repo:
        found = next((repo for repo in self.api.world.repos if repo.name.lower() == repository.lower()), None)
        if found is None:
            raise ValueError(f"The stand-in holds no repository {repository!r}.")
        return found

    def _pull(self, repository: str, number: int) -> Pull:
        found = self._repo(repository).pulls.get(number)
        if found is None:
            raise ValueError(f"{repository} has no pull request {number}.")
        return found

    def _items(self, pull: Pull, kind: str) -> list[Record]:
        if kind not in LISTS:
            raise ValueError(f"A pull request has {', '.join(LISTS)}, not {kind!r}.")
        items: list[Record] = pull.raw[kind]
        return items


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

"""What tests and the demo can order of a stand-in, the same in this process and over HTTP."""

from __future__ import annotations

from typing import Any

from .dataset import Dataset, Record


class Door:
    """The orders; ``_call`` carries one to wherever the stand-in runs and brings back plain JSON."""

    url: str
    """The REST root; GraphQL is at ``/graphql`` below it, and both again in GitHub Enterprise's form."""

    def _call(self, order: str, **arguments: Any) -> Any:
        raise TypeError(f"{type(self).__name__} has no way to carry {order} with {sorted(arguments)}.")

    @property
    def log(self) -> list[Record]:
        """Every request so far, as :class:`journal.Entry` describes."""
        return list(self._call("log"))

    def stats(self) -> Record:
        """Totals over the log: requests, points, calls while blocked, by operation, most in flight at once."""
        return dict(self._call("stats"))

    def pages_asked(
        self, operation: str | None = None, repository: str | None = None, kind: str | None = None
    ) -> list[int | None]:
        """Page numbers in the order asked; an unknown cursor counts as None."""
        return list(self._call("pages_asked", operation=operation, repository=repository, kind=kind))

    def reset(self) -> None:
        """Forget log, faults, holds, budgets and waits; keep the repositories."""
        self._call("reset")

    def fail(
        self,
        kind: str,
        *,
        next: int = 1,
        operation: str | None = None,
        repository: str | None = None,
        page: int | None = None,
        cursor: str | None = None,
        api: str | None = None,
        **options: Any,
    ) -> None:
        """Let the next so many matching requests fail; kinds and options are those of :class:`faults.Fault`.

        ``api`` is ``graphql`` or ``rest``. Without ``seconds`` and ``retry_after`` a fault has no echo.
        """
        rule = {"operation": operation, "repository": repository, "page": page, "cursor": cursor, "kind": api}
        self._call("fail", kind=kind, left=next, rule=rule, **options)

    def hold_before(
        self,
        operation: str | None = None,
        page: int | None = None,
        repository: str | None = None,
        cursor: str | None = None,
        api: str | None = None,
    ) -> None:
        """Hold the next matching request, unanswered, until :meth:`release`; one request for each order."""
        rule = {"operation": operation, "repository": repository, "page": page, "cursor": cursor, "kind": api}
        self._call("hold_before", rule=rule)

    def is_holding(self) -> bool:
        """Whether a request is held now."""
        return bool(self._call("is_holding"))

    def release(self) -> None:
        """Answer what is held, and hold nothing more."""
        self._call("release")

    def configure(self, **settings: Any) -> None:
        """Change limits (fields of :class:`limits.Limits`), ``latency_seconds`` or ``compute_limit_nodes``."""
        self._call("configure", **settings)

    def refuse_token(self, token: str) -> None:
        """Answer 401 ``Bad credentials`` to this token from now on."""
        self._call("refuse_token", token=token)

    def truth(self, repository: str) -> Record:
        """The dataset of ``owner/name`` as it is now, in the format of docs/stand-in.md."""
        return dict(self._call("truth", repository=repository))

    def add(self, dataset: Dataset) -> None:
        """Take in one more repository."""
        self._call("add", data=dataset.data)

    def set_state(self, repository: str, state: str) -> None:
        """Make a repository ``ok``, ``blocked`` (451) or ``gone`` (404)."""
        self._call("set_state", repository=repository, state=state)

    def rename(self, repository: str, new_name: str) -> None:
        """Give a repository another ``owner/name``; the old one leads to it."""
        self._call("rename", repository=repository, new_name=new_name)

    def rename_user(self, login: str, new_login: str, reused_by: int | None = None) -> None:
        """Give an account another login; with ``reused_by`` a new account of that number takes the old one."""
        self._call("rename_user", login=login, new_login=new_login, reused_by=reused_by)

    def edit_pull(self, repository: str, number: int, **changes: Any) -> None:
        """Change fields of a pull request's record, such as title or body; ``updated_at`` moves to now."""
        self._call("edit_pull", repository=repository, number=number, changes=changes)

    def delete_pull(self, repository: str, number: int) -> None:
        """Let a pull request disappear."""
        self._call("delete_pull", repository=repository, number=number)

    def force_push(self, repository: str, number: int, keep: int = 0) -> None:
        """Replace all but the first ``keep`` commits of a pull request by one new commit."""
        self._call("force_push", repository=repository, number=number, keep=keep)

    def put_item(self, repository: str, number: int, kind: str, item: Record, touch: bool = True) -> None:
        """Add a record to ``reviews``, ``review_comments`` or ``comments``, or change the one with its id.

        With ``touch`` the pull request's ``updated_at`` moves too.
        """
        self._call("put_item", repository=repository, number=number, kind=kind, item=item, touch=touch)

    def delete_item(self, repository: str, number: int, kind: str, item_id: int) -> None:
        """Remove a review or comment; the pull request's ``updated_at`` stays."""
        self._call("delete_item", repository=repository, number=number, kind=kind, item_id=item_id)

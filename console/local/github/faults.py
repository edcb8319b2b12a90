"""Faults on command: which requests fail, how, and how often."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .journal import Entry, Rule

RATE_WORDS = "API rate limit exceeded for user ID 1000."
SECONDARY_WORDS = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
WRONG_WORDS = (
    "Something went wrong while executing your query. This may be the result of a timeout, or it could be a GitHub "
    "bug. Please include `{request_id}` when reporting this issue."
)
BAD_GATEWAY = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>Server Error</body>\r\n</html>\r\n"
SLOW_WORDS = "We couldn't respond to your request in time. Sorry about that. Please try resubmitting your request."

# Kinds that replace the reply, with the status they have unless told otherwise.
STATUSES = {
    "server_error": 500,
    "bad_gateway": 502,
    "gateway_timeout": 504,
    "unauthorized": 401,
    "forbidden": 403,
    "not_found": 404,
    "gone": 410,
    "unavailable_for_legal_reasons": 451,
    "primary_limit": 403,
    "secondary_limit": 403,
    "moved": 301,
    "rate_limit": 200,
    "rate_limited": 200,
    "something_went_wrong": 200,
    "not_json": 200,
    "null_data": 200,
    "status": 500,
}
# Kinds that let the request run and spoil what comes back, or how.
SPOILERS = ("resource_limits", "exhausted", "truncated", "drip", "drop", "drop_after_headers", "delay")
KINDS = (*STATUSES, *SPOILERS)

MESSAGES = {
    "server_error": "Server Error",
    "unauthorized": "Bad credentials",
    "forbidden": "Resource not accessible by integration",
    "not_found": "Not Found",
    "gone": "This resource is gone",
    "unavailable_for_legal_reasons": "Repository access blocked",
    "primary_limit": RATE_WORDS,
    "secondary_limit": SECONDARY_WORDS,
    "moved": "Moved Permanently",
    "gateway_timeout": SLOW_WORDS,
}


@dataclass(slots=True)
class Fault:
    """What happens to the next ``left`` requests that the rule means."""

    kind: str
    rule: Rule
    left: int = 1
    status: int | None = None
    retry_after: float | None = None
    seconds: float = 1.0
    """Of delay; until the budget comes back."""
    bytes_per_second: int = 100
    numbers: tuple[int, ...] = ()
    """Pull requests that ``resource_limits`` nulls; without them, the second half of the page."""
    location: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"There is no fault {self.kind!r}; there are {', '.join(KINDS)}.")

    def withheld(self, items: Sequence[Any]) -> Sequence[int]:
        """The places of a page that come back null."""
        if not self.numbers:
            return range(len(items) // 2, len(items))
        return [at for at, item in enumerate(items) if getattr(item, "raw", {}).get("n") in self.numbers]

    def reply(self, request_id: str) -> tuple[int, Any, str]:
        """Status, body and content type of a reply that takes the place of the real one."""
        status = self.status or STATUSES[self.kind]
        if self.kind in {"bad_gateway", "not_json"}:
            return status, BAD_GATEWAY, "text/html"
        if self.kind in {"rate_limit", "rate_limited"}:
            kind = "RATE_LIMIT" if self.kind == "rate_limit" else "RATE_LIMITED"
            error = {"type": kind, "code": "graphql_rate_limit", "message": RATE_WORDS}
            return status, {"errors": [error]}, "application/json"
        if self.kind == "something_went_wrong":
            return status, {"data": None, "errors": [{"message": WRONG_WORDS.format(request_id=request_id)}]}, JSON
        if self.kind == "null_data":
            return status, {"data": None}, JSON
        body: dict[str, Any] = {"message": MESSAGES.get(self.kind, f"Status {status}"), "documentation_url": DOCS}
        if self.kind == "unavailable_for_legal_reasons":
            body["block"] = BLOCK
        if self.kind == "moved":
            body["url"] = self.location
        return status, body, JSON


JSON = "application/json"
DOCS = "https://docs.github.com/rest"
BLOCK = {
    "reason": "dmca",
    "created_at": "2020-01-01T00:00:00Z",
    "html_url": "https://github.com/github/dmca/blob/master/2020/01/2020-01-01-example.md",
}


class Faults:
    """All faults that were ordered, oldest first."""

    def __init__(self) -> None:
        self.ordered: list[Fault] = []

    def take(self, entry: Entry) -> Fault | None:
        """The fault that befalls a request, if any; counted down."""
        for fault in self.ordered:
            if fault.rule.fits(entry):
                fault.left -= 1
                if fault.left <= 0:
                    self.ordered.remove(fault)
                return fault
        return None

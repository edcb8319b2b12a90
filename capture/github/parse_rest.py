"""REST replies as payloads; a reply with a hole in it raises as :mod:`capture.github.normalise` says."""

from __future__ import annotations

from typing import Any

from capture.github.normalise import contributor, moment, number, required_text, text
from capture.github.payloads import Contributor, ReviewComment

Node = dict[str, Any]


def review_comment(node: Node) -> ReviewComment:
    """A comment on a line; the address of its pull request ends in the number."""
    review_id = node["pull_request_review_id"]
    return ReviewComment(
        github_id=number(node["id"]),
        pull_request_number=number(required_text(node["pull_request_url"]).rsplit("/", 1)[-1]),
        review_github_id=None if review_id is None else number(review_id),
        author=person(node["user"]),
        path=required_text(node["path"]),
        body=text(node["body"]),
        created_at=moment(node["created_at"]),
        updated_at=moment(node["updated_at"]),
    )


def person(node: Node | None) -> Contributor | None:
    """Who; None for a deleted account, which is null here, or the ghost. Lists carry no names."""
    if node is None:
        return None
    return contributor(node["id"], node["node_id"], node["login"], node["type"])

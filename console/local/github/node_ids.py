"""Node ids: the opaque names that GraphQL and REST share for one object."""

from __future__ import annotations

import base64
import binascii

PREFIXES = {
    "Repository": "R",
    "PullRequest": "PR",
    "PullRequestReview": "PRR",
    "PullRequestReviewComment": "PRRC",
    "PullRequestReviewThread": "PRRT",
    "PullRequestCommit": "PURC",
    "IssueComment": "IC",
    "Issue": "I",
    "Commit": "C",
    "Ref": "REF",
    "User": "U",
    "Bot": "BOT",
    "Mannequin": "MNQ",
    "Organization": "O",
}
KINDS = {prefix: kind for kind, prefix in PREFIXES.items()}


def node_id(kind: str, github_id: int | str) -> str:
    """The node id of an object: ``kind`` is its GraphQL type; a commit's id is ``repository id:sha``."""
    packed = base64.urlsafe_b64encode(str(github_id).encode()).decode().rstrip("=")
    return f"{PREFIXES[kind]}_{packed}"


def read_node_id(text: str) -> tuple[str, str] | None:
    """Kind and id behind a node id of ours, or None where it is not one."""
    prefix, _, packed = text.partition("_")
    if prefix not in KINDS:
        return None
    try:
        return KINDS[prefix], base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)).decode()
    except (binascii.Error, ValueError):
        return None

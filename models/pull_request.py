"""Pull requests, stored a page at a time with all that came with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from peewee import BigIntegerField, BooleanField, IntegerField, TextField

from capture.github import payloads
from models.comment import Comment
from models.commit import Commit
from models.contributor import Contributor, People, number_of
from models.database import execute
from models.repository import Repository
from models.review import Review
from models.upsert import Moment, Stored, Values, upsert

# Two first inserts of one pull request at once could meet in the unique (repository_id, number), of which ON CONFLICT (github_id) knows
# nothing: so pages of one repository are stored one after the other. Rows that refer to the repository are not held up.
ONE_PAGE_AT_A_TIME = "SELECT FROM repositories WHERE id = %s FOR NO KEY UPDATE"

CURRENT = """
SELECT p.github_id, p.id, p.updated_at FROM unnest(%s::bigint[]) AS wanted(github_id)
JOIN pull_requests p ON p.github_id = wanted.github_id
"""


class PullRequest(Stored):
    """A pull request; ``updated_at`` tells which of two replies is the later one."""

    github_id = BigIntegerField()
    node_id = TextField()
    repository_id = BigIntegerField()
    number = IntegerField()
    title = TextField()
    body = TextField()
    state = TextField()
    draft = BooleanField()
    author_id = BigIntegerField(null=True)
    merged_by_id = BigIntegerField(null=True)
    base_ref = TextField()
    head_ref = TextField()
    head_sha = TextField()
    merge_commit_sha = TextField(null=True)
    additions = IntegerField()
    deletions = IntegerField()
    changed_files = IntegerField()
    created_at = Moment()
    updated_at = Moment()
    closed_at = Moment(null=True)
    merged_at = Moment(null=True)

    class Meta:
        """Where it lives."""

        table_name = "pull_requests"

    @classmethod
    def upsert_many(cls, repository: Repository, pulls: Iterable[payloads.PullRequest]) -> None:
        """Store a page whole: pull requests, contributors, reviews, comments, commits and which of them are listed.

        A pull request that is stored in a later version already is left alone, and so is all that came with the older one.
        """
        page = _newest(pulls)
        execute(ONE_PAGE_AT_A_TIME, [repository.id])
        people = Contributor.upsert_many(_everybody(page))
        upsert(cls, [_row(repository, pull, people) for pull in page], fixed=("repository_id", "number"))
        stored = _current(page)
        Review.store(((id, review) for id, pull in stored for review in pull.reviews), people)
        Comment.store(((id, comment) for id, pull in stored for comment in pull.comments), people)
        Commit.store_listed(repository.id, [(id, commit) for id, pull in stored for commit in pull.commits], people)


def _newest(pulls: Iterable[payloads.PullRequest]) -> list[payloads.PullRequest]:
    found: dict[int, payloads.PullRequest] = {}
    for pull in pulls:
        known = found.get(pull.github_id)
        if known is None or pull.updated_at >= known.updated_at:
            found[pull.github_id] = pull
    return list(found.values())


def _everybody(pulls: Iterable[payloads.PullRequest]) -> Iterator[payloads.Contributor | None]:
    for pull in pulls:
        yield pull.author
        yield pull.merged_by
        yield from (review.author for review in pull.reviews)
        yield from (comment.author for comment in pull.comments)
        yield from (commit.author for commit in pull.commits)


def _current(pulls: Sequence[payloads.PullRequest]) -> list[tuple[int, payloads.PullRequest]]:
    """Those that no later version has overtaken, with our ids."""
    known = {
        github_id: (id, updated_at) for github_id, id, updated_at in execute(CURRENT, [[p.github_id for p in pulls]])
    }
    return [(known[pull.github_id][0], pull) for pull in pulls if known[pull.github_id][1] <= pull.updated_at]


def _row(repository: Repository, pull: payloads.PullRequest, people: People) -> Values:
    return {
        "github_id": pull.github_id,
        "node_id": pull.node_id,
        "repository_id": repository.id,
        "number": pull.number,
        "title": pull.title,
        "body": pull.body,
        "state": pull.state,
        "draft": pull.draft,
        "author_id": people[number_of(pull.author)],
        "merged_by_id": people[number_of(pull.merged_by)],
        "base_ref": pull.base_ref,
        "head_ref": pull.head_ref,
        "head_sha": pull.head_sha,
        "merge_commit_sha": pull.merge_commit_sha,
        "additions": pull.additions,
        "deletions": pull.deletions,
        "changed_files": pull.changed_files,
        "created_at": pull.created_at,
        "updated_at": pull.updated_at,
        "closed_at": pull.closed_at,
        "merged_at": pull.merged_at,
    }

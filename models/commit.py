"""Commits, and which pull requests list them."""

from __future__ import annotations

from collections.abc import Sequence

from peewee import BigIntegerField, BooleanField, IntegerField, TextField

from capture.github import payloads
from models.contributor import Contributor, People, number_of
from models.database import execute
from models.repository import Repository
from models.upsert import Moment, Stored, ids, upsert

# A claim is a pull request that lists the commit, or whose merge commit it is. The best claim: of a merged one, then the lowest number;
# the merge commit of one that is not merged is not direct, but belongs to nobody. Rows are locked in the order in which upserts do.
DECIDE_DIRECT = """
WITH claims AS (
    SELECT l.commit_id, p.id AS pull_request_id, p.number, p.state = 'MERGED' AS merged, true AS listed
    FROM pull_requests p JOIN pull_request_commits l ON l.pull_request_id = p.id
    WHERE p.repository_id = %(repository)s
    UNION ALL
    SELECT c.id, p.id, p.number, p.state = 'MERGED', false
    FROM pull_requests p JOIN commits c ON c.repository_id = p.repository_id AND c.sha = p.merge_commit_sha
    WHERE p.repository_id = %(repository)s
), best AS (
    SELECT DISTINCT ON (commit_id) commit_id, CASE WHEN merged OR listed THEN pull_request_id END AS pull_request_id
    FROM claims ORDER BY commit_id, merged DESC, listed DESC, number
), changes AS MATERIALIZED (
    SELECT c.id, b.commit_id IS NULL AS is_direct_commit, b.pull_request_id
    FROM commits c LEFT JOIN best b ON b.commit_id = c.id
    WHERE c.repository_id = %(repository)s
      AND (c.is_direct_commit, c.pull_request_id) IS DISTINCT FROM (b.commit_id IS NULL, b.pull_request_id)
    ORDER BY c.sha FOR NO KEY UPDATE OF c
), written AS (
    UPDATE commits c SET is_direct_commit = n.is_direct_commit, pull_request_id = n.pull_request_id, changed_at = clock_timestamp()
    FROM changes n WHERE c.id = n.id RETURNING c.id
)
SELECT count(*) FROM written
"""


class Commit(Stored):
    """A commit, once per repository, whether it came with the default branch, with pull requests or with both."""

    repository_id = BigIntegerField()
    sha = TextField()
    message = TextField()
    author_id = BigIntegerField(null=True)
    author_name = TextField()
    authored_at = Moment()
    committed_at = Moment()
    additions = IntegerField()
    deletions = IntegerField()
    is_direct_commit = BooleanField(null=True)
    pull_request_id = BigIntegerField(null=True)

    class Meta:
        """Where it lives."""

        table_name = "commits"

    @classmethod
    def upsert_many(cls, repository: Repository, commits: Sequence[payloads.Commit]) -> None:
        """Store commits with their authors; to which pull request they belong is for :meth:`decide_direct`."""
        cls._write(repository.id, commits, Contributor.upsert_many(commit.author for commit in commits))

    @classmethod
    def store_listed(cls, repository_id: int, listed: Sequence[tuple[int, payloads.Commit]], people: People) -> None:
        """Store commits, each with our id of a pull request that lists it, and the listings. A listing once stored stays."""
        cls._write(repository_id, [commit for _, commit in listed], people)
        known = ids("commits", "sha", (commit.sha for _, commit in listed), repository_id)
        links = [
            {"pull_request_id": pull_request_id, "commit_id": known[commit.sha]} for pull_request_id, commit in listed
        ]
        upsert(PullRequestCommit, links, ("pull_request_id", "commit_id"))

    @classmethod
    def decide_direct(cls, repository: Repository) -> int:
        """Say of every commit of the repository whether it is direct and to which pull request it belongs; returns how many changed.

        Direct is what no pull request lists and what is the merge commit of none. Otherwise it belongs to the lowest-numbered
        merged pull request that lists it or that it merged, else to the lowest-numbered one that lists it.
        """
        return int(execute(DECIDE_DIRECT, {"repository": repository.id})[0][0])

    @classmethod
    def _write(cls, repository_id: int, commits: Sequence[payloads.Commit], people: People) -> None:
        rows = [
            {
                "repository_id": repository_id,
                "sha": commit.sha,
                "message": commit.message,
                "author_id": people[number_of(commit.author)],
                "author_name": commit.author_name,
                "authored_at": commit.authored_at,
                "committed_at": commit.committed_at,
                "additions": commit.additions,
                "deletions": commit.deletions,
            }
            for commit in commits
        ]
        upsert(cls, rows, ("repository_id", "sha"))


class PullRequestCommit(Stored):
    """That a pull request lists a commit, or did before a force-push."""

    pull_request_id = BigIntegerField()
    commit_id = BigIntegerField()

    class Meta:
        """Where it lives."""

        table_name = "pull_request_commits"

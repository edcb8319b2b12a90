"""REST's JSON bodies: the same things as in GraphQL, in REST's words."""

from __future__ import annotations

from typing import Any

from .node_ids import node_id
from .things import GHOST, Comment, Commit, Issue, Person, Pull, Review, ReviewComment
from .world import Repo

WEB = "https://github.com"
Body = dict[str, Any]


class Bodies:
    """Writes bodies whose links lead to one REST root."""

    def __init__(self, root: str) -> None:
        self.root = root

    def user(self, person: Person | None) -> Body | None:
        """The short form that lists carry: it has no name."""
        if person is None:
            return None
        api = f"{self.root}/users/{person.full_login}"
        return {
            "login": person.full_login,
            "id": person.github_id,
            "node_id": person.node_id,
            "avatar_url": f"https://avatars.githubusercontent.com/u/{person.github_id}?v=4",
            "gravatar_id": "",
            "url": api,
            "html_url": f"{WEB}/{person.login}",
            "repos_url": f"{api}/repos",
            "events_url": f"{api}/events{{/privacy}}",
            "type": person.typename,
            "user_view_type": "public",
            "site_admin": False,
        }

    def full_user(self, person: Person) -> Body:
        """An account by itself, with its name."""
        return {**(self.user(person) or {}), "name": person.name, "company": None, "email": None, "bio": None}

    def repository(self, repo: Repo) -> Body:
        """A repository."""
        owner = repo.people.get(repo.facts["owner"])
        short = owner or Person(repo.github_id + 1, repo.facts["owner"], "Organization", None)
        return {
            "id": repo.github_id,
            "node_id": node_id("Repository", repo.github_id),
            "name": repo.facts["name"],
            "full_name": repo.name,
            "owner": self.user(short),
            "private": False,
            "html_url": f"{WEB}/{repo.name}",
            "description": repo.facts.get("description"),
            "fork": False,
            "url": self._repo_url(repo),
            "default_branch": repo.facts["default_branch"] or "main",
            "created_at": repo.facts["created_at"],
            "updated_at": repo.facts["created_at"],
            "pushed_at": repo.facts["created_at"],
            "archived": False,
            "disabled": False,
            "visibility": "public",
            "size": 0 if repo.is_empty else len(repo.data["history"]),
            "open_issues_count": len(repo.issues_by("created_at", frozenset({"OPEN"}))),
        }

    def pull(self, pull: Pull) -> Body:
        """A pull request as lists carry it: without counts."""
        raw, repo = pull.raw, pull.repo
        api, web = f"{self._repo_url(repo)}/pulls/{raw['n']}", f"{WEB}/{repo.name}/pull/{raw['n']}"
        head_repo = raw["head_repo"]
        return {
            "url": api,
            "id": raw["id"],
            "node_id": pull.node_id,
            "html_url": web,
            "issue_url": f"{self._repo_url(repo)}/issues/{raw['n']}",
            "commits_url": f"{api}/commits",
            "review_comments_url": f"{api}/comments",
            "comments_url": f"{self._repo_url(repo)}/issues/{raw['n']}/comments",
            "number": raw["n"],
            "state": pull.state.lower(),
            "locked": False,
            "title": raw["title"],
            "user": self.user(pull.author or GHOST),
            "body": raw["body"],
            "labels": [{"name": label} for label in raw.get("labels", ())],
            "milestone": None,
            "assignee": None,
            "assignees": [],
            "requested_reviewers": [],
            "created_at": raw["created_at"],
            "updated_at": raw["updated_at"],
            "closed_at": raw["closed_at"],
            "merged_at": raw["merged_at"],
            "merge_commit_sha": raw["merge_sha"],
            "draft": raw["draft"],
            "head": self._branch(repo, head_repo, raw["head"], raw["head_sha"]),
            "base": self._branch(repo, repo.name, raw["base"], raw["base_sha"]),
            "author_association": "CONTRIBUTOR",
            "auto_merge": None,
        }

    def full_pull(self, pull: Pull) -> Body:
        """A pull request by itself."""
        raw = pull.raw
        return {
            **self.pull(pull),
            "merged": raw["state"] == "MERGED",
            "mergeable": None,
            "merged_by": self.user(pull.repo.person(raw["merged_by"])),
            "comments": len(raw["comments"]),
            "review_comments": len(raw["review_comments"]),
            "commits": len(raw["commits"]),
            "additions": raw["stats"][0],
            "deletions": raw["stats"][1],
            "changed_files": raw["stats"][2],
        }

    def issue(self, place: Pull | Issue) -> Body:
        """An issue, or a pull request as an issue."""
        raw, repo = place.raw, place.repo
        api = f"{self._repo_url(repo)}/issues/{raw['n']}"
        body = {
            "url": api,
            "repository_url": self._repo_url(repo),
            "comments_url": f"{api}/comments",
            "html_url": f"{WEB}/{repo.name}/{place.web_path}/{raw['n']}",
            "id": raw["id"],
            "node_id": place.node_id,
            "number": raw["n"],
            "title": raw["title"],
            "user": self.user(place.author or GHOST),
            "labels": [],
            "state": place.state.lower(),
            "locked": False,
            "comments": len(raw["comments"]),
            "created_at": raw["created_at"],
            "updated_at": raw["updated_at"],
            "closed_at": raw["closed_at"],
            "author_association": "CONTRIBUTOR",
            "body": raw["body"],
        }
        if isinstance(place, Pull):
            pull_api = f"{self._repo_url(repo)}/pulls/{raw['n']}"
            body["draft"] = raw["draft"]
            body["pull_request"] = {"url": pull_api, "merged_at": raw["merged_at"]}
        return body

    def review(self, review: Review) -> Body:
        """A review; a pending one has no ``submitted_at``."""
        raw, place = review.raw, review.place
        body = {
            "id": raw["id"],
            "node_id": review.node_id,
            "user": self.user(review.author),
            "body": raw["body"],
            "state": raw["state"],
            "html_url": f"{WEB}/{place.repo.name}/pull/{place.raw['n']}#pullrequestreview-{raw['id']}",
            "pull_request_url": f"{self._repo_url(place.repo)}/pulls/{place.raw['n']}",
            "author_association": "CONTRIBUTOR",
            "commit_id": raw["commit"],
        }
        return body if raw["at"] is None else {**body, "submitted_at": raw["at"]}

    def review_comment(self, item: ReviewComment) -> Body:
        """A comment on the diff."""
        raw, place = item.raw, item.place
        body = {
            "url": f"{self._repo_url(place.repo)}/pulls/comments/{raw['id']}",
            "pull_request_review_id": raw["review"],
            "id": raw["id"],
            "node_id": item.node_id,
            "diff_hunk": raw.get("hunk") or "",
            "path": raw["path"],
            "position": raw.get("pos"),
            "original_position": raw.get("opos") or 1,
            "commit_id": raw.get("commit") or place.raw["head_sha"],
            "original_commit_id": raw.get("commit") or place.raw["head_sha"],
            "user": self.user(item.author),
            "body": raw["body"],
            "created_at": raw["created"],
            "updated_at": raw["updated"],
            "html_url": f"{WEB}/{place.repo.name}/pull/{place.raw['n']}#discussion_r{raw['id']}",
            "pull_request_url": f"{self._repo_url(place.repo)}/pulls/{place.raw['n']}",
            "author_association": "CONTRIBUTOR",
        }
        return body if raw.get("reply") is None else {**body, "in_reply_to_id": raw["reply"]}

    def comment(self, item: Comment) -> Body:
        """A comment in a conversation; its ``issue_url`` names the pull request or issue."""
        raw, place = item.raw, item.place
        return {
            "url": f"{self._repo_url(place.repo)}/issues/comments/{raw['id']}",
            "html_url": f"{WEB}/{place.repo.name}/{place.web_path}/{place.raw['n']}#issuecomment-{raw['id']}",
            "issue_url": f"{self._repo_url(place.repo)}/issues/{place.raw['n']}",
            "id": raw["id"],
            "node_id": item.node_id,
            "user": self.user(item.author),
            "created_at": raw["created"],
            "updated_at": raw["updated"],
            "author_association": "CONTRIBUTOR",
            "body": raw["body"],
        }

    def commit(self, commit: Commit) -> Body:
        """A commit as lists carry it: without line counts."""
        raw, api = commit.raw, f"{self._repo_url(commit.repo)}/commits/{commit.sha}"
        author, committer = commit.signature("a"), commit.signature("c")
        return {
            "sha": commit.sha,
            "node_id": commit.node_id,
            "commit": {
                "author": {"name": raw["a"][0], "email": raw["a"][1], "date": commit.authored_at},
                "committer": {"name": raw["c"][0], "email": raw["c"][1], "date": commit.committed_at},
                "message": raw["m"],
                "url": api.replace("/commits/", "/git/commits/"),
                "comment_count": 0,
            },
            "url": api,
            "html_url": f"{WEB}/{commit.repo.name}/commit/{commit.sha}",
            "author": self.user(author.person),
            "committer": self.user(committer.person),
            "parents": [{"sha": sha, "url": api.replace(commit.sha, sha)} for sha in raw["p"]],
        }

    def full_commit(self, commit: Commit) -> Body:
        """A commit by itself, with line counts."""
        added, deleted, _ = commit.raw["s"]
        stats = {"total": added + deleted, "additions": added, "deletions": deleted}
        return {**self.commit(commit), "stats": stats, "files": []}

    def _repo_url(self, repo: Repo) -> str:
        return f"{self.root}/repos/{repo.name}"

    def _branch(self, repo: Repo, full_name: str | None, ref: str, sha: str) -> Body:
        owner = (full_name or "").partition("/")[0]
        person = repo.people.get(owner)
        found: Body = {
            "label": f"{owner}:{ref}" if full_name else None,
            "ref": ref,
            "sha": sha,
            "user": self.user(person),
            "repo": None,
        }
        if full_name == repo.name:
            found["repo"] = self.repository(repo)
        elif full_name:
            name = full_name.partition("/")[2]
            found["repo"] = {"name": name, "full_name": full_name, "fork": True, "owner": self.user(person)}
        return found

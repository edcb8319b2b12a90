"""The generator: same seed, same bytes; every awkward case where it says."""

from __future__ import annotations

import json

import pytest

from console.local.github import generate, load_dataset
from console.local.github.awkward import CASES
from console.local.github.dataset import Dataset, Record


@pytest.fixture(scope="module")
def data() -> Record:
    return generate("octo/hello", pull_requests=200, seed=7).data


def named(data: Record, case: str) -> Record:
    return next(pull for pull in data["pulls"] if pull["n"] == data["edges"][case][0])


def test_the_same_name_size_and_seed_give_the_same_bytes() -> None:
    first, second, other = (generate("octo/hello", 60, seed) for seed in (7, 7, 8))

    assert json.dumps(first.data) == json.dumps(second.data)
    assert json.dumps(first.data) != json.dumps(other.data)


@pytest.mark.parametrize("size", [100, 200])
def test_every_awkward_case_is_planted_from_a_hundred_pull_requests_on(size: int) -> None:
    assert {*CASES, "same_updated_at"} == generate("octo/hello", size).data["edges"].keys()


@pytest.mark.parametrize("size", [0, 1, 2, 3, 10, 37, 99])
def test_small_repositories_hold_together(size: int) -> None:
    dataset = generate("octo/small", size)

    assert len(dataset.data["pulls"]) == size
    assert dataset.data["history"]


def test_an_empty_repository_has_neither_branch_nor_commits() -> None:
    data = generate("octo/none", empty=True).data

    assert (data["repo"]["default_branch"], data["history"], data["pulls"]) == (None, [], [])


def test_each_awkward_case_is_what_it_is_called(data: Record) -> None:
    def authored(case: str) -> str:
        commit = data["commits"][named(data, case)["commits"][0]]
        return str(commit["a"][2])

    def kind(case: str) -> str:
        return str(data["users"][named(data, case)["author"]]["type"])

    big = named(data, "over_100_reviews_and_comments")
    crowded = named(data, "over_100_comments_in_one_review")
    assert named(data, "ghost_author")["author"] is None
    assert [kind(f"{case}_author") for case in ("bot", "mannequin", "organization")] == [
        "Bot",
        "Mannequin",
        "Organization",
    ]
    assert named(data, "null_body")["body"] is None
    assert "\x00" in named(data, "nul_character")["body"]
    assert len(named(data, "body_of_65536_characters")["body"]) == 65_536
    assert any("\ud83d" in comment["body"] for comment in named(data, "lone_surrogate")["comments"])
    assert any(comment["id"] > 2**53 for comment in named(data, "id_past_2_to_the_53")["comments"])
    assert min(len(big["reviews"]), len(big["comments"])) > 100
    assert len(named(data, "over_250_commits")["commits"]) == 312
    assert max(sum(c["review"] == r["id"] for c in crowded["review_comments"]) for r in crowded["reviews"]) > 100
    assert any(c["review"] is None for c in named(data, "review_comment_without_review")["review_comments"])
    assert any(review["state"] == "PENDING" for review in named(data, "pending_review")["reviews"])
    assert len({pull["updated_at"] for pull in data["pulls"] if pull["n"] in data["edges"]["same_updated_at"]}) == 1
    assert authored("author_date_before_1970") < "1970"
    assert authored("author_date_after_today") > "2099"
    assert named(data, "draft")["draft"]
    assert named(data, "open")["state"] == "OPEN"
    assert named(data, "closed_unmerged")["state"] == "CLOSED"
    assert named(data, "deleted_fork")["head_repo"] is None
    assert data["commits"][named(data, "commit_without_account")["commits"][0]]["al"] is None


def test_commits_are_shared_direct_merged_and_squashed(data: Record) -> None:
    lists = [sha for pull in data["pulls"] for sha in pull["commits"]]
    merges = {pull["how"]: pull for pull in data["pulls"] if pull["state"] == "MERGED"}
    known = {*lists, *(pull["merge_sha"] for pull in data["pulls"])}

    assert len(lists) > len(set(lists))
    assert [sha for sha in data["history"] if sha not in known]
    assert len(data["commits"][merges["merge"]["merge_sha"]]["p"]) == 2
    assert len(data["commits"][merges["squash"]["merge_sha"]]["p"]) == 1
    assert all(parent in data["commits"] for commit in data["commits"].values() for parent in commit["p"])


def test_ids_are_unique_and_pass_32_bits(data: Record) -> None:
    for kind in ("reviews", "review_comments", "comments"):
        ids = [item["id"] for pull in data["pulls"] for item in pull[kind]]
        assert len(ids) == len(set(ids))
        assert min(ids) < 2**31 < max(ids)


def test_long_lists_are_rare_in_a_large_repository() -> None:
    pulls = generate("octo/large", 2_000).data["pulls"]

    long = sum(len(p["reviews"]) > 20 or len(p["commits"]) > 50 or len(p["comments"]) > 30 for p in pulls)

    assert 0 < long <= 0.01 * len(pulls)


def test_people_are_the_same_in_every_repository() -> None:
    one, two = (generate(name, 50).data["users"] for name in ("octo/one", "octo/two"))

    assert one == two


def test_a_dataset_survives_being_saved(tmp_path, data: Record) -> None:
    Dataset(data).save(tmp_path / "data.json")

    assert load_dataset(tmp_path / "data.json").data == data


def test_a_dataset_that_refers_to_nobody_is_refused() -> None:
    data = generate("octo/hello", 5).data
    data["pulls"][0]["author"] = "nobody-at-all"

    with pytest.raises(ValueError, match="nobody-at-all"):
        Dataset(data)

"""What a reply means, by status, headers and words."""

import json

import pytest

from capture.errors import Permanent, RateLimited, Transient
from capture.github.replies import Quota, Reply, TooHeavy, raise_for_status

DATE = "Mon, 01 Jun 2026 12:00:00 GMT"
EPOCH = 1780315200


def reply(status=200, message="", **headers):
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, {"date": DATE, **names}, json.dumps({"message": message}).encode())


def spent(reset):
    return {"x_ratelimit_limit": "5000", "x_ratelimit_remaining": "0", "x_ratelimit_reset": str(reset)}


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "30"}, 30),
        ({"retry_after": "0"}, 0),
        ({"retry_after": "Mon, 01 Jun 2026 12:01:30 GMT"}, 90),
        ({"retry_after": "30", **spent(EPOCH + 600)}, 30),
        (spent(EPOCH + 600), 600),
        ({}, 60),
        ({**spent(EPOCH + 600), "x_ratelimit_remaining": "17"}, 60),
        ({"retry_after": "soon", **spent(EPOCH + 600)}, 600),
        ({"retry_after": "-5", **spent(EPOCH + 600)}, 600),
        ({"retry_after": "1e999"}, 60),
        ({"retry_after": "9" * 30}, 60),
        ({"retry_after": "Mon, 01 Jun 2020 12:00:00 GMT"}, 60),
        (spent(EPOCH - 10), 60),
        (spent(EPOCH + 10_000_000), 60),
        (spent("never"), 60),
        ({"x_ratelimit_remaining": "0"}, 60),
    ],
)
def test_a_refused_caller_rests_as_asked_else_until_the_reset_else_a_minute(headers, seconds):
    with pytest.raises(RateLimited) as limit:
        raise_for_status(reply(429, **headers), "repository o/n", "token-1")

    assert limit.value.seconds == seconds
    assert limit.value.identity == "token-1"


@pytest.mark.parametrize(
    "refusal",
    [
        reply(403, "You have exceeded a secondary rate limit. Please wait."),
        reply(403, "API rate limit exceeded for user ID 1."),
        reply(403, retry_after="5"),
        reply(403, **spent(EPOCH + 5)),
        reply(429),
    ],
)
def test_a_refusal_with_a_sign_of_a_limit_is_a_limit(refusal):
    with pytest.raises(RateLimited):
        raise_for_status(refusal, "repository o/n", "token-1")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 413, 422, 451, 301, 304])
def test_what_will_not_change_is_permanent(status):
    with pytest.raises(Permanent):
        raise_for_status(reply(status, "No."), "repository o/n", "token-1")


@pytest.mark.parametrize("status", [408, 409, 500, 503, 520, 204, 202])
def test_what_may_change_is_transient(status):
    with pytest.raises(Transient) as failure:
        raise_for_status(reply(status, "Oh.", retry_after="7"), "repository o/n", "token-1")

    assert failure.value.retry_after == 7
    assert not isinstance(failure.value, TooHeavy)


@pytest.mark.parametrize("status", [502, 504])
def test_a_gateway_that_gave_up_is_asked_for_less(status):
    with pytest.raises(TooHeavy):
        raise_for_status(Reply(status, {}, b"<html>Bad gateway</html>"), "repository o/n", "token-1")


def test_a_permanent_error_names_the_thing_and_the_reason():
    with pytest.raises(Permanent, match=r"^Repository o/n does not exist or is not visible \(404\)\.$"):
        raise_for_status(reply(404, "Not Found"), "repository o/n", "token-1")
    with pytest.raises(Permanent, match=r"^GitHub answered 451 \(Repository access blocked\) for repository o/n\.$"):
        raise_for_status(reply(451, "Repository access blocked"), "repository o/n", "token-1")
    with pytest.raises(Permanent, match="refuses the token of token-1"):
        raise_for_status(reply(401, "Bad credentials"), "repository o/n", "token-1")


def test_what_a_server_says_is_shown_on_one_line_and_bounded():
    assert reply(500, "a\nb\x00 c").said().count("\n") == 0
    assert len(reply(500, "long " * 1000).said()) <= 200
    assert Reply(500, {}, b"[1]").said() == Reply(500, {}, b"\xff").said() == Reply(500, {}, b"null").said() == ""


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"a": ', b"\xff\xfe\xfd", b"[" * 100_000])
def test_a_body_that_is_not_json_is_a_page_too_heavy(body):
    with pytest.raises(TooHeavy):
        Reply(200, {}, body).json()


def test_a_quota_counts_from_the_date_of_the_reply_and_never_backwards():
    assert reply(**spent(EPOCH + 60)).quota() == Quota(5000, 0, 60.0)
    assert reply(**spent(EPOCH - 60)).quota() == Quota(5000, 0, 0.0)
    assert reply().quota() is None

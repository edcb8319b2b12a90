"""Failures in words: no secret, bounded, the same fingerprint for the same cause."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture.failures import MAX_MESSAGE, MAX_TRACE, clean, describe, scrub

SECRETS = {
    "classic token": ("ghp_abcdefghijklmnopqrstuvwxyz0123456789", "abcdefghijklmnopqrstuvwxyz"),
    "server token": ("ghs_16C7e42F292c6912E7710c838347Ae178B4a", "16C7e42F"),
    "fine-grained token": ("github_pat_11ABCDEFG0_abcdefghijklmnop", "11ABCDEFG0"),
    "bearer": ("Authorization: Bearer abcdef0123456789", "abcdef0123456789"),
    "token header": ("authorization: token 0123456789abcdef0123456789abcdef01234567", "0123456789abcdef"),
    "basic": ("Basic b2N0bzpwYXNzd29yZA==", "b2N0bzpwYXNzd29yZA"),
    "password in an address": ("postgresql://octo:s3cret@db:5432/x", "s3cret"),
    "private key": (
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA\n-----END RSA PRIVATE KEY-----",
        "MIIEowIBAAKCAQEA",
    ),
}


def raised(error: Exception) -> Exception:
    try:
        raise error
    except Exception as caught:
        return caught


@pytest.mark.parametrize(("text", "secret"), SECRETS.values(), ids=SECRETS)
def test_a_secret_is_removed_wherever_it_stands(text, secret):
    assert secret not in scrub(f"before {text} after")
    assert scrub(f"before {text} after").startswith("before ")


@pytest.mark.parametrize(("text", "secret"), SECRETS.values(), ids=SECRETS)
def test_neither_message_nor_trace_of_a_failure_holds_a_secret(text, secret):
    words = describe(raised(RuntimeError(f"GitHub said no to {text}")))

    assert secret not in words.message + words.trace + words.error_class


def test_a_secret_of_the_cause_is_removed_too():
    try:
        try:
            raise ValueError(SECRETS["classic token"][0])
        except ValueError as error:
            raise RuntimeError("failed") from error
    except RuntimeError as error:
        assert "ghp_" not in describe(error).trace


@pytest.mark.parametrize(
    "text", ["octo/hello has 12 reviews", "https://api.github.com/repos/a/b", "token limits", "ghp_"]
)
def test_what_is_no_secret_is_left_alone(text):
    assert scrub(text) == text


@given(st.text())
def test_what_postgresql_does_not_store_is_replaced_and_the_length_bounded(text):
    cleaned = clean(text * 3, 50)

    assert len(cleaned) <= 50
    assert "\x00" not in cleaned
    cleaned.encode()


def test_a_long_message_is_bounded_and_keeps_its_end():
    words = describe(raised(RuntimeError("x" * 100_000 + " the end")))

    assert len(words.message) <= MAX_MESSAGE
    assert words.message.endswith("the end")
    assert words.trace is not None
    assert len(words.trace) <= MAX_TRACE


def test_a_secret_that_is_cut_by_the_bound_leaves_nothing_behind():
    token = "ghp_" + "a1b2c3d4e5" * 20
    for tail in range(0, 220, 10):
        text = "x" * MAX_MESSAGE * 4 + token + "y" * (4 * MAX_MESSAGE - tail)

        assert "a1b2c3d4e5a1b2c3d4e5" not in clean(text, MAX_MESSAGE)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("page 3 of octo/hello", "page 17 of mona/cat"),
        ("job 0192f3a4-5b6c-7d8e-9f00-112233445566", "job 0192f3a4-5b6c-7d8e-9f00-665544332211"),
        ("no key 'a'", "no key 'bb'"),
        ("commit 0123456789abcdef0123", "commit fedcba98765432100123"),
    ],
)
def test_failures_of_one_cause_have_one_fingerprint(one, other):
    assert describe(LookupError(one)).fingerprint == describe(LookupError(other)).fingerprint


def test_another_class_or_another_text_is_another_cause():
    prints = {describe(error).fingerprint for error in (LookupError("a b"), ValueError("a b"), ValueError("a c"))}

    assert len(prints) == 3


def test_an_error_without_text_is_called_by_its_class():
    assert describe(RuntimeError()).message == "RuntimeError"

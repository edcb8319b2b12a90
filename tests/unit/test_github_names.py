"""Which names of repositories are taken at the door."""

import pytest

from capture.errors import Refused
from capture.names import repository_name


@pytest.mark.parametrize(
    "text",
    [
        "octo/hello",
        "a/b",
        "a-b-c/.github",
        "Octo-Org/Hello_World.js",
        "0/-",
        "x" * 39 + "/" + "y" * 100,
        "mona-cat_octo/private",
        "octo_admin/x",
        "octo/a..b",
        "octo/git",
    ],
)
def test_a_name_within_the_grammar_is_taken_as_spelt(text):
    assert "/".join(repository_name(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "octo",
        "octo/",
        "/hello",
        "octo/hello/",
        "octo/hello/pulls",
        "https://github.com/octo/hello",
        "-octo/hello",
        "octo-/hello",
        "oc--to/hello",
        "oc.to/hello",
        "_octo/hello",
        "octo_/hello",
        "octo_a/hello",
        "oc_to_admin/hello",
        "x" * 40 + "/hello",
        "octo/" + "y" * 101,
        "octo/.",
        "octo/..",
        "octo/hello.git",
        "octo/hello.GIT",
        "octo/hello\n",
        "octo\n/hello",
        " octo/hello",
        "octo/hello ",
        "octo/he llo",
        "octo/héllo",
        "öcto/hello",
        "octo/hello?x=1",
        "octo/hello#1",
        "octo/%2e%2e",
        "octo/he\x00llo",
        "٣/hello",
        None,
        7,
        b"octo/hello",
        ["octo/hello"],
    ],
)
def test_anything_else_is_refused_with_one_sentence(text):
    with pytest.raises(Refused) as refusal:
        repository_name(text)

    message = str(refusal.value)
    assert message.endswith(".") and "\n" not in message and message.isascii() and len(message) < 200


def test_a_refusal_shows_at_most_the_beginning_of_what_was_given():
    with pytest.raises(Refused) as refusal:
        repository_name("x" * 100_000)

    assert len(str(refusal.value)) < 200

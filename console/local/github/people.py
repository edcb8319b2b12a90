"""The people of generated repositories: the same number, login and name in every one of them."""

from __future__ import annotations

from random import Random

from .dataset import Record

ADJECTIVES = [
    "amber",
    "brisk",
    "calm",
    "dusty",
    "early",
    "fuzzy",
    "gentle",
    "hollow",
    "icy",
    "jolly",
    "keen",
    "lucky",
    "mellow",
    "noble",
    "odd",
    "plain",
]
ANIMALS = [
    "otter",
    "heron",
    "lynx",
    "moth",
    "newt",
    "ibis",
    "wren",
    "vole",
    "stoat",
    "crane",
    "finch",
    "gecko",
    "hare",
    "kite",
    "loon",
    "mole",
]
GIVEN = [
    "Ada",
    "Bo",
    "Chidi",
    "Dana",
    "Emre",
    "Fatou",
    "Grzegorz",
    "Hana",
    "İlker",
    "Jürgen",
    "Kaya",
    "Lê",
    "Mária",
    "Nuno",
    "Øyvind",
    "Priya",
]
FAMILY = [
    "Abara",
    "Berg",
    "Costa",
    "Dvořák",
    "Eze",
    "Fujii",
    "García",
    "Hübner",
    "Ito",
    "Jovanović",
    "Kim",
    "Łoś",
    "Müller",
    "Nguyễn",
    "Okafor",
    "Petit",
]

WEB_FLOW = "web-flow"
ORGANIZATION, MANNEQUIN = "octo-collective", "imported-from-elsewhere"
BOTS = ("dependabot[bot]", "release-train[bot]", "github-actions[bot]")
SPECIAL: dict[str, Record] = {
    WEB_FLOW: {"id": 19864447, "name": "GitHub Web Flow", "type": "User"},
    ORGANIZATION: {"id": 4_100_000_017, "name": None, "type": "Organization"},
    MANNEQUIN: {"id": 118_010_156, "name": None, "type": "Mannequin"},
    BOTS[0]: {"id": 49699333, "name": None, "type": "Bot"},
    BOTS[1]: {"id": 3_900_000_001, "name": None, "type": "Bot"},
    BOTS[2]: {"id": 41898282, "name": None, "type": "Bot"},
}


def population(size: int) -> dict[str, Record]:
    """So many users by login, and the special accounts; the first ones are the same whatever the size."""
    users = {}
    for number in range(size):
        rng = Random(f"person {number}")  # noqa: S311
        login = f"{ADJECTIVES[number % 16]}-{ANIMALS[number // 16 % 16]}-{number}"
        # Every tenth account is so young that its number no longer fits 32 bits.
        github_id = 1_000 + number * 37 + (2**31 if number % 10 == 9 else 0)
        name = None if rng.random() < 0.15 else f"{rng.choice(GIVEN)} {rng.choice(FAMILY)}"
        users[login] = {"id": github_id, "name": name, "type": "User"}
    return {**users, **SPECIAL}

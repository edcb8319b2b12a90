"""People, bots, mannequins and organizations."""

from __future__ import annotations

from collections.abc import Iterable

from peewee import BigIntegerField, TextField

from capture.github import payloads
from models.upsert import Stored, ids, upsert

People = dict[int | None, int | None]
"""GitHub's number of a contributor -> our id; None -> None, for what a deleted account has left."""


class Contributor(Stored):
    """Somebody who did something. Two may have had the same login, one after the other: only ``github_id`` names them."""

    github_id = BigIntegerField()
    node_id = TextField()
    login = TextField()
    type = TextField()
    name = TextField(null=True)

    class Meta:
        """Where it lives."""

        table_name = "contributors"

    @classmethod
    def upsert_many(cls, people: Iterable[payloads.Contributor | None]) -> People:
        """Store everybody, once each, and return our ids. A known name stays where the reply carries none."""
        known: dict[int, payloads.Contributor] = {}
        for person in people:
            if person is not None and not (person.name is None and person.github_id in known):
                known[person.github_id] = person
        rows = [
            {"github_id": p.github_id, "node_id": p.node_id, "login": p.login, "type": p.type, "name": p.name}
            for p in known.values()
        ]
        upsert(cls, rows, keep=("name",))
        return {**ids("contributors", "github_id", known), None: None}


def number_of(person: payloads.Contributor | None) -> int | None:
    """GitHub's number of somebody; None for a deleted account."""
    return None if person is None else person.github_id

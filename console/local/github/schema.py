"""The schema that queries run against: GitHub's own where it is at hand, else our subset of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from graphql import GraphQLNonNull, GraphQLObjectType, GraphQLResolveInfo, GraphQLSchema, build_ast_schema, parse

from .connections import CONNECTION_FIELDS, EDGE_FIELDS, PAGE_INFO_FIELDS
from .refusals import GraphQLRefusalError
from .resolvers import FIELDS

BUNDLED = Path(__file__).with_name("schema.graphql")


def official_path() -> Path | None:
    """Where GitHub's schema is, if CAPTURE_REFERENCE_DATA names a folder that has it."""
    folder = os.environ.get("CAPTURE_REFERENCE_DATA")
    path = Path(folder) / "github" / "schema.graphql" if folder else None
    return path if path is not None and path.is_file() else None


def load_schema(path: Path | None = None) -> GraphQLSchema:
    """The schema with our resolvers in it, built once per process; takes a second for GitHub's."""
    return _build(path or official_path() or BUNDLED)


@lru_cache(maxsize=2)
def _build(path: Path) -> GraphQLSchema:
    # GitHub's text defines a field twice and deprecates against its interfaces: graphql-core's checks refuse it.
    document = parse(path.read_text(encoding="utf-8"), no_location=True)
    schema = build_ast_schema(document, assume_valid=True, assume_valid_sdl=True)
    for name, kind in schema.type_map.items():
        if isinstance(kind, GraphQLObjectType) and not name.startswith("__"):
            known = _fields_of(name)
            for field_name, field in kind.fields.items():
                resolver = known.get(field_name)
                field.resolve = resolver if resolver is not None else _absent(isinstance(field.type, GraphQLNonNull))
    return schema


def _fields_of(name: str) -> Any:
    if name in FIELDS:
        return FIELDS[name]
    if name.endswith("Connection"):
        return CONNECTION_FIELDS
    if name.endswith("Edge"):
        return EDGE_FIELDS
    return PAGE_INFO_FIELDS if name == "PageInfo" else {}


def _absent(required: bool) -> Callable[..., None]:
    def refuse(_: Any, info: GraphQLResolveInfo[Any], **__: Any) -> None:
        raise GraphQLRefusalError(None, f"The stand-in holds no data for {info.parent_type.name}.{info.field_name}.")

    def nothing(_: Any, __: GraphQLResolveInfo[Any], **___: Any) -> None:
        return None

    return refuse if required else nothing

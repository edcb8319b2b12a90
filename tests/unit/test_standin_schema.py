"""The bundled schema is a part of GitHub's own: same names, arguments and nullability."""

from __future__ import annotations

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    validate_schema,
)

from console.local.github.resolvers import FIELDS
from console.local.github.schema import BUNDLED, load_schema, official_path


@pytest.fixture(scope="module")
def bundled() -> GraphQLSchema:
    return build_schema(BUNDLED.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def official() -> GraphQLSchema:
    path = official_path()
    if path is None:
        pytest.skip("CAPTURE_REFERENCE_DATA names no folder with the reference data")
    return load_schema(path)


def test_the_bundled_schema_is_valid(bundled: GraphQLSchema) -> None:
    assert validate_schema(bundled) == []


def test_every_field_that_the_stand_in_answers_is_in_the_bundled_schema(bundled: GraphQLSchema) -> None:
    absent = {
        f"{name}.{field}"
        for name, fields in FIELDS.items()
        for field in fields
        if field not in bundled.type_map[name].fields
    }

    # The resolvers of people are shared; GitHub gives names and long ids to some of them only.
    assert {field.rpartition(".")[2] for field in absent} == {"fullDatabaseId", "name"}


def test_every_type_field_and_argument_of_the_bundled_schema_is_github_s(
    bundled: GraphQLSchema, official: GraphQLSchema
) -> None:
    differences = []
    for name, ours in bundled.type_map.items():
        theirs = official.type_map.get(name)
        if name.startswith("__"):
            continue
        if type(ours) is not type(theirs):
            differences.append(f"{name}: {type(ours).__name__} here, {type(theirs).__name__} there")
        elif isinstance(ours, GraphQLObjectType | GraphQLInterfaceType):
            differences += different_fields(name, ours, theirs)
            differences += [
                f"{name} implements {each.name}"
                for each in ours.interfaces
                if each.name not in {other.name for other in theirs.interfaces}
            ]
        elif isinstance(ours, GraphQLInputObjectType):
            if {key: str(value.type) for key, value in ours.fields.items()} != {
                key: str(value.type) for key, value in theirs.fields.items()
            }:
                differences.append(name)
        elif isinstance(ours, GraphQLEnumType) and ours.values.keys() != theirs.values.keys():
            differences.append(f"{name}: {sorted(ours.values.keys() ^ theirs.values.keys())}")

    assert differences == []


def different_fields(name: str, ours, theirs) -> list[str]:
    found = []
    for field_name, field in ours.fields.items():
        other = theirs.fields.get(field_name)
        if other is None or str(field.type) != str(other.type):
            found.append(f"{name}.{field_name}: {field.type} here, {other and other.type} there")
            continue
        for arg_name, arg in field.args.items():
            known = other.args.get(arg_name)
            if known is None or str(known.type) != str(arg.type) or known.default_value != arg.default_value:
                found.append(f"{name}.{field_name}({arg_name}): {arg.type} here, {known and known.type} there")
    return found

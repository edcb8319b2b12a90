"""Validation errors in GitHub's words and codes."""

from __future__ import annotations

import re
from typing import Any

from graphql import GraphQLError, GraphQLSyntaxError

# graphql-core's message -> GitHub's code and message
KNOWN: tuple[tuple[re.Pattern[str], str, str], ...] = tuple(
    (re.compile(pattern), code, words)
    for pattern, code, words in (
        (r"Cannot query field '(\w+)' on type '(\w+)'", "undefinedField", "Field '{0}' doesn't exist on type '{1}'"),
        (
            r"Unknown argument '(\w+)' on field '\w+\.(\w+)'",
            "argumentNotAccepted",
            "Field '{1}' doesn't accept argument '{0}'",
        ),
        (
            r"Variable '\$(\w+)' is never used(?: in operation '(\w+)')?",
            "variableNotUsed",
            "Variable ${0} is declared by {1} but not used",
        ),
        (
            r"Variable '\$(\w+)' is not defined(?: by operation '(\w+)')?",
            "variableNotDefined",
            "Variable ${0} is used by {1} but not declared",
        ),
        (
            # graphql-core 3.3 names the argument as Type.field(argument:), 3.2 says the field first
            r"(?:Argument '\w+\.|Field ')(\w+)(?:\(|' argument ')(\w+)(?::\))?' of type '[^']+' is required",
            "missingRequiredArguments",
            "Field '{0}' is missing required arguments: {1}",
        ),
        (
            r"Field '(\w+)' of type '([^']+)' must have a selection of subfields",
            "selectionMismatch",
            "Field must have selections (field '{0}' returns {1} but has no selections. Did you mean '{0} {{ ... }}'?)",
        ),
        (
            r"Field '(\w+)' must not have a selection since type '([^']+)' has no subfields",
            "selectionMismatch",
            "Selections can't be made on scalars (field '{0}' returns {1} but has selections)",
        ),
        (
            r"Variable '\$(\w+)' of type '([^']+)' used in position expecting type '([^']+)'",
            "variableMismatch",
            "Type mismatch on variable ${0} ({1} / {2})",
        ),
        (r"Unknown type '(\w+)'", "undefinedType", "No such type {0}, so it can't be a fragment condition"),
    )
)


def validation_error(error: GraphQLError) -> dict[str, Any]:
    """One entry of ``errors`` for a query that is not valid."""
    locations = [{"line": at.line, "column": at.column} for at in error.locations or ()]
    if isinstance(error, GraphQLSyntaxError):
        where = f" at [{locations[0]['line']}, {locations[0]['column']}]" if locations else ""
        reason = error.message.removeprefix("Syntax Error: ").rstrip(".")
        return {"message": f"Parse error: {reason}{where}", "locations": locations}
    for pattern, code, words in KNOWN:
        found = pattern.search(error.message)
        if found is not None:
            message = words.format(*(part or "anonymous query" for part in found.groups()))
            return {"message": message, "locations": locations, "extensions": {"code": code}}
    return {"message": error.message, "locations": locations, "extensions": {"code": "invalid"}}


def variable_error(error: GraphQLError) -> dict[str, Any]:
    """One entry of ``errors`` for a variable that was sent with the wrong value or not at all."""
    locations = [{"line": at.line, "column": at.column} for at in error.locations or ()]
    found = re.search(r"Variable '\$(\w+)'", error.message)
    name = found.group(1) if found else "unknown"
    kind = re.search(r"type '([^']+)'", error.message)
    wanted = f" of type {kind.group(1)}" if kind else ""
    return {
        "message": f"Variable ${name}{wanted} was provided invalid value",
        "locations": locations,
        "extensions": {"problems": [{"path": [], "explanation": error.message}]},
    }

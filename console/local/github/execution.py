"""One GraphQL request: parsed and validated once per text, planned, then executed on the world."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeGuard

from graphql import (
    DocumentNode,
    ExecutionResult,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    execute,
    get_operation_ast,
    get_variable_values,
    parse,
    validate,
)

from .cost import MOST_NODES, Plan, Planner
from .queries import find_node
from .refusals import GraphQLRefusalError
from .things import Person
from .wording import validation_error, variable_error
from .world import Repo, World

Withhold = Callable[[Sequence[Any]], Sequence[int]]


def nothing_withheld(_: Sequence[Any]) -> Sequence[int]:
    """Every node is delivered."""
    return ()


@dataclass(slots=True)
class Context:
    """What resolvers see of the request."""

    world: World
    viewer: Person | None = None
    rate: dict[str, Any] = field(default_factory=dict)
    withheld: Withhold = nothing_withheld
    """Which places of the outermost list come back null, as when a query was too heavy."""
    errors: list[dict[str, Any]] = field(default_factory=list)
    end_cursor: str | None = None

    def numbered(self, things: dict[int, Any], number: int, kind: str) -> Any:
        """The pull request or issue with a number; refuses where there is none."""
        if number not in things:
            raise GraphQLRefusalError("NOT_FOUND", f"Could not resolve to a {kind} with the number of {number}.")
        return things[number]

    def git_object(self, repo: Repo, name: str | None) -> Any:
        """The commit with a sha, or at the head of the default branch; else None."""
        if name in {"HEAD", repo.facts["default_branch"]} and not repo.is_empty:
            return repo.commit(repo.data["history"][0])
        return repo.commit(name or "")

    def branch(self, repo: Repo, name: str) -> Any:
        """The default branch; the stand-in holds no other."""
        wanted = name.removeprefix("refs/heads/")
        return repo if wanted == repo.facts["default_branch"] and not repo.is_empty else None


@dataclass(slots=True)
class Request:
    """A request as far as it can be understood without running it."""

    text: str
    variables: dict[str, Any]
    name: str = "anonymous"
    document: DocumentNode | None = None
    operation: OperationDefinitionNode | None = None
    plan: Plan = field(default_factory=Plan)
    errors: list[dict[str, Any]] = field(default_factory=list)
    """Why it is refused whole."""


class Engine:
    """Understands and runs GraphQL requests."""

    def __init__(self, schema: GraphQLSchema, world: World) -> None:
        self.schema = schema
        self.world = world
        self._read = lru_cache(maxsize=256)(self._parse)

    def understand(self, body: Any) -> Request:
        """Parse, validate and price the body of a request; what is wrong with it is in its ``errors``."""
        if not isinstance(body, dict) or not isinstance(body.get("query"), str):
            return Request("", {}, errors=[{"message": "A query attribute must be specified and must be a string."}])
        request = Request(body["query"], dict(body.get("variables") or {}))
        read = self._read(request.text)
        if isinstance(read, list):
            request.errors = read
            return request
        request.document = read
        request.operation = get_operation_ast(read, body.get("operationName"))
        if request.operation is None:
            request.errors = [{"message": "An operation name is required"}]
            return request
        if request.operation.operation is not OperationType.QUERY:
            request.errors = [{"message": "The stand-in answers queries only."}]
            return request
        self._price(request)
        return request

    def repository_of(self, request: Request) -> str | None:
        """``owner/name`` that the request is about, by its name or by the node asked."""
        for name, args in request.plan.roots:
            if name == "repository":
                return f"{args.get('owner')}/{args.get('name')}"
            wanted = args.get("id") or next(iter(args.get("ids") or ()), None)
            if name in {"node", "nodes"} and wanted:
                found = find_node(Context(self.world), wanted)
                repo = found if isinstance(found, Repo) else getattr(found, "repo", None)
                return repo.name if repo is not None else None
        return None

    def run(self, request: Request, context: Context) -> dict[str, Any]:
        """The reply's body."""
        if request.errors or request.document is None:
            return {"errors": request.errors}
        outcome = execute(
            self.schema,
            request.document,
            context_value=context,
            variable_values=request.variables,
            operation_name=request.operation.name.value if request.operation and request.operation.name else None,
            type_resolver=lambda value, _, __: str(value.typename),
            is_awaitable=_never,
        )
        assert isinstance(outcome, ExecutionResult)
        errors = [*(_reported(error) for error in outcome.errors or ()), *context.errors]
        return {"data": outcome.data, "errors": errors} if errors else {"data": outcome.data}

    def _parse(self, text: str) -> DocumentNode | list[dict[str, Any]]:
        try:
            document = parse(text)
        except GraphQLError as error:
            return [validation_error(error)]
        return [validation_error(error) for error in validate(self.schema, document)] or document

    def _price(self, request: Request) -> None:
        assert request.operation is not None
        assert request.document is not None
        values = get_variable_values(self.schema, request.operation.variable_definitions or (), request.variables)
        if isinstance(values, list):
            request.errors = [variable_error(error) for error in values]
            return
        fragments = {
            node.name.value: node for node in request.document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        request.plan = Planner(self.schema, fragments, values).walk(request.operation)
        named = request.operation.name
        request.name = named.value if named else next((name for name, _ in request.plan.roots), "anonymous")
        if request.plan.nodes > MOST_NODES:
            request.errors = [
                {
                    "type": "MAX_NODE_LIMIT_EXCEEDED",
                    "message": f"This query requests up to {request.plan.nodes:,} possible nodes which exceeds "
                    f"the maximum limit of {MOST_NODES:,}.",
                }
            ]


def _never(_: Any) -> TypeGuard[Awaitable[Any]]:
    return False


def _reported(error: GraphQLError) -> dict[str, Any]:
    found: dict[str, Any] = {"message": error.message, "path": error.path}
    found["locations"] = [{"line": at.line, "column": at.column} for at in error.locations or ()]
    cause = error.original_error
    if isinstance(cause, GraphQLRefusalError):
        if cause.kind:
            found = {"type": cause.kind, **found}
        if cause.extensions:
            found["extensions"] = cause.extensions
    elif cause is not None:
        found["message"] = f"Something went wrong in the stand-in: {type(cause).__name__}: {error.message}"
    return found

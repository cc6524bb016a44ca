"""Makes data/discord-schemas.json: `python -m tests.sim.extract openapi.json` (specs/openapi.json of discord-api-spec).

Kept are the operations that the simulator serves, their responses, and every schema that these need; no descriptions.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sim.app import Simulator
from sim.parts import Options
from tests.sim.oracle import SCHEMAS, fits

COMMENT = (
    "Extract of discord/discord-api-spec (specs/openapi.json), MIT License, Copyright (c) Discord Inc.; "
    "descriptions left out. Made by tests/sim/extract.py."
)


def served() -> list[tuple[str, str]]:
    """Method and path of every route."""
    simulator = Simulator(Options())
    return [("GET", "/gateway"), *((route.method, route.path) for route in simulator.routes if route.method != "*")]


def responses_of(operation: dict[str, Any], whole: dict[str, Any]) -> dict[str, Any]:
    """The schema of each status's body; null for none."""
    found = {}
    for status, response in operation["responses"].items():
        if "$ref" in response:
            response = whole["components"]["responses"][response["$ref"].rpartition("/")[2]]
        found[status] = response.get("content", {}).get("application/json", {}).get("schema")
    return found


def references(value: Any) -> Iterator[str]:
    """Names of the schemas that a part of the document refers to."""
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"].rpartition("/")[2]
        for part in value.values():
            yield from references(part)
    elif isinstance(value, list):
        for part in value:
            yield from references(part)


def bare(value: Any, inside_properties: bool = False) -> Any:
    """Without descriptions, which are most of its size."""
    if isinstance(value, list):
        return [bare(part) for part in value]
    if not isinstance(value, dict):
        return value
    dropped = () if inside_properties else ("description", "title", "x-enum-descriptions")
    return {key: bare(part, key == "properties") for key, part in value.items() if key not in dropped}


def extract(whole: dict[str, Any]) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for method, path in served():
        pattern = re.sub(r"\{\w+\}", "{x}", path)
        for known, operations in whole["paths"].items():
            alike = fits(pattern, known) or fits(known, path)
            if alike and method.lower() in operations:
                operation = operations[method.lower()]
                paths.setdefault(known, {})[method.lower()] = bare(responses_of(operation, whole))
    schemas: dict[str, Any] = {}
    waiting = [*references(paths), "GuildResponse", "GuildMemberResponse", "UserResponse", "ErrorResponse"]
    while waiting:
        name = waiting.pop()
        if name not in schemas:
            schemas[name] = bare(whole["components"]["schemas"][name])
            waiting += references(schemas[name])
    return {"$comment": COMMENT, "paths": paths, "components": {"schemas": dict(sorted(schemas.items()))}}


if __name__ == "__main__":
    made = extract(json.loads(Path(sys.argv[1]).read_text()))
    SCHEMAS.write_text(json.dumps(made, separators=(",", ":")) + "\n")

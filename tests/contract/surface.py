"""What the API publishes, small enough to be read: `surface.json` is compared with it.

`python -m tests.contract.surface` writes it anew. Read the difference: what is missing
breaks somebody's tool (docs/api.md, "What stays, and what goes").
"""

import json
import os
from importlib import import_module
from pathlib import Path
from typing import Any

import django

FILE = Path(__file__).with_name("surface.json")


def surface(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Each operation by its id: method and path, parameters, fields of the body (those that have to be sent with a `!`)."""
    found = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            named = [_parameter(document, one) for one in operation.get("parameters", ())]
            found[operation["operationId"]] = {
                "at": f"{method.upper()} {path}",
                "parameters": sorted(named),
                "body": sorted(_body(document, operation)),
                "answers": sorted(status for status in operation["responses"] if status < "300"),
            }
    return dict(sorted(found.items()))


def _parameter(document: dict[str, Any], parameter: dict[str, Any]) -> str:
    if "$ref" in parameter:
        parameter = document["components"]["parameters"][parameter["$ref"].rpartition("/")[2]]
    return f"{parameter['in']} {parameter['name']}"


def _body(document: dict[str, Any], operation: dict[str, Any]) -> list[str]:
    for content in operation.get("requestBody", {}).get("content", {}).values():
        name = content["schema"].get("$ref", "").rpartition("/")[2]
        schema = document["components"]["schemas"].get(name, {})
        needed = schema.get("required", ())
        return [f"{field}!" if field in needed else field for field in schema.get("properties", {})]
    return []


def text(found: dict[str, dict[str, Any]]) -> str:
    """One line for each operation, so that two branches that add some can be merged."""
    lines = (f"{json.dumps(name)}: {json.dumps(one)}" for name, one in found.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def write() -> None:
    """The file says what the document says now."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trm_portal.settings")
    for name in ("SECRET_KEY", "INVITATION_LINK_KEY", "ENROLLMENT_KEY_SECRETS"):
        os.environ.setdefault(name, "none")
    os.environ.setdefault("DATABASE_URL", "postgres:///none")
    django.setup()
    document = import_module("trm_portal.api_views").document  # it wants settings
    FILE.write_text(text(surface(json.loads(document("json")))))


if __name__ == "__main__":
    write()

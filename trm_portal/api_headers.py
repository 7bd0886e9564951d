"""The headers of the API as its document describes them: each once, named by the operations that take or send it."""

from collections.abc import Iterator
from typing import Any

from rbac.api.base import ApiView
from rooms.errors import AwaitsApproval

_TEXT = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}
_RATE = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")

# name in the document -> header, what it says, its schema, an example
SENT: dict[str, tuple[str, dict[str, Any], Any]] = {
    "RateLimit-Limit": ("How many requests a caller has each minute.", _COUNT, 600),
    "RateLimit-Remaining": ("How many of them are left.", _COUNT, 594),
    "RateLimit-Reset": ("Seconds until there are all of them again.", _COUNT, 42),
    "Retry-After": ("Seconds after which asking again makes sense.", _COUNT, 2),
    "WWW-Authenticate": ("How one says who one is.", _TEXT, "Token"),
    "Location": (
        "The address of what was made, or of the request that waits.",
        {"type": "string", "format": "uri"},
        None,
    ),
    "ETag": ("The version of what was answered, for `If-Match`.", _TEXT, '"7"'),
    "Idempotent-Replayed": (
        "`true`: nothing was done, this is the answer that the first request with this key got.",
        {"type": "string", "enum": ["true"]},
        None,
    ),
    "Deprecation": ("Since when the operation is deprecated (RFC 9745).", _TEXT, "@1767225600"),
    "Sunset": ("When it ends (RFC 8594).", _TEXT, "Fri, 01 Jan 2027 00:00:00 GMT"),
}
TAKEN: dict[str, tuple[str, dict[str, Any], Any]] = {
    "Idempotency-Key": (
        "A word of your own for this request, of 1 to 200 visible ASCII characters. Sending the same request with it again "
        "within 24 hours does nothing and gives the same answer.",
        {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]{1,200}$"},
        "9d1c5f0e-report-4711",
    ),
    "If-Match": (
        "The `ETag` you have read, or several; `*` for any. If it has changed since, the answer is 412 and nothing is done.",
        {"type": "string", "pattern": r'^(\*|\s*(W/)?"[!#-~]*"(\s*,\s*(W/)?"[!#-~]*")*\s*)$'},
        '"7"',
    ),
    "Change-Justification": (
        "Why you want the change, for whoever approves it; UTF-8, percent-encoded as in addresses.",
        {"type": "string", "maxLength": 1000, "pattern": "^[ -~]*$"},
        "The%20projector%20was%20replaced",
    ),
}


def components() -> dict[str, dict[str, Any]]:
    """The headers of answers, as `components` of the document has them."""
    return {"headers": {name: _described(*said) for name, said in SENT.items()}}


def _described(text: str, schema: dict[str, Any], example: Any) -> dict[str, Any]:
    return {"description": text, "schema": schema} | ({} if example is None else {"example": example})


def add_components(result: dict[str, Any], **_context: Any) -> dict[str, Any]:
    """A hook of the document's generator: `result` with the headers that its operations name.

    What may be an address or empty is of either kind; a default of "" belongs to the whole, as no address is empty.
    """
    for schema in result["components"]["schemas"].values():
        for field in schema.get("properties", {}).values():
            for kind in field.get("oneOf", ()):
                if kind.get("format") == "email" and "default" in kind:
                    field["default"] = kind.pop("default")
    for kind, found in components().items():
        result["components"].setdefault(kind, {}).update(found)
    return result


def describe(operation: dict[str, Any], view: ApiView, method: str, rules: tuple[type[Exception], ...]) -> None:
    """`operation` says which headers it takes and sends."""
    taken = [
        {"name": name, "in": "header", "required": False} | _described(*TAKEN[name])
        for name in _taken(view, method, rules)
    ]
    if taken:
        operation["parameters"] = [*operation.get("parameters", ()), *taken]
    for status, answer in operation["responses"].items():
        answer["headers"] = answer.get("headers", {}) | {
            name: {"$ref": f"#/components/headers/{name}"} for name in _sent(view, method, status, rules)
        }


def _taken(view: ApiView, method: str, rules: tuple[type[Exception], ...]) -> Iterator[str]:
    if method != "GET":
        yield "Idempotency-Key"
    if view.takes_version(method):
        yield "If-Match"
    if AwaitsApproval in rules:
        yield "Change-Justification"


def _sent(view: ApiView, method: str, status: str, rules: tuple[type[Exception], ...]) -> Iterator[str]:
    if status == "401":
        yield "WWW-Authenticate"
    else:
        yield from _RATE
    if status == "429" or (status == "409" and method != "GET"):
        yield "Retry-After"
    if (status == "202" and AwaitsApproval in rules) or (status == "201" and view.makes):
        yield "Location"
    if status in ("200", "201") and view.versioned is not None and (method != "GET" or not view.makes):
        yield "ETag"
    if method != "GET" and (status < "300" or status in ("409", "410", "422")):
        yield "Idempotent-Replayed"
    if method.lower() in view.deprecated:
        yield from ("Deprecation", "Sunset")

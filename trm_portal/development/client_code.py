"""The typed part of the Python client (client/rooms_portal), written from the API's own document.

`models` has a type for each schema, `operations` a method for each operation; how they reach the portal is written by
hand in client.py beside them. `make docs` writes both; a test compares.
"""

import json
import keyword
import re
from collections.abc import Iterator, Mapping
from textwrap import fill
from typing import Any, NamedTuple

MADE = "Made from the API's document; `make docs` writes it anew."
PREFIX = "/api/v1"
WIDTH = 120
_PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
# Headers that a caller may want to set, and how the client calls them; the others are the client's own business.
_HEADERS = {
    "If-Match": "if_match",
    "Change-Justification": "justification",
    "Idempotency-Key": "idempotency_key",
}
_LAST = ("Waiting", "None")  # what is answered beside the usual
_PLACE = re.compile(r"\{(\w+)\}")
Schema = Mapping[str, Any]


def models(document: Schema) -> str:
    """The module of types: one for each schema of the document, by name."""
    schemas: Mapping[str, Schema] = document["components"]["schemas"]
    parts = [f'"""What the portal takes and answers. {MADE}"""', _IMPORTS]
    # A plain name stands for what is written before it; in a class of fields names may come later.
    aliases = {name: schema for name, schema in schemas.items() if not _has_fields(schema)}
    parts += [f"{name}: TypeAlias = {type_of(schema)}" for name, schema in sorted(aliases.items())]
    parts += [_class(name, schema) for name, schema in sorted(schemas.items()) if _has_fields(schema)]
    return "\n\n".join(parts[:2]) + "\n\n" + "\n".join(parts[2 : 2 + len(aliases)]) + "\n\n\n" + _joined(parts, aliases)


_IMPORTS = """from __future__ import annotations

from typing import Any, Literal, NotRequired, TypeAlias, TypedDict"""


def _joined(parts: list[str], aliases: Mapping[str, Schema]) -> str:
    return "\n\n\n".join(parts[2 + len(aliases) :]) + "\n"


def _has_fields(schema: Schema) -> bool:
    return schema.get("type") == "object" and bool(schema.get("properties"))


def _class(name: str, schema: Schema) -> str:
    required = set(schema.get("required", ()))
    fields = [
        (field, wanted if field in required else f"NotRequired[{wanted}]", one.get("description", ""))
        for field, one in schema["properties"].items()
        for wanted in [type_of(one)]
    ]
    if any(keyword.iskeyword(field) or not field.isidentifier() for field, *_ in fields):
        inside = "\n".join(f"        {json.dumps(field)}: {wanted!r}," for field, wanted, _ in fields)
        return f"{name} = TypedDict(\n    {json.dumps(name)},\n    {{\n{inside}\n    }},\n)"
    lines = [f"class {name}(TypedDict):", *_docstring(schema.get("description") or f"{name}.", 4), ""]
    for field, wanted, said in fields:
        lines.append(f"    {field}: {wanted}")
        if said and "* `" not in said:
            lines += _docstring(said, 4)
    return "\n".join(lines)


def _docstring(text: str, indent: int) -> list[str]:
    """`text` as a docstring of lines that are not too long."""
    plain = " ".join(text.replace("\\", "\\\\").replace('"""', "”").split())
    space = " " * indent
    whole = f'{space}"""{plain}"""'
    if len(whole) <= WIDTH:
        return [whole.replace('""""', '" """') if plain.endswith('"') else whole]
    body = fill(plain, WIDTH - 3, initial_indent=f'{space}"""', subsequent_indent=space, break_long_words=False)
    return [*body.split("\n"), f'{space}"""']


def type_of(schema: Schema) -> str:
    """The Python type of a value that `schema` describes."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema:
        return f"Literal[{', '.join(json.dumps(one, ensure_ascii=False) for one in schema['enum'])}]"
    if "const" in schema:
        return f"Literal[{json.dumps(schema['const'])}]"
    for many in ("allOf", "oneOf", "anyOf"):
        if many in schema:
            return _united(type_of(one) for one in schema[many])
    kind = schema.get("type")
    if isinstance(kind, list):
        return _united(type_of({**schema, "type": one}) for one in kind)
    return _plain_type(str(kind), schema)


def _plain_type(kind: str, schema: Schema) -> str:
    if kind == "array":
        return f"list[{type_of(schema.get('items', {}))}]"
    if kind == "object":
        values = schema.get("additionalProperties")
        return f"dict[str, {type_of(values)}]" if isinstance(values, Mapping) and values else "dict[str, Any]"
    return _PLAIN.get(kind, "Any")


def _united(types: Iterator[str]) -> str:
    return " | ".join(dict.fromkeys(types))


class Parameter(NamedTuple):
    """One argument of a method."""

    name: str  # in Python
    wire: str  # in the address, the query or the header
    place: str  # path, query, header
    type: str
    said: str


def operations(document: Schema) -> str:
    """The module of methods: one for each operation of the document, in the order of their names."""
    found = sorted(_operations(document), key=lambda one: str(one[2]["operationId"]))
    methods = [text for path, method, operation in found for text in _methods(path, method, operation)]
    head = f'"""Every operation of the portal. {MADE}"""\n\n{_OPERATION_IMPORTS}\n\n\n{_BASE}'
    return head + "\n\n".join(methods) + "\n"


_OPERATION_IMPORTS = """from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, Literal
from urllib.parse import quote

from rooms_portal.models import *"""

_BASE = '''def _at(path: str, *places: object) -> str:
    """`path` with each of `places` in its gap, so that none of them leads elsewhere."""
    return path.format(*(quote(str(one), safe="") for one in places))


class Operations(ABC):
    """A method for each operation; `_call` carries it out."""

    @abstractmethod
    def _call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str | None] | None = None,
        is_form: bool = False,
        is_file: bool = False,
    ) -> Any:
        """What the portal answers. Raises Problem."""

    @abstractmethod
    def _each(self, path: str, query: Mapping[str, Any]) -> Iterator[Any]:
        """The items of all pages of a list. Raises Problem."""

'''


def _operations(document: Schema) -> Iterator[tuple[str, str, Schema]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if isinstance(operation, Mapping) and "operationId" in operation:
                yield path.removeprefix(PREFIX), method.upper(), operation


def _methods(path: str, method: str, operation: Schema) -> Iterator[str]:
    order = _PLACE.findall(path)  # as in the address: the customer first
    found = _parameters(operation)
    parameters = sorted(found, key=lambda one: order.index(one.wire) if one.wire in order else len(order))
    yield _method(path, method, operation, parameters)
    answer = _answer(operation)
    if answer.endswith("Page") and any(one.name == "cursor" for one in parameters):
        yield _iterator(path, operation, parameters, answer)


def _parameters(operation: Schema) -> Iterator[Parameter]:
    for one in operation.get("parameters", ()):
        name, place, said = one["name"], one["in"], " ".join(one.get("description", "").split())
        if place == "header":
            if name in _HEADERS:
                yield Parameter(_HEADERS[name], name, place, "str | None", said)
        else:
            python = f"{name}_" if keyword.iskeyword(name) else name
            yield Parameter(python, name, place, type_of(one["schema"]), said)


def _method(path: str, method: str, operation: Schema, parameters: list[Parameter]) -> str:
    content = operation.get("requestBody", {}).get("content", {})
    body = next((type_of(one["schema"]) for one in content.values()), None)
    answer = _answer(operation)
    by_place = {place: [one for one in parameters if one.place == place] for place in ("path", "query", "header")}
    wanted = [f"{one.name}: {one.type}" for one in by_place["path"]]
    if body is not None:
        wanted.append(f"body: {body}" if operation["requestBody"].get("required") else f"body: {body} | None = None")
    given = [f"{one.name}: {_optional(one.type)} = None" for one in [*by_place["query"], *by_place["header"]]]
    arguments = [json.dumps(method), _address(path, by_place["path"])]
    if by_place["query"]:
        arguments.append(f"query={_mapping(by_place['query'])}")
    if body is not None:
        arguments.append("body=body")
    if by_place["header"]:
        arguments.append(f"headers={_mapping(by_place['header'])}")
    if "multipart/form-data" in content:
        arguments.append("is_form=True")
    if answer == "bytes":
        arguments.append("is_file=True")
    call = f"self._call({', '.join(arguments)})"
    lines = [_signature(operation["operationId"], wanted, given, answer), *_said(operation, parameters)]
    if answer == "None":
        return "\n".join([*lines, f"        {call}"])
    return "\n".join([*lines, f"        answer: {answer} = {call}", "        return answer"])


def _iterator(path: str, operation: Schema, parameters: list[Parameter], answer: str) -> str:
    filters = [one for one in parameters if one.place == "query" and one.name not in ("cursor", "page_size")]
    places = [one for one in parameters if one.place == "path"]
    lines = [
        _signature(
            f"each_{operation['operationId']}",
            [f"{one.name}: {one.type}" for one in places],
            [f"{one.name}: {_optional(one.type)} = None" for one in filters],
            f"Iterator[{answer.removesuffix('Page')}]",
        ),
        *_docstring(f"Each item of `{operation['operationId']}`, page by page.", 8),
        f"        return self._each({_address(path, places)}, {_mapping(filters)})",
    ]
    return "\n".join(lines)


def _signature(name: str, wanted: list[str], given: list[str], answer: str) -> str:
    inside = ["self", *wanted, *(["*", *given] if given else [])]
    line = f"    def {name}({', '.join(inside)}) -> {answer}:"
    if len(line) <= WIDTH:
        return line
    return "\n".join([f"    def {name}(", *(f"        {one}," for one in inside), f"    ) -> {answer}:"])


def _said(operation: Schema, parameters: list[Parameter]) -> list[str]:
    text = f"{operation.get('summary', operation['operationId']).rstrip('.')}."
    if operation.get("description"):
        text += f" {operation['description']}"
    lines = _docstring(text, 8)
    described = [one for one in parameters if one.said and one.place == "query"]
    if not described:
        return lines
    opened = [lines[0].removesuffix('"""')] if len(lines) == 1 else lines[:-1]
    for one in described:
        opened.append(fill(f"{one.name}: {one.said}", WIDTH, initial_indent=" " * 8, subsequent_indent=" " * 12))
    return [opened[0], *([] if len(opened) == 1 else opened[1:]), '        """']


def _optional(kind: str) -> str:
    return kind if kind.endswith("None") else f"{kind} | None"


def _address(path: str, places: list[Parameter]) -> str:
    names = ", ".join(one.name for one in places)
    return f"_at({json.dumps(_PLACE.sub('{}', path))}, {names})" if places else json.dumps(path)


def _mapping(parameters: list[Parameter]) -> str:
    return f"{{{', '.join(f'{json.dumps(one.wire)}: {one.name}' for one in parameters)}}}"


def _answer(operation: Schema) -> str:
    types = []
    for status, response in sorted(operation["responses"].items()):
        if status.startswith("2"):
            content = response.get("content", {})
            if len(content) > 1 or (content and "application/json" not in content):
                types.append("bytes")
            else:
                types.append(type_of(content["application/json"]["schema"]) if content else "None")
    return " | ".join(sorted(dict.fromkeys(types), key=_LAST.count)) or "None"

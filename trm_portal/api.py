"""The API's frame: the parser with its limits."""

import json
from typing import Any

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

MAX_DEPTH = 20


class LimitedJSONParser(BaseParser):
    """JSON of at most DATA_UPLOAD_MAX_MEMORY_SIZE bytes and 20 levels; numbers that are none (1e999, NaN) refused."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """The parsed body. Raises ParseError (400) for anything else than one JSON value within the limits."""
        body = stream.read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
        if len(body) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise ParseError("The body is too large.")
        try:
            text = body.decode("utf-8")
            _check_depth(text)
            return json.loads(text, parse_constant=_refuse, parse_float=_finite, parse_int=_small)
        except (ValueError, RecursionError) as error:
            raise ParseError("The body is not JSON that can be read.") from error


def _check_depth(text: str) -> None:
    depth, in_string, is_escaped = 0, False, False
    for character in text:
        if in_string:
            in_string, is_escaped = (character != '"' or is_escaped), (character == "\\" and not is_escaped)
        elif character == '"':
            in_string = True
        elif character in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise ValueError("nested too deeply")
        elif character in "]}":
            depth -= 1


def _refuse(constant: str) -> float:
    raise ValueError(constant)


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(text)
    return number


def _small(text: str) -> int:
    if len(text) > 19 or not -(2**63) <= int(text) < 2**63:
        raise ValueError(text)
    return int(text)

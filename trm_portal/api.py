"""The API's frame: the parser with its limits, and how often one may ask.

Read by DRF before its views exist, so nothing here may import them.
"""

import json
import re
from typing import Any

from django.conf import settings
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from rbac.api.counting import count, until_next

MAX_DEPTH = 20
# The closing mark is optional: a search for one that never comes, from every opening one, would take hours.
_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")


class BodyTooLarge(APIException):
    """More than DATA_UPLOAD_MAX_MEMORY_SIZE."""

    status_code = 413
    default_code = "body_too_large"


class LimitedJSONParser(BaseParser):
    """JSON of at most DATA_UPLOAD_MAX_MEMORY_SIZE bytes and 20 levels, without what JSON or a database cannot hold.

    Numbers that are none (1e999, NaN) or no 64-bit integer, halves of characters and repeated keys are refused.
    """

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """The parsed body. Raises BodyTooLarge (413), ParseError (400) for anything else than one JSON value."""
        body = stream.read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
        if len(body) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise BodyTooLarge
        try:
            text = body.decode("utf-8")
            _check_depth(text)
            value = json.loads(
                text, parse_constant=_refuse, parse_float=_finite, parse_int=_small, object_pairs_hook=_unique
            )
            if "\\u" in text:
                json.dumps(value, ensure_ascii=False).encode()  # half a character cannot be written
        except (ValueError, RecursionError) as error:
            raise ParseError from error
        return value


def _check_depth(text: str) -> None:
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > MAX_DEPTH:
            raise ValueError("nested too deeply")


def _refuse(constant: str) -> float:
    raise ValueError(constant)


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(text)
    return number


def _small(text: str) -> int:
    if len(text) > 20 or not -(2**63) <= int(text) < 2**63:
        raise ValueError(text)
    return int(text)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is repeated")
    return found


class PerCaller(BaseThrottle):
    """At most API_REQUESTS_PER_MINUTE for each person and each token, counted in the cache; tells how many are left."""

    def allow_request(self, request: Request, view: Any) -> bool:
        """Whether the caller may go on; nobody who is not known gets as far as that costs anything."""
        if not request.user.is_authenticated:
            return True
        limit = settings.API_REQUESTS_PER_MINUTE
        used = count(_caller(request))
        request.rate_headers = {  # type: ignore[attr-defined]
            "RateLimit-Limit": str(limit),
            "RateLimit-Remaining": str(max(limit - used, 0)),
            "RateLimit-Reset": str(self.wait()),
        }
        return used <= limit

    def wait(self) -> int:
        """Seconds until the next minute of the clock begins."""
        return until_next()


def _caller(request: Request) -> str:
    return f"token:{request.auth.pk}" if request.auth is not None else f"person:{request.user.pk}"

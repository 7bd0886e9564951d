"""The header `If-Match` (RFC 9110, 13.1.1): the versions of which one has to be the current one."""

import re

from rest_framework.request import Request

from rbac.api.errors import InvalidHeader

_TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_LIST = re.compile(rf"[ \t]*(?:,[ \t]*)*{_TAG}(?:[ \t]*,(?:[ \t]*{_TAG})?)*[ \t]*")
_STRONG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')


def wanted(request: Request) -> frozenset[str] | None:
    """The strong tags of `If-Match`; None without the header or for `*`. Weak ones never match, so they are none.

    Raises InvalidHeader for what is no list of tags.
    """
    asked = request.headers.get("If-Match")
    if asked is None or asked.strip(" \t") == "*" or request.method in ("GET", "HEAD"):
        return None
    if len(asked) > 2000 or not _LIST.fullmatch(asked):
        raise InvalidHeader
    return frozenset(tag for weak, tag in _STRONG.findall(asked) if not weak)

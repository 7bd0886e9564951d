"""The header `Idempotency-Key`: what of a request makes it the same one, and which answers are told again."""

import hashlib
import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import DatabaseError
from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from audit.context import before_commit
from rbac.api.errors import InvalidHeader
from rbac.idempotency_key import LONGEST_KEY
from rbac.services import idempotency
from rbac.services.idempotency import Answer, Claim

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
_KEY = re.compile(rf"[!-~]{{1,{LONGEST_KEY}}}")
_TOLD = ("Content-Type", "Location", "ETag")
# Refusals that follow from how things stood. What says nothing of the change (400, 401, 403, 404, 412, 413, 415, 429,
# 5xx) is not kept, and the key is free again.
_RULES = (409, 410, 422)

log = logging.getLogger("trm.api")


class Replayed(Exception):
    """The request was carried out before; this is what it was answered."""

    def __init__(self, answer: HttpResponse) -> None:
        super().__init__()
        self.answer = answer


class Repeatable:
    """A request with a key while it is carried out: its changes mark the key, its answer is kept."""

    def __init__(self, claim: Claim, *, is_secret: bool) -> None:
        self._claim, self._is_secret = claim, is_secret

    @contextmanager
    def marking(self) -> Iterator[None]:
        """What the block commits marks the key."""
        token = before_commit.set((*before_commit.get(), partial(idempotency.mark, self._claim)))
        try:
            yield
        finally:
            before_commit.reset(token)

    def settle(self, answer: HttpResponseBase | None) -> None:
        """What was `answer`ed (None: an unexpected error) is kept, or the key is free again.

        The change is done and the answer on its way: a database that fails now must not turn it into an error.
        """
        try:
            self._settle(answer)
        except DatabaseError:
            log.warning("the answer to an idempotent request is not kept", exc_info=True)

    def _settle(self, answer: HttpResponseBase | None) -> None:
        is_final = answer is not None and (answer.status_code < 300 or answer.status_code in _RULES)
        if not is_final and idempotency.release(self._claim):
            return
        if isinstance(answer, HttpResponse) and answer.status_code < 500:
            told = {name: answer.headers[name] for name in _TOLD if name in answer.headers}
            idempotency.keep(self._claim, Answer(answer.status_code, told, answer.content), is_secret=self._is_secret)


def begin(request: Request, *, is_secret: bool) -> Repeatable | None:
    """The request's right to be carried out, None without a key.

    Raises Replayed with the answer that it got before, InvalidHeader for what is no key, and what `claim` raises.
    """
    key = request.headers.get(HEADER)
    if key is None or request.method in ("GET", "HEAD"):
        return None
    if not _KEY.fullmatch(key):
        raise InvalidHeader
    token = getattr(request.auth, "pk", None)
    got = idempotency.claim(request.user, token, key, fingerprint(request))
    if isinstance(got, Claim):
        return Repeatable(got, is_secret=is_secret)
    answer = HttpResponse(got.body, status=got.status, headers=got.headers | {REPLAYED: "true"})
    raise Replayed(answer)


def fingerprint(request: Request) -> str:
    """SHA-256 over what the request asks for: method, address, the version it names, body; over all customers also which
    of them are in sight, so that no old answer tells of one that is not any more.

    The body as it was understood, not its bytes: whoever looked for a CSRF token has used those up, and what stands
    between the parts of a form is chosen anew each time it is sent. Raises what reading it raises.
    """
    digest = hashlib.sha256()
    in_sight = sorted(str(one.pk) for one in getattr(request, "customers", ()))
    for part in (request.method, request.get_full_path(), request.headers.get("If-Match", ""), *in_sight):
        _add(digest, str(part).encode())
    said = request.data
    if isinstance(said, QueryDict):
        for name, values in sorted(said.lists()):
            for value in values:
                _add(digest, name.encode())
                _add_value(digest, value)
    else:
        _add(digest, json.dumps(said, sort_keys=True).encode())
    return digest.hexdigest()


def _add_value(digest: Any, value: Any) -> None:
    if not isinstance(value, UploadedFile):
        _add(digest, str(value).encode())
        return
    _add(digest, str(value.name).encode())
    content = hashlib.sha256()
    for chunk in value.chunks():
        content.update(chunk)
    value.seek(0)
    _add(digest, content.digest())


def _add(digest: Any, part: bytes) -> None:
    digest.update(len(part).to_bytes(8, "big") + part)

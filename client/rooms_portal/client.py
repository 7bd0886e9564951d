"""How an operation reaches the portal: who asks, what is tried again, what comes of a problem."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard
from urllib.parse import parse_qs, quote, urlsplit
from uuid import uuid4

import requests

from rooms_portal.errors import Problem, Unreachable
from rooms_portal.models import Waiting
from rooms_portal.operations import Operations

PREFIX = "/api/v1"
TIMEOUT = (5, 30)  # seconds: to connect, between two pieces of the answer
TRIES = 4
FIRST_WAIT, LONGEST_WAIT = 0.5, 60.0  # seconds
_READABLE = "".join(chr(code) for code in range(32, 127) if chr(code) != "%")
AGAIN = frozenset({429, 502, 503, 504})


class Answer(dict[str, Any]):
    """What the portal answered, with its version (`etag`), for a change that shall meet nobody else's."""

    etag: str | None = None


class Portal(Operations):
    """The portal at `address`, asked with `token`.

    What is safe to ask twice is tried again while the portal is away or asks to wait: reading, and every change, since
    each carries a key by which the portal knows it again. Use one for each thread.
    """

    def __init__(self, address: str, token: str, *, timeout: tuple[float, float] = TIMEOUT, tries: int = TRIES) -> None:
        """Raises ValueError for an address that is none. Nothing is asked yet."""
        parts = urlsplit(address)
        if parts.scheme not in ("https", "http") or not parts.netloc or parts.username is not None:
            raise ValueError(f"not the address of a portal: {address}")
        self.address = f"{parts.scheme}://{parts.netloc}"
        self._timeout, self._tries = timeout, tries
        self._session = requests.Session()
        self._session.trust_env = False  # no password file of this machine takes the place of the token
        self._session.headers.update({"Authorization": f"Token {token}", "Accept": "application/json"})

    def __enter__(self) -> Portal:
        return self

    def __exit__(self, *error: object) -> None:
        self._session.close()

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
        """What the portal answers: an object, bytes of a file, or None. Raises Problem, Unreachable."""
        sent = {name: _header(value) for name, value in (headers or {}).items() if value is not None}
        if method != "GET":
            sent.setdefault("Idempotency-Key", str(uuid4()))
        if is_file:
            sent["Accept"] = "*/*"
        carried: dict[str, Any] = {} if body is None else {"json": body}
        if is_form:
            carried = _form(body)
        asked = {name: value for name, value in (query or {}).items() if value is not None}
        response = self._ask(method, f"{self.address}{PREFIX}{path}", params=asked, headers=sent, **carried)
        if not response.ok:
            raise _problem(response)
        if is_file:
            return response.content
        return _answer(response)

    def _ask(self, method: str, address: str, **options: Any) -> requests.Response:
        for tried in range(1, self._tries + 1):
            wait = min(FIRST_WAIT * 2 ** (tried - 1), LONGEST_WAIT) * random.uniform(0.8, 1.2)  # noqa: S311
            try:
                response = self._session.request(
                    method, address, timeout=self._timeout, allow_redirects=False, **options
                )
            except (requests.ConnectionError, requests.Timeout) as error:
                if tried == self._tries:
                    raise Unreachable(f"{self.address} does not answer") from error
            else:
                asked_to_wait = _asked_to_wait(response)
                # 409 with a time to wait: the same change, sent before, is still being carried out.
                is_passing = response.status_code in AGAIN or (
                    response.status_code == 409 and asked_to_wait is not None
                )
                if not is_passing or tried == self._tries:
                    return response
                wait = wait if asked_to_wait is None else asked_to_wait
            time.sleep(wait)
        raise AssertionError("the last try answers or raises")

    def _each(self, path: str, query: Mapping[str, Any]) -> Iterator[Any]:
        """The items of all pages of a list, asked for while they are taken. Raises as `_call`."""
        place: str | None = None
        while True:
            page = self._call("GET", path, query={**query, "cursor": place})
            yield from page["items"]
            if page["next"] is None:
                return
            [place] = parse_qs(urlsplit(page["next"]).query)["cursor"]


def etag(answer: object) -> str | None:
    """The version of what was answered, to be given as `if_match`; None for what has none."""
    return answer.etag if isinstance(answer, Answer) else None


def is_waiting(answer: object) -> TypeGuard[Waiting]:
    """Whether the change waits for the customer's approval, and nothing has been done yet."""
    return isinstance(answer, dict) and answer.get("state") == "pending" and "request" in answer


def _header(value: str) -> str:
    """A header carries ASCII only; the portal reads the rest as it stands in addresses."""
    return quote(value, safe=_READABLE)


def _form(body: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a form: files are (name, bytes) pairs or open files, the rest is text."""
    files = {name: value for name, value in body.items() if isinstance(value, tuple) or hasattr(value, "read")}
    return {"files": files, "data": {name: value for name, value in body.items() if name not in files}}


def _answer(response: requests.Response) -> Any:
    if not response.content:
        return None
    found = response.json()
    if not isinstance(found, dict):
        return found
    answer = Answer(found)
    answer.etag = response.headers.get("ETag")
    return answer


def _problem(response: requests.Response) -> Problem:
    try:
        said = response.json()
        place = said.get("sign_in_url", "")
        return Problem(response.status_code, said["code"], said["detail"], said.get("errors"), place)
    except (ValueError, KeyError, TypeError):
        return Problem(response.status_code, "unreadable", f"The answer is no problem document: {response.reason}")


def _asked_to_wait(response: requests.Response) -> float | None:
    """The seconds in `Retry-After`, as far as a tool should wait at all."""
    said = response.headers.get("Retry-After", "")
    return min(float(said), LONGEST_WAIT) if said.isdigit() else None

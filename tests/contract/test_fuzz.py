"""Every operation is asked what its document allows, and what it does not, as everybody: by schemathesis.

No answer is a 5xx, has a status, a content type, a header or a form that is not written, or comes to somebody who did not
say who he is. The environment's FUZZ_EXAMPLES asks more of each operation than 2.
"""

import json
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import hypothesis
import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from django.urls import resolve
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from rest_framework.response import Response
from schemathesis import Case, GenerationMode
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from rooms.api.rooms import OneRoom
from tests.contract.scene import NEVER, UUIDS, Scene
from tests.factories.callers import Caller
from trm_portal.api_views import document
from trm_portal.wsgi import application

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "2"))
ROLES = ("admin", "tech", "partner", "program", "rival", "invited", "anonymous")
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
CSRF = "a" * 32
# What each of them gets at least now and then: else nothing is tried.
SEEN = dict.fromkeys(ROLES, (200, 400, 404)) | {
    "anonymous": (401,),
    "rival": (400, 404),
    "invited": (400, 404),
    "admin": (200, 201, 400, 404),
}
# What may be told to nobody: sign in; and what is wrong with the request before anybody looks who asks.
TO_NOBODY = {400, 401, 404, 405, 406}

load_all_checks()


@pytest.fixture(scope="module")
def schema() -> Any:
    made = schemathesis.openapi.from_dict(json.loads(document("json")))
    made.app = application
    return made


@dataclass(frozen=True)
class Signed:
    """By what the web server knows a caller: a browser's cookies with the token of its pages, or a tool's header."""

    headers: dict[str, str]
    cookies: dict[str, str]


def signed(caller: Caller) -> Signed:
    """As it is sent by hand."""
    cookies = {name: morsel.value for name, morsel in caller.client.cookies.items()}
    if not cookies:
        return Signed(dict(caller.headers), {})
    return Signed({"X-CSRFToken": CSRF}, cookies | {"csrftoken": CSRF})


def places(scene: Scene, path: str) -> dict[str, Any]:
    """The ids of the scene for an address of the document."""
    names = _names(path)
    numbered = path
    for name in names:
        numbered = numbered.replace(f"{{{name}}}", str(NEVER) if name in UUIDS else "1")
    return dict(zip(names, scene.args(str(resolve(numbered).url_name)), strict=True))


def _names(path: str) -> list[str]:
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]


def ask(case: Case, who: Signed) -> Any:
    """The answer, with everything that it did undone."""
    with transaction.atomic():
        answer = case.call(headers=who.headers, cookies=who.cookies)
        transaction.set_rollback(True)
    return answer


def asked(operation: Any, scene: Scene, who: Signed, also: Callable[[Any], None]) -> None:
    """Each of EXAMPLES cases, half of them against the document, is answered as the document says."""
    real = places(scene, operation.path)
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    cases = st.one_of(operation.as_strategy(generation_mode=mode) for mode in modes)

    @hypothesis.settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.generate],
    )
    @hypothesis.given(case=cases, is_real=st.sampled_from((True, True, False)))
    def each(case: Case, is_real: bool) -> None:
        if is_real and isinstance(case.path_parameters, dict):
            case.path_parameters.update(real)
        for name in ("Authorization", "Cookie"):  # schemathesis makes up ways to say who one is
            case.headers.pop(name, None)
        case.cookies.clear()
        answer = ask(case, who)
        case.validate_response(answer, checks=CHECKS)
        also(answer)

    each()


@pytest.fixture
def one_connection(db):
    """A request of the web server closes the connection that the test is still in; here it does not."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.usefixtures("one_connection")
@pytest.mark.parametrize("role", ROLES)
def test_answers_are_those_of_the_document(schema, role, settings):
    settings.API_REQUESTS_PER_MINUTE = 10**9
    scene = Scene()
    who = signed(getattr(scene, role)())
    wrong, number, statuses = [], 0, Counter[int]()

    def only_signed_in(answer: Any) -> None:
        statuses[answer.status_code] += 1
        assert role != "anonymous" or answer.status_code in TO_NOBODY, "an answer to nobody"

    for result in schema.get_all_operations():
        operation = result.ok()
        number += 1
        try:
            asked(operation, scene, who, only_signed_in)
        except Unsatisfiable:
            continue  # nothing can be wrong with it
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            wrong.append(f"{operation.label}: {told(error)}")
    assert number > 100
    assert min(statuses[status] for status in SEEN[role]) >= 5, statuses
    assert not wrong, f"{len(wrong)} operations\n\n" + "\n\n".join(wrong)


def told(error: BaseException) -> str:
    """The error and its parts, short enough to be read."""
    parts = getattr(error, "exceptions", ())
    return "\n  ".join([str(error)[:1200], *(f"{type(one).__name__}: {one}"[:600] for one in parts)])


@pytest.mark.usefixtures("one_connection")
@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [(418, {}, {}), (200, {"ETag": '"1"'}, {"id": "x"}), (200, {"Content-Type": "text/plain"}, {}), (500, {}, {})],
)
def test_control_a_wrong_answer_is_found(schema, settings, monkeypatch, status, headers, body):
    settings.API_REQUESTS_PER_MINUTE = 10**9
    scene = Scene()
    who = signed(scene.admin())
    monkeypatch.setattr(OneRoom, "get", lambda *args, **kwargs: Response(body, status=status, headers=headers))
    operation = schema["/api/v1/customers/{tenant_id}/rooms/{room_id}/"]["GET"]
    with pytest.raises(BaseException, match=r"Undocumented|schema|Content"):
        asked(operation, scene, who, lambda answer: None)

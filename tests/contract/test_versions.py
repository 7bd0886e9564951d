"""`ETag` and `If-Match`: whoever read an older state changes nothing."""

from urllib.parse import urlsplit

import pytest
from django.urls import get_resolver, reverse

from audit.context import before_commit
from audit.models import AuditEvent
from rbac import precondition
from rbac.catalogue import Permission
from rooms.models import ApprovalRequest, ControlMode, ControlPolicy
from rooms.services import groups
from tests.contract.scene import Operation, Scene, operations, patterns
from tests.factories.callers import changed, code
from tests.factories.evidence import mark

pytestmark = pytest.mark.django_db


def view_of(scene, name):
    return get_resolver().resolve(reverse(name, args=scene.args(name))).func.cls


def taking() -> list[Operation]:
    """The operations that take `If-Match`."""
    views = {pattern.name: pattern.callback.cls for pattern in _patterns() if hasattr(pattern.callback, "cls")}
    return [one for one in operations() if _takes(views[one.name], one.method)]


def _takes(view, method):
    return hasattr(view, "takes_version") and view.takes_version(method.upper())


def _patterns():
    return patterns(get_resolver().url_patterns)


# Where one reads the version of what an action changes.
READ_AT = {
    "api-room-enroll": "api-room",
    "api-room-suppress": "api-room",
    "api-room-unsuppress": "api-room",
    "api-room-unenroll": "api-room",
    "api-group-rooms": "api-group",
    "api-group-default": "api-group",
    "api-ring-rooms": "api-ring",
    "api-ticket-state": "api-ticket",
    "api-ticket-assignment": "api-ticket",
    "api-ticket-close": "api-ticket",
    "api-assignment-scope": "api-assignment",
    "api-assignment-members": "api-assignment",
    "api-security-group-people": "api-security-group",
    "api-approval-decide": "api-approval",
    "api-approval-withdraw": "api-approval",
    "api-rollout-pause": "api-rollout",
    "api-rollout-resume": "api-rollout",
    "api-rollout-retry": "api-rollout",
    "api-rollout-force": "api-rollout",
    "api-partner-suspend": "api-partner",
    "api-partner-resume": "api-partner",
    "api-partner-invitation-resend": "api-partner-invitation",
    "api-partner-invitation-revoke": "api-partner-invitation",
    "api-webhook-rotate": "api-webhook",
    "api-my-invitation-accept": "api-my-invitation",
    "api-my-invitation-deny": "api-my-invitation",
}


@pytest.fixture
def scene():
    return Scene()


@pytest.mark.parametrize("operation", taking(), ids=str)
def test_change_is_made_only_of_what_was_read(scene, operation):
    caller = scene.whoever_may(operation)
    args = scene.args(operation.name)
    if operation.name == "api-partner-resume":
        scene.admin().post("api-partner-suspend", *args)
    tag = caller.get(READ_AT.get(operation.name, operation.name), *args).headers["ETag"]
    evidence = mark()
    for stale in ('"stale"', f"W/{tag}", '"a", "b"'):
        caller.headers = caller.headers | {"If-Match": stale}
        assert code(scene.ask(caller, operation, args)) == (412, "stale_version")
    assert changed(evidence) == set()
    caller.headers["If-Match"] = f'"another", {tag}'
    answer = scene.ask(caller, operation, args)
    assert answer.status_code < 300, answer.content
    if operation.method == "patch":
        assert answer.headers["ETag"] != tag


def test_many_operations_take_it():
    assert len(taking()) > 35
    assert {one.name for one in taking()} >= set(READ_AT)


@pytest.mark.parametrize("value", ["7", '"7', 'x"7"', '"7" "8"', "W/7", '"a\x7f"', '*, "7"', '"7";'])
def test_what_is_no_list_of_tags_is_refused(scene, value):
    place = scene.args("api-room")
    answer = scene.admin().patch("api-room", *place, body={"capacity": 1}, headers={"If-Match": value})
    assert code(answer) == (400, "invalid_header")


@pytest.mark.parametrize("value", ["*", " * ", None])
def test_any_version_will_do(scene, value):
    headers = {} if value is None else {"If-Match": value}
    answer = scene.admin().patch("api-room", *scene.args("api-room"), body={"capacity": 1}, headers=headers)
    assert answer.status_code == 200


def test_operation_that_takes_no_version_refuses_one(scene):
    """Whoever names a version relies on its being looked at."""
    answer = scene.admin().post(
        "api-groups", *scene.args("api-groups"), body={"name": "New"}, headers={"If-Match": '"1"'}
    )
    assert code(answer) == (400, "invalid_header")
    assert scene.admin().get("api-room", *scene.args("api-room"), headers={"If-Match": "x"}).status_code == 200


def test_everything_that_was_made_has_its_address_and_version(scene):
    for operation in operations():
        view = view_of(scene, operation.name) if operation.name != "api-nothing" else None
        if operation.method == "post" and getattr(view, "makes", ""):
            answer = scene.ask(scene.whoever_may(operation), operation)
            assert answer.status_code == 201
            place = answer.headers["Location"]
            read = scene.whoever_may(operation).client.get(urlsplit(place).path)
            assert read.status_code == 200, place
            if "ETag" in answer.headers:
                assert read.headers["ETag"] == answer.headers["ETag"]


def test_refused_change_is_on_record(scene):
    room = scene.world.contoso.german[0]
    scene.admin().patch("api-room", *scene.args("api-room"), body={"capacity": 1}, headers={"If-Match": '"77"'})
    line = AuditEvent.objects.filter(object_name=room.display_name).order_by("-pk").first()
    assert (line.result, line.code) == ("Failed", "stale_version")


def test_service_that_forgets_to_look_changes_nothing(scene, monkeypatch):
    monkeypatch.setattr(groups, "meet", lambda group: None)
    caller = scene.admin()
    caller.client.raise_request_exception = False
    evidence = mark()
    answer = caller.patch("api-group", *scene.args("api-group"), body={"name": "New"}, headers={"If-Match": '"1"'})
    assert answer.status_code == 500
    assert changed(evidence) == set()


def test_what_is_expected_ends_with_the_request(scene):
    place = scene.args("api-room")
    scene.admin().patch("api-room", *place, body={"zzz": 1}, headers={"If-Match": '"77"'})
    assert precondition._expected.get() is None
    both = {"If-Match": '"77"', "Idempotency-Key": "k"}
    assert scene.admin().patch("api-room", *place, body={"capacity": 1}, headers=both).status_code == 412
    assert before_commit.get() == ()


def test_change_that_needs_approval_is_compared_too(scene):
    """A partner's stale change leaves no request."""
    ControlPolicy.objects.filter(event=Permission.ROOMS_MODIFY).update(mode=ControlMode.MANUAL)
    place, before = scene.args("api-room"), ApprovalRequest.objects.count()
    caller = scene.program()
    stale = caller.patch("api-room", *place, body={"capacity": 1}, headers={"If-Match": '"77"'})
    assert code(stale) == (412, "stale_version")
    assert ApprovalRequest.objects.count() == before
    tag = caller.get("api-room", *place).headers["ETag"]
    assert caller.patch("api-room", *place, body={"capacity": 1}, headers={"If-Match": tag}).status_code == 202

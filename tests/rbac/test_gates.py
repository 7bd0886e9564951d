"""Gates: what they let through, and that a refused change is on record while a look or a stranger is not."""

import pytest
from django.urls import reverse

from audit.models import AuditEvent
from rbac.catalogue import BuiltIn
from tests.factories import join
from tests.factories.browsing import browser
from tests.factories.callers import person
from tests.factories.world import World, make

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make()


def failed() -> list[tuple[str, str, str, str]]:
    found = AuditEvent.objects.filter(result="Failed").order_by("id")
    return [(one.category, one.object_name, one.user_id, one.code) for one in found]


def test_a_refused_change_is_on_record_with_the_partner_who_tried(world: World) -> None:
    relationship, (ann,) = join(world.contoso, world.fabrikam, "ann")
    url = reverse("partner_remove", args=[world.contoso.tenant.pk, relationship.pk])
    assert browser(ann).post(url, {"step": "delete"}).status_code == 403
    assert failed() == [("Settings", "settings.modify (partner_remove)", ann.upn, "permission_denied")]
    assert AuditEvent.objects.get(result="Failed").relationship_id == relationship.delegation_id
    relationship.refresh_from_db()
    assert relationship.state == "active"


def test_looking_leaves_no_line(world: World) -> None:
    _, (ann,) = join(world.contoso, world.fabrikam, "ann")
    for name in ("partners", "settings_general", "audit_logs"):
        assert browser(ann).get(reverse(name, args=[world.contoso.tenant.pk])).status_code == 403
    assert failed() == []


def test_a_stranger_leaves_no_line(world: World) -> None:
    room = world.contoso.rooms[0]
    url = reverse("room_edit", args=[room.tenant_id, room.pk])
    assert browser(world.tailwind.admin).post(url, {"display_name": "Mine"}).status_code == 404
    assert failed() == []


def test_the_api_files_a_refusal_like_the_pages(world: World) -> None:
    tess = world.contoso.member(BuiltIn.SITE_TECH, "tess")
    answer = person(tess).post("api-groups", world.contoso.tenant.pk, body={"name": "Mine"})
    assert answer.status_code == 403
    assert failed() == [("Group", "groups.create (api-groups)", tess.upn, "permission_denied")]

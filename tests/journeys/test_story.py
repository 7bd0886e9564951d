"""The portal's main story over HTTP, with the demo's people: real web server, worker, broker and SMTP sink, no JavaScript.

Import 666 rooms → add a partner with two contacts and all German rooms → both mails → both accept and see exactly 114
rooms → one is changed → nothing else opens → the partner is removed → the open page is gone at the next click.
"""

import csv
import io
import re
import time
from email.message import EmailMessage
from email.utils import parseaddr
from pathlib import Path

import pytest
from django.conf import settings

from partners.models import PartnerRelationship
from rbac.models import DelegationState, Tenant
from rooms.models import Room
from tests.foundation.mail import SmtpSink
from tests.foundation.portal import Portal
from tests.journeys.visitor import Visitor
from trm_portal.development import demo_data, demo_people

INVENTORIES = Path(demo_data.__file__).parent / "inventories"
ANN, BOB, MARA = demo_people.ANN.upn, demo_people.BOB.upn, demo_people.MARA.upn


def enter(url: str, upn: str) -> Visitor:
    """A browser in which the demo person `upn` has signed in."""
    visitor = Visitor(url)
    visitor.open("/sign-in/")
    visitor.press_hidden("demo_account", upn)
    assert visitor.page.status == 200
    return visitor


def wait_for_mails(sink: SmtpSink, word: str, count: int) -> list[EmailMessage]:
    """The mails whose subject has `word`, among those that the demo's own data send, once there are `count`."""
    end = time.monotonic() + 30
    while True:
        found = [mail for mail in sink.messages if word in str(mail["Subject"])]
        if len(found) >= count:
            return found
        assert time.monotonic() < end, f"{len(found)} mails about {word}"
        time.sleep(0.1)


def link_in(mail: EmailMessage) -> str:
    """The one link of an invitation's text part."""
    body = mail.get_body(("plain",))
    assert body is not None
    (link,) = set(re.findall(r"https?://\S+/invitations/\S+", body.get_content()))
    return str(link)


@pytest.fixture
def demo(portal: Portal, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch) -> str:
    """The portal with the demo's data, running; its address."""
    monkeypatch.setattr(settings, "DEMO", True)
    demo_data.load()
    web = portal.web(environment={"DEMO": "true"})
    portal.worker()
    return web.url


def test_contoso_delegates_its_german_rooms(demo: str, smtp_sink: SmtpSink) -> None:
    mara = enter(demo, MARA)
    contoso = mara.page.url
    import_rooms(mara)
    add_partner(mara)
    mails = wait_for_mails(smtp_sink, "Contoso", 2)
    assert sorted(parseaddr(str(mail["To"]))[1] for mail in mails) == [ANN, BOB]

    ann, bob = (accept(demo, upn, mails) for upn in (ANN, BOB))
    for person in (ann, bob):
        assert german_rooms_of(person, contoso) == set(
            Room.objects.filter(tenant__entra_tid=demo_people.CONTOSO.tid, country="DE").values_list(
                "resource_account", flat=True
            )
        )
        nothing_else_opens(person, contoso)
    room = change_one_room(ann, contoso)

    remove_partner(mara, contoso)
    assert ann.open(room).status == 404
    assert bob.open(f"{contoso}rooms/").status == 404
    assert ann.open("/").status == 200
    audit_tells_the_story(mara, contoso)


def import_rooms(mara: Visitor) -> None:
    mara.follow("Import rooms")
    with (INVENTORIES / "contoso-get-place.csv").open("rb") as file:
        mara.press("Check the file", files={"file": ("contoso-get-place.csv", file, "text/csv")})
    assert "Nothing has been written yet" in mara.page.text
    assert not Room.objects.filter(tenant__entra_tid=demo_people.CONTOSO.tid).exists()
    mara.press("Import 666 rooms")
    assert "666 new, 0 changed, 0 unchanged, 0 refused" in mara.page.text


def add_partner(mara: Visitor) -> None:
    mara.follow("Partners")
    mara.follow("Add partner")
    mara.press("Add contact", **{"contact-0-name": "Ann Keller", "contact-0-upn": "Ann.Keller@Fabrikam.com"})
    mara.press("Next", **{"contact-1-name": "Bob Ortiz", "contact-1-upn": BOB, "label": "Fabrikam"})
    mara.press("Next")
    mara.press("Search", country="DE")
    mara.press("Add all 114 matching rooms")
    mara.press("Next")
    mara.press("Next", agrees="on")
    for entered in (ANN, BOB, "114"):
        assert entered in "".join(mara.page.text.lower().split())  # addresses may break at their dots
    mara.press("Add partner")
    assert mara.page.status == 200
    assert PartnerRelationship.objects.filter(tenant__entra_tid=demo_people.CONTOSO.tid).count() == 1


def accept(url: str, upn: str, mails: list[EmailMessage]) -> Visitor:
    link = link_in(next(mail for mail in mails if upn in str(mail["To"])))
    person = enter(url, upn)
    stranger = enter(url, BOB if upn == ANN else ANN)
    path = link.partition("/invitations/")[2]
    assert stranger.open(f"/invitations/{path}").status == 404
    person.open(f"/invitations/{path}")
    assert "Contoso" in person.page.text
    person.press("Accept")
    assert person.page.status == 200
    return person


def german_rooms_of(person: Visitor, contoso: str) -> set[str]:
    """The accounts in the person's own CSV export, which must agree with the pages of his list."""
    exported = person.open(f"{contoso}rooms/export.csv")
    accounts = {row[1] if "@" in row[1] else row[0] for row in list(csv.reader(io.StringIO(exported.html)))[1:]}
    listed: set[str] = set()
    person.open(f"{contoso}rooms/")
    while True:
        listed |= set(re.findall(r"rooms/(\d+)/", person.page.html))
        following = [href for label, href in person.page.links if label.startswith("Next")]
        if not following:
            break
        person.open(following[0])
    assert len(listed) == len(accounts)
    return accounts


def nothing_else_opens(person: Visitor, contoso: str) -> None:
    american = Room.objects.filter(tenant__entra_tid=demo_people.CONTOSO.tid, country="US").first()
    assert american is not None
    assert person.open(f"{contoso}rooms/{american.pk}/").status == 404
    assert person.open(f"{contoso}rooms/{american.pk}/edit/").status == 404
    stranger = Tenant.objects.get(entra_tid=demo_people.CONTOSO.tid)
    foreign = Room.objects.filter(tenant__entra_tid=demo_people.TAILWIND.tid, country="GB").first()
    assert foreign is not None
    assert person.open(f"/c/{stranger.pk}/rooms/{foreign.pk}/").status == 404
    assert person.open(f"{contoso}rooms/999999/").status == 404
    assert person.open(f"{contoso}settings/partners/").status == 403


def change_one_room(ann: Visitor, contoso: str) -> str:
    room = Room.objects.filter(tenant__entra_tid=demo_people.CONTOSO.tid, city="Hamburg").order_by("pk").first()
    assert room is not None
    ann.open(f"{contoso}rooms/{room.pk}/edit/")
    ann.press("Save", display_name="Elbe, renamed by Fabrikam")
    room.refresh_from_db()
    assert (room.display_name, room.version) == ("Elbe, renamed by Fabrikam", 2)
    return f"{contoso}rooms/{room.pk}/"


def remove_partner(mara: Visitor, contoso: str) -> None:
    mara.open(f"{contoso}settings/partners/")
    mara.follow("Fabrikam")
    assert "2" in mara.page.text
    mara.follow("Remove partner")
    assert "114" in mara.page.text
    mara.press("Delete")
    mara.press("Delete")
    relationship = PartnerRelationship.objects.get(tenant__entra_tid=demo_people.CONTOSO.tid)
    assert relationship.delegation.state == DelegationState.ENDED


def audit_tells_the_story(mara: Visitor, contoso: str) -> None:
    mara.open(f"{contoso}settings/")
    mara.follow("Audit logs")
    mara.press("Download logs")
    rows = list(csv.reader(io.StringIO(mara.page.html)))
    assert rows[0] == [
        "activity.category",
        "activity.objectName",
        "activity.operation",
        "activity.resultStatus",
        "activity.tenantId",
        "creationTime",
        "user.userId",
        "user.userTenantId",
    ]
    told = [(row[0], row[2], row[6]) for row in rows[1:]]
    for line in (
        ("PartnerInvitation", "Create", MARA),
        ("PartnerInvitation", "Update", ANN),
        ("PartnerInvitation", "Update", BOB),
        ("PartnerInvitation", "Delete", MARA),
        ("Role", "Delete", MARA),
        ("Assignment", "Delete", MARA),
    ):
        assert line in told

"""Settings > Notifications: who opens the pages, what they save, what they show again."""

import pytest
from django.urls import reverse

from audit.models import OutboxMessage
from rbac.catalogue import BuiltIn, Permission
from rbac.preferences import MailBranding, NotificationPreference
from rbac.services import notifications
from rbac.services.notifications import Choice, Event
from rooms.scopes import Scope
from tests.factories.browsing import browser, text, told
from tests.factories.world import assign, custom_role, make

pytestmark = pytest.mark.django_db

PAGES = ["settings_notifications", "settings_mail", "settings_general_edit", "settings_terms"]


class Scene:
    def __init__(self):
        self.world = make()
        self.contoso = self.world.contoso
        self.viewer = self.contoso.person("vera")
        assign(custom_role(self.contoso.tenant, Permission.SETTINGS_VIEW), self.viewer, Scope(all_rooms=True))

    @property
    def admin(self):
        return self.contoso.admin

    def url(self, name, *args):
        return reverse(name, args=[self.contoso.tenant.pk, *args])

    def entered(self, **changed):
        """What the form of notifications sends, saved as it is shown; `changed` replaces fields."""
        data = {}
        for event, choice in notifications.choices_of(self.contoso.tenant).items():
            data[f"addresses_{event.name.lower()}"] = ", ".join(choice.addresses)
            if choice.to_admins:
                data[f"admins_{event.name.lower()}"] = "on"
        return data | changed


@pytest.fixture
def scene():
    return Scene()


@pytest.mark.parametrize("name", PAGES)
def test_who_opens_the_pages(scene, name):
    lead = scene.contoso.member(BuiltIn.SITE_LEAD, "lea")
    assert browser().get(scene.url(name)).url.startswith(reverse("sign_in"))
    assert browser(scene.world.tailwind.admin).get(scene.url(name)).status_code == 404
    assert browser(lead).get(scene.url(name)).status_code == 403
    assert browser(scene.admin).get(scene.url(name)).status_code == 200
    assert browser(scene.viewer).get(scene.url(name)).status_code == (403 if name.endswith("edit") else 200)


@pytest.mark.parametrize("name", [*PAGES, "settings_notifications_test", "settings_domain_add"])
def test_who_only_looks_changes_nothing(scene, name):
    assert browser(scene.viewer).post(scene.url(name), {}).status_code == 403
    assert not OutboxMessage.objects.exists()


def test_a_choice_is_saved_as_a_whole(scene):
    entered = scene.entered(addresses_key_reset="a@b.example; c@d.example")
    del entered["admins_key_reset"]
    answer = browser(scene.admin).post(scene.url("settings_notifications"), entered)
    assert (answer.status_code, told(answer)) == (302, ["The notifications are saved."])
    assert NotificationPreference.objects.count() == 1
    kept = notifications.choices_of(scene.contoso.tenant)
    assert kept[Event.KEY_RESET] == Choice(to_admins=False, addresses=("a@b.example", "c@d.example"))
    assert 'value="a@b.example, c@d.example"' in browser(scene.admin).get(answer.url).content.decode()


def test_what_is_no_address_stands_at_its_event_and_nothing_is_lost(scene):
    entered = scene.entered(addresses_key_reset="nobody", addresses_ticket_closed="kept@b.example")
    answer = browser(scene.admin).post(scene.url("settings_notifications"), entered)
    assert answer.status_code == 200
    assert "“nobody” is no mail address." in text(answer)
    assert "kept@b.example" in answer.content.decode()
    assert not NotificationPreference.objects.exists()


def test_who_turns_off_everything_is_told_so(scene):
    answer = browser(scene.admin).post(scene.url("settings_notifications"), {})
    assert told(answer) == ["The notifications are saved. Nobody is told of anything."]


def test_a_test_mail_goes_to_oneself(scene):
    answer = browser(scene.admin).post(scene.url("settings_notifications_test"))
    assert told(answer) == [f"A test mail to {scene.admin.upn} is on its way."]
    assert OutboxMessage.objects.get().subject_id == str(scene.admin.pk)


def test_the_look_is_saved_and_shown_in_both_languages(scene):
    entered = {"sender_name": "Contoso IT", "accent": "#7A1F3D", "footer": "Desk <4711>"}
    assert browser(scene.admin).post(scene.url("settings_mail"), entered).status_code == 302
    shown = text(browser(scene.admin).get(scene.url("settings_mail")))
    assert "From Contoso IT via Rooms portal" in shown
    assert "From Contoso IT über das Räume-Portal" in shown
    mail = browser(scene.viewer).get(scene.url("settings_mail_preview", "de"))
    body = mail.content.decode()
    assert "#7a1f3d" in body
    assert "Desk &lt;4711&gt;" in body
    assert "Guten Tag Vera," in body
    assert mail.headers["Content-Security-Policy"].endswith("sandbox; frame-ancestors 'none'")
    assert browser(scene.admin).get(scene.url("settings_mail_preview", "fr")).status_code == 400


@pytest.mark.parametrize(
    ("entered", "said"),
    [
        ({"accent": "#777777"}, "the contrast is 4.4 to 1"),
        ({"accent": "red"}, "Enter a colour like #3a3670."),
        ({"sender_name": "a@b"}, "Enter a name of at most 60 characters"),
        ({"footer": "1\n2\n3\n4\n5\n6"}, "at most 5 lines"),
    ],
)
def test_a_look_that_does_not_fit_is_said_at_its_field(scene, entered, said):
    answer = browser(scene.admin).post(scene.url("settings_mail"), entered)
    assert answer.status_code == 200
    assert said in text(answer)
    assert not MailBranding.objects.exists()


def test_general_settings_are_edited(scene):
    client = browser(scene.admin)
    wrong = client.post(scene.url("settings_general_edit"), {"name": "", "language": "fr", "time_zone": "Mars"})
    assert wrong.status_code == 200
    entered = {"name": "Contoso AG", "language": "de", "time_zone": "Europe/Berlin"}
    answer = client.post(scene.url("settings_general_edit"), entered, follow=True)
    assert "Name Contoso AG" in text(answer)
    assert "Time zone Europe/Berlin" in text(answer)


def test_domains_are_entered_and_taken_out(scene):
    client = browser(scene.admin)
    answer = client.post(scene.url("settings_domain_add"), {"domain": "Rooms.Contoso.example"}, follow=True)
    assert "rooms.contoso.example Not verified" in text(answer)
    again = client.post(scene.url("settings_domain_add"), {"domain": "rooms.contoso.example"})
    assert "This domain is in the list already." in text(again)
    added = scene.contoso.tenant.domains.get(verified_at=None)
    verified = scene.contoso.tenant.domains.exclude(verified_at=None).get()
    stays = client.post(scene.url("settings_domain_remove", verified.pk))
    assert told(stays) == ["A verified domain is taken out by the operator’s support only."]
    assert browser(scene.viewer).post(scene.url("settings_domain_remove", added.pk)).status_code == 403
    client.post(scene.url("settings_domain_remove", added.pk))
    assert list(scene.contoso.tenant.domains.all()) == [verified]
    foreign = scene.world.tailwind.tenant.domains.get()
    assert client.post(scene.url("settings_domain_remove", foreign.pk)).status_code == 404


@pytest.mark.parametrize(
    ("name", "queries"),
    [("settings_general", 10), ("settings_notifications", 7), ("settings_mail", 6), ("settings_terms", 8)],
)
def test_queries_do_not_grow_with_the_rows(scene, name, queries, django_assert_num_queries):
    for number in (1, 3):
        for one in range(number):
            scene.contoso.member(BuiltIn.MMR_ADMIN, f"mia{number}{one}")
            scene.contoso.tenant.domains.create(domain=f"d{number}{one}.example")
        client = browser(scene.admin)
        with django_assert_num_queries(queries):
            client.get(scene.url(name))

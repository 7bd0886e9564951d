"""How mails in a customer's name look: what is refused, what is kept, and what reaches the mail."""

import uuid

import pytest
from django.core.exceptions import PermissionDenied

from audit import delivery
from audit.mail import Letter, _written
from audit.models import AuditEvent
from rbac import letters
from rbac.errors import InvalidAccent, InvalidFooter, InvalidSender, LowContrast
from rbac.preferences import MailBranding
from rbac.services import branding, notifications
from rbac.services.branding import Branding
from tests.factories.world import World, make

pytestmark = pytest.mark.django_db

OURS = Branding("Contoso Räume", "#7a1f3d", "Help desk: 4711\nContoso GmbH")


@pytest.fixture
def world() -> World:
    return make()


def change(world: World, **fields: str) -> Branding:
    return branding.change(world.contoso.tenant, Branding(**fields), by=world.contoso.admin)


def test_what_is_chosen_is_kept_and_on_record(world):
    branding.change(world.contoso.tenant, OURS, by=world.contoso.admin)
    assert branding.of(world.contoso.tenant) == OURS
    assert branding.of(world.tailwind.tenant) == Branding()
    line = AuditEvent.objects.get(object_name="mail branding")
    assert (line.category, line.operation, line.result) == ("Settings", "Update", "Successful")
    assert line.before == {"sender_name": "", "accent": "", "footer": ""}
    assert line.after == {"sender_name": OURS.sender_name, "accent": OURS.accent, "footer": OURS.footer}


def test_saved_without_a_change_leaves_no_line(world):
    for _ in range(2):
        branding.change(world.contoso.tenant, OURS, by=world.contoso.admin)
    assert AuditEvent.objects.filter(object_name="mail branding").count() == 1


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"sender_name": "boss@contoso.example"}, InvalidSender),
        ({"sender_name": 'Contoso" <x>'}, InvalidSender),
        ({"sender_name": "x" * 61}, InvalidSender),
        ({"accent": "red"}, InvalidAccent),
        ({"accent": "#fff; background: url(x)"}, InvalidAccent),
        ({"accent": "#777777"}, LowContrast),
        ({"footer": "x" * 301}, InvalidFooter),
        ({"footer": "\n".join("123456")}, InvalidFooter),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(world, fields, error):
    with pytest.raises(error):
        change(world, **fields)
    assert not MailBranding.objects.exists()
    assert AuditEvent.objects.get(object_name="mail branding").result == "Failed"


def test_line_breaks_in_a_name_become_blanks(world):
    assert change(world, sender_name="Contoso\r\nBcc: eve").sender_name == "Contoso Bcc: eve"


def test_nobody_else_changes_it(world):
    with pytest.raises(PermissionDenied):
        branding.change(world.contoso.tenant, OURS, by=world.tailwind.admin)
    assert not MailBranding.objects.exists()


@pytest.mark.parametrize(
    ("colour", "ratio"), [("#ffffff", 1.0), ("#000000", 21.0), ("#767676", 4.54), ("#777777", 4.48), ("#3a3670", 10.82)]
)
def test_contrast_is_that_of_the_published_formula(colour, ratio):
    assert branding.contrast_with_white(colour) == pytest.approx(ratio, abs=0.05)


def test_the_test_mail_wears_it_and_escapes_it(world, smtp_sink):
    change(world, sender_name="Contoso & Co", accent="#7a1f3d", footer="<b>Help</b>\nDesk 4711")
    notifications.send_test(world.contoso.tenant, by=world.contoso.admin)
    delivery.deliver_due()
    (mail,) = smtp_sink.messages
    html = mail.get_body(("html",)).get_content()
    text = mail.get_body(("plain",)).get_content()
    assert smtp_sink.recipients == [[world.contoso.admin.upn]]
    assert mail["From"] == "Contoso & Co via Rooms portal <rooms-portal@localhost>"
    assert html.count("#7a1f3d") == 5
    assert "#5356bd" not in html
    assert "&lt;b&gt;Help&lt;/b&gt;<br>Desk 4711" in html
    assert "<b>Help</b>\nDesk 4711" in text


def test_without_a_choice_a_mail_looks_like_the_portal(world, smtp_sink):
    notifications.send_test(world.contoso.tenant, by=world.contoso.admin)
    delivery.deliver_due()
    (mail,) = smtp_sink.messages
    assert mail["From"] == "Rooms portal <rooms-portal@localhost>"
    assert "#5356bd" in mail.get_body(("html",)).get_content()


def test_a_name_never_becomes_a_header(world):
    letter = Letter("a@b.example", "s", "t", "h", "en", "Evil\r\nBcc: eve@evil.example")
    mail = _written(letter, uuid.uuid4()).message()
    assert mail["Bcc"] is None
    assert "\n" not in str(mail["From"]).replace("\n ", " ")


def test_a_mail_speaks_the_language_it_is_asked_for(world):
    letter = letters.write(
        "rbac/mail/test", "x@y.example", "de", world.contoso.tenant, {"name": "Eva"}, subject="%(customer)s"
    )
    assert (letter.language, letter.subject) == ("de", "Contoso")
    assert "Guten Tag Eva," in letter.text

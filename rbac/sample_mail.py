"""The one mail that tenants themselves ask for: a test, to see that mails arrive and how they look."""

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from audit.mail import Postman
from audit.models import OutboxMessage
from audit.outbox import Obsolete, delivers
from rbac import letters
from rbac.models import Tenant, User
from rbac.services import notifications

TEMPLATE, SUBJECT, BUTTON = "rbac/mail/test", _("Test mail of %(customer)s"), _("Show the notifications")


@delivers(notifications.TEST)
def send_test(message: OutboxMessage, postman: Postman) -> None:
    """Whoever asked for a test mail gets it. Raises Obsolete for somebody who is not active any more."""
    customer = Tenant.objects.get(pk=message.tenant_id)
    person = User.objects.filter(pk=message.subject_id, tenant=customer, is_active=True).first()
    if person is None:
        raise Obsolete
    letter = letters.write(
        TEMPLATE,
        person.upn,
        person.language or customer.language,
        customer,
        facts_of(person, customer),
        subject=SUBJECT,
        button=BUTTON,
    )
    postman.send(letter, message.message_key)


def facts_of(person: User, customer: Tenant) -> dict[str, str]:
    """What the test mail says; its preview on the settings page says the same."""
    place = reverse("settings_notifications", args=[customer.pk])
    return {"name": person.get_full_name(), "upn": person.upn, "button_url": settings.PUBLIC_URL + place}

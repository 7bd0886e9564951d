"""What happens around a fault: people at a browser, what waits in the outbox, what a mail server took."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import requests
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.test import Client
from django.urls import reverse

from audit.models import OutboxMessage
from partners.models import Invitation, PartnerRelationship
from rbac.models import User
from tests.foundation.mail import SmtpSink
from tests.foundation.portal import PortalProcess

SWEEP = 1.0  # seconds; the portal's own is 30


class HesitantSink(SmtpSink):
    """Keeps every mail at once; says so at once only while it does not hesitate."""

    hesitates = False

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        answer = await super().handle_DATA(server, session, envelope)
        if self.hesitates:
            await asyncio.sleep(3600)
        return answer


@dataclass
class Browser:
    """Somebody signed in at a running portal, who sends forms."""

    web: PortalProcess
    cookies: dict[str, str]

    @classmethod
    def of(cls, user: User, web: PortalProcess) -> Browser:
        client = Client()
        client.force_login(user, backend="rbac.backends.LocalAccounts")
        token = "a" * 32  # the cookie and the header must agree, that is all the check asks
        return cls(web, {"session": client.cookies["session"].value, "csrftoken": token})

    def post(self, name: str, *ids: object, **form: object) -> tuple[int, float]:
        """Send a form to the page `name`: the status of the answer, and after how many seconds it came."""
        answer = requests.post(
            self.web.url + reverse(name, args=ids),
            data=form,
            cookies=self.cookies,
            headers={"X-CSRFToken": self.cookies["csrftoken"]},
            allow_redirects=False,
            timeout=30,
        )
        assert answer.status_code < 500, self.web.output()[-3000:]
        return answer.status_code, answer.elapsed.total_seconds()

    def invite(self, relationship: PartnerRelationship, upn: str) -> tuple[int, float]:
        """Invite one more primary admin of a partner."""
        form = {"contact-TOTAL_FORMS": "1", "contact-INITIAL_FORMS": "0", "contact-0-upn": upn, "days": "14"}
        return self.post("invited_admins", relationship.tenant_id, relationship.pk, **form, save="save")

    def resend(self, invitation: Invitation) -> tuple[int, float]:
        """Send an invitation again."""
        return self.post("invitation_resend", invitation.tenant_id, invitation.relationship_id, invitation.pk)


def wait_until(is_so: Callable[[], object], timeout: float = 30) -> None:
    """Return as soon as `is_so`. Raises AssertionError if it is not within `timeout` seconds."""
    end = time.monotonic() + timeout
    while not is_so():
        assert time.monotonic() < end, f"not so within {timeout} s; outbox: {outbox()}"
        time.sleep(0.05)


def outbox() -> list[tuple[str, str, int, str]]:
    """Kind, state, attempts and last error of every message, oldest first."""
    return list(OutboxMessage.objects.order_by("pk").values_list("kind", "state", "attempts", "last_error"))


def recipients(sink: SmtpSink) -> list[str]:
    """Whom the mail server has mails for, in the order of the alphabet."""
    return sorted(address for addresses in sink.recipients for address in addresses)


def stays(sink: SmtpSink, *people: str, for_seconds: float = 3 * SWEEP) -> None:
    """Assert that the mail server has mails for just these people, now and after some more rings of the clock."""
    assert recipients(sink) == sorted(people)
    time.sleep(for_seconds)
    assert recipients(sink) == sorted(people)

"""A browser without JavaScript: a signed-in client, and what a page says to its reader."""

import html
import re
from datetime import datetime
from typing import Any

from django.contrib.messages import get_messages
from django.test import Client

from rbac.models import User
from rbac.partner_access import Proof, claims_of
from trm_portal.sessions import PROOF

PERSON_BACKEND = "rbac.backends.LocalAccounts"


def browser(person: User | None = None) -> Client:
    """A client signed in as `person`; anonymous without."""
    client = Client()
    if person is not None:
        client.force_login(person, backend=PERSON_BACKEND)
    return client


def shows(client: Client, *methods: str, at: datetime | None = None) -> Client:
    """From now on the session of `client` knows that its person has signed in by `methods`, at the moment `at`."""
    session = client.session
    session[PROOF] = claims_of(Proof(at, frozenset(methods)))
    session.save()
    return client


def text(response: Any) -> str:
    """What the page shows, without markup, blanks made single."""
    body = re.sub(r"<(script|style)[\s\S]*?</\1>|<wbr>", "", response.content.decode())
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def told(response: Any) -> list[str]:
    """The messages that stand above the page, after following its redirects."""
    return [str(message) for message in get_messages(response.wsgi_request)]


def links(response: Any) -> set[str]:
    """The addresses the page links to."""
    return {html.unescape(found) for found in re.findall(r'href="([^"]*)"', response.content.decode())}


def body(response: Any) -> str:
    """The whole answer without what differs anyway: its own address and the masked CSRF token."""
    content = response.content.decode().replace(response.wsgi_request.path, "")
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", content)

"""An OpenID provider on this machine, at which the demo's people sign in as they would at home.

It knows the people of the demo by their UPN, with and without a second factor, and its tokens carry the claims that
Entra ID's carry: tid, oid, upn, and how and when somebody has signed in.
"""

import time
from typing import Any

import django

django.setup()

import oidc_provider_mock  # noqa: E402 - the people below need Django

from trm_portal.development.demo_people import PEOPLE, Person  # noqa: E402

WITH_SECOND_FACTOR = "{upn} (second factor)"


class Claims(dict[str, object]):
    """What the provider says of somebody, who signs in at the very moment in which it is asked."""

    def items(self) -> Any:
        """With the moment."""
        return {**self, "auth_time": int(time.time())}.items()


def claims_of(person: Person, *methods: str) -> Claims:
    """What the provider says of `person`, who has shown what `methods` name."""
    found = person.identity
    known = {"tid": str(found.tid), "oid": str(found.oid), "upn": found.upn, "name": found.name}
    return Claims(known, amr=list(methods))


def users() -> list[oidc_provider_mock.User]:
    """Everybody twice: with a password, and with a second factor."""
    return [
        oidc_provider_mock.User(sub=name.format(upn=person.upn), claims=claims_of(person, *methods))
        for person in PEOPLE
        for name, methods in (("{upn}", ["pwd"]), (WITH_SECOND_FACTOR, ["pwd", "otp", "mfa"]))
    ]


application = oidc_provider_mock.app(user_claims=users(), issue_refresh_token=False)

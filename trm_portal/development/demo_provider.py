"""An OpenID provider on this machine, at which the demo's people sign in as they would at home.

It knows the people of the demo by their UPN, and its tokens carry the claims that Entra ID's carry: tid, oid, upn.
"""

import django

django.setup()

import oidc_provider_mock  # noqa: E402 - the people below need Django

from trm_portal.development.demo_people import PEOPLE, Person  # noqa: E402


def claims_of(person: Person) -> dict[str, object]:
    """What the provider says of `person`."""
    found = person.identity
    return {"tid": str(found.tid), "oid": str(found.oid), "upn": found.upn, "name": found.name, "amr": ["pwd"]}


application = oidc_provider_mock.app(
    user_claims=[oidc_provider_mock.User(sub=person.upn, claims=claims_of(person)) for person in PEOPLE],
    issue_refresh_token=False,
)

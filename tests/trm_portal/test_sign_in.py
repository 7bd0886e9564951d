"""Signing in at home, against a provider with keys of its own: who comes in, who does not, and what is left behind."""

import base64
import json
import time
import uuid
from typing import Any

import pytest
from django.test import Client
from social_django.models import UserSocialAuth

from partners.services import invitations
from rbac.models import PersonSession, Tenant, User
from rbac.providers import PERSONAL_ACCOUNTS
from tests.factories.browsing import text
from tests.factories.evidence import leaves, mark
from tests.factories.home_sign_in import back, begin, set_up, sign_in
from tests.factories.world import World, invite, make
from tests.foundation.provider import CLIENT_ID, Provider

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(settings: Any, provider: Provider) -> World:
    set_up(settings, provider)
    return make()


def signed_in(client: Client) -> str:
    """The UPN of whoever is signed in; empty for nobody."""
    user = client.get("/invitations/").wsgi_request.user
    return user.upn if user.is_authenticated else ""


def refused_for(answer: Any, words: str) -> bool:
    return answer.status_code == 403 and words in text(answer)


def known(world: World, provider: Provider, **more: Any) -> User:
    """Lea of Contoso, who was here before, is who signs in at the provider."""
    lea = world.contoso.person("lea")
    assert lea.entra_tid is not None and lea.entra_oid is not None  # noqa: PT018
    provider.person(lea.entra_tid, lea.entra_oid, lea.upn, **more)
    return lea


def test_page_offers_the_providers_by_post_only(world, client):
    page = client.get("/sign-in/?next=/invitations/")
    assert "Sign in with Microsoft" in text(page)
    assert client.get("/sign-in/entra/").status_code == 405
    assert client.post("/sign-in/entra/complete/").status_code == 405
    assert client.post("/sign-in/other/").status_code == 404


def test_provider_that_is_not_set_up_does_not_exist(world, client, settings):
    settings.SIGN_IN_PROVIDERS = {"entra": False, "openid": False}
    assert "Microsoft" not in text(client.get("/sign-in/"))
    assert client.post("/sign-in/entra/").status_code == 404
    assert client.get("/sign-in/entra/complete/").status_code == 404


def test_request_carries_state_nonce_and_pkce_and_our_own_address(world, client, provider, settings):
    asked = begin(client, provider)
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["nonce"]) >= 32
    assert len(asked["state"]) >= 32
    assert asked["redirect_uri"] == f"{settings.PUBLIC_URL}/sign-in/entra/complete/"
    assert (asked["response_type"], set(asked["scope"].split())) == ("code", {"openid", "profile"})


def test_known_person_comes_in_by_tid_and_oid_and_goes_on_where_he_wanted(world, client, provider):
    lea = known(world, provider, amr=["pwd", "mfa"], auth_time=1_790_000_000)
    lines = [f"Contoso: {what} {lea.upn} Successful {lea.upn}" for what in ("User/Update", "Session/Create")]
    with leaves(*lines) as evidence:  # the provider knows another name of hers
        answer = sign_in(client, provider, next="/invitations/")
    assert evidence.events[1].after == {"how": "home"}
    assert (answer.status_code, answer["Location"]) == (302, "/invitations/")
    assert signed_in(client) == lea.upn
    assert client.session["proof"] == {"amr": ["mfa", "pwd"], "acrs": [], "auth_time": 1_790_000_000}
    assert (lea.latest_sign_in.methods, lea.latest_sign_in.ip) == (["mfa", "pwd"], "127.0.0.1")
    [kept] = UserSocialAuth.objects.all()
    assert (kept.provider, kept.uid, kept.user_id, kept.extra_data) == (
        "entra",
        f"{lea.entra_tid}:{lea.entra_oid}",
        lea.pk,
        {},
    )


def test_signing_in_again_finds_the_same_account(world, client, provider):
    lea = known(world, provider)
    for _ in range(2):
        sign_in(client, provider)
    assert UserSocialAuth.objects.count() == 1
    assert User.objects.filter(entra_oid=lea.entra_oid).count() == 1


def test_next_never_leads_to_another_host(world, client, provider):
    known(world, provider)
    for place in ("https://evil.example/", "//evil.example/", "javascript:alert(1)"):
        answer = sign_in(client, provider, next=place)
        assert (answer.status_code, answer["Location"]) == (302, "/")


FIRST = "User", "Session"


def test_invited_person_of_an_unknown_tenant_gets_an_account_and_a_stranger_leaves_no_row(world, client, provider):
    invite(world.contoso, "ada@adatum.example")
    tid = uuid.uuid4()
    provider.person(tid, uuid.uuid4(), "ada@adatum.example")
    lines = [f"adatum.example: {what}/Create ada@adatum.example Successful ada@adatum.example" for what in FIRST]
    with leaves(*lines):
        assert sign_in(client, provider).status_code == 302
    assert signed_in(client) == "ada@adatum.example"

    before = mark()
    stranger = Client()
    provider.person(uuid.uuid4(), uuid.uuid4(), "eve@evil.example")
    assert refused_for(sign_in(stranger, provider), "Nobody here knows your organisation yet")
    assert before.changed() - {"django_session"} == set()
    assert before.lines == []
    assert signed_in(stranger) == ""


# --- Who somebody is not -----------------------------------------------------------------------------------------


def test_same_names_from_another_tenant_are_somebody_else(world, client, provider):
    """UPN, e-mail and name of Contoso's admin, signed in a tenant that anybody can found."""
    admin = world.contoso.admin
    provider.person(uuid.uuid4(), uuid.uuid4(), admin.upn, email=admin.upn, preferred_username=admin.upn)
    assert refused_for(sign_in(client, provider), "Nobody here knows your organisation yet")
    assert UserSocialAuth.objects.count() == 0


def test_same_names_with_another_object_id_at_home_are_a_new_person(world, client, provider):
    admin = world.contoso.admin
    provider.person(admin.entra_tid, uuid.uuid4(), admin.upn)
    sign_in(client, provider)
    new = User.objects.get(upn=admin.upn)
    assert new.pk != admin.pk
    assert not new.groups.exists()


def test_personal_accounts_are_refused(world, client, provider):
    provider.person(PERSONAL_ACCOUNTS, uuid.uuid4(), "ann@outlook.com")
    assert refused_for(sign_in(client, provider), "This is a personal account")


@pytest.mark.parametrize("more", [{"idp": "https://sts.windows.net/other/"}, {"acct": 1}])
def test_guest_is_no_home_member_and_accepts_nothing(world, client, provider, more):
    _, [sent] = invite(world.contoso, "ann@fabrikam.example")
    tid = world.fabrikam.tenant.entra_tid
    provider.person(tid, uuid.uuid4(), "ann@fabrikam.example", **more)
    sign_in(client, provider)
    user = User.objects.get(upn="ann@fabrikam.example", tenant=world.fabrikam.tenant)
    assert not user.is_home_member
    assert not invitations.open_for(user).exists()
    assert client.get(f"/invitations/{sent.pk}/").status_code == 404


def test_guest_name_is_refused(world, client, provider):
    tid = world.contoso.tenant.entra_tid
    provider.person(tid, uuid.uuid4(), "ann_fabrikam.example#EXT#@contoso.onmicrosoft.com")
    assert refused_for(sign_in(client, provider), "signs that cannot be used here")


def test_without_the_claim_upn_the_page_says_what_helps(world, client, provider):
    """Never preferred_username, which anybody may choose."""
    lea = known(world, provider, preferred_username="lea@contoso.example", email="lea@contoso.example")
    provider.claims["upn"] = None
    assert refused_for(sign_in(client, provider), "optional claim “upn”")
    assert signed_in(client) == ""
    assert lea.upn == "lea@contoso.example"


def test_deactivated_account_does_not_come_in(world, client, provider):
    lea = known(world, provider)
    User.objects.filter(pk=lea.pk).update(is_active=False)
    assert refused_for(sign_in(client, provider), "This account is closed here")
    assert signed_in(client) == ""


def test_deactivated_person_is_out_at_the_next_request(world, client, provider):
    lea = known(world, provider)
    sign_in(client, provider)
    User.objects.filter(pk=lea.pk).update(is_active=False)
    assert signed_in(client) == ""


# --- Tokens that are none ----------------------------------------------------------------------------------------

HOUR = 3600


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"aud": "another-application"}, id="audience"),
        pytest.param({"aud": [CLIENT_ID, "another"]}, id="several audiences without azp"),
        pytest.param({"aud": None}, id="no audience"),
        pytest.param({"iss": "https://login.microsoftonline.com/common/v2.0"}, id="issuer"),
        pytest.param({"iss": None}, id="no issuer"),
        pytest.param({"exp": int(time.time()) - HOUR}, id="expired"),
        pytest.param({"exp": None}, id="never expires"),
        pytest.param({"iat": int(time.time()) - HOUR}, id="issued long ago"),
        pytest.param({"nbf": int(time.time()) + HOUR}, id="not yet valid"),
        pytest.param({"nonce": "another"}, id="nonce of another sign-in"),
        pytest.param({"nonce": None}, id="no nonce"),
        pytest.param({"sub": None}, id="no subject"),
        pytest.param({"tid": None}, id="no tenant"),
        pytest.param({"tid": "common"}, id="tenant that is none"),
        pytest.param({"oid": None}, id="no object"),
        pytest.param({"oid": 7}, id="object that is none"),
        pytest.param({"upn": ["lea@contoso.example"]}, id="upn that is none"),
    ],
)
def test_token_that_says_something_else_is_refused(world, client, provider, claims):
    known(world, provider)
    provider.claims |= claims
    answer = sign_in(client, provider)
    assert answer.status_code == 403
    assert signed_in(client) == ""
    assert UserSocialAuth.objects.count() == 0


def test_token_of_another_tenants_issuer_is_refused(world, client, provider):
    """The tenant of the person and the tenant that signed have to be one."""
    lea = known(world, provider)
    provider.claims["iss"] = f"{provider.url}/{uuid.uuid4()}/v2.0"
    assert sign_in(client, provider).status_code == 403
    assert lea.tenant_id == world.contoso.tenant.pk


def test_key_that_was_never_published_is_refused_and_one_that_is_new_is_found(world, client, provider):
    lea = known(world, provider)
    sign_in(client, provider)
    provider.add_key("stolen", is_published=False)
    provider.signs_with = "stolen"
    other = Client()
    assert sign_in(other, provider).status_code == 403
    provider.add_key("second")
    provider.signs_with = "second"
    assert sign_in(other, provider).status_code == 302
    assert signed_in(other) == lea.upn


def test_unsigned_token_is_refused(world, client, provider, monkeypatch):
    known(world, provider)

    def unsigned() -> str:
        claims = {"iss": f"{provider.url}/{provider.claims['tid']}/v2.0", "aud": CLIENT_ID, "sub": "x"}
        claims |= provider.claims | {"nonce": provider.asked["nonce"], "iat": int(time.time())}
        claims["exp"] = int(time.time()) + 60
        parts = ({"alg": "none", "typ": "JWT", "kid": "first"}, claims)
        return ".".join(base64.urlsafe_b64encode(json.dumps(one).encode()).decode().rstrip("=") for one in parts) + "."

    monkeypatch.setattr(provider, "token", unsigned)
    assert sign_in(client, provider).status_code == 403


# --- Answers that belong to nobody -------------------------------------------------------------------------------


def test_answer_without_our_state_is_refused(world, client, provider):
    known(world, provider)
    asked = begin(client, provider)
    assert back(client, asked, state="another").status_code == 403
    assert Client().get("/sign-in/entra/complete/", {"code": "x", "state": asked["state"]}).status_code == 403
    assert client.get("/sign-in/entra/complete/").status_code == 403
    assert signed_in(client) == ""


def test_answer_can_be_used_once(world, client, provider):
    known(world, provider)
    asked = begin(client, provider)
    assert back(client, asked).status_code == 302
    client.logout()
    assert back(client, asked).status_code == 403


def test_cancelled_sign_in_says_so(world, client, provider):
    asked = begin(client, provider)
    answer = client.get(
        "/sign-in/entra/complete/",
        {"error": "access_denied", "state": asked["state"], "error_description": "<b>no</b>"},
    )
    assert refused_for(answer, "was cancelled")
    assert "<b>no</b>" not in answer.content.decode()


@pytest.mark.parametrize("path", ["complete/?code=%00&state=x", "complete/?code=x&code=y", "complete/?state[]=x"])
def test_odd_answers_are_no_fault_of_ours(world, client, path):
    assert client.get(f"/sign-in/entra/{path}").status_code in (400, 403)


def test_provider_that_is_down_is_told_plainly(world, client, provider, settings):
    known(world, provider)
    asked = begin(client, provider)
    provider.is_down = True
    assert refused_for(back(client, asked), "did not answer as it should")
    assert signed_in(client) == ""


def test_provider_that_is_slow_holds_nobody_for_long(world, client, provider, settings):
    known(world, provider)
    settings.SOCIAL_AUTH_REQUESTS_TIMEOUT = 0.3
    asked = begin(client, provider)
    provider.delay = 1.0
    began = time.monotonic()
    assert refused_for(back(client, asked), "did not answer as it should")
    assert time.monotonic() - began < 5


# --- One session, one person -------------------------------------------------------------------------------------


def test_signing_in_while_signed_in_ends_the_old_session_and_joins_nothing(world, client, provider):
    client.force_login(world.contoso.admin, backend="rbac.backends.LocalAccounts")
    old = client.session.session_key
    lea = known(world, provider)
    sign_in(client, provider)
    assert signed_in(client) == lea.upn
    assert not PersonSession.objects.filter(session_key=old).exists()
    assert {one.user_id for one in UserSocialAuth.objects.all()} == {lea.pk}


def test_session_that_began_meanwhile_in_this_browser_ends_too(world, client, provider):
    lea = known(world, provider)
    asked = begin(client, provider)
    client.force_login(world.contoso.admin, backend="rbac.backends.LocalAccounts")  # keeps what the session held
    old = client.session.session_key
    back(client, asked)
    assert signed_in(client) == lea.upn
    assert not PersonSession.objects.filter(session_key=old).exists()


def test_key_of_the_session_changes_with_the_sign_in(world, client, provider):
    known(world, provider)
    asked = begin(client, provider)
    before = client.session.session_key
    back(client, asked)
    assert client.session.session_key != before


# --- A provider of another make ----------------------------------------------------------------------------------


def test_openid_provider_of_one_organisation_maps_its_claims(world, client, provider, settings, monkeypatch):
    tenant: Tenant = world.fabrikam.tenant
    settings.OIDC_TENANT_ID, settings.OIDC_UPN_CLAIM = str(tenant.entra_tid), "username"
    monkeypatch.setattr(provider, "configuration", lambda: Provider.configuration(provider) | {"issuer": provider.url})
    settings.SOCIAL_AUTH_OPENID_OIDC_ENDPOINT = provider.url
    provider.claims = {"sub": "user-17", "username": "ann@fabrikam.example", "iss": provider.url, "name": "Ann"}
    for _ in range(2):
        assert sign_in(client, provider, "openid").status_code == 302
    ann = User.objects.get(upn="ann@fabrikam.example")
    assert (ann.tenant_id, signed_in(client)) == (tenant.pk, ann.upn)
    provider.claims["sub"] = "user-18"
    sign_in(client, provider, "openid")
    assert User.objects.get(upn="ann@fabrikam.example").pk != ann.pk

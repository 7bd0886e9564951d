"""Attacks on what takes any input: cheap requests that cost much, and values that nobody expected. Each got through once."""

import io
import json
import logging
import time
import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from partners import links
from partners.forms import mode_field
from rbac.catalogue import CONTROLLED_EVENTS, Permission
from rbac.services import accounts
from rbac.sign_in import Identity, arrive
from rooms.cells import row_of
from tests.factories.browsing import browser, text
from tests.factories.callers import code, person, token, tool
from tests.factories.world import World, invite, join, make
from trm_portal.development.demo import _web_server
from trm_portal.logs import AccessLog, hide_secrets

PASSWORD = "correct horse battery staple"
SOON = 2.0  # seconds; what came through took minutes

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make()


def forgiving(client: Client) -> Client:
    """A client that gets the 500 a browser would get."""
    client.raise_request_exception = False
    return client


@pytest.mark.parametrize("unit", ['\\"', '"\\', '"', "\\", '"[', '[" ', "[]"])
def test_text_that_never_ends_is_refused_at_once(world, unit):
    """Looking for the end of a text from each of its quotation marks took the square of the body's length."""
    relationship, [ann] = join(world.contoso, world.fabrikam, "ann")
    caller = tool(token(relationship, ann, Permission.ROOMS_MODIFY, Permission.ROOMS_VIEW))
    address = reverse("api-room", args=[world.contoso.tenant.pk, world.contoso.rooms[0].pk])
    body = unit * (1_000_000 // len(unit))
    began = time.monotonic()
    answer = caller.client.patch(address, body, content_type="application/json", headers=caller.headers)
    assert time.monotonic() - began < SOON
    assert code(answer) == (400, "parse_error")


def test_a_bracket_in_a_text_is_no_level(world):
    relationship, [ann] = join(world.contoso, world.fabrikam, "ann")
    caller = tool(token(relationship, ann, Permission.ROOMS_MODIFY, Permission.ROOMS_VIEW))
    place = ["api-room", world.contoso.tenant.pk, world.contoso.rooms[0].pk]
    assert caller.patch(*place, body={"label": '\\" [[[[[[[[[[[[[[[[[[[[[[[[[[[ " \\'}).status_code == 200
    body = json.dumps({"label": "\\"}) + "["
    answer = caller.client.patch(
        reverse(place[0], args=place[1:]), body, content_type="application/json", headers=caller.headers
    )
    assert code(answer) == (400, "parse_error")


@pytest.mark.parametrize("blanks", [" ", "\t", " \n", "\x0b"])
def test_a_long_run_of_blanks_in_a_cell_costs_nothing(blanks):
    raw = {"resource_account": "a@contoso.example", "display_name": f"a{blanks * 500_000}b"}
    began = time.monotonic()
    row_of(1, raw, is_typed=True)
    assert time.monotonic() - began < SOON


@pytest.mark.parametrize(
    ("cell", "kept"), [(" a \n\t b ", "a b"), ("a\r\n\r\nb", "a b"), ("a  b", "a  b"), ("a\n", "a"), ("a \x0b b", None)]
)
def test_line_breaks_in_a_cell_become_one_blank(cell, kept):
    row = row_of(1, {"resource_account": "a@contoso.example", "display_name": cell}, is_typed=True)
    assert row.values.get("display_name") == kept


@pytest.mark.parametrize("address", ["/", "/sign-in/", "/api/v1/me/", "/healthz"])
@pytest.mark.parametrize("name", ["session", "csrftoken", "django_language", "other"])
def test_an_escaped_nul_in_a_cookie_is_refused(address, name):
    client = forgiving(Client(headers={"Cookie": f'{name}="' + "\\000" * 20 + '"'}))
    assert client.get(address).status_code == 400


@pytest.mark.parametrize("length", ["1000000000", "0" * 30 + "1000000000", "9" * 400])
def test_a_huge_body_is_refused_before_it_is_read(length):
    answer = forgiving(Client()).post("/sign-in/", {"a": "b"}, CONTENT_LENGTH=length)
    assert answer.status_code == 400


def contacts(**fields: str) -> dict[str, str]:
    row = {"contact-0-name": "Ann", "contact-0-upn": "ann@fabrikam.example"}
    return {"contact-TOTAL_FORMS": "1", "contact-INITIAL_FORMS": "0", "label": "", "expected_tid": "", **row, **fields}


@pytest.mark.parametrize("days", ["14.0", "014", " 14 ", "١٤"])
def test_every_way_to_write_a_number_of_days_reaches_the_review(world, days):
    customer = world.contoso
    client = forgiving(browser(customer.admin))

    def step(name: str) -> str:
        return reverse("add_partner_step", args=[customer.tenant.pk, name])

    client.post(step("contacts"), contacts(days=days, next="1"))
    client.post(step("change-control"), {mode_field(event): "auto" for event in CONTROLLED_EVENTS} | {"next": "1"})
    client.post(step("rooms"), {"pick": [str(customer.rooms[0].pk)], "next": "1"})
    client.post(step("terms"), {"version": "1", "agrees": "on", "next": "1"})
    review = client.get(step("review"))
    assert (review.status_code, "14" in text(review)) == (200, True)


@pytest.mark.parametrize("number", ["9" * 5000, "99999", "-1", "١", "1e3", "\x00"])
def test_a_row_that_cannot_be_removed_is_passed_over(world, number):
    relationship, _ = join(world.contoso, world.fabrikam, "ann")
    client, tenant = forgiving(browser(world.contoso.admin)), world.contoso.tenant
    bob = {"contact-0-upn": "bob@fabrikam.example"}
    for address in (
        reverse("add_partner_step", args=[tenant.pk, "contacts"]),
        reverse("invited_admins", args=[tenant.pk, relationship.pk]),
    ):
        answer = client.post(address, contacts(days="14", remove=number, **bob), follow=True)
        assert answer.status_code == 200
        assert "bob@fabrikam.example" in answer.content.decode()


def support() -> Client:
    return forgiving(browser(accounts.open_support_account("sue@portal.example", PASSWORD, by=None)))


@pytest.mark.parametrize(
    "lookup",
    [
        "rbac/user/?password__startswith=pbkdf2",
        "rbac/user/?password=x",
        "partners/apitoken/?digest__startswith=a",
        "partners/apitoken/?pk__startswith=a",
        "partners/apitoken/?user__password__startswith=a",
    ],
)
def test_lists_of_the_back_office_spell_out_no_hidden_column(world, lookup):
    """A list that can be narrowed by a secret's first letters gives the secret away, letter by letter."""
    relationship, [ann] = join(world.contoso, world.fabrikam, "ann")
    token(relationship, ann, Permission.ROOMS_VIEW)
    assert support().get(f"/admin/{lookup}").status_code == 400


def test_lists_of_the_back_office_are_still_narrowed_by_what_is_shown(world):
    join(world.contoso, world.fabrikam, "ann")
    client = support()
    for lookup in (
        f"rbac/user/?tenant__id__exact={world.contoso.tenant.pk}",
        f"audit/auditevent/?tenant_id={world.contoso.tenant.pk}",
        f"partners/apitoken/?delegation__id__exact={uuid.uuid4()}",
        "partners/apitoken/?revoked_at__isempty=1",
        "audit/outboxmessage/?state__exact=waiting",
        "rbac/user/?id__exact=1",
        "rbac/user/?q=ann",
    ):
        assert client.get(f"/admin/{lookup}").status_code == 200, lookup


def test_other_spellings_of_a_name_are_no_further_tries(settings):
    """Accounts are found in any spelling, so the throttle has to count all spellings as one."""
    accounts.open_support_account("sue@portal.example", PASSWORD, by=None)
    spellings = ("sue", "Sue", "sUe", " suE", "SUe", "SUE")
    answers = [
        Client().post("/sign-in/", {"username": f"{name}@portal.example", "password": "wrong"}).status_code
        for name in spellings
    ]
    assert answers[-1] == 429
    last = Client().post("/sign-in/", {"username": "sUE@portal.example", "password": PASSWORD})
    assert last.status_code == 429


def test_a_forwarded_address_is_no_further_try():
    answers = [
        Client()
        .post(
            "/sign-in/",
            {"username": "sue@portal.example", "password": "wrong"},
            headers={"X-Forwarded-For": f"203.0.113.{number}", "Forwarded": f"for=203.0.113.{number}"},
        )
        .status_code
        for number in range(6)
    ]
    assert answers[-1] == 429


def test_no_log_holds_the_secret_of_a_link(world, caplog):
    """The wrong person's 404 is logged with its address, of which the secret is a part."""
    _, [invitation] = invite(world.contoso, "ann@fabrikam.example")
    secret = links.secret_of(invitation)
    address = reverse("invitation_link", args=[invitation.pk, secret])
    [handler] = [one for one in logging.getLogger().handlers if one.formatter.__class__.__name__ == "SafeFormatter"]
    with caplog.at_level(logging.INFO):
        assert browser(world.northwind.person("nils")).get(address).status_code == 404
        assert Client().get(address).status_code == 302
    lines = [handler.format(record) for record in caplog.records]
    assert any(str(invitation.pk) in line for line in lines), "what happened is still logged"
    assert not any(secret in line for line in lines)


@pytest.mark.parametrize("place", ["GET {} HTTP/1.1", "https://portal.example{}", "/sign-in/?next={}", "{}?a=b"])
def test_the_access_log_hides_the_secret_wherever_a_link_stands(place):
    secret = "a-_Z" * 8
    link = f"/invitations/{uuid.uuid4()}/{secret}/"
    for one in (link, link.replace("/", "%2F"), link.removesuffix("/")):
        assert secret not in hide_secrets(place.format(one))


def test_the_web_server_logs_by_the_log_that_hides(pytestconfig):
    named = f"{AccessLog.__module__}.{AccessLog.__qualname__}"
    assert named in _web_server(8000, "x", workers=1)
    assert f"--logger-class={named}" in (pytestconfig.rootpath / "Dockerfile").read_text()


def upload(client: Client, world: World, content: bytes, name: str) -> Any:
    file = io.BytesIO(content)
    file.name = name
    return client.post(reverse("rooms_import", args=[world.contoso.tenant.pk]), {"file": file}, follow=True)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("commas.csv", b"Identity,DisplayName\n" + b"," * 5_000_000),
        ("quotes.csv", b"Identity,DisplayName\n" + (b'"' * 9 + b"\n") * 500_000),
        ("one-line.csv", b"x" * 5_000_000),
        ("brackets.json", b"[" * 5_000_000),
        ("levels.json", b'{"value":[' + b"[" * 850 + b"]" * 850 + b"]}"),
        ("marks.json", b'{"value":["' + b'\\"' * 2_500_000),
        ("nul.csv", b"Identity,DisplayName\na@contoso.example,A\x00\n"),
        ("half.json", b'{"value":[{"emailAddress":"a@contoso.example","displayName":"\\ud800"}]}'),
        ("no-number.json", b'{"value":[{"emailAddress":"a@contoso.example","displayName":"a","capacity":NaN}]}'),
    ],
)
def test_files_made_to_hurt_are_read_or_refused_at_once(world, name, content):
    began = time.monotonic()
    answer = upload(forgiving(browser(world.contoso.admin)), world, content, name)
    assert answer.status_code in (200, 400)
    assert time.monotonic() - began < 5 * SOON


def test_an_import_touches_no_room_of_another_customer(world):
    """A room account of another tenant is no key to that tenant's room."""
    theirs = world.tailwind.rooms[0]
    before = (theirs.display_name, theirs.version)
    content = f"Identity,DisplayName\n{theirs.resource_account},Stolen\n".encode()
    answer = upload(browser(world.contoso.admin), world, content, "rooms.csv")
    browser(world.contoso.admin).post(answer.wsgi_request.path + "confirm/")
    theirs.refresh_from_db()
    assert (theirs.display_name, theirs.version) == before
    assert world.contoso.tenant.pk != theirs.tenant_id


def test_a_partner_learns_nothing_of_rooms_out_of_scope_from_an_import(world):
    """Out of scope, another customer's, never existed: the preview says the same of all three."""
    _, [ann] = join(world.contoso, world.fabrikam, "ann")
    hidden = next(room for room in world.contoso.rooms if room.country == "US").resource_account
    said = []
    for account in (hidden, world.tailwind.rooms[0].resource_account, "never@contoso.example"):
        content = f"Identity,DisplayName\n{account},X\n".encode()
        page = text(upload(browser(ann), world, content, "rooms.csv"))
        said.append(page.replace(account, "it"))
    assert said[0] == said[1] == said[2]


def test_another_persons_import_is_nobody_elses(world):
    lea = world.contoso.person("lea")
    answer = upload(browser(world.contoso.admin), world, b"Identity,DisplayName\na@contoso.example,A\n", "rooms.csv")
    path = answer.wsgi_request.path
    _, [ann] = join(world.contoso, world.fabrikam, "ann")
    for thief, status in ((ann, 404), (lea, 403), (world.tailwind.admin, 404)):
        client = browser(thief)
        assert client.get(path).status_code == client.post(path + "confirm/").status_code == status
        assert client.get(path + "report.csv").status_code == client.post(path + "discard/").status_code == status


def test_a_token_reads_nothing_of_its_holders_other_customers(world):
    relationship, [ann] = join(world.contoso, world.fabrikam, "ann")
    join(world.tailwind, world.fabrikam, "ann")
    caller = tool(token(relationship, ann, Permission.ROOMS_VIEW))
    tailwind = world.tailwind.tenant.pk
    assert caller.get("api-rooms", tailwind).status_code == 404
    assert caller.get("api-room", world.contoso.tenant.pk, world.tailwind.rooms[0].pk).status_code == 404
    assert caller.get("api-customer", tailwind).status_code == 404
    assert "Tailwind" not in caller.get("api-customers").content.decode()
    # A token is no session: pages do not know it.
    assert (
        caller.client.get(reverse("rooms", args=[world.contoso.tenant.pk]), headers=caller.headers).status_code == 302
    )


def test_an_unused_session_beside_a_token_widens_nothing(world):
    """Both at once: the token decides, and its limits hold."""
    relationship, [ann] = join(world.contoso, world.fabrikam, "ann")
    join(world.tailwind, world.fabrikam, "ann")
    caller = person(ann)
    caller.headers = tool(token(relationship, ann, Permission.ROOMS_VIEW)).headers
    assert caller.get("api-rooms", world.tailwind.tenant.pk).status_code == 404
    assert caller.get("api-my-invitations").status_code == 403
    assert caller.post("api-tokens", world.contoso.tenant.pk, body={}).status_code == 403


def test_nobody_keeps_another_person_out_by_a_name(world):
    """Whoever loses his UPN is called former-…; a directory can give that very name to somebody else."""
    tenant = world.fabrikam.tenant
    ann = world.fabrikam.person("ann")
    world.fabrikam.person(f"former-{ann.pk}")
    found = arrive(Identity(tenant.entra_tid, uuid.uuid4(), ann.upn, "Ann"), is_awaited=lambda upn: False)
    ann.refresh_from_db()
    assert (found.upn, ann.upn == found.upn, ann.upn.startswith("former-")) == ("ann@fabrikam.example", False, True)


@pytest.mark.parametrize(
    ("told", "kept"),
    [("A\x00n\ud800n", "Ann"), ("Ann \u202egnp.exe", "Ann gnp.exe"), ("Änn\nÖ", "ÄnnÖ"), ("x" * 500, "x" * 200)],
)
def test_what_a_directory_calls_somebody_is_kept_as_one_plain_line(world, told, kept):
    who = Identity(world.fabrikam.tenant.entra_tid, uuid.uuid4(), "ann@fabrikam.example", told)
    assert arrive(who, is_awaited=lambda upn: False).display_name == kept

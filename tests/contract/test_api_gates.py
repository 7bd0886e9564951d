"""Who may call what: every operation of the API, asked as everybody. One that is missing here fails the first test."""

import uuid

import pytest
from django.db import transaction

from rbac.models import Tenant
from tests.contract.scene import NEVER, Operation, Scene, operations
from tests.factories.callers import person

pytestmark = pytest.mark.django_db

ACTORS = (
    "anonymous",
    "stranger",
    "rival",
    "newcomer",
    "tech",
    "admin",
    "partner",
    "program",
    "revoked_program",
    "removed_partner",
    "inactive",
    "support",
    "invited",
)

# fmt: off
#                                    anon. strang rival newc. tech  admin partn progr revok remov inact supp. invited
TABLE = {
    "get schema":                    (200,  200,  200,  200,  200,  200,  200,  200,  200,  200,  200,  200,  200),
    "get docs":                      (200,  200,  200,  200,  200,  200,  200,  200,  200,  200,  200,  200,  200),
    "get nothing":                   (404,  404,  404,  404,  404,  404,  404,  404,  404,  404,  404,  404,  404),
    "get me":                        (401,  200,  200,  200,  200,  200,  200,  200,  401,  200,  401,  200,  200),
    "get terms":                     (401,  200,  200,  200,  200,  200,  200,  200,  401,  200,  401,  200,  200),
    "get permission-table":          (401,  200,  200,  200,  200,  200,  200,  200,  401,  200,  401,  200,  200),
    "get customers":                 (401,  200,  200,  200,  200,  200,  200,  200,  401,  200,  401,  200,  200),
    "get customer":                  (401,  404,  404,  200,  200,  200,  200,  200,  401,  404,  401,  404,  404),
    "delete customer":               (401,  404,  404,  403,  403,  403,  204,  403,  401,  404,  401,  404,  404),
    "get rooms":                     (401,  404,  404,  403,  200,  200,  200,  200,  401,  404,  401,  404,  404),
    "get room":                      (401,  404,  404,  403,  200,  200,  200,  200,  401,  404,  401,  404,  404),
    "patch room":                    (401,  404,  404,  403,  200,  200,  200,  200,  401,  404,  401,  404,  404),
    "get room-status":               (401,  404,  404,  403,  200,  200,  200,  200,  401,  404,  401,  404,  404),
    "get room-activity":             (401,  404,  404,  403,  200,  200,  200,  200,  401,  404,  401,  404,  404),
    "post room-enroll":              (401,  404,  404,  403,  200,  200,  200,  200,  401,  404,  401,  404,  404),
    "post room-suppress":            (401,  404,  404,  403,  200,  200,  200,  200,  401,  404,  401,  404,  404),
    "post room-unsuppress":          (401,  404,  404,  403,  200,  200,  200,  200,  401,  404,  401,  404,  404),
    "post room-unenroll":            (401,  404,  404,  403,  200,  200,  403,  403,  401,  404,  401,  404,  404),
    "post rooms-bulk":               (401,  404,  404,  403,  207,  207,  207,  207,  401,  404,  401,  404,  404),
    "get room-filters":              (401,  404,  404,  403,  200,  200,  200,  200,  401,  404,  401,  404,  404),
    "post room-filters":             (401,  404,  404,  403,  201,  201,  201,  201,  401,  404,  401,  404,  404),
    "patch room-filter":             (401,  404,  404,  403,  404,  200,  404,  404,  401,  404,  401,  404,  404),
    "delete room-filter":            (401,  404,  404,  403,  404,  204,  404,  404,  401,  404,  401,  404,  404),
    "post imports":                  (401,  404,  404,  403,  201,  201,  201,  201,  401,  404,  401,  404,  404),
    "get import":                    (401,  404,  404,  403,  404,  200,  404,  404,  401,  404,  401,  404,  404),
    "delete import":                 (401,  404,  404,  403,  404,  204,  404,  404,  401,  404,  401,  404,  404),
    "post import-confirm":           (401,  404,  404,  403,  404,  200,  404,  404,  401,  404,  401,  404,  404),
    "get groups":                    (401,  404,  404,  403,  403,  200,  200,  200,  401,  404,  401,  404,  404),
    "post groups":                   (401,  404,  404,  403,  403,  201,  403,  403,  401,  404,  401,  404,  404),
    "get group":                     (401,  404,  404,  403,  403,  200,  200,  200,  401,  404,  401,  404,  404),
    "patch group":                   (401,  404,  404,  403,  403,  200,  403,  403,  401,  404,  401,  404,  404),
    "delete group":                  (401,  404,  404,  403,  403,  204,  403,  403,  401,  404,  401,  404,  404),
    "post group-rooms":              (401,  404,  404,  403,  403,  200,  403,  403,  401,  404,  401,  404,  404),
    "get keys":                      (401,  404,  404,  403,  200,  200,  403,  403,  401,  404,  401,  404,  404),
    "post keys":                     (401,  404,  404,  403,  403,  201,  403,  403,  401,  404,  401,  404,  404),
    "post key-download":             (401,  404,  404,  403,  200,  200,  403,  403,  401,  404,  401,  404,  404),
    "get tickets":                   (401,  404,  404,  403,  200,  200,  200,  200,  401,  404,  401,  404,  404),
    "post tickets":                  (401,  404,  404,  403,  201,  201,  201,  201,  401,  404,  401,  404,  404),
    "get ticket":                    (401,  404,  404,  403,  200,  200,  200,  200,  401,  404,  401,  404,  404),
    "get ticket-entries":            (401,  404,  404,  403,  200,  200,  200,  200,  401,  404,  401,  404,  404),
    "post ticket-entries":           (401,  404,  404,  403,  201,  201,  201,  201,  401,  404,  401,  404,  404),
    "post ticket-state":             (401,  404,  404,  403,  200,  200,  200,  200,  401,  404,  401,  404,  404),
    "get ticket-assignment":         (401,  404,  404,  403,  200,  200,  200,  200,  401,  404,  401,  404,  404),
    "post ticket-assignment":        (401,  404,  404,  403,  200,  200,  200,  200,  401,  404,  401,  404,  404),
    "post ticket-close":             (401,  404,  404,  403,  200,  200,  200,  200,  401,  404,  401,  404,  404),
    "post ticket-attachments":       (401,  404,  404,  403,  201,  201,  201,  201,  401,  404,  401,  404,  404),
    "get ticket-attachment":         (401,  404,  404,  403,  200,  200,  200,  200,  401,  404,  401,  404,  404),
    "get report-figures":            (401,  404,  404,  403,  403,  200,  200,  200,  401,  404,  401,  404,  404),
    "get report-rooms":              (401,  404,  404,  403,  403,  200,  200,  200,  401,  404,  401,  404,  404),
    "get roles":                    (401,  404,  404,  403,  403,  200,  200,  200,  401,  404,  401,  404,  404),
    "post roles":                   (401,  404,  404,  403,  403,  201,  201,  201,  401,  404,  401,  404,  404),
    "get role":                     (401,  404,  404,  403,  403,  200,  404,  404,  401,  404,  401,  404,  404),
    "patch role":                   (401,  404,  404,  403,  403,  200,  404,  404,  401,  404,  401,  404,  404),
    "delete role":                  (401,  404,  404,  403,  403,  204,  404,  404,  401,  404,  401,  404,  404),
    "get assignments":              (401,  404,  404,  403,  403,  200,  404,  404,  401,  404,  401,  404,  404),
    "post assignments":             (401,  404,  404,  403,  403,  201,  404,  404,  401,  404,  401,  404,  404),
    "get assignment":               (401,  404,  404,  403,  403,  200,  404,  404,  401,  404,  401,  404,  404),
    "patch assignment":             (401,  404,  404,  403,  403,  200,  404,  404,  401,  404,  401,  404,  404),
    "delete assignment":            (401,  404,  404,  403,  403,  204,  404,  404,  401,  404,  401,  404,  404),
    "post assignment-scope":        (401,  404,  404,  403,  403,  200,  404,  404,  401,  404,  401,  404,  404),
    "get assignment-members":       (401,  404,  404,  403,  403,  200,  404,  404,  401,  404,  401,  404,  404),
    "post assignment-members":      (401,  404,  404,  403,  403,  200,  404,  404,  401,  404,  401,  404,  404),
    "post assignment-leave":        (401,  404,  404,  403,  403,  204,  404,  403,  401,  404,  401,  404,  404),
    "get security-groups":          (401,  404,  404,  403,  403,  200,  403,  403,  401,  404,  401,  404,  404),
    "post security-groups":         (401,  404,  404,  403,  403,  201,  403,  403,  401,  404,  401,  404,  404),
    "get security-group":           (401,  404,  404,  403,  403,  200,  403,  403,  401,  404,  401,  404,  404),
    "patch security-group":         (401,  404,  404,  403,  403,  200,  403,  403,  401,  404,  401,  404,  404),
    "delete security-group":        (401,  404,  404,  403,  403,  204,  403,  403,  401,  404,  401,  404,  404),
    "get security-group-people":    (401,  404,  404,  403,  403,  200,  403,  403,  401,  404,  401,  404,  404),
    "post security-group-people":   (401,  404,  404,  403,  403,  200,  403,  403,  401,  404,  401,  404,  404),
    "get room-access":              (401,  404,  404,  403,  403,  200,  200,  200,  401,  404,  401,  404,  404),
    "get person-access":            (401,  404,  404,  403,  403,  200,  200,  200,  401,  404,  401,  404,  404),
    "get approvals":                 (401,  404,  404,  403,  403,  200,  200,  200,  401,  404,  401,  404,  404),
    "get approval":                  (401,  404,  404,  403,  403,  200,  200,  200,  401,  404,  401,  404,  404),
    "post approval-decide":          (401,  404,  404,  403,  403,  200,  403,  403,  401,  404,  401,  404,  404),
    "post approval-withdraw":        (401,  404,  404,  403,  403,  403,  200,  200,  401,  404,  401,  404,  404),
    "post approval-again":           (401,  404,  404,  403,  403,  403,  204,  204,  401,  404,  401,  404,  404),
    "get rings":                     (401,  404,  404,  403,  403,  200,  200,  200,  401,  404,  401,  404,  404),
    "post rings":                    (401,  404,  404,  403,  403,  201,  403,  403,  401,  404,  401,  404,  404),
    "get ring":                      (401,  404,  404,  403,  403,  200,  200,  200,  401,  404,  401,  404,  404),
    "patch ring":                    (401,  404,  404,  403,  403,  200,  200,  200,  401,  404,  401,  404,  404),
    "delete ring":                   (401,  404,  404,  403,  403,  204,  204,  204,  401,  404,  401,  404,  404),
    "post ring-rooms":               (401,  404,  404,  403,  403,  200,  200,  200,  401,  404,  401,  404,  404),
    "get rollouts":                  (401,  404,  404,  403,  403,  200,  200,  200,  401,  404,  401,  404,  404),
    "get rollout":                   (401,  404,  404,  403,  403,  200,  200,  200,  401,  404,  401,  404,  404),
    "get rollout-rooms":             (401,  404,  404,  403,  403,  200,  200,  200,  401,  404,  401,  404,  404),
    "post rollout-pause":            (401,  404,  404,  403,  403,  200,  200,  200,  401,  404,  401,  404,  404),
    "post rollout-resume":           (401,  404,  404,  403,  403,  200,  200,  200,  401,  404,  401,  404,  404),
    "post rollout-retry":            (401,  404,  404,  403,  403,  200,  200,  200,  401,  404,  401,  404,  404),
    "post rollout-force":            (401,  404,  404,  403,  403,  200,  200,  200,  401,  404,  401,  404,  404),
    "post group-default":           (401,  404,  404,  403,  403,  200,  403,  403,  401,  404,  401,  404,  404),
    "get partners":                  (401,  404,  404,  403,  403,  200,  403,  403,  401,  404,  401,  404,  404),
    "post partners":                 (401,  404,  404,  403,  403,  201,  403,  403,  401,  404,  401,  404,  404),
    "get partner":                   (401,  404,  404,  403,  403,  200,  403,  403,  401,  404,  401,  404,  404),
    "patch partner":                 (401,  404,  404,  403,  403,  200,  403,  403,  401,  404,  401,  404,  404),
    "delete partner":                (401,  404,  404,  403,  403,  204,  403,  403,  401,  404,  401,  404,  404),
    "post partner-suspend":          (401,  404,  404,  403,  403,  200,  403,  403,  401,  404,  401,  404,  404),
    "post partner-resume":           (401,  404,  404,  403,  403,  409,  403,  403,  401,  404,  401,  404,  404),
    "get partner-invitations":       (401,  404,  404,  403,  403,  200,  403,  403,  401,  404,  401,  404,  404),
    "post partner-invitations":      (401,  404,  404,  403,  403,  201,  403,  403,  401,  404,  401,  404,  404),
    "get partner-invitation":        (401,  404,  404,  403,  403,  200,  403,  403,  401,  404,  401,  404,  404),
    "post partner-invitation-resend": (401, 404,  404,  403,  403,  200,  403,  403,  401,  404,  401,  404,  404),
    "post partner-invitation-revoke": (401, 404,  404,  403,  403,  200,  403,  403,  401,  404,  401,  404,  404),
    "get audit-log":                 (401,  404,  404,  403,  403,  200,  403,  403,  401,  404,  401,  404,  404),
    "post colleagues":               (401,  404,  404,  403,  403,  403,  201,  201,  401,  404,  401,  404,  404),
    "get tenant-managers":           (401,  404,  404,  403,  403,  200,  403,  403,  401,  404,  401,  404,  404),
    "post tenant-managers":          (401,  404,  404,  403,  403,  201,  403,  403,  401,  404,  401,  404,  404),
    "get tenant-manager":            (401,  404,  404,  403,  403,  200,  403,  403,  401,  404,  401,  404,  404),
    "delete tenant-manager":         (401,  404,  404,  403,  403,  204,  403,  403,  401,  404,  401,  404,  404),
    "get tokens":                    (401,  404,  404,  403,  403,  403,  200,  403,  401,  404,  401,  404,  404),
    "post tokens":                   (401,  404,  404,  403,  403,  403,  201,  403,  401,  404,  401,  404,  404),
    "get token":                     (401,  404,  404,  403,  403,  403,  200,  403,  401,  404,  401,  404,  404),
    "delete token":                  (401,  404,  404,  403,  403,  403,  204,  403,  401,  404,  401,  404,  404),
    "get webhooks":                  (401,  404,  404,  403,  403,  200,  200,  200,  401,  404,  401,  404,  404),
    "post webhooks":                 (401,  404,  404,  403,  403,  201,  201,  403,  401,  404,  401,  404,  404),
    "get webhook":                   (401,  404,  404,  403,  403,  200,  404,  404,  401,  404,  401,  404,  404),
    "patch webhook":                 (401,  404,  404,  403,  403,  200,  404,  403,  401,  404,  401,  404,  404),
    "delete webhook":                (401,  404,  404,  403,  403,  204,  404,  403,  401,  404,  401,  404,  404),
    "post webhook-rotate":           (401,  404,  404,  403,  403,  200,  404,  403,  401,  404,  401,  404,  404),
    "post webhook-test":             (401,  404,  404,  403,  403,  200,  404,  403,  401,  404,  401,  404,  404),
    "get deliveries":                (401,  404,  404,  403,  403,  200,  404,  404,  401,  404,  401,  404,  404),
    "get delivery":                  (401,  404,  404,  403,  403,  200,  404,  404,  401,  404,  401,  404,  404),
    "post delivery-redeliver":       (401,  404,  404,  403,  403,  200,  404,  404,  401,  404,  401,  404,  404),
    "get settings":                 (401,  404,  404,  403,  403,  200,  403,  403,  401,  404,  401,  404,  404),
    "patch settings":               (401,  404,  404,  403,  403,  200,  403,  403,  401,  404,  401,  404,  404),
    "post domains":                 (401,  404,  404,  403,  403,  201,  403,  403,  401,  404,  401,  404,  404),
    "delete domain":                (401,  404,  404,  403,  403,  204,  403,  403,  401,  404,  401,  404,  404),
    "get notifications":            (401,  404,  404,  403,  403,  200,  403,  403,  401,  404,  401,  404,  404),
    "patch notifications":          (401,  404,  404,  403,  403,  200,  403,  403,  401,  404,  401,  404,  404),
    "post notifications-test":      (401,  404,  404,  403,  403,  202,  403,  403,  401,  404,  401,  404,  404),
    "get access-policy":            (401,  404,  404,  403,  403,  200,  403,  403,  401,  404,  401,  404,  404),
    "patch access-policy":          (401,  404,  404,  403,  403,  200,  403,  403,  401,  404,  401,  404,  404),
    "post access-policy-preview":   (401,  404,  404,  403,  403,  200,  403,  403,  401,  404,  401,  404,  404),
    "get mail-look":                (401,  404,  404,  403,  403,  200,  403,  403,  401,  404,  401,  404,  404),
    "patch mail-look":              (401,  404,  404,  403,  403,  200,  403,  403,  401,  404,  401,  404,  404),
    "get customer-terms":           (401,  404,  404,  403,  403,  200,  403,  403,  401,  404,  401,  404,  404),
    "post customer-terms-accept":   (401,  404,  404,  403,  403,  200,  403,  403,  401,  404,  401,  404,  404),
    "get my-invitations":            (401,  200,  200,  200,  200,  200,  200,  403,  401,  200,  401,  200,  200),
    "get my-invitation":             (401,  404,  404,  404,  404,  404,  404,  403,  401,  404,  401,  404,  200),
    "post my-invitation-accept":     (401,  404,  404,  404,  404,  404,  404,  403,  401,  404,  401,  404,  200),
    "post my-invitation-deny":       (401,  404,  404,  404,  404,  404,  404,  403,  401,  404,  401,  404,  200),
    "get all-rooms":                (401,  404,  200,  404,  404,  404,  200,  200,  401,  404,  401,  404,  404),
    "get all-tickets":              (401,  404,  200,  404,  404,  404,  200,  200,  401,  404,  401,  404,  404),
    "get all-approvals":            (401,  404,  200,  404,  404,  404,  200,  200,  401,  404,  401,  404,  404),
    "get all-expiring":             (401,  404,  200,  404,  404,  404,  200,  200,  401,  404,  401,  404,  404),
    "post all-rooms-bulk":          (401,  404,  207,  404,  404,  404,  207,  207,  401,  404,  401,  404,  404),
    "post all-tickets-bulk":        (401,  404,  207,  404,  404,  404,  207,  207,  401,  404,  401,  404,  404),
    "get all-filters":              (401,  404,  200,  404,  404,  404,  200,  200,  401,  404,  401,  404,  404),
    "post all-filters":             (401,  404,  201,  404,  404,  404,  201,  201,  401,  404,  401,  404,  404),
    "patch all-filter":             (401,  404,  404,  404,  404,  404,  200,  200,  401,  404,  401,  404,  404),
    "delete all-filter":            (401,  404,  404,  404,  404,  404,  204,  204,  401,  404,  401,  404,  404),
    "post my-invitation-undo":       (401,  404,  404,  404,  404,  404,  404,  403,  401,  404,  401,  404,  201),
}
# fmt: on

# Customers' things the admin of Contoso asks for: replaced by what is Tailwind's, what was deleted, what never was.
HIDDEN = [name for name, row in TABLE.items() if row[1] == 404 and name != "get nothing"]


@pytest.fixture
def scene():
    return Scene()


def test_every_operation_is_in_the_table_and_nothing_else():
    assert sorted(map(str, operations())) == sorted(TABLE)


@pytest.mark.parametrize("actor", ACTORS)
def test_everybody_gets_what_the_table_says(scene, actor):
    caller, column = getattr(scene, actor)(), ACTORS.index(actor)
    answers = {}
    for operation in operations():
        with transaction.atomic():
            answers[str(operation)] = scene.ask(caller, operation).status_code
            transaction.set_rollback(True)
    assert answers == {name: row[column] for name, row in TABLE.items()}


def test_anonymous_is_told_how_to_sign_in(scene):
    answer = scene.anonymous().get("api-me")
    assert answer.headers["WWW-Authenticate"] == "Token"


def foreign(scene, operation: Operation) -> list:
    """The address of what is Tailwind's, below Contoso."""
    contoso, tailwind = scene.world.contoso.tenant.pk, scene.world.tailwind
    if operation.name == "api-room":
        return [contoso, tailwind.rooms[0].pk]
    if operation.name.startswith("api-group"):
        return [contoso, scene.foreign_group.pk]
    if operation.name == "api-ticket-attachment":
        return [contoso, scene.foreign_ticket.pk, scene.attachment.pk]
    if operation.name.startswith("api-ticket"):
        return [contoso, scene.foreign_ticket.pk]
    if operation.name.startswith("api-ring"):
        return [contoso, scene.foreign_rollout.ring_id]
    if operation.name.startswith("api-rollout"):
        return [contoso, scene.foreign_rollout.pk]
    if operation.name.startswith("api-partner-invitation") and operation.name != "api-partner-invitations":
        return [contoso, scene.pending.pk, scene.foreign.invitations.get().pk]
    if operation.name.startswith("api-partner"):
        return [contoso, scene.foreign.pk]
    return []


def never(args: list) -> list:
    return [*args[:-1], 2**62 if isinstance(args[-1], int) else NEVER]


OF_ONE = ("partner", "group", "ring", "rollout", "ticket")


@pytest.mark.parametrize("name", [name for name in HIDDEN if name.split()[1].split("-")[0] in OF_ONE])
def test_foreign_and_never_existed_are_the_same_to_the_customer(scene, name):
    operation = Operation(name.split()[0], f"api-{name.split()[1]}")
    caller, args = scene.admin(), foreign(scene, operation)
    answers = [scene.ask(caller, operation, one) for one in (args, never(args))]
    assert [one.status_code for one in answers] == [404, 404]
    assert answers[0].content == answers[1].content


def test_room_out_of_scope_foreign_deleted_and_never_existed_are_the_same(scene):
    contoso, tailwind = scene.world.contoso, scene.world.tailwind
    out_of_scope = next(room for room in contoso.rooms if room.country == "US")
    deleted = contoso.german[1].pk
    contoso.german[1].delete()
    ids = [out_of_scope.pk, tailwind.rooms[0].pk, deleted, 2**62, 2**63, 10**40]
    for caller in (scene.partner(), scene.program()):
        for method in ("get", "patch"):
            answers = [
                scene.ask(caller, Operation(method, "api-room"), [contoso.tenant.pk, room_id]) for room_id in ids
            ]
            assert {one.status_code for one in answers} == {404}
            assert len({one.content for one in answers}) == 1


def test_customers_that_are_foreign_or_never_existed_are_the_same(scene):
    caller = scene.partner()
    closed = Tenant.objects.create(name="Closed", status="closed")
    ids = [scene.world.tailwind.tenant.pk, closed.pk, NEVER, uuid.uuid4()]
    answers = [caller.get("api-rooms", one) for one in ids] + [caller.get("api-permission-table", customer=ids[0])]
    assert {one.status_code for one in answers} == {404}
    assert len({one.content for one in answers}) == 1


def test_people_of_one_organisation_do_not_see_each_others_tokens(scene):
    bob = scene.world.fabrikam.person("bob")
    assert person(bob).get("api-tokens", scene.world.contoso.tenant.pk).status_code == 404
    scene.relationship.delegation.roles.get().assignments.get().memberships.create(user=bob)
    contoso = scene.world.contoso.tenant.pk
    assert person(bob).get("api-tokens", contoso).json()["items"] == []
    assert person(bob).get("api-token", contoso, scene.token.token_key).status_code == 404
    assert person(bob).delete("api-token", contoso, scene.token.token_key).status_code == 404


def test_a_token_opens_no_page(scene):
    """Pages know sessions only; whoever shows a token there is nobody."""
    program, contoso = scene.program(), scene.world.contoso.tenant.pk
    for path in (f"/c/{contoso}/", f"/c/{contoso}/rooms/", "/invitations/", "/", "/admin/"):
        answer = program.client.get(path, headers=program.headers)
        assert answer.status_code == 302
        assert "sign-in" in answer.headers["Location"] or "login" in answer.headers["Location"]
    assert "sessionid" not in program.client.cookies
    assert "session" not in program.client.cookies


def test_a_token_of_one_customer_opens_no_other_nor_the_holders_home(scene):
    program = scene.program()
    for tenant in (scene.world.tailwind.tenant, scene.world.fabrikam.tenant):
        assert program.get("api-customer", tenant.pk).status_code == 404
    assert [one["name"] for one in program.get("api-customers").json()["items"]] == ["Contoso"]
    assert [one["name"] for one in program.get("api-me").json()["customers"]] == ["Contoso"]

"""The faults, as a careless change would make them, and the tests that have to notice."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

import audit.clock
from audit import chain
from partners import links
from partners.models import Invitation, InvitationQuerySet
from partners.services import invitations
from partners.views import invitations as pages
from partners.webhooks import WebhookQuerySet
from rbac import access, gates, sign_in, streams
from rbac.catalogue import with_implied
from rbac.models import User
from rbac.partner_access import NOTHING
from rbac.services import assignments, delegations, end_notices
from rooms import scopes
from rooms.models import RoomGrantRow
from trm_portal.client_address import Proxies


@dataclass(frozen=True)
class Fault:
    """What is broken, how, and where it has to show."""

    seed: Callable[[], Any]
    guards: tuple[str, ...]
    # Run by the tables' owner before the tests.
    sql: str = ""


FAULTS: dict[str, Fault] = {}


def canary(*guards: str, sql: str = "") -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Register the fault; `guards` are the tests that must fail."""

    def register(seed: Callable[[], Any]) -> Callable[[], Any]:
        FAULTS[seed.__name__.replace("_", " ")] = Fault(seed, tuple(f"tests/{one}" for one in guards), sql)
        return seed

    return register


def replace(owner: Any, name: str, new: Any) -> None:
    setattr(owner, name, new)


def resolve(old: str, new: str) -> str:
    """The one function that resolves rights says `new` where it says `old`."""
    return f"""DO $do$ DECLARE said text := pg_get_functiondef('trm_rights'::regproc); BEGIN
        ASSERT position($t${old}$t$ IN said) > 0, 'the rule says something else';
        EXECUTE replace(said, $t${old}$t$, $t${new}$t$);
    END $do$"""


# --- Races --------------------------------------------------------------------------------------


@canary("races/test_answers.py::test_two_first_acceptances_link_once_and_both_join")
def rows_are_not_locked() -> None:
    replace(QuerySet, "select_for_update", lambda queryset, *args, **kwargs: queryset.all())


@canary("races/test_grants.py::test_partner_changes_nothing_after_his_removal")
def a_change_does_not_hold_the_delegation() -> None:
    replace(access, "_hold_delegation", lambda user, target: NOTHING)


@canary("races/test_log.py::test_writers_in_opposite_order_neither_deadlock_nor_fork")
def chains_are_not_locked() -> None:
    def unlocked(tenant_id: Any, after: str) -> Any:
        last = chain.ChainLink.objects.filter(tenant_id=tenant_id).order_by("-seq").first()
        return (last.seq + 1, bytes(last.digest), audit.clock.now()) if last else (1, chain.FIRST, audit.clock.now())

    replace(chain, "_lock_head", unlocked)


# --- The decision -------------------------------------------------------------------------------


@canary("rbac/test_access_table.py::test_cells_mean_nothing_in_another_tenant")
def things_of_a_tenant_are_not_filtered_by_it() -> None:
    replace(access.OfTenant, "restrict", lambda rule, held, permission, queryset: queryset)


@canary("authz/test_ledger.py::test_what_one_may_not_see_looks_like_what_never_existed")
def pages_find_whatever_is_asked_for() -> None:
    def find(request: Any, permission: Any, queryset: Any, **lookup: Any) -> Any:
        found = queryset.model._default_manager.filter(**lookup).first()
        if found is None:
            raise gates.Http404
        return found

    for module in _using(gates.find):
        replace(module, "find", find)


def _using(function: Any) -> list[Any]:
    import sys  # noqa: PLC0415 - modules that have taken the name over

    return [one for one in list(sys.modules.values()) if getattr(one, function.__name__, None) is function]


@canary(
    "rbac/test_access_rules.py::test_permission_above_the_ceiling_grants_a_partner_nothing",
    "rbac/test_histories.py::test_answers_agree_with_the_oracle_after_any_history",
)
def partners_have_no_ceiling() -> None:
    replace(access, "_effective", lambda codes, is_partner: with_implied(codes))


@canary(
    "rbac/test_access_rules.py::test_only_an_active_delegation_opens_anything",
    "rbac/test_histories.py::test_answers_agree_with_the_oracle_after_any_history",
    sql=resolve("d.state = 'active'", "d.state IN ('active', 'suspended')"),
)
def suspended_partners_go_on() -> None:
    """In the database alone."""


@canary("rbac/test_access_rules.py::test_inactive_people_and_guests_hold_nothing", sql=resolve("u.is_active", "true"))
def deactivated_people_keep_their_rights() -> None:
    """In the database alone."""


@canary(
    "rbac/test_access_rules.py::test_delegation_counts_to_its_last_second",
    sql=resolve("(d.valid_until IS NULL OR d.valid_until > trm_now())", "true"),
)
def end_of_a_delegation_is_forgotten() -> None:
    """In the database alone."""


@canary("rbac/test_access_rules.py::test_bare_membership_of_the_index_group_grants_nothing")
def index_rows_alone_grant() -> None:
    restricted = access.visible

    def visible(user: Any, permission: Any, queryset: Any, held: Any = None) -> Any:
        if queryset.model is RoomGrantRow.content_object.field.related_model:
            rows = RoomGrantRow.objects.filter(group__in=user.groups.all(), permission_id=access.row_id(permission))
            return queryset.filter(pk__in=rows.values("content_object"))
        return restricted(user, permission, queryset, held)

    replace(access, "visible", visible)


@canary("rbac/test_access_rules.py::test_nobody_is_a_superuser")
def superusers_get_a_shortcut() -> None:
    asked = User.has_perm
    replace(User, "has_perm", lambda user, perm, obj=None: user.is_superuser or asked(user, perm, obj))


@canary("rbac/test_access_rules.py::test_token_narrows_its_holder_to_one_delegation_and_its_permissions")
def tokens_may_what_their_holder_may() -> None:
    replace(access.Limits, "narrow", lambda limits, held: held)


@canary("rbac/test_histories.py::test_answers_agree_with_the_oracle_after_any_history")
def rooms_of_a_group_are_not_followed() -> None:
    for module in _using(scopes.follow_groups):
        replace(module, "follow_groups", lambda groups, by=None: None)


# --- Ending -------------------------------------------------------------------------------------


@canary("journeys/test_ending.py::test_each_door_is_shut_on_the_next_request[the customer suspends the partner]")
def files_go_on_whatever_their_reader_has_lost() -> None:
    replace(streams, "_still_holds", lambda reader, held: True)


@canary("journeys/test_ending.py::test_each_door_is_shut_on_the_next_request[the session is ended elsewhere]")
def files_go_on_without_their_session() -> None:
    replace(streams, "_is_signed_in", lambda reader, session_key: True)


@canary("journeys/test_ending.py::test_each_door_is_shut_on_the_next_request[the customer suspends the partner]")
def webhooks_of_suspended_partners_go_on() -> None:
    replace(WebhookQuerySet, "open", lambda queryset: queryset.live().filter(is_active=True))


@canary("trm_portal/test_client_address.py::test_anybody_else_is_not_believed_and_is_who_he_is")
def anybody_says_where_he_is() -> None:
    replace(Proxies, "have", lambda proxies, peer: True)


# --- Granting -----------------------------------------------------------------------------------


@canary(
    "rooms/test_scopes.py::test_nobody_changes_what_he_holds_his_right_through",
    "rooms/test_scopes.py::test_nobody_gives_a_permission_he_does_not_hold",
)
def anybody_grants_anything() -> None:
    replace(scopes, "require_grantable", lambda assignment, scope, by: None)


@canary("rbac/test_assignments.py::test_keeper_of_roles_makes_nobody_an_mmr_admin_himself_least")
def keepers_of_roles_make_themselves_admins() -> None:
    replace(assignments, "_require_held", lambda assignment, by: None)


@canary(
    "rbac/test_assignments.py::test_last_primary_admin_stays",
    sql="DROP TRIGGER last_admin_member ON rbac_assignmentmember",
)
def last_admin_may_go() -> None:
    """In the database alone."""


# --- Invitations --------------------------------------------------------------------------------


@canary("partners/test_invitations.py::test_nobody_else_can_answer_and_no_line_is_left")
def whoever_has_the_address_accepts() -> None:
    replace(InvitationQuerySet, "addressed_to", lambda queryset, user: queryset.all())


@canary("rbac/test_sign_in.py::test_same_upn_with_another_identity_is_another_person")
def accounts_are_found_by_name() -> None:
    def known(identity: Any) -> Any:
        return User.objects.select_related("tenant").filter(upn=identity.upn).first()

    replace(sign_in, "_known", known)


@canary("authz/test_reading.py::test_reading_changes_nothing")
def opening_the_link_accepts() -> None:
    shown = pages._page

    @wraps(shown)
    def page(request: Any, found: Invitation, secret: str) -> Any:
        invitations.accept(found, by=request.user, secret=secret)
        return shown(request, found, secret)

    replace(pages, "_page", page)


@canary("partners/test_invitations.py::test_first_link_from_an_unknown_tenant_needs_the_secret_of_the_mail")
def secret_of_the_mail_is_not_asked_for() -> None:
    replace(links, "is_secret_of", lambda invitation, secret: True)


@canary("partners/test_invitations.py::test_expiry_is_true_at_the_second_although_no_job_ran")
def web_servers_clock_decides() -> None:
    for module in _using(audit.clock.now):
        replace(module, "now", timezone.now)


@canary("partners/test_invitations.py::test_resending_rotates_the_link_and_replaces_the_unsent_mail")
def old_links_stay_alive() -> None:
    secret = links.secret_of

    def unrotated(invitation: Invitation) -> str:
        return secret(Invitation(pk=invitation.pk, rotation=1))

    replace(links, "secret_of", unrotated)


@canary("partners/test_relationships.py::test_removal_is_complete_at_once")
def removal_leaves_the_roles() -> None:
    replace(delegations, "remove_roles", lambda delegation, by: 0)


@canary("partners/test_time_limits.py::test_no_invitation_leads_into_what_is_over")
def only_what_is_marked_as_ended_is_over() -> None:
    replace(delegations, "is_over", lambda delegation: delegation.state == "ended")


@canary(
    "partners/test_end_notices.py::test_two_beats_at_once_tell_once",
    "rooms/test_assignment_ends.py::test_marker_mail_and_line_are_one",
)
def ends_are_told_without_a_marker() -> None:
    replace(end_notices, "note", lambda thing: thing.notice_days)


# --- The log ------------------------------------------------------------------------------------


@canary(
    "audit/test_log.py::test_success_leaves_one_line_with_everything_in_it",
    "partners/test_relationships.py::test_rename",
)
def nothing_is_recorded() -> None:
    replace(chain, "seal", lambda lines, origin, after="": None)


@canary("audit/test_log.py::test_failure_leaves_one_failed_line_and_nothing_else")
def failures_are_not_recorded() -> None:
    import audit.log  # noqa: PLC0415

    replace(audit.log, "_write_failures", lambda current, error: None)


@canary("audit/test_chain.py::test_digest_covers_every_field")
def digest_forgets_who_it_was() -> None:
    digest = chain.digest_of

    def without_user(event: Any) -> bytes:
        user, event.user_id = event.user_id, ""
        try:
            return digest(event)
        finally:
            event.user_id = user

    replace(chain, "digest_of", without_user)

"""Every recorded change asks for its permission; what is authorised by its cause instead is listed here, with the cause."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
MODULES = sorted(
    path
    for app in ("audit", "rbac", "rooms", "partners")
    for pattern in ("services/*.py", "scopes.py", "sign_in.py")
    for path in (ROOT / app).glob(pattern)
)
RECORDS = {"recording", "_recording", "recording_of", "_changing", "_deciding", "together"}
ASKS = {"require", "require_whole", "require_kept", "is_support", "require_support"}

CAUSES = {
    "partners.services.invitations.accept": "the invited person answers: nobody else finds the invitation",
    "partners.services.invitations.deny": "as accept",
    "partners.services.invitations.expire_due": "time is over, by the database's clock",
    "partners.services.invitations._expire_of": "a step of expire_due",
    "partners.services.invitations.establish": "a step of accept",
    "partners.services.invitations.send": "a step of invite, which has asked",
    "partners.services.denials.undo": "as accept",
    "partners.services.relationships.leave": "asks that it is a primary admin of the partner, also while suspended",
    "partners.services.time_limits.tell": "a mail by the clock; changes nothing but that it was sent",
    "partners.services.relationships.expire": "time is over, by the database's clock, as the customer has set it",
    "partners.services.invitations.lapse_if_dead": "a step of whatever closed the last invitation",
    "partners.services.invitations.revoke_all": "a step of remove, which has asked",
    "partners.services.relationships.modify": "its steps ask, each for itself",
    "partners.services.reminders.remind": "a mail by the clock; changes nothing but that it was sent",
    "partners.services.restoring.make_safe": "the command line, after a backup was restored",
    "partners.services.restoring._suspend": "a step of make_safe",
    "partners.services.restoring.drop_messages": "the command line, as make_safe",
    "partners.services.restoring.release_messages": "the command line, as make_safe",
    "partners.services.tokens.issue": "asks for each permission of the token itself: nobody gives what he does not hold",
    "partners.services.tokens.revoke": "the holder's own token: nobody else finds it",
    "partners.services.webhooks.create": "asks that the owner's webhooks are his to keep: settings, or primary admin",
    "partners.services.webhooks.encrypt_anew": "the command line, after another secret was put first",
    "partners.services.webhook_delivery._give_up": "nothing has arrived for days, or the receiver says that it is gone",
    "rbac.services.sessions.end": "the person's own sessions: nobody else finds them",
    "rbac.services.sessions.beginning": "the person has proven who he is",
    "rbac.services.sessions.ending": "the person's own session",
    "rbac.services.sessions.note_refusal": "changes nothing: somebody was not let in",
    "rbac.services.second_factor.verify": "the person's own second factor",
    "rbac.services.second_factor.confirm": "the person's own second factor; asks that he is support staff",
    "rbac.services.assignments.open_for": "a step of founding a tenant or adding a partner",
    "rbac.services.assignments.admit": "an accepted invitation, or a claim consumed at home",
    "rbac.services.assignments.delete": "a step of removing a partner, or of deleting a role, which has asked",
    "rbac.services.assignments.leave": "somebody gives up what is his own: nobody else is asked, the last admins stay",
    "rbac.services.security_groups._follow": "a step of changing a group's people, which has asked",
    "rbac.services.delegations.open_for": "a step of adding a partner",
    "rbac.services.primary_admins.settle_begun": "time has come, by the database's clock",
    "rbac.services.primary_admins.settle": "a step of what makes people members or able, or not, which has asked",
    "rbac.services.delegations.remove_roles": "a step of removing a partner",
    "rooms.services.assignment_ends.tell": "a mail by the clock; changes nothing but that it was sent",
    "rooms.services.enrolments.enroll": "a device brings the enrolment key",
    "rooms.services.keys.encrypt_anew": "the command line, after another secret was put first",
    "rooms.services.telemetry.record": "a device reports of its own room, by its token",
    "rooms.services.ticket_silence._close": "nobody had anything to add for days, by the database's clock",
    "rooms.services.monitoring._end_of_tenant": "the time of suppressions is over, by the database's clock",
    "rooms.services.approvals._close_each": "time is over, or a step of taking rights away, which has asked",
    "rooms.services.approvals.remind_due": "a mail by the clock; changes nothing but that it was sent",
    "rooms.services.approvals.withdraw": "asks that it is the requester's own",
    "rooms.scopes.follow_groups": "a step of changing a group's rooms, which has asked",
    "rooms.services.rollout_clock._at": "time has come, by the database's clock",
    "rooms.services.rollout_clock.schedule": "a release that support staff have published",
    "rbac.sign_in._enter": "somebody signs in, as his own directory says who he is",
    "rbac.sign_in._return": "as _enter",
}


def changes() -> Iterator[tuple[str, bool]]:
    """Each function that records, and whether it asks for a permission itself."""
    for path in MODULES:
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef):
                called = {_name(one.func) for one in ast.walk(node) if isinstance(one, ast.Call)}
                if called & RECORDS and node.name not in RECORDS:
                    yield f"{module}.{node.name}", bool(called & ASKS)


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute) and getattr(function.value, "id", "") == "step_up":
        return ""  # what somebody has shown is no permission
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def test_every_change_asks_or_has_its_cause():
    unasked = {name for name, asks in changes() if not asks}
    assert unasked == set(CAUSES)


def test_changes_are_found():
    assert sum(asks for _, asks in changes()) >= 10

"""What the portal takes and answers. Made from the API's document; `make docs` writes it anew."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypeAlias, TypedDict

AccessCondition: TypeAlias = Literal["mfa", "sign_in_age", "network"]
ActivityItemKindEnum: TypeAlias = Literal["added", "enrolled", "suppressed", "unsuppressed", "unenrolled", "modified", "device_enrolled", "device_revoked", "health", "ring", "updated", "update_failed", "update_forced", "incident"]
ApprovalState: TypeAlias = Literal["pending", "approved", "executed", "failed", "rejected", "withdrawn", "expired", "cancelled"]
Article: TypeAlias = Literal["table1", "rbac"]
AuditCategory: TypeAlias = Literal["User", "Assignment", "PartnerInvitation", "Role", "Room", "Group", "Ring", "Ticket", "Settings", "Key", "Approval", "Session"]
AuditOperation: TypeAlias = Literal["Create", "Update", "Delete"]
AuditResult: TypeAlias = Literal["Successful", "Failed"]
BlankEnum: TypeAlias = Literal[""]
BulkActionEnum: TypeAlias = Literal["edit", "enroll", "suppress", "unsuppress", "group", "ring"]
CategoryCountCategoryEnum: TypeAlias = Literal["audio", "display", "peripherals", "connectivity", "versioning", "customer"]
ClosingReason: TypeAlias = Literal["fixed", "not_reproducible", "no_fault", "duplicate", "other"]
ControlledEvent: TypeAlias = Literal["rooms.modify", "rings.modify", "tickets.create_incident", "tickets.update", "roles.modify"]
CustomerState: TypeAlias = Literal["active", "suspended"]
DecisionEnum: TypeAlias = Literal["approve", "reject"]
DelegablePermissionCode: TypeAlias = Literal["rooms.view", "rooms.modify", "groups.view", "rings.view", "rings.modify", "reports.view", "tickets.create_incident", "tickets.view", "tickets.update", "roles.view", "roles.modify"]
DeliveryState: TypeAlias = Literal["waiting", "delivered", "undeliverable", "cancelled"]
EntryItemKindEnum: TypeAlias = Literal["opened", "message", "attachment", "state", "assigned", "closed", "reopened"]
ErrorEnum: TypeAlias = Literal["no_address", "user_in_address", "https_needed", "not_public", "port_not_open", "not_resolved", "no_connection", "connection_refused", "connection_broken", "certificate_not_trusted", "no_answer", "redirect", "portal_failed"]
ExpiryItemKindEnum: TypeAlias = Literal["invitation", "relationship", "assignment", "token", "approval"]
ImportItemStateEnum: TypeAlias = Literal["checked", "queued", "running", "done", "failed"]
InvitationState: TypeAlias = Literal["pending", "accepted", "denied", "expired", "revoked"]
LanguageEnum: TypeAlias = Literal["en", "de"]
ManyRoomsActionEnum: TypeAlias = Literal["edit", "enroll", "suppress", "unsuppress", "ring"]
ManyTicketsActionEnum: TypeAlias = Literal["assign_to_me", "state", "write", "close"]
MemberItemKindEnum: TypeAlias = Literal["person", "group", "claim"]
NextUpdateStateEnum: TypeAlias = Literal["waiting", "offered", "paused", "done", "failed", "ended"]
NotificationEvent: TypeAlias = Literal["partner.linked", "partner.stranger", "approval.requested", "partner.ending", "partner.ended", "partner.no_admin", "assignment.ending", "ticket.high_impact", "ticket.critical", "ticket.important", "ticket.warning", "ticket.recommendation", "ticket.closed", "rollout.failed", "key.reset", "terms.changed"]
NullEnum: TypeAlias = None
OpenTicketState: TypeAlias = Literal["needs_action", "investigating", "resolved"]
OutcomeEnum: TypeAlias = Literal["done", "unchanged", "refused", "waiting"]
OwnerEnum: TypeAlias = Literal["customer", "partner"]
PartnerState: TypeAlias = Literal["invited", "active", "suspended", "ended", "lapsed"]
PermissionCode: TypeAlias = Literal["rooms.view", "rooms.modify", "rooms.reset_key", "rooms.download_key", "rooms.unenroll", "groups.create", "groups.view", "groups.modify", "rings.create", "rings.view", "rings.modify", "reports.view", "tickets.create_incident", "tickets.view", "tickets.update", "settings.view", "settings.modify", "roles.view", "roles.modify"]
ReportedSeverity: TypeAlias = Literal["important", "warning", "recommendation"]
RingItemKeyEnum: TypeAlias = Literal["staging", "general", "executive"]
RoleSchemaKeyEnum: TypeAlias = Literal["mmr_admin", "site_lead", "site_tech", "partner_admin"]
RolloutItemStateEnum: TypeAlias = Literal["scheduled", "in_progress", "paused", "completed", "completed_with_failures", "deprecated", "not_required"]
RoomHealth: TypeAlias = Literal["unmonitored", "healthy", "unhealthy"]
RoomState: TypeAlias = Literal["onboarding", "enrolled", "suppressed", "unenrolled"]
RoomUpdateItemStateEnum: TypeAlias = Literal["waiting", "offered", "paused", "done", "failed", "ended"]
ScopeEnum: TypeAlias = Literal["room", "tenant", "rooms-in-object"]
Severity: TypeAlias = Literal["critical", "important", "warning", "recommendation"]
SignalCategoryEnum: TypeAlias = Literal["audio", "display", "peripherals", "connectivity", "versioning"]
StateCountStateEnum: TypeAlias = Literal["enrolled", "suppressed"]
TicketKind: TypeAlias = Literal["customer", "system"]
TicketState: TypeAlias = Literal["needs_action", "investigating", "resolved", "closed"]
TypeEnum: TypeAlias = Literal["invitation", "relationship", "assignment", "ticket", "approval", "webhook"]
ViewEnum: TypeAlias = Literal["rooms", "tickets", "approvals", "expiring"]
WebhookEvent: TypeAlias = Literal["invitation.sent", "invitation.resent", "invitation.accepted", "invitation.denied", "invitation.expired", "invitation.revoked", "relationship.linked", "relationship.suspended", "relationship.resumed", "relationship.ended", "relationship.lapsed", "scope.changed", "ticket.opened", "ticket.updated", "ticket.closed", "ticket.reopened", "approval.requested", "approval.executed", "approval.failed", "approval.rejected", "approval.withdrawn", "approval.expired", "approval.cancelled"]
WebhookOffReason: TypeAlias = Literal["person", "failing", "gone", "restore"]


class AcceptBodyRequest(TypedDict):
    """What accepting takes beyond saying so, where it takes anything."""

    secret: NotRequired[str]
    """While your organisation is unknown here: the last part of the link in the invitation mail."""
    admins: NotRequired[list[str]]
    """Invited by domain: UPNs of your people who become primary admins, at least one."""


class AcceptanceItem(TypedDict):
    """Who agreed to a version for the organisation."""

    version: int
    sha256: str
    accepted_by: str
    accepted_at: str


class AccessItem(TypedDict):
    """What somebody may do, and why."""

    person: AccessPerson
    reasons: list[ReasonItem]


class AccessItemPage(TypedDict):
    """A page of AccessItem items."""

    items: list[AccessItem]
    next: str | None
    """The page after this one; null on the last one."""
    previous: str | None
    """The page before this one; null on the first one."""


class AccessPerson(TypedDict):
    """A person."""

    id: int
    upn: str
    name: str


class ActivityItem(TypedDict):
    """One line of what happened to a room."""

    id: int
    at: str
    kind: ActivityItemKindEnum
    by: str | None
    """UPN; empty for the portal itself, null for somebody of another organisation than yours."""
    detail: dict[str, Any]
    """Plain values, as far as you may know them."""


class ActivityItemPage(TypedDict):
    """A page of ActivityItem items."""

    items: list[ActivityItem]
    next: str | None
    """The page after this one; null on the last one."""
    previous: str | None
    """The page before this one; null on the first one."""


class AdminSchema(TypedDict):
    """A primary admin."""

    name: str
    upn: str


class AgreeBodyRequest(TypedDict):
    """Agreeing to the version that was read, and to no other."""

    version: int
    agrees: bool


class AgreedTerms(TypedDict):
    """Which terms were agreed to, by whom, when."""

    version: int
    sha256: str
    accepted_by: str
    accepted_at: str


class AgreementBodyRequest(TypedDict):
    """That the terms of this version were read, and are agreed to."""

    version: int
    agrees: bool


class ApprovalDetail(TypedDict):
    """All about one request."""

    id: str
    state: ApprovalState
    event: ControlledEvent
    action: str
    """What of the event, e.g. `modify`."""
    object: str | None
    """What it is about; null once it has left your scope."""
    partner: str
    """What the customer calls the partner."""
    requested_by: str
    requested_at: str
    expires_at: str
    decided_at: str | None
    justification: str
    changes: list[ObjectChange]
    """Empty once it has left your scope."""
    decided_by: str
    comment: str
    failure_code: str
    """Why an approved change could not be done."""


class ApprovalItem(TypedDict):
    """A request as lists show it."""

    id: str
    state: ApprovalState
    event: ControlledEvent
    action: str
    """What of the event, e.g. `modify`."""
    object: str | None
    """What it is about; null once it has left your scope."""
    partner: str
    """What the customer calls the partner."""
    requested_by: str
    requested_at: str
    expires_at: str
    decided_at: str | None


class ApprovalItemPage(TypedDict):
    """A page of ApprovalItem items."""

    items: list[ApprovalItem]
    next: str | None
    """The page after this one; null on the last one."""
    previous: str | None
    """The page before this one; null on the first one."""


class ApprovalOfCustomer(TypedDict):
    """A request as lists show it, and who decides it."""

    id: str
    state: ApprovalState
    event: ControlledEvent
    action: str
    """What of the event, e.g. `modify`."""
    object: str | None
    """What it is about; null once it has left your scope."""
    partner: str
    """What the customer calls the partner."""
    requested_by: str
    requested_at: str
    expires_at: str
    decided_at: str | None
    customer: Named


class ApprovalOfCustomerPage(TypedDict):
    """A page of ApprovalOfCustomer items."""

    items: list[ApprovalOfCustomer]
    next: str | None
    """The page after this one; null on the last one."""
    previous: str | None
    """The page before this one; null on the first one."""
    left_out: list[Named]
    """Customers whose items are missing: they ask their partners for more than you have shown (`step_up_required`)."""


class AssignablePeople(TypedDict):
    """Whom you may assign the ticket to."""

    items: list[AssignablePerson]


class AssignablePerson(TypedDict):
    """Somebody a ticket can be assigned to."""

    id: int
    upn: str
    name: str
    organisation: str


class Assigned(TypedDict):
    """A role you hold."""

    role: str
    assignment: str
    valid_until: str | None


class AssigneeRequest(TypedDict):
    """The id of a person, or null for nobody."""

    person: int | None


class AssignmentDetail(TypedDict):
    """An assignment with its scope."""

    id: int
    role: int
    key: str
    name: str
    description: str
    sends_email: bool
    valid_from: str | None
    valid_until: str | None
    version: int
    scope: ScopeItem


class AssignmentItem(TypedDict):
    """An assignment; `key` is empty but for the portal’s own."""

    id: int
    role: int
    key: str
    name: str
    description: str
    sends_email: bool
    valid_from: str | None
    valid_until: str | None
    version: int


class AssignmentItemPage(TypedDict):
    """A page of AssignmentItem items."""

    items: list[AssignmentItem]
    next: str | None
    """The page after this one; null on the last one."""
    previous: str | None
    """The page before this one; null on the first one."""


class AssignmentScopeBodyRequest(TypedDict):
    """All rooms, or single rooms and whole groups (ids)."""

    all_rooms: NotRequired[bool]
    rooms: NotRequired[list[int]]
    groups: NotRequired[list[int]]


class AttachmentItem(TypedDict):
    """A file of a ticket."""

    id: str
    file_name: str
    content_type: str
    size: int
    """Bytes."""
    sha256: str


class AuditEntry(TypedDict):
    """A line of the log."""

    id: int
    at: str
    category: AuditCategory
    operation: AuditOperation
    object: str
    result: AuditResult
    code: str
    """Which problem, of a failure."""
    user: str
    """UPN; `system` for the portal itself."""
    user_tenant: str | None
    partner: str | None
    """The partner that it is about, or that did it."""
    approver: str
    """Who approved it, if a partner had to ask first."""
    request_id: str
    ip: str | None
    before: dict[str, Any] | None
    """Plain values that were there before."""
    after: dict[str, Any] | None
    """Plain values that are there afterwards."""


class AuditEntryPage(TypedDict):
    """A page of AuditEntry items."""

    items: list[AuditEntry]
    next: str | None
    """The page after this one; null on the last one."""
    previous: str | None
    """The page before this one; null on the first one."""


class BulkAnswer(TypedDict):
    """What became of each room, in the order they were named, each once."""

    items: list[BulkItem]


class BulkItem(TypedDict):
    """What became of one room."""

    room: int
    outcome: OutcomeEnum
    code: str
    """Why it was refused; one of docs/problems.md."""
    detail: str
    """The same for people."""


class BulkRequest(TypedDict):
    """What is to be done to which rooms."""

    rooms: list[int]
    action: BulkActionEnum
    changes: NotRequired[SharedChangesRequest]
    """For `edit`."""
    add_tags: NotRequired[list[str]]
    remove_tags: NotRequired[list[str]]
    until: NotRequired[str | None]
    """For `suppress`."""
    reason: NotRequired[str]
    group: NotRequired[int]
    """For `group`: its id."""
    ring: NotRequired[int]
    """For `ring`: its id."""


class CategoryCount(TypedDict):
    """Tickets of a category that were opened."""

    category: CategoryCountCategoryEnum
    opened: int


class CellSchema(TypedDict):
    """One cell: whether the role holds the permission in this installation, and which article says so."""

    granted: bool
    source: Article


class CellsSchema(TypedDict):
    """The four built-in roles."""

    mmr_admin: CellSchema
    site_lead: CellSchema
    site_tech: CellSchema
    partner_admin: CellSchema


class ChoiceBodyRequest(TypedDict):
    """Who is to be told of an event."""

    to_admins: bool
    addresses: NotRequired[list[str]]


class ChoiceItem(TypedDict):
    """Who is told of one event."""

    event: NotificationEvent
    to_admins: bool
    addresses: list[str]


class ClosingRequest(TypedDict):
    """Why it is over."""

    reason: ClosingReason
    note: NotRequired[str]


class ColleagueBodyRequest(TypedDict):
    """Somebody of your own organisation."""

    name: NotRequired[str]
    upn: str


class Colleagues(TypedDict):
    """What became of whom."""

    primary_admins: list[AdminSchema]
    """All of them, as of now."""
    invited: list[str]
    """UPNs that were sent an invitation."""


class ColleaguesBodyRequest(TypedDict):
    """People of your own organisation who are to be primary admins."""

    people: list[ColleagueBodyRequest]
    days: NotRequired[int]


class ConditionsBodyRequest(TypedDict):
    """What is to be asked for together; what is left out is not asked for."""

    mfa: NotRequired[bool]
    max_age: NotRequired[int | None]
    networks: NotRequired[list[str]]


class ConditionsItem(TypedDict):
    """What is asked for together; nothing, if all of it is empty."""

    mfa: bool
    """A sign-in with a second factor."""
    max_age: int | None
    """How old the sign-in may be, in minutes."""
    networks: list[str]
    """The only ones, if there are any."""


class ContactBodyRequest(TypedDict):
    """A person to invite."""

    name: str
    upn: str
    """User principal name; never a group."""
    delivery_address: NotRequired[str]
    """Where the mail goes, if not to the UPN."""


class Customer(TypedDict):
    """A customer one can work in."""

    id: str
    name: str
    is_home: bool
    """Whether it is your own organisation."""
    time_zone: str
    relationship: Relationship | None
    """Null for your own organisation."""


class CustomerDetail(TypedDict):
    """A customer, and how far you hold each permission there."""

    id: str
    name: str
    is_home: bool
    """Whether it is your own organisation."""
    time_zone: str
    relationship: RelationshipDetail | None
    """Null for your own organisation."""
    permissions: dict[str, Literal["everywhere", "in_scope", "nowhere"]]


class CustomerFates(TypedDict):
    """What became of what was named of one customer, in its order, each once."""

    customer: str
    items: list[TargetFate]


class CustomerPage(TypedDict):
    """A page of Customer items."""

    items: list[Customer]
    next: str | None
    """The page after this one; null on the last one."""
    previous: str | None
    """The page before this one; null on the first one."""


class CustomerTermsItem(TypedDict):
    """The newest terms, whether they wait for agreement, and what was agreed to."""

    version: int
    text: str
    """In the language of the request."""
    sha256: str
    published_at: str
    is_waiting: bool
    """Whether changes of a partner wait for your agreement."""
    acceptances: list[AcceptanceItem]


class CustomersRoomsRequest(TypedDict):
    """Rooms of one customer."""

    customer: str
    rooms: list[int]
    ring: NotRequired[int]
    """For `ring`: the id of one of its rings."""


class CustomersTicketsRequest(TypedDict):
    """Tickets of one customer."""

    customer: str
    tickets: list[int]


class DecisionRequest(TypedDict):
    """What the customer decides."""

    decision: DecisionEnum
    comment: NotRequired[str]


class DeliveryItem(TypedDict):
    """An event and what has become of it."""

    id: str
    """Of the event; the same at every attempt, and in `webhook-id`."""
    type: str
    object: DeliveryObject
    state: DeliveryState
    created_at: str
    attempts: int
    tried_at: str | None
    next_at: str | None
    """When it is tried next; null once it is settled."""
    settled_at: str | None
    status: int | None
    """The receiver’s last answer; null without any."""
    error: ErrorEnum | BlankEnum


class DeliveryItemPage(TypedDict):
    """A page of DeliveryItem items."""

    items: list[DeliveryItem]
    next: str | None
    """The page after this one; null on the last one."""
    previous: str | None
    """The page before this one; null on the first one."""


class DeliveryObject(TypedDict):
    """What the event is about."""

    type: TypeEnum
    id: str


class DomainBodyRequest(TypedDict):
    """A domain to be entered."""

    domain: str


class DomainItem(TypedDict):
    """A domain; it counts once it is verified."""

    id: int
    domain: str
    verified_at: str | None


class EffectiveSchema(TypedDict):
    """What the caller effectively holds in one customer, by the code of the permission."""

    customer: Named
    permissions: dict[str, Literal["everywhere", "in_scope", "nowhere"]]


class EntryItem(TypedDict):
    """A line of a ticket's history: what, when, by whom. `detail` depends on `kind`."""

    id: int
    kind: EntryItemKindEnum
    at: str
    by: str
    """UPN; “system” for the portal itself."""
    organisation: str
    text: str
    detail: dict[str, Any]
    attachment: AttachmentItem | None


class EntryItemPage(TypedDict):
    """A page of EntryItem items."""

    items: list[EntryItem]
    next: str | None
    """The page after this one; null on the last one."""
    previous: str | None
    """The page before this one; null on the first one."""


class ExpiryItem(TypedDict):
    """Something that ends, and of which customer."""

    kind: ExpiryItemKindEnum
    key: str
    """Its id; of a token the beginning by which it is listed."""
    customer: Named
    name: str | None
    """Null once it has left your scope."""
    ends_at: str


class ExpiryItemPage(TypedDict):
    """A page of ExpiryItem items."""

    items: list[ExpiryItem]
    next: str | None
    """The page after this one; null on the last one."""
    previous: str | None
    """The page before this one; null on the first one."""
    left_out: list[Named]
    """Customers whose items are missing: they ask their partners for more than you have shown (`step_up_required`)."""


class FilterItem(TypedDict):
    """A filter you keep; `query` is what follows the “?” in the address of the list."""

    id: int
    name: str
    query: str
    """As it stands in the address of the list."""
    is_default: bool
    """The list opens with it."""


class FilterItemPage(TypedDict):
    """A page of FilterItem items."""

    items: list[FilterItem]
    next: str | None
    """The page after this one; null on the last one."""
    previous: str | None
    """The page before this one; null on the first one."""


class FilterOfView(TypedDict):
    """A filter you keep of a list over all customers."""

    id: int
    view: ViewEnum
    name: str
    query: str
    """As it stands in the address of the list."""
    is_default: bool
    """The list opens with it."""


class FilterOfViewPage(TypedDict):
    """A page of FilterOfView items."""

    items: list[FilterOfView]
    next: str | None
    """The page after this one; null on the last one."""
    previous: str | None
    """The page before this one; null on the first one."""


class ForcedRequest(TypedDict):
    """Ids of rooms; without any, all for which you may do it."""

    rooms: NotRequired[list[int]]


class GeneralItem(TypedDict):
    """What the portal knows of the organisation."""

    name: str
    language: LanguageEnum
    time_zone: str
    entra_tid: str | None
    domains: list[DomainItem]


class GroupItem(TypedDict):
    """A room group; `room_total` counts the rooms in it that you may see."""

    id: int
    name: str
    description: str
    is_default: bool
    room_total: int


class GroupItemPage(TypedDict):
    """A page of GroupItem items."""

    items: list[GroupItem]
    next: str | None
    """The page after this one; null on the last one."""
    previous: str | None
    """The page before this one; null on the first one."""


class GroupName(TypedDict):
    """A room group or an update ring."""

    id: int
    name: str


class HealthDay(TypedDict):
    """How many rooms were so on a day of their own calendars; the last day is not over yet."""

    day: str
    healthy: int
    unhealthy: int
    """More than 20 minutes of trouble between 05:00 and 21:00."""
    unmonitored: int


class ImportItem(TypedDict):
    """An inventory on its way in; before it is confirmed the numbers say what would be done, afterwards what was."""

    id: str
    file_name: str
    state: ImportItemStateEnum
    failure: str
    """Why it failed as a whole."""
    created_at: str
    rows: int
    rows_done: int
    created: int
    changed: int
    unchanged: int
    refused: int
    refused_rows: list[RefusedRow]
    """The first 200."""


class InvitationItem(TypedDict):
    """An invitation as the customer sees it."""

    id: str
    name: str
    upn: str
    """Empty for an invitation by domain."""
    domain: str
    """Empty for an invitation of a person."""
    by_partner: bool
    """Whether a primary admin of the partner sent it."""
    delivery_address: str
    state: InvitationState
    invited_by: str
    created_at: str
    expires_at: str
    decided_at: str | None


class InvitationItemPage(TypedDict):
    """A page of InvitationItem items."""

    items: list[InvitationItem]
    next: str | None
    """The page after this one; null on the last one."""
    previous: str | None
    """The page before this one; null on the first one."""


class InviteBodyRequest(TypedDict):
    """People to invite to a partner that exists."""

    contacts: list[ContactBodyRequest]
    days: NotRequired[int]


class KeyItem(TypedDict):
    """A version of the key, without its secret. The one whose `stops_at` is null is the current one."""

    version: int
    fingerprint: str
    created_at: str
    created_by: str
    stops_at: str | None


class KeyItemPage(TypedDict):
    """A page of KeyItem items."""

    items: list[KeyItem]
    next: str | None
    """The page after this one; null on the last one."""
    previous: str | None
    """The page before this one; null on the first one."""


class KeyResetRequest(TypedDict):
    """For how long earlier keys go on enrolling."""

    grace_hours: NotRequired[int]


class KeySecret(TypedDict):
    """The key itself."""

    version: int
    fingerprint: str
    key: str


class LookItem(TypedDict):
    """How mails look; empty: the portal's own look."""

    sender_name: str
    accent: str
    """#rrggbb"""
    footer: str


class ManagerBodyRequest(TypedDict):
    """A person of the organisation."""

    upn: str


class ManagerItem(TypedDict):
    """A tenant manager."""

    id: int
    name: str
    upn: str
    is_active: bool
    appointed_by: str
    created_at: str


class ManagerItemPage(TypedDict):
    """A page of ManagerItem items."""

    items: list[ManagerItem]
    next: str | None
    """The page after this one; null on the last one."""
    previous: str | None
    """The page before this one; null on the first one."""


class ManyAnswer(TypedDict):
    """What became of each, customer by customer."""

    items: list[CustomerFates]


class ManyRoomsRequest(TypedDict):
    """What is to be done to which rooms of which customers."""

    customers: list[CustomersRoomsRequest]
    action: ManyRoomsActionEnum
    changes: NotRequired[SharedChangesRequest]
    """For `edit`."""
    add_tags: NotRequired[list[str]]
    remove_tags: NotRequired[list[str]]
    until: NotRequired[str | None]
    """For `suppress`."""
    reason: NotRequired[str]


class ManyTicketsRequest(TypedDict):
    """What is to be done to which tickets of which customers."""

    customers: list[CustomersTicketsRequest]
    action: ManyTicketsActionEnum
    state: NotRequired[OpenTicketState]
    text: NotRequired[str]
    """For `write`."""
    closing_reason: NotRequired[ClosingReason]
    note: NotRequired[str]
    """For `close`."""


class Me(TypedDict):
    """Who you are."""

    upn: str
    name: str
    home: Named | None
    """Your own organisation; null for support staff."""
    token: TokenName | None
    """Null if you are signed in yourself."""
    customers: list[Named]
    """The first 200 you can work in, your own organisation first."""
    customers_url: str
    """All of them."""


class MemberItem(TypedDict):
    """A person by UPN, a security group by id and name, or somebody who has not signed in yet (`claim`)."""

    kind: MemberItemKindEnum
    upn: NotRequired[str]
    id: NotRequired[int]
    name: NotRequired[str]


class Members(TypedDict):
    """All members; of a group of another organisation only its name."""

    items: list[MemberItem]


class MembersInAndOutRequest(TypedDict):
    """Members to add and to remove: people by UPN, security groups by id."""

    add: NotRequired[list[str]]
    remove: NotRequired[list[str]]
    add_groups: NotRequired[list[int]]
    remove_groups: NotRequired[list[int]]


class MyInvitation(TypedDict):
    """An invitation addressed to you."""

    id: str
    customer: Named
    domain: str
    """The domain you answer for as tenant manager; empty if you are invited."""
    state: InvitationState
    invited_by: str
    created_at: str
    expires_at: str
    decided_at: str | None
    may_undo: bool
    """Whether a denial can still be taken back."""


class MyInvitationDetail(TypedDict):
    """An invitation addressed to you, and what accepting it takes and gives."""

    id: str
    customer: Named
    domain: str
    """The domain you answer for as tenant manager; empty if you are invited."""
    state: InvitationState
    invited_by: str
    created_at: str
    expires_at: str
    decided_at: str | None
    may_undo: bool
    """Whether a denial can still be taken back."""
    needs_link: bool
    """Whether accepting takes the secret of the mail."""
    all_rooms: bool
    room_count: int
    """The rooms you would manage."""
    permissions: list[PermissionCode]


class MyInvitationPage(TypedDict):
    """A page of MyInvitation items."""

    items: list[MyInvitation]
    next: str | None
    """The page after this one; null on the last one."""
    previous: str | None
    """The page before this one; null on the first one."""


class Named(TypedDict):
    """A tenant."""

    id: str
    name: str


class NamedRow(TypedDict):
    """A role or an assignment by its name."""

    id: int
    name: str


class NewAssignmentRequest(TypedDict):
    """An assignment to be made; members by UPN and by the id of a security group of your own organisation."""

    name: str
    description: NotRequired[str]
    members: NotRequired[list[str]]
    groups: NotRequired[list[int]]
    scope: AssignmentScopeBodyRequest
    sends_email: NotRequired[bool]
    valid_from: NotRequired[str | None]
    valid_until: NotRequired[str | None]


class NewAttachmentRequest(TypedDict):
    """A file of a closed list of types (PNG, JPEG, GIF, WebP, PDF, TXT, LOG, CSV, JSON, ZIP), with a message if you
    like.
    """

    file: str
    text: NotRequired[str]


class NewFilterOfViewRequest(TypedDict):
    """A filter to keep, and of which list."""

    name: str
    query: str
    is_default: NotRequired[bool]
    view: ViewEnum


class NewFilterRequest(TypedDict):
    """A filter to keep."""

    name: str
    query: str
    is_default: NotRequired[bool]


class NewGroupRequest(TypedDict):
    """A group to be made, with the rooms it begins with."""

    name: str
    description: NotRequired[str]
    rooms: NotRequired[list[int]]


class NewImportRequest(TypedDict):
    """An inventory as Exchange (`Get-Place`, CSV) or Microsoft Graph (`places`, JSON) writes it."""

    file: str


class NewIncidentRequest(TypedDict):
    """What is wrong, in which rooms. High impact needs a justification and makes it critical."""

    title: str
    description: NotRequired[str]
    rooms: list[int]
    severity: NotRequired[ReportedSeverity]
    is_high_impact: NotRequired[bool]
    justification: NotRequired[str]


class NewMessageRequest(TypedDict):
    """What is to be said."""

    text: str


class NewRingRequest(TypedDict):
    """A ring to be made; it is the last in order."""

    name: str
    description: NotRequired[str]
    test_days: NotRequired[int]
    """Days after the rollout before the next ring begins."""
    rollout_days: NotRequired[int]
    """Days over which the rooms are spread."""


class NewRoleRequest(TypedDict):
    """A custom role to be made, with its first assignment if you like."""

    name: str
    description: NotRequired[str]
    permissions: list[PermissionCode]
    assignment: NotRequired[NewAssignmentRequest]


class NewStateRequest(TypedDict):
    """The state it is to be in; a closed ticket is reopened by `needs_action`."""

    state: OpenTicketState


class NewToken(TypedDict):
    """The only answer that holds the secret. Nobody can read it again."""

    prefix: str
    name: str
    scopes: list[DelegablePermissionCode]
    created_at: str
    expires_at: str | None
    last_used_at: str | None
    """To the minute."""
    revoked_at: str | None
    token: str


class NewWebhook(TypedDict):
    """A webhook with its secret, which is shown this once."""

    id: str
    url: str
    events: list[WebhookEvent]
    description: str
    on: bool
    off_reason: WebhookOffReason | NullEnum
    version: int
    created_at: str
    created_by: str
    rotated_at: str
    """Since when the secret signs."""
    failing_since: str | None
    """Since when nothing arrives; null if it does."""
    secret: str


class NextUpdate(TypedDict):
    """The update that is coming, or under way."""

    version: str
    state: NextUpdateStateEnum
    starts_at: str


class NotificationList(TypedDict):
    """Every event."""

    items: list[ChoiceItem]


class ObjectChange(TypedDict):
    """What would change of one object, or was changed."""

    category: str
    object: str
    before: Any | None
    after: Any | None


class PartnerBodyRequest(TypedDict):
    """Everything that *Add partner* asks for: people, or the domain of an organisation that is known here."""

    contacts: NotRequired[list[ContactBodyRequest]]
    domain: NotRequired[str]
    """Instead of `contacts`: its tenant managers answer, and name the primary admins."""
    days: NotRequired[int]
    label: NotRequired[str]
    expected_tid: NotRequired[str | None]
    """If given, only this Entra tenant can accept."""
    change_control: NotRequired[dict[str, Literal["auto", "manual"]]]
    """How changes of the partner are handled, `auto` where nothing is said: rooms.modify, rings.modify,
    tickets.create_incident, tickets.update, roles.modify.
    """
    valid_until: NotRequired[str | None]
    """When the relationship ends by itself; null: never. In the future, at most ten years from now."""
    scope: ScopeBodyRequest
    terms: AgreementBodyRequest


class PartnerDetail(TypedDict):
    """All about one partner."""

    id: str
    label: str
    state: PartnerState
    partner: PartnerTenant | None
    created_at: str
    linked_at: str | None
    ended_at: str | None
    valid_until: str | None
    """When it ends by itself; access ends with that second, though `state` may follow a little later."""
    needs_primary_admin: bool
    all_rooms: bool
    room_count: int | None
    """Null once the relationship has ended."""
    primary_admin_count: int
    open_invitation_count: int
    expected_tid: str | None
    scope: ScopeSchema | None
    """Null once the relationship has ended."""
    change_control: dict[str, Literal["auto", "manual"]]
    primary_admins: list[AdminSchema]
    terms: AgreedTerms


class PartnerItem(TypedDict):
    """A partner as lists show it."""

    id: str
    label: str
    state: PartnerState
    partner: Named | None
    created_at: str
    linked_at: str | None
    ended_at: str | None
    valid_until: str | None
    """When it ends by itself; access ends with that second, though `state` may follow a little later."""
    needs_primary_admin: bool
    all_rooms: bool
    room_count: int | None
    """Null once the relationship has ended."""
    primary_admin_count: int
    open_invitation_count: int


class PartnerItemPage(TypedDict):
    """A page of PartnerItem items."""

    items: list[PartnerItem]
    next: str | None
    """The page after this one; null on the last one."""
    previous: str | None
    """The page before this one; null on the first one."""


class PartnerTenant(TypedDict):
    """The partner's organisation, once somebody has accepted."""

    id: str
    name: str
    domains: list[str]
    """Verified by support staff."""


class PatchedAssignmentChangesRequest(TypedDict):
    """What is to be changed; fields that are left out stay as they are, `null` takes a date away."""

    name: NotRequired[str]
    description: NotRequired[str]
    sends_email: NotRequired[bool]
    valid_from: NotRequired[str | None]
    valid_until: NotRequired[str | None]


class PatchedFilterChangesRequest(TypedDict):
    """What is to be changed; fields that are left out stay as they are."""

    name: NotRequired[str]
    is_default: NotRequired[bool]


class PatchedGeneralBodyRequest(TypedDict):
    """What is to be changed; fields that are left out stay as they are."""

    name: NotRequired[str]
    language: NotRequired[LanguageEnum]
    time_zone: NotRequired[str]


class PatchedGroupChangesRequest(TypedDict):
    """What is to be changed; fields that are left out stay as they are."""

    name: NotRequired[str]
    description: NotRequired[str]


class PatchedLookBodyRequest(TypedDict):
    """What is to be changed; fields that are left out stay as they are."""

    sender_name: NotRequired[str]
    accent: NotRequired[str]
    footer: NotRequired[str]


class PatchedNotificationBodyRequest(TypedDict):
    """By event; events that are left out stay as they are."""

    events: NotRequired[dict[str, ChoiceBodyRequest]]


class PatchedPartnerChangesRequest(TypedDict):
    """What is to be changed; fields and events that are left out stay as they are."""

    label: NotRequired[str]
    change_control: NotRequired[dict[str, Literal["auto", "manual"]]]
    """How later changes of the partner are handled: rooms.modify, rings.modify, tickets.create_incident,
    tickets.update, roles.modify.
    """
    valid_until: NotRequired[str | None]
    """When the relationship ends by itself; null: never. In the future, at most ten years from now."""


class PatchedPolicyBodyRequest(TypedDict):
    """The parts that are to be replaced; a part that is left out stays as it is."""

    always: NotRequired[ConditionsBodyRequest]
    step_up: NotRequired[StepUpBodyRequest]


class PatchedRingChangesRequest(TypedDict):
    """What is to be changed; fields that are left out stay as they are."""

    name: NotRequired[str]
    description: NotRequired[str]
    test_days: NotRequired[int]
    rollout_days: NotRequired[int]
    order: NotRequired[int]
    """Its place; the others make room."""
    is_default: NotRequired[bool]
    """New rooms come into it; only `true` can be set."""


class PatchedRoleChangesRequest(TypedDict):
    """What is to be changed; fields that are left out stay as they are."""

    name: NotRequired[str]
    description: NotRequired[str]
    permissions: NotRequired[list[PermissionCode]]


class PatchedRoomChangesRequest(TypedDict):
    """What is to be changed; fields that are left out stay as they are. What fits is said by the service."""

    display_name: NotRequired[str]
    country: NotRequired[str]
    """Two-letter country code."""
    region: NotRequired[str]
    city: NotRequired[str]
    street: NotRequired[str]
    postal_code: NotRequired[str]
    campus: NotRequired[str]
    building: NotRequired[str]
    floor: NotRequired[int | None]
    floor_label: NotRequired[str]
    label: NotRequired[str]
    capacity: NotRequired[int | None]
    latitude: NotRequired[str | None]
    longitude: NotRequired[str | None]
    time_zone: NotRequired[str]
    phone: NotRequired[str]
    is_wheelchair_accessible: NotRequired[bool]
    tags: NotRequired[list[str]]
    audio_device: NotRequired[str]
    video_device: NotRequired[str]
    display_device: NotRequired[str]


class PatchedSecurityGroupNameRequest(TypedDict):
    """What it is called."""

    name: NotRequired[str]


class PatchedWebhookChangesRequest(TypedDict):
    """What is to be changed; fields that are left out stay as they are."""

    url: NotRequired[str]
    events: NotRequired[list[WebhookEvent]]
    description: NotRequired[str]
    on: NotRequired[bool]
    """Turn it on or off; alone, without other fields."""


class PeopleInAndOutRequest(TypedDict):
    """UPNs of people who have an account, to put in and to take out."""

    add: NotRequired[list[str]]
    remove: NotRequired[list[str]]


class PermissionTableSchema(TypedDict):
    """Table 1 and the caller's own answers."""

    site_lead_profile: Article
    roles: list[RoleSchema]
    rows: list[RowSchema]
    effective: list[EffectiveSchema]


class PersonItem(TypedDict):
    """Somebody of your organisation."""

    id: int
    upn: str
    name: str
    is_active: bool


class PersonItemPage(TypedDict):
    """A page of PersonItem items."""

    items: list[PersonItem]
    next: str | None
    """The page after this one; null on the last one."""
    previous: str | None
    """The page before this one; null on the first one."""


class PolicyBodyRequest(TypedDict):
    """The parts that are to be replaced; a part that is left out stays as it is."""

    always: NotRequired[ConditionsBodyRequest]
    step_up: NotRequired[StepUpBodyRequest]


class PolicyItem(TypedDict):
    """What a customer asks of the people of all its partners."""

    always: ConditionsItem
    step_up: StepUpItem


class PreviewItem(TypedDict):
    """How many people work here for partners, and those whom the policy would stop (the first 200)."""

    total: int
    stopped: list[StoppedItem]


class Problem(TypedDict):
    """Problem details (RFC 9457). `code` is stable; `detail` is for people, in the language of the request."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: NotRequired[list[ProblemDetail]]
    customer: NotRequired[str]
    """Who asks its partners for more."""
    event: NotRequired[str | None]
    """For which permission it is asked; null: for any access."""
    missing: NotRequired[list[AccessCondition]]
    """What is asked for."""
    sign_in_url: NotRequired[str]
    """Where a person shows it."""


class ProblemDetail(TypedDict):
    """What is wrong at one place of the request."""

    pointer: NotRequired[str]
    """Where in the body (JSON pointer)."""
    parameter: NotRequired[str]
    """Which query parameter."""
    code: str
    detail: str


class ProfilesSchema(TypedDict):
    """What either article says of Site Lead."""

    table1: bool
    rbac: bool


class RankedRoom(TypedDict):
    """How reliable a room was."""

    id: int
    display_name: str
    watched_days: int
    unhealthy_days: int
    reliability_percent: float


class ReasonItem(TypedDict):
    """One assignment through which something is held, and how: membership and scope."""

    permissions: list[PermissionCode]
    role: NamedRow
    assignment: NamedRow
    is_direct: bool
    """A member directly."""
    groups: list[str]
    """A member by these security groups."""
    all_rooms: bool
    """For a partner: all that are delegated."""
    is_single: bool
    """The scope names the room itself (of a person: single rooms)."""
    room_groups: list[str]
    """The scope names these room groups."""
    valid_from: str | None
    valid_until: str | None


class RefusedRow(TypedDict):
    """A row that is left out, and why."""

    row: int
    account: str
    reasons: list[str]


class Relationship(TypedDict):
    """What your organisation and the customer have agreed on, and how much of it you see."""

    state: CustomerState
    linked_at: str
    valid_until: str | None
    """When the relationship ends by itself."""
    access_until: str | None
    """When your own access ends by itself."""
    needs_primary_admin: bool
    room_count: int | None
    """Rooms in your scope; null if you see none."""
    open_ticket_count: int | None
    """Null if you see no tickets there."""
    missing: list[AccessCondition]
    """What the customer asks for that you have not shown; nothing opens until you have (`step_up_required`)."""


class RelationshipDetail(TypedDict):
    """All about the relationship that your organisation may see."""

    state: CustomerState
    linked_at: str
    valid_until: str | None
    """When the relationship ends by itself."""
    access_until: str | None
    """When your own access ends by itself."""
    needs_primary_admin: bool
    room_count: int | None
    """Rooms in your scope; null if you see none."""
    open_ticket_count: int | None
    """Null if you see no tickets there."""
    missing: list[AccessCondition]
    """What the customer asks for that you have not shown; nothing opens until you have (`step_up_required`)."""
    assignments: list[Assigned]
    """What you hold your permissions through."""
    primary_admins: list[AdminSchema]
    change_control: dict[str, Literal["auto", "manual"]]
    """What the customer wants to approve first: rooms.modify, rings.modify, tickets.create_incident, tickets.update,
    roles.modify.
    """
    terms: RelationshipTerms


class RelationshipTerms(TypedDict):
    """The version of the terms that the relationship rests on."""

    version: int
    sha256: str
    accepted_at: str


class Report(TypedDict):
    """The figures of reports, over the rooms on which you hold `reports.view`."""

    days: int
    first: str | None
    last: str | None
    """The last complete day."""
    as_of: str | None
    """When the figures were added up; null: not yet."""
    rooms: int
    sums: ReportSums
    states: list[StateCount]
    health: list[HealthDay]
    tickets: list[TicketDay]
    categories: list[CategoryCount]
    most_reliable: list[RankedRoom]
    least_reliable: list[RankedRoom]


class ReportSums(TypedDict):
    """What the complete days of the period add up to, over all rooms that you may see."""

    watched_days: int
    unhealthy_days: int
    reliability_percent: float | None
    used_days: int
    """Days of which devices reported use."""
    booked_hours: float
    usage_percent: float | None
    """Booked hours / (used days × 8 h)."""
    calls: int
    poor_calls: int
    poor_calls_percent: float | None


class RingItem(TypedDict):
    """An update ring; `room_total` counts the rooms in it that you may see."""

    id: int
    key: RingItemKeyEnum | BlankEnum
    name: str
    description: str
    order: int
    is_default: bool
    """New rooms come into it."""
    test_days: int
    """Days between this ring and the next."""
    rollout_days: int
    """Days."""
    version: int
    """Rises with every change."""
    room_total: int


class RingItemPage(TypedDict):
    """A page of RingItem items."""

    items: list[RingItem]
    next: str | None
    """The page after this one; null on the last one."""
    previous: str | None
    """The page before this one; null on the first one."""


class RoleItem(TypedDict):
    """A role. `key` is empty for a custom one; `owner` is `partner` for a partner’s role for this customer."""

    id: int
    key: str
    name: str
    """Built-in roles in the language of the request."""
    description: str
    owner: OwnerEnum
    partner: str
    """How the customer calls the partner."""
    permissions: list[PermissionCode]
    effective: list[PermissionCode]
    """With what is implied, below a partner’s ceiling."""
    version: int


class RoleItemPage(TypedDict):
    """A page of RoleItem items."""

    items: list[RoleItem]
    next: str | None
    """The page after this one; null on the last one."""
    previous: str | None
    """The page before this one; null on the first one."""


class RoleSchema(TypedDict):
    """A built-in role."""

    key: RoleSchemaKeyEnum
    label: str
    """In the language of the request."""


class RolloutItem(TypedDict):
    """A release in a ring, with the numbers of its rooms that you may see, by their state."""

    id: int
    ring_id: int
    release: str
    """The version of the devices’ app."""
    state: RolloutItemStateEnum
    starts_on: str
    """A Wednesday, by each room’s own calendar."""
    ends_on: str
    """The last day on which rooms begin."""
    state_changed_at: str
    version: int
    rooms: dict[str, int]
    """Numbers by state of the room’s update."""


class RolloutItemPage(TypedDict):
    """A page of RolloutItem items."""

    items: list[RolloutItem]
    next: str | None
    """The page after this one; null on the last one."""
    previous: str | None
    """The page before this one; null on the first one."""


class RoomDetail(TypedDict):
    """All about one room, as far as you may see it."""

    id: int
    display_name: str
    resource_account: str
    state: RoomState
    health: RoomHealth
    country: str
    """Two-letter country code."""
    region: str
    city: str
    building: str
    floor: int | None
    capacity: int | None
    version: int
    """Rises with every change."""
    street: str
    postal_code: str
    campus: str
    floor_label: str
    label: str
    latitude: float | None
    longitude: float | None
    time_zone: str
    phone: str
    is_wheelchair_accessible: bool
    tags: list[str]
    audio_device: str
    video_device: str
    display_device: str
    host_name: str
    serial_number: str
    app_version: str
    os_version: str
    suppressed_until: str | None
    """Empty: until somebody lifts it."""
    last_seen_at: str | None
    created_at: str
    changed_at: str
    ring: GroupName | None
    """Its update ring, with `rings.view`."""
    groups: list[GroupName]
    """The groups it is in that you may see."""
    permissions: list[PermissionCode]
    """What you may do with this room."""


class RoomItem(TypedDict):
    """A room as lists show it."""

    id: int
    display_name: str
    resource_account: str
    state: RoomState
    health: RoomHealth
    country: str
    """Two-letter country code."""
    region: str
    city: str
    building: str
    floor: int | None
    capacity: int | None
    version: int
    """Rises with every change."""


class RoomItemPage(TypedDict):
    """A page of RoomItem items."""

    items: list[RoomItem]
    next: str | None
    """The page after this one; null on the last one."""
    previous: str | None
    """The page before this one; null on the first one."""


class RoomOfCustomer(TypedDict):
    """A room as lists show it, and whose it is."""

    customer: Named
    id: int
    display_name: str
    resource_account: str
    state: RoomState
    health: RoomHealth
    country: str
    """Two-letter country code."""
    region: str
    city: str
    building: str
    floor: int | None
    capacity: int | None
    version: int
    """Rises with every change."""


class RoomOfCustomerPage(TypedDict):
    """A page of RoomOfCustomer items."""

    items: list[RoomOfCustomer]
    next: str | None
    """The page after this one; null on the last one."""
    previous: str | None
    """The page before this one; null on the first one."""
    left_out: list[Named]
    """Customers whose items are missing: they ask their partners for more than you have shown (`step_up_required`)."""


class RoomReport(TypedDict):
    """What the complete days of one room add up to; null where there is none."""

    id: int
    display_name: str
    watched_days: int | None
    unhealthy_days: int | None
    reliability_percent: float | None
    unhealthy_minutes: int | None
    used_days: int | None
    booked_hours: float | None
    usage_percent: float | None
    calls: int | None
    poor_calls: int | None
    poor_calls_percent: float | None


class RoomReportPage(TypedDict):
    """A page of RoomReport items."""

    items: list[RoomReport]
    next: str | None
    """The page after this one; null on the last one."""
    previous: str | None
    """The page before this one; null on the first one."""


class RoomStatus(TypedDict):
    """How a room is, and why."""

    state: RoomState
    suppressed_until: str | None
    health: RoomHealth
    health_since: str | None
    last_seen_at: str | None
    device_enrolled_at: str | None
    high_impact_incident: bool
    """Whether one is open; it makes the room unhealthy."""
    incident: int | None
    """Its number, if you may see it."""
    signals: list[Signal]
    next_update: NextUpdate | None
    """Only with `rings.view`."""


class RoomUpdateItem(TypedDict):
    """How far one room is."""

    id: int
    room_id: int
    room_name: str
    state: RoomUpdateItemStateEnum
    starts_at: str
    """When its night begins, 00:00 by the room's own clock."""
    ends_at: str
    """05:00 of the same night."""
    attempts: int
    failure: str
    forced_by: str
    changed_at: str


class RoomUpdateItemPage(TypedDict):
    """A page of RoomUpdateItem items."""

    items: list[RoomUpdateItem]
    next: str | None
    """The page after this one; null on the last one."""
    previous: str | None
    """The page before this one; null on the first one."""


class RoomsInAndOutRequest(TypedDict):
    """Ids of rooms to put in and to take out."""

    add: NotRequired[list[int]]
    remove: NotRequired[list[int]]


class RoomsToMoveRequest(TypedDict):
    """Ids of rooms that are to be in this ring."""

    rooms: list[int]


class RotationBodyRequest(TypedDict):
    """For how long the secret of today goes on signing beside the new one."""

    grace_hours: NotRequired[int]


class RowSchema(TypedDict):
    """One permission."""

    code: PermissionCode
    feature: str
    """In the language of the request."""
    permission: str
    """In the language of the request."""
    scope: ScopeEnum
    implies: list[PermissionCode]
    cells: CellsSchema
    site_lead_profiles: ProfilesSchema


class ScopeBodyRequest(TypedDict):
    """The rooms to delegate: all of them, or single ones and whole groups."""

    all_rooms: NotRequired[bool]
    rooms: NotRequired[list[int]]
    groups: NotRequired[list[int]]


class ScopeItem(TypedDict):
    """What was chosen, as far as you may see it."""

    all_rooms: bool
    rooms: list[int]
    groups: list[int]


class ScopeSchema(TypedDict):
    """The delegated rooms: all of them, or single ones and whole groups, by id."""

    all_rooms: bool
    rooms: list[int]
    groups: list[int]


class SecurityGroupItem(TypedDict):
    """A security group of your organisation."""

    id: int
    name: str
    people_total: int
    version: int


class SecurityGroupItemPage(TypedDict):
    """A page of SecurityGroupItem items."""

    items: list[SecurityGroupItem]
    next: str | None
    """The page after this one; null on the last one."""
    previous: str | None
    """The page before this one; null on the first one."""


class SecurityGroupNameRequest(TypedDict):
    """What it is called."""

    name: str


class SentInvitations(TypedDict):
    """The invitations that were sent."""

    items: list[InvitationItem]


class SharedChangesRequest(TypedDict):
    """Values that all of the rooms get; fields that are left out stay as they are."""

    country: NotRequired[str]
    """Two-letter country code."""
    region: NotRequired[str]
    city: NotRequired[str]
    street: NotRequired[str]
    postal_code: NotRequired[str]
    campus: NotRequired[str]
    building: NotRequired[str]
    floor: NotRequired[int | None]
    floor_label: NotRequired[str]
    label: NotRequired[str]
    capacity: NotRequired[int | None]
    time_zone: NotRequired[str]


class Signal(TypedDict):
    """What the device last said of one thing."""

    category: SignalCategoryEnum
    name: str
    severity: Severity
    ok: bool
    since: str


class StateCount(TypedDict):
    """Rooms as they are now."""

    state: StateCountStateEnum
    health: RoomHealth
    rooms: int


class StepUpBodyRequest(TypedDict):
    """What is to be asked for before chosen changes."""

    mfa: NotRequired[bool]
    max_age: NotRequired[int | None]
    networks: NotRequired[list[str]]
    events: NotRequired[list[ControlledEvent]]


class StepUpItem(TypedDict):
    """What is asked for before chosen changes, on top of what is asked for all access."""

    mfa: bool
    """A sign-in with a second factor."""
    max_age: int | None
    """How old the sign-in may be, in minutes."""
    networks: list[str]
    """The only ones, if there are any."""
    events: list[ControlledEvent]


class StoppedItem(TypedDict):
    """Somebody whom the policy would stop until he shows more."""

    upn: str
    partner: str
    """As the customer calls it."""
    signed_in_at: str | None
    """When he has signed in last, if that is known."""
    ip: str | None
    """From where; only if networks are asked for."""
    missing: list[AccessCondition]
    missing_for_step_up: list[AccessCondition]
    is_new: bool
    """The policy of today does not stop him as much."""
    token_count: int
    """His API tokens, which show how he has signed in last."""


class SuppressionRequest(TypedDict):
    """Until when, and why. Without `until` the room is suppressed until somebody lifts it."""

    until: NotRequired[str | None]
    """At most 90 days ahead."""
    reason: NotRequired[str]


class TargetFate(TypedDict):
    """What became of one room or ticket."""

    id: int
    outcome: OutcomeEnum
    code: str
    """Why it was refused; one of docs/problems.md."""
    detail: str
    """The same for people."""


class TermsSchema(TypedDict):
    """The operator's terms as they are now."""

    version: int
    text: str
    """In the language of the request."""
    sha256: str
    published_at: str


class TicketDay(TypedDict):
    """Tickets opened and closed on a day, and open when it ended."""

    day: str
    opened: int
    closed: int
    open: int


class TicketDetail(TypedDict):
    """All about one ticket, as far as you may see it."""

    id: int
    title: str
    kind: TicketKind
    state: TicketState
    severity: Severity
    is_high_impact: bool
    signal_category: str
    """Of a system ticket; else empty."""
    opened_by: str
    """UPN; “system” for the portal itself."""
    opened_by_organisation: str
    assigned_upn: str
    opened_at: str
    touched_at: str
    """Silence counts from here."""
    closed_at: str | None
    version: int
    """Rises with every change."""
    description: str
    justification: str
    signal_name: str
    closing_reason: str
    """Of a closed ticket; else empty."""
    closing_note: str
    rooms: list[TicketRoomName]
    """Those of its rooms that you may see."""
    permissions: list[PermissionCode]
    """What you may do with this ticket."""
    is_whole: bool
    """Whether you may decide for all of it: state, assignment, closing."""


class TicketItem(TypedDict):
    """A ticket as lists show it; `rooms` names those of its rooms that you may see."""

    id: int
    title: str
    kind: TicketKind
    state: TicketState
    severity: Severity
    is_high_impact: bool
    signal_category: str
    """Of a system ticket; else empty."""
    opened_by: str
    """UPN; “system” for the portal itself."""
    opened_by_organisation: str
    assigned_upn: str
    opened_at: str
    touched_at: str
    """Silence counts from here."""
    closed_at: str | None
    version: int
    """Rises with every change."""
    rooms: list[str]


class TicketItemPage(TypedDict):
    """A page of TicketItem items."""

    items: list[TicketItem]
    next: str | None
    """The page after this one; null on the last one."""
    previous: str | None
    """The page before this one; null on the first one."""


class TicketOfCustomer(TypedDict):
    """A ticket as lists show it, and whose it is; `rooms` names those of its rooms that you may see."""

    customer: Named
    id: int
    title: str
    kind: TicketKind
    state: TicketState
    severity: Severity
    is_high_impact: bool
    signal_category: str
    """Of a system ticket; else empty."""
    opened_by: str
    """UPN; “system” for the portal itself."""
    opened_by_organisation: str
    assigned_upn: str
    opened_at: str
    touched_at: str
    """Silence counts from here."""
    closed_at: str | None
    version: int
    """Rises with every change."""
    rooms: list[str]


class TicketOfCustomerPage(TypedDict):
    """A page of TicketOfCustomer items."""

    items: list[TicketOfCustomer]
    next: str | None
    """The page after this one; null on the last one."""
    previous: str | None
    """The page before this one; null on the first one."""
    left_out: list[Named]
    """Customers whose items are missing: they ask their partners for more than you have shown (`step_up_required`)."""


class TicketRoomName(TypedDict):
    """A room of a ticket."""

    id: int
    display_name: str


class TokenBodyRequest(TypedDict):
    """A new token: what it is for, what it may do (nothing you may not), how long it lives."""

    name: str
    scopes: list[DelegablePermissionCode]
    days: int


class TokenItem(TypedDict):
    """A token, without its secret. `prefix` is its visible beginning and its id."""

    prefix: str
    name: str
    scopes: list[DelegablePermissionCode]
    created_at: str
    expires_at: str | None
    last_used_at: str | None
    """To the minute."""
    revoked_at: str | None


class TokenItemPage(TypedDict):
    """A page of TokenItem items."""

    items: list[TokenItem]
    next: str | None
    """The page after this one; null on the last one."""
    previous: str | None
    """The page before this one; null on the first one."""


class TokenName(TypedDict):
    """The token you ask with."""

    prefix: str
    name: str
    scopes: list[DelegablePermissionCode]
    expires_at: str | None


class Waiting(TypedDict):
    """Nothing has been done yet: the customer approves such changes first."""

    state: str
    request: str
    url: str
    """Where the request is found, also in the header `Location`."""
    expires_at: str
    """When the request ends without a decision."""


class WebhookBodyRequest(TypedDict):
    """A new webhook."""

    url: str
    """`https://`, a public name, no user name in it."""
    events: list[WebhookEvent]
    description: NotRequired[str]


class WebhookItem(TypedDict):
    """A webhook, without its secret."""

    id: str
    url: str
    events: list[WebhookEvent]
    description: str
    on: bool
    off_reason: WebhookOffReason | NullEnum
    version: int
    created_at: str
    created_by: str
    rotated_at: str
    """Since when the secret signs."""
    failing_since: str | None
    """Since when nothing arrives; null if it does."""


class WebhookItemPage(TypedDict):
    """A page of WebhookItem items."""

    items: list[WebhookItem]
    next: str | None
    """The page after this one; null on the last one."""
    previous: str | None
    """The page before this one; null on the first one."""

"""Every operation of the portal. Made from the API's document; `make docs` writes it anew."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, Literal
from urllib.parse import quote

from rooms_portal.models import *


def _at(path: str, *places: object) -> str:
    """`path` with each of `places` in its gap, so that none of them leads elsewhere."""
    return path.format(*(quote(str(one), safe="") for one in places))


class Operations(ABC):
    """A method for each operation; `_call` carries it out."""

    @abstractmethod
    def _call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str | None] | None = None,
        is_form: bool = False,
        is_file: bool = False,
    ) -> Any:
        """What the portal answers. Raises Problem."""

    @abstractmethod
    def _each(self, path: str, query: Mapping[str, Any]) -> Iterator[Any]:
        """The items of all pages of a list. Raises Problem."""

    def all_approvals(
        self,
        *,
        cursor: str | None = None,
        customer: str | None = None,
        event: Literal["rings.modify", "roles.modify", "rooms.modify", "tickets.create_incident", "tickets.update"] | None = None,
        page_size: int | None = None,
        state: Literal["approved", "cancelled", "executed", "expired", "failed", "pending", "rejected", "withdrawn"] | None = None,
    ) -> ApprovalOfCustomerPage:
        """The approval requests of all customers. Newest first: your own, and those of your colleagues where you may
        see the roles.
        cursor: The place in the list; taken from `next` or `previous`.
        customer: Id of one of your customers.
        page_size: How many items at most.
        """
        answer: ApprovalOfCustomerPage = self._call("GET", "/all/approvals/", query={"cursor": cursor, "customer": customer, "event": event, "page_size": page_size, "state": state})
        return answer

    def each_all_approvals(
        self,
        *,
        customer: str | None = None,
        event: Literal["rings.modify", "roles.modify", "rooms.modify", "tickets.create_incident", "tickets.update"] | None = None,
        state: Literal["approved", "cancelled", "executed", "expired", "failed", "pending", "rejected", "withdrawn"] | None = None,
    ) -> Iterator[ApprovalOfCustomer]:
        """Each item of `all_approvals`, page by page."""
        return self._each("/all/approvals/", {"customer": customer, "event": event, "state": state})

    def all_expiring(
        self,
        *,
        cursor: str | None = None,
        customer: str | None = None,
        kind: Literal["approval", "assignment", "invitation", "relationship", "token"] | None = None,
        page_size: int | None = None,
        within: Literal["30", "7", "90", "all"] | None = None,
    ) -> ExpiryItemPage:
        """What ends soon. Your invitations and tokens, the relationships and assignments through which you hold
        something, and approval requests that you may see; what ends first comes first. Tools are told of no tokens
        and no invitations.
        cursor: The place in the list; taken from `next` or `previous`.
        customer: Id of one of your customers.
        page_size: How many items at most.
        within: Days from now.
        """
        answer: ExpiryItemPage = self._call("GET", "/all/expiring/", query={"cursor": cursor, "customer": customer, "kind": kind, "page_size": page_size, "within": within})
        return answer

    def each_all_expiring(
        self,
        *,
        customer: str | None = None,
        kind: Literal["approval", "assignment", "invitation", "relationship", "token"] | None = None,
        within: Literal["30", "7", "90", "all"] | None = None,
    ) -> Iterator[ExpiryItem]:
        """Each item of `all_expiring`, page by page."""
        return self._each("/all/expiring/", {"customer": customer, "kind": kind, "within": within})

    def all_filter_create(self, body: NewFilterOfViewRequest, *, idempotency_key: str | None = None) -> FilterOfView:
        """Keep a filter of a list over all customers. `query` has the parameters of the list."""
        answer: FilterOfView = self._call("POST", "/all/filters/", body=body, headers={"Idempotency-Key": idempotency_key})
        return answer

    def all_filter_delete(self, filter_id: int, *, idempotency_key: str | None = None) -> None:
        """Delete a filter. It has to be your own."""
        self._call("DELETE", _at("/all/filters/{}/", filter_id), headers={"Idempotency-Key": idempotency_key})

    def all_filter_modify(
        self,
        filter_id: int,
        body: PatchedFilterChangesRequest | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> FilterOfView:
        """Rename a filter, or open the list with it. It has to be your own."""
        answer: FilterOfView = self._call("PATCH", _at("/all/filters/{}/", filter_id), body=body, headers={"Idempotency-Key": idempotency_key})
        return answer

    def all_filters(
        self,
        *,
        cursor: str | None = None,
        page_size: int | None = None,
        view: Literal["approvals", "expiring", "rooms", "tickets"] | None = None,
    ) -> FilterOfViewPage:
        """The filters you keep of the lists over all customers. Nobody else sees them.
        cursor: The place in the list; taken from `next` or `previous`.
        page_size: How many items at most.
        """
        answer: FilterOfViewPage = self._call("GET", "/all/filters/", query={"cursor": cursor, "page_size": page_size, "view": view})
        return answer

    def each_all_filters(
        self,
        *,
        view: Literal["approvals", "expiring", "rooms", "tickets"] | None = None,
    ) -> Iterator[FilterOfView]:
        """Each item of `all_filters`, page by page."""
        return self._each("/all/filters/", {"view": view})

    def all_rooms(
        self,
        *,
        building: str | None = None,
        city: str | None = None,
        country: str | None = None,
        cursor: str | None = None,
        customer: str | None = None,
        health: Literal["healthy", "unhealthy", "unmonitored"] | None = None,
        page_size: int | None = None,
        q: str | None = None,
        region: str | None = None,
        sort: Literal["-building", "-city", "-customer", "-health", "-name", "-state", "building", "city", "customer", "health", "name", "state"] | None = None,
        state: Literal["enrolled", "onboarding", "suppressed", "unenrolled"] | None = None,
    ) -> RoomOfCustomerPage:
        """The rooms of all customers. What the lists of your customers show together. Your own organisation is not
        among them.
        country: Two-letter country code.
        cursor: The place in the list; taken from `next` or `previous`.
        customer: Id of one of your customers.
        page_size: How many items at most.
        q: Words that name, resource account, city or building contain.
        region: State or province.
        sort: With “-”: the other way round.
        """
        answer: RoomOfCustomerPage = self._call("GET", "/all/rooms/", query={"building": building, "city": city, "country": country, "cursor": cursor, "customer": customer, "health": health, "page_size": page_size, "q": q, "region": region, "sort": sort, "state": state})
        return answer

    def each_all_rooms(
        self,
        *,
        building: str | None = None,
        city: str | None = None,
        country: str | None = None,
        customer: str | None = None,
        health: Literal["healthy", "unhealthy", "unmonitored"] | None = None,
        q: str | None = None,
        region: str | None = None,
        sort: Literal["-building", "-city", "-customer", "-health", "-name", "-state", "building", "city", "customer", "health", "name", "state"] | None = None,
        state: Literal["enrolled", "onboarding", "suppressed", "unenrolled"] | None = None,
    ) -> Iterator[RoomOfCustomer]:
        """Each item of `all_rooms`, page by page."""
        return self._each("/all/rooms/", {"building": building, "city": city, "country": country, "customer": customer, "health": health, "q": q, "region": region, "sort": sort, "state": state})

    def all_rooms_bulk(self, body: ManyRoomsRequest, *, idempotency_key: str | None = None) -> ManyAnswer:
        """Change rooms of several customers. At most 200 in all. Each is changed for itself, as if it were asked for
        alone, with its customer’s own change control and log. The answer is 207 and says of each, customer by
        customer, whether it is done, unchanged, refused, or waits for the customer’s approval; what does not exist
        and what you may not see are refused alike.
        """
        answer: ManyAnswer = self._call("POST", "/all/rooms/bulk/", body=body, headers={"Idempotency-Key": idempotency_key})
        return answer

    def all_tickets(
        self,
        *,
        assigned: Literal["me", "nobody"] | None = None,
        category: Literal["audio", "connectivity", "display", "peripherals", "versioning"] | None = None,
        cursor: str | None = None,
        customer: str | None = None,
        kind: Literal["customer", "system"] | None = None,
        opened_from: str | None = None,
        opened_until: str | None = None,
        page_size: int | None = None,
        q: str | None = None,
        room: int | None = None,
        severity: Literal["critical", "important", "recommendation", "warning"] | None = None,
        sort: Literal["-activity", "-customer", "-opened", "-severity", "activity", "customer", "opened", "severity"] | None = None,
        state: Literal["all", "closed", "investigating", "needs_action", "open", "resolved"] | None = None,
    ) -> TicketOfCustomerPage:
        """The tickets of all customers. What the lists of your customers show together; the open ones, unless you
        ask for others. Days begin in the time zone of each customer.
        category: Of system tickets.
        cursor: The place in the list; taken from `next` or `previous`.
        customer: Id of one of your customers.
        opened_from: In the customer’s time zone.
        opened_until: That day included.
        page_size: How many items at most.
        q: A number, or words that the title contains.
        room: Id of a room whose tickets you may see.
        sort: With “-”: the other way round.
        """
        answer: TicketOfCustomerPage = self._call("GET", "/all/tickets/", query={"assigned": assigned, "category": category, "cursor": cursor, "customer": customer, "kind": kind, "opened_from": opened_from, "opened_until": opened_until, "page_size": page_size, "q": q, "room": room, "severity": severity, "sort": sort, "state": state})
        return answer

    def each_all_tickets(
        self,
        *,
        assigned: Literal["me", "nobody"] | None = None,
        category: Literal["audio", "connectivity", "display", "peripherals", "versioning"] | None = None,
        customer: str | None = None,
        kind: Literal["customer", "system"] | None = None,
        opened_from: str | None = None,
        opened_until: str | None = None,
        q: str | None = None,
        room: int | None = None,
        severity: Literal["critical", "important", "recommendation", "warning"] | None = None,
        sort: Literal["-activity", "-customer", "-opened", "-severity", "activity", "customer", "opened", "severity"] | None = None,
        state: Literal["all", "closed", "investigating", "needs_action", "open", "resolved"] | None = None,
    ) -> Iterator[TicketOfCustomer]:
        """Each item of `all_tickets`, page by page."""
        return self._each("/all/tickets/", {"assigned": assigned, "category": category, "customer": customer, "kind": kind, "opened_from": opened_from, "opened_until": opened_until, "q": q, "room": room, "severity": severity, "sort": sort, "state": state})

    def all_tickets_bulk(self, body: ManyTicketsRequest, *, idempotency_key: str | None = None) -> ManyAnswer:
        """Change tickets of several customers. At most 200 in all. Each is changed for itself, as if it were asked
        for alone, with its customer’s own change control and log. The answer is 207 and says of each, customer by
        customer, whether it is done, unchanged, refused, or waits for the customer’s approval; what does not exist
        and what you may not see are refused alike.
        """
        answer: ManyAnswer = self._call("POST", "/all/tickets/bulk/", body=body, headers={"Idempotency-Key": idempotency_key})
        return answer

    def approval(self, tenant_id: str, approval_id: str) -> ApprovalDetail:
        """One approval request. With what would change, and what has become of it."""
        answer: ApprovalDetail = self._call("GET", _at("/customers/{}/approvals/{}/", tenant_id, approval_id))
        return answer

    def approval_again(
        self,
        tenant_id: str,
        approval_id: str,
        *,
        idempotency_key: str | None = None,
        justification: str | None = None,
    ) -> Waiting | None:
        """Ask again for the same change. For whoever asked. The change is submitted once more, from how things are
        now: 202 with the new request, or 204 if the customer lets it happen by now. It can break every rule that the
        change itself can break.
        """
        answer: Waiting | None = self._call("POST", _at("/customers/{}/approvals/{}/again/", tenant_id, approval_id), headers={"Idempotency-Key": idempotency_key, "Change-Justification": justification})
        return answer

    def approval_decide(
        self,
        tenant_id: str,
        approval_id: str,
        body: DecisionRequest,
        *,
        idempotency_key: str | None = None,
        if_match: str | None = None,
    ) -> ApprovalDetail:
        """Approve or reject. For the customer’s MMR admins. Approving carries the change out in the requester’s
        name: it is `executed`, or `failed` with the reason, and then nothing has changed. A rejection needs a
        comment.
        """
        answer: ApprovalDetail = self._call("POST", _at("/customers/{}/approvals/{}/decide/", tenant_id, approval_id), body=body, headers={"Idempotency-Key": idempotency_key, "If-Match": if_match})
        return answer

    def approval_withdraw(
        self,
        tenant_id: str,
        approval_id: str,
        *,
        idempotency_key: str | None = None,
        if_match: str | None = None,
    ) -> ApprovalDetail:
        """Withdraw your request. An address below a customer, whose id is `tenant_id`. Handlers find `customer`,
        `person` and `held` on the request.
        """
        answer: ApprovalDetail = self._call("POST", _at("/customers/{}/approvals/{}/withdraw/", tenant_id, approval_id), headers={"Idempotency-Key": idempotency_key, "If-Match": if_match})
        return answer

    def approvals(
        self,
        tenant_id: str,
        *,
        cursor: str | None = None,
        page_size: int | None = None,
        state: Literal["approved", "cancelled", "executed", "expired", "failed", "pending", "rejected", "withdrawn"] | None = None,
    ) -> ApprovalItemPage:
        """The approval requests you may see. Newest first. A partner sees what was asked for through its own
        delegation; the customer all.
        cursor: The place in the list; taken from `next` or `previous`.
        page_size: How many items at most.
        """
        answer: ApprovalItemPage = self._call("GET", _at("/customers/{}/approvals/", tenant_id), query={"cursor": cursor, "page_size": page_size, "state": state})
        return answer

    def each_approvals(
        self,
        tenant_id: str,
        *,
        state: Literal["approved", "cancelled", "executed", "expired", "failed", "pending", "rejected", "withdrawn"] | None = None,
    ) -> Iterator[ApprovalItem]:
        """Each item of `approvals`, page by page."""
        return self._each(_at("/customers/{}/approvals/", tenant_id), {"state": state})

    def assignment(self, tenant_id: str, assignment_id: int) -> AssignmentDetail:
        """One assignment. Needs `roles.view`."""
        answer: AssignmentDetail = self._call("GET", _at("/customers/{}/assignments/{}/", tenant_id, assignment_id))
        return answer

    def assignment_create(
        self,
        tenant_id: str,
        role_id: int,
        body: NewAssignmentRequest,
        *,
        idempotency_key: str | None = None,
        justification: str | None = None,
    ) -> AssignmentDetail | Waiting:
        """Assign a role. Needs `roles.modify`, and in each room of the scope what the role gives. Somebody who never
        signed in becomes a member by signing in.
        """
        answer: AssignmentDetail | Waiting = self._call("POST", _at("/customers/{}/roles/{}/assignments/", tenant_id, role_id), body=body, headers={"Idempotency-Key": idempotency_key, "Change-Justification": justification})
        return answer

    def assignment_delete(
        self,
        tenant_id: str,
        assignment_id: int,
        *,
        idempotency_key: str | None = None,
        if_match: str | None = None,
        justification: str | None = None,
    ) -> Waiting | None:
        """Delete an assignment. Needs `roles.modify`."""
        answer: Waiting | None = self._call("DELETE", _at("/customers/{}/assignments/{}/", tenant_id, assignment_id), headers={"Idempotency-Key": idempotency_key, "If-Match": if_match, "Change-Justification": justification})
        return answer

    def assignment_leave(self, tenant_id: str, assignment_id: int, *, idempotency_key: str | None = None) -> None:
        """Leave an assignment. Gives up what you are a direct member of; nobody has to allow that. The last admins
        stay.
        """
        self._call("POST", _at("/customers/{}/assignments/{}/leave/", tenant_id, assignment_id), headers={"Idempotency-Key": idempotency_key})

    def assignment_members(self, tenant_id: str, assignment_id: int) -> Members:
        """The members of an assignment. Needs `roles.view`."""
        answer: Members = self._call("GET", _at("/customers/{}/assignments/{}/members/", tenant_id, assignment_id))
        return answer

    def assignment_members_modify(
        self,
        tenant_id: str,
        assignment_id: int,
        body: MembersInAndOutRequest | None = None,
        *,
        idempotency_key: str | None = None,
        if_match: str | None = None,
        justification: str | None = None,
    ) -> Members | Waiting:
        """Add and remove members. Needs `roles.modify`; to add, hold what the assignment gives. All of it or
        nothing. Primary admins come by invitation.
        """
        answer: Members | Waiting = self._call("POST", _at("/customers/{}/assignments/{}/members/", tenant_id, assignment_id), body=body, headers={"Idempotency-Key": idempotency_key, "If-Match": if_match, "Change-Justification": justification})
        return answer

    def assignment_modify(
        self,
        tenant_id: str,
        assignment_id: int,
        body: PatchedAssignmentChangesRequest | None = None,
        *,
        idempotency_key: str | None = None,
        if_match: str | None = None,
        justification: str | None = None,
    ) -> AssignmentDetail | Waiting:
        """Change an assignment’s name or dates. Needs `roles.modify`; the dates of what you hold your own right
        through somebody else changes.
        """
        answer: AssignmentDetail | Waiting = self._call("PATCH", _at("/customers/{}/assignments/{}/", tenant_id, assignment_id), body=body, headers={"Idempotency-Key": idempotency_key, "If-Match": if_match, "Change-Justification": justification})
        return answer

    def assignment_scope(
        self,
        tenant_id: str,
        assignment_id: int,
        body: AssignmentScopeBodyRequest | None = None,
        *,
        idempotency_key: str | None = None,
        if_match: str | None = None,
        justification: str | None = None,
    ) -> AssignmentDetail | Waiting:
        """Choose the rooms of an assignment anew. Needs `roles.modify`, and in each room what the role gives, not
        through this assignment.
        """
        answer: AssignmentDetail | Waiting = self._call("POST", _at("/customers/{}/assignments/{}/scope/", tenant_id, assignment_id), body=body, headers={"Idempotency-Key": idempotency_key, "If-Match": if_match, "Change-Justification": justification})
        return answer

    def assignments(
        self,
        tenant_id: str,
        role_id: int,
        *,
        cursor: str | None = None,
        page_size: int | None = None,
    ) -> AssignmentItemPage:
        """The assignments of a role. Needs `roles.view`.
        cursor: The place in the list; taken from `next` or `previous`.
        page_size: How many items at most.
        """
        answer: AssignmentItemPage = self._call("GET", _at("/customers/{}/roles/{}/assignments/", tenant_id, role_id), query={"cursor": cursor, "page_size": page_size})
        return answer

    def each_assignments(self, tenant_id: str, role_id: int) -> Iterator[AssignmentItem]:
        """Each item of `assignments`, page by page."""
        return self._each(_at("/customers/{}/roles/{}/assignments/", tenant_id, role_id), {})

    def audit_log(
        self,
        tenant_id: str,
        *,
        category: Literal["Approval", "Assignment", "Group", "Key", "PartnerInvitation", "Ring", "Role", "Room", "Session", "Settings", "Ticket", "User"] | None = None,
        cursor: str | None = None,
        end: str | None = None,
        page_size: int | None = None,
        partner: str | None = None,
        result: Literal["Failed", "Successful"] | None = None,
        start: str | None = None,
        user: str | None = None,
    ) -> AuditEntryPage:
        """The audit log. Newest first. Needs `settings.modify` for the whole organisation; refused attempts are in
        it too.
        cursor: The place in the list; taken from `next` or `previous`.
        end: Last day, UTC; else today. The log goes back 180 days.
        page_size: How many items at most.
        partner: What the people of this partner did.
        start: First day, UTC; 30 days ago if nothing is said.
        user: How the UPN begins.
        """
        answer: AuditEntryPage = self._call("GET", _at("/customers/{}/audit-log/", tenant_id), query={"category": category, "cursor": cursor, "end": end, "page_size": page_size, "partner": partner, "result": result, "start": start, "user": user})
        return answer

    def each_audit_log(
        self,
        tenant_id: str,
        *,
        category: Literal["Approval", "Assignment", "Group", "Key", "PartnerInvitation", "Ring", "Role", "Room", "Session", "Settings", "Ticket", "User"] | None = None,
        end: str | None = None,
        partner: str | None = None,
        result: Literal["Failed", "Successful"] | None = None,
        start: str | None = None,
        user: str | None = None,
    ) -> Iterator[AuditEntry]:
        """Each item of `audit_log`, page by page."""
        return self._each(_at("/customers/{}/audit-log/", tenant_id), {"category": category, "end": end, "partner": partner, "result": result, "start": start, "user": user})

    def colleagues_add(
        self,
        tenant_id: str,
        body: ColleaguesBodyRequest,
        *,
        idempotency_key: str | None = None,
        justification: str | None = None,
    ) -> Colleagues | Waiting:
        """Add colleagues as primary admins. For primary admins of a partner, and tools with `roles.modify`. People
        of your organisation who have signed in become primary admins at once; others, of its verified domains, are
        sent an invitation. All of them or nobody.
        """
        answer: Colleagues | Waiting = self._call("POST", _at("/customers/{}/colleagues/", tenant_id), body=body, headers={"Idempotency-Key": idempotency_key, "Change-Justification": justification})
        return answer

    def customer(self, tenant_id: str) -> CustomerDetail:
        """One customer. How far you hold each permission there, and what the two organisations have agreed on."""
        answer: CustomerDetail = self._call("GET", _at("/customers/{}/", tenant_id))
        return answer

    def customer_remove(self, tenant_id: str, *, idempotency_key: str | None = None) -> None:
        """Remove a customer. For a primary admin of the partner, signed in; also while the customer has suspended
        the relationship. Your people and tools have no access from their next request on, and the customer is told.
        It cannot be undone.
        """
        self._call("DELETE", _at("/customers/{}/", tenant_id), headers={"Idempotency-Key": idempotency_key})

    def customer_terms(self, tenant_id: str) -> CustomerTermsItem:
        """The terms, and who agreed to which. Needs `settings.view`."""
        answer: CustomerTermsItem = self._call("GET", _at("/customers/{}/terms/", tenant_id))
        return answer

    def customer_terms_accept(
        self,
        tenant_id: str,
        body: AgreeBodyRequest,
        *,
        idempotency_key: str | None = None,
    ) -> CustomerTermsItem:
        """Agree to the newest terms. Needs `settings.modify`. Changes of a partner that were answered with
        `terms_changed` can be made afterwards. Agreeing again gives the same answer.
        """
        answer: CustomerTermsItem = self._call("POST", _at("/customers/{}/terms/accept/", tenant_id), body=body, headers={"Idempotency-Key": idempotency_key})
        return answer

    def customers(
        self,
        *,
        cursor: str | None = None,
        page_size: int | None = None,
        q: str | None = None,
        state: Literal["active", "suspended"] | None = None,
    ) -> CustomerPage:
        """The customers you can work in. By name; your own organisation is among them, unless you ask with a token.
        A customer that has suspended the relationship stays on the list, and nothing else of it can be read.
        cursor: The place in the list; taken from `next` or `previous`.
        page_size: How many items at most.
        q: Words that the name contains.
        state: Leaves out your own organisation.
        """
        answer: CustomerPage = self._call("GET", "/customers/", query={"cursor": cursor, "page_size": page_size, "q": q, "state": state})
        return answer

    def each_customers(
        self,
        *,
        q: str | None = None,
        state: Literal["active", "suspended"] | None = None,
    ) -> Iterator[Customer]:
        """Each item of `customers`, page by page."""
        return self._each("/customers/", {"q": q, "state": state})

    def deliveries(
        self,
        tenant_id: str,
        webhook_id: str,
        *,
        cursor: str | None = None,
        page_size: int | None = None,
        state: Literal["cancelled", "delivered", "undeliverable", "waiting"] | None = None,
    ) -> DeliveryItemPage:
        """What was delivered. For who modifies the customer’s settings: its own webhooks. For a partner’s primary
        admin, and his tools with `roles.modify`: the partner’s for this customer. The newest first; kept for 30
        days.
        cursor: The place in the list; taken from `next` or `previous`.
        page_size: How many items at most.
        """
        answer: DeliveryItemPage = self._call("GET", _at("/customers/{}/webhooks/{}/deliveries/", tenant_id, webhook_id), query={"cursor": cursor, "page_size": page_size, "state": state})
        return answer

    def each_deliveries(
        self,
        tenant_id: str,
        webhook_id: str,
        *,
        state: Literal["cancelled", "delivered", "undeliverable", "waiting"] | None = None,
    ) -> Iterator[DeliveryItem]:
        """Each item of `deliveries`, page by page."""
        return self._each(_at("/customers/{}/webhooks/{}/deliveries/", tenant_id, webhook_id), {"state": state})

    def delivery(self, tenant_id: str, webhook_id: str, event_id: str) -> DeliveryItem:
        """One delivery. For who modifies the customer’s settings: its own webhooks. For a partner’s primary admin,
        and his tools with `roles.modify`: the partner’s for this customer.
        """
        answer: DeliveryItem = self._call("GET", _at("/customers/{}/webhooks/{}/deliveries/{}/", tenant_id, webhook_id, event_id))
        return answer

    def delivery_redeliver(
        self,
        tenant_id: str,
        webhook_id: str,
        event_id: str,
        *,
        idempotency_key: str | None = None,
    ) -> DeliveryItem:
        """Deliver an event again. For who modifies the customer’s settings: its own webhooks. For a partner’s
        primary admin, and his tools with `roles.modify`: the partner’s for this customer. It is tried at once, with
        the id it had: a receiver that has taken it knows it again. What waits is tried now.
        """
        answer: DeliveryItem = self._call("POST", _at("/customers/{}/webhooks/{}/deliveries/{}/redeliver/", tenant_id, webhook_id, event_id), headers={"Idempotency-Key": idempotency_key})
        return answer

    def domain_add(self, tenant_id: str, body: DomainBodyRequest, *, idempotency_key: str | None = None) -> DomainItem:
        """Enter a domain. Needs `settings.modify`. It counts for nothing until the operator’s support has verified
        it.
        """
        answer: DomainItem = self._call("POST", _at("/customers/{}/settings/domains/", tenant_id), body=body, headers={"Idempotency-Key": idempotency_key})
        return answer

    def domain_remove(self, tenant_id: str, domain_id: int, *, idempotency_key: str | None = None) -> None:
        """Take a domain out of the list. Needs `settings.modify`; only for a domain that is not verified."""
        self._call("DELETE", _at("/customers/{}/settings/domains/{}/", tenant_id, domain_id), headers={"Idempotency-Key": idempotency_key})

    def group(self, tenant_id: str, group_id: int) -> GroupItem:
        """One room group. Needs `groups.view` on at least one of its rooms."""
        answer: GroupItem = self._call("GET", _at("/customers/{}/groups/{}/", tenant_id, group_id))
        return answer

    def group_create(self, tenant_id: str, body: NewGroupRequest, *, idempotency_key: str | None = None) -> GroupItem:
        """Make a room group. Needs `groups.create` for all rooms of the customer, and `rooms.modify` on each room."""
        answer: GroupItem = self._call("POST", _at("/customers/{}/groups/", tenant_id), body=body, headers={"Idempotency-Key": idempotency_key})
        return answer

    def group_delete(
        self,
        tenant_id: str,
        group_id: int,
        *,
        idempotency_key: str | None = None,
        if_match: str | None = None,
    ) -> None:
        """Delete a room group. Needs `groups.modify` on all of its rooms; refused while a scope names the group. Its
        rooms stay.
        """
        self._call("DELETE", _at("/customers/{}/groups/{}/", tenant_id, group_id), headers={"Idempotency-Key": idempotency_key, "If-Match": if_match})

    def group_make_default(
        self,
        tenant_id: str,
        group_id: int,
        *,
        idempotency_key: str | None = None,
        if_match: str | None = None,
    ) -> GroupItem:
        """Make a room group the default one. Needs `groups.modify` on this group and on the one that was the
        default. Rooms that are imported or enrol themselves come into it from now on. A group that is in a partner’s
        scope is made the default by MMR admins only: the partner gets every new room.
        """
        answer: GroupItem = self._call("POST", _at("/customers/{}/groups/{}/default/", tenant_id, group_id), headers={"Idempotency-Key": idempotency_key, "If-Match": if_match})
        return answer

    def group_modify(
        self,
        tenant_id: str,
        group_id: int,
        body: PatchedGroupChangesRequest | None = None,
        *,
        idempotency_key: str | None = None,
        if_match: str | None = None,
    ) -> GroupItem:
        """Rename or describe a room group. Needs `groups.modify` on all of its rooms."""
        answer: GroupItem = self._call("PATCH", _at("/customers/{}/groups/{}/", tenant_id, group_id), body=body, headers={"Idempotency-Key": idempotency_key, "If-Match": if_match})
        return answer

    def group_rooms(
        self,
        tenant_id: str,
        group_id: int,
        body: RoomsInAndOutRequest | None = None,
        *,
        idempotency_key: str | None = None,
        if_match: str | None = None,
    ) -> GroupItem:
        """Put rooms in, take rooms out. Needs `groups.modify` on the group and `rooms.modify` on each room. The
        rooms of a group that is in a partner’s scope are changed by MMR admins only. All of it or nothing; scopes
        follow at once.
        """
        answer: GroupItem = self._call("POST", _at("/customers/{}/groups/{}/rooms/", tenant_id, group_id), body=body, headers={"Idempotency-Key": idempotency_key, "If-Match": if_match})
        return answer

    def groups(self, tenant_id: str, *, cursor: str | None = None, page_size: int | None = None) -> GroupItemPage:
        """The room groups you may see. Needs `groups.view` on at least one room of a group.
        cursor: The place in the list; taken from `next` or `previous`.
        page_size: How many items at most.
        """
        answer: GroupItemPage = self._call("GET", _at("/customers/{}/groups/", tenant_id), query={"cursor": cursor, "page_size": page_size})
        return answer

    def each_groups(self, tenant_id: str) -> Iterator[GroupItem]:
        """Each item of `groups`, page by page."""
        return self._each(_at("/customers/{}/groups/", tenant_id), {})

    def inventory(self, tenant_id: str, import_id: str) -> ImportItem:
        """One of your imports. How far it is, and what becomes of its rows. Gone a day after it came."""
        answer: ImportItem = self._call("GET", _at("/customers/{}/imports/{}/", tenant_id, import_id))
        return answer

    def inventory_check(
        self,
        tenant_id: str,
        body: NewImportRequest,
        *,
        idempotency_key: str | None = None,
    ) -> ImportItem:
        """Send an inventory. Needs `rooms.modify`. `multipart/form-data`, at most 5 MiB and 10,000 rows. Nothing is
        written yet: the answer says what would be done. An earlier one that you never confirmed is gone.
        """
        answer: ImportItem = self._call("POST", _at("/customers/{}/imports/", tenant_id), body=body, headers={"Idempotency-Key": idempotency_key}, is_form=True)
        return answer

    def inventory_confirm(self, tenant_id: str, import_id: str, *, idempotency_key: str | None = None) -> ImportItem:
        """Carry an import out. A small one is done with the answer; of a large one ask again until it is `done`.
        Where the customer approves changes of a partner, each room is asked for.
        """
        answer: ImportItem = self._call("POST", _at("/customers/{}/imports/{}/confirm/", tenant_id, import_id), headers={"Idempotency-Key": idempotency_key})
        return answer

    def inventory_discard(self, tenant_id: str, import_id: str, *, idempotency_key: str | None = None) -> None:
        """Discard an import. The file is gone; what was carried out stays."""
        self._call("DELETE", _at("/customers/{}/imports/{}/", tenant_id, import_id), headers={"Idempotency-Key": idempotency_key})

    def key_download(self, tenant_id: str, *, idempotency_key: str | None = None) -> KeySecret:
        """Download the key. Needs `rooms.download_key` for any rooms. Each download is written to the customer’s
        audit log; a person can do it five times an hour.
        """
        answer: KeySecret = self._call("POST", _at("/customers/{}/keys/download/", tenant_id), headers={"Idempotency-Key": idempotency_key})
        return answer

    def key_reset(
        self,
        tenant_id: str,
        body: KeyResetRequest | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> KeyItem:
        """Reset the key. Issues a new version; needs `rooms.reset_key` for all rooms. Earlier versions enrol no
        device after `grace_hours`; devices that are enrolled go on. The first reset issues version 1.
        """
        answer: KeyItem = self._call("POST", _at("/customers/{}/keys/", tenant_id), body=body, headers={"Idempotency-Key": idempotency_key})
        return answer

    def keys(self, tenant_id: str, *, cursor: str | None = None, page_size: int | None = None) -> KeyItemPage:
        """The versions of the enrolment key. Needs `rooms.download_key` or `rooms.reset_key`. No answer of this list
        holds a secret.
        cursor: The place in the list; taken from `next` or `previous`.
        page_size: How many items at most.
        """
        answer: KeyItemPage = self._call("GET", _at("/customers/{}/keys/", tenant_id), query={"cursor": cursor, "page_size": page_size})
        return answer

    def each_keys(self, tenant_id: str) -> Iterator[KeyItem]:
        """Each item of `keys`, page by page."""
        return self._each(_at("/customers/{}/keys/", tenant_id), {})

    def mail_look(self, tenant_id: str) -> LookItem:
        """How mails look. Needs `settings.view`."""
        answer: LookItem = self._call("GET", _at("/customers/{}/settings/mail/", tenant_id))
        return answer

    def mail_look_modify(
        self,
        tenant_id: str,
        body: PatchedLookBodyRequest | None = None,
        *,
        idempotency_key: str | None = None,
        if_match: str | None = None,
    ) -> LookItem:
        """Change how mails look. Needs `settings.modify`. White text must be readable on the colour: contrast at
        least 4.5 to 1.
        """
        answer: LookItem = self._call("PATCH", _at("/customers/{}/settings/mail/", tenant_id), body=body, headers={"Idempotency-Key": idempotency_key, "If-Match": if_match})
        return answer

    def me(self) -> Me:
        """Who you are. You, the token you ask with if you do, and the customers you can work in."""
        answer: Me = self._call("GET", "/me/")
        return answer

    def my_invitation(self, invitation_id: str) -> MyInvitationDetail:
        """One invitation addressed to you. For the person alone."""
        answer: MyInvitationDetail = self._call("GET", _at("/invitations/{}/", invitation_id))
        return answer

    def my_invitation_accept(
        self,
        invitation_id: str,
        body: AcceptBodyRequest | None = None,
        *,
        idempotency_key: str | None = None,
        if_match: str | None = None,
    ) -> MyInvitationDetail:
        """Accept an invitation. You become a primary admin; the first who accepts links the two organisations.
        Invited by domain, you name `admins` instead, and see nothing of the customer yourself unless you are one of
        them. The same person accepting again gets the same answer.
        """
        answer: MyInvitationDetail = self._call("POST", _at("/invitations/{}/accept/", invitation_id), body=body, headers={"Idempotency-Key": idempotency_key, "If-Match": if_match})
        return answer

    def my_invitation_deny(
        self,
        invitation_id: str,
        *,
        idempotency_key: str | None = None,
        if_match: str | None = None,
    ) -> MyInvitationDetail:
        """Decline an invitation. Only your own one; those of others stay."""
        answer: MyInvitationDetail = self._call("POST", _at("/invitations/{}/deny/", invitation_id), headers={"Idempotency-Key": idempotency_key, "If-Match": if_match})
        return answer

    def my_invitation_undo(self, invitation_id: str, *, idempotency_key: str | None = None) -> MyInvitationDetail:
        """Take back a denial. Within 24 hours, once, while the invitation would still live. The denied invitation
        stays denied; the answer is a new one with the old expiry. Taking back again gives the same answer.
        """
        answer: MyInvitationDetail = self._call("POST", _at("/invitations/{}/undo/", invitation_id), headers={"Idempotency-Key": idempotency_key})
        return answer

    def my_invitations(
        self,
        *,
        cursor: str | None = None,
        page_size: int | None = None,
        state: Literal["accepted", "denied", "expired", "pending", "revoked"] | None = None,
    ) -> MyInvitationPage:
        """The invitations addressed to you. Newest first.
        cursor: The place in the list; taken from `next` or `previous`.
        page_size: How many items at most.
        """
        answer: MyInvitationPage = self._call("GET", "/invitations/", query={"cursor": cursor, "page_size": page_size, "state": state})
        return answer

    def each_my_invitations(
        self,
        *,
        state: Literal["accepted", "denied", "expired", "pending", "revoked"] | None = None,
    ) -> Iterator[MyInvitation]:
        """Each item of `my_invitations`, page by page."""
        return self._each("/invitations/", {"state": state})

    def notifications(self, tenant_id: str) -> NotificationList:
        """Who is told of what. Needs `settings.view`."""
        answer: NotificationList = self._call("GET", _at("/customers/{}/settings/notifications/", tenant_id))
        return answer

    def notifications_modify(
        self,
        tenant_id: str,
        body: PatchedNotificationBodyRequest | None = None,
        *,
        idempotency_key: str | None = None,
        if_match: str | None = None,
    ) -> NotificationList:
        """Choose who is told of what. Needs `settings.modify`. Events that are left out stay as they are."""
        answer: NotificationList = self._call("PATCH", _at("/customers/{}/settings/notifications/", tenant_id), body=body, headers={"Idempotency-Key": idempotency_key, "If-Match": if_match})
        return answer

    def notifications_test(self, tenant_id: str, *, idempotency_key: str | None = None) -> None:
        """Send yourself a test mail. Needs `settings.modify`. At most 10 an hour for each customer."""
        self._call("POST", _at("/customers/{}/settings/notifications/test/", tenant_id), headers={"Idempotency-Key": idempotency_key})

    def partner(self, tenant_id: str, relationship_id: str) -> PartnerDetail:
        """One partner. Needs `settings.view`."""
        answer: PartnerDetail = self._call("GET", _at("/customers/{}/partners/{}/", tenant_id, relationship_id))
        return answer

    def partner_access(self, tenant_id: str) -> PolicyItem:
        """What you ask of the people of your partners. Needs `settings.view`. Your own people are not affected."""
        answer: PolicyItem = self._call("GET", _at("/customers/{}/settings/partner-access/", tenant_id))
        return answer

    def partner_access_modify(
        self,
        tenant_id: str,
        body: PatchedPolicyBodyRequest | None = None,
        *,
        idempotency_key: str | None = None,
        if_match: str | None = None,
    ) -> PolicyItem:
        """Change what you ask of the people of your partners. Needs `settings.modify`. It holds from their next
        request on: whoever shows less is answered `step_up_required`. Ask for the preview first.
        """
        answer: PolicyItem = self._call("PATCH", _at("/customers/{}/settings/partner-access/", tenant_id), body=body, headers={"Idempotency-Key": idempotency_key, "If-Match": if_match})
        return answer

    def partner_access_preview(
        self,
        tenant_id: str,
        body: PolicyBodyRequest | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> PreviewItem:
        """Whom another policy would stop. Needs `settings.modify`. Takes what the change takes, and changes nothing:
        people are judged by how they have signed in last.
        """
        answer: PreviewItem = self._call("POST", _at("/customers/{}/settings/partner-access/preview/", tenant_id), body=body, headers={"Idempotency-Key": idempotency_key})
        return answer

    def partner_add(
        self,
        tenant_id: str,
        body: PartnerBodyRequest,
        *,
        idempotency_key: str | None = None,
    ) -> PartnerDetail:
        """Add a partner. Needs `settings.modify`, and everything that is delegated. All of it happens or nothing;
        the invitation mails leave afterwards.
        """
        answer: PartnerDetail = self._call("POST", _at("/customers/{}/partners/", tenant_id), body=body, headers={"Idempotency-Key": idempotency_key})
        return answer

    def partner_invitation(self, tenant_id: str, relationship_id: str, invitation_id: str) -> InvitationItem:
        """One invitation of a partner. Needs `settings.view`."""
        answer: InvitationItem = self._call("GET", _at("/customers/{}/partners/{}/invitations/{}/", tenant_id, relationship_id, invitation_id))
        return answer

    def partner_invitation_resend(
        self,
        tenant_id: str,
        relationship_id: str,
        invitation_id: str,
        *,
        idempotency_key: str | None = None,
        if_match: str | None = None,
    ) -> InvitationItem:
        """Send an invitation again. Needs `settings.modify`. A new mail leaves; links in earlier mails no longer
        work.
        """
        answer: InvitationItem = self._call("POST", _at("/customers/{}/partners/{}/invitations/{}/resend/", tenant_id, relationship_id, invitation_id), headers={"Idempotency-Key": idempotency_key, "If-Match": if_match})
        return answer

    def partner_invitation_revoke(
        self,
        tenant_id: str,
        relationship_id: str,
        invitation_id: str,
        *,
        idempotency_key: str | None = None,
        if_match: str | None = None,
    ) -> InvitationItem:
        """Withdraw an invitation. Needs `settings.modify`."""
        answer: InvitationItem = self._call("POST", _at("/customers/{}/partners/{}/invitations/{}/revoke/", tenant_id, relationship_id, invitation_id), headers={"Idempotency-Key": idempotency_key, "If-Match": if_match})
        return answer

    def partner_invitations(
        self,
        tenant_id: str,
        relationship_id: str,
        *,
        cursor: str | None = None,
        page_size: int | None = None,
    ) -> InvitationItemPage:
        """The invitations of a partner. Needs `settings.view`. Newest first.
        cursor: The place in the list; taken from `next` or `previous`.
        page_size: How many items at most.
        """
        answer: InvitationItemPage = self._call("GET", _at("/customers/{}/partners/{}/invitations/", tenant_id, relationship_id), query={"cursor": cursor, "page_size": page_size})
        return answer

    def each_partner_invitations(self, tenant_id: str, relationship_id: str) -> Iterator[InvitationItem]:
        """Each item of `partner_invitations`, page by page."""
        return self._each(_at("/customers/{}/partners/{}/invitations/", tenant_id, relationship_id), {})

    def partner_invite(
        self,
        tenant_id: str,
        relationship_id: str,
        body: InviteBodyRequest,
        *,
        idempotency_key: str | None = None,
    ) -> SentInvitations:
        """Invite more people. Needs `settings.modify`. All of them are invited or nobody; the mails leave
        afterwards.
        """
        answer: SentInvitations = self._call("POST", _at("/customers/{}/partners/{}/invitations/", tenant_id, relationship_id), body=body, headers={"Idempotency-Key": idempotency_key})
        return answer

    def partner_modify(
        self,
        tenant_id: str,
        relationship_id: str,
        body: PatchedPartnerChangesRequest | None = None,
        *,
        idempotency_key: str | None = None,
        if_match: str | None = None,
    ) -> PartnerDetail:
        """Rename a partner, set its end, or choose what you approve first. Needs `settings.modify`. `change_control`
        holds for what the partner does from now on; what waits stays as it was asked. At `valid_until` the
        relationship ends by itself, as if it were removed; both sides are told 30, 7 and 1 day before. What is past
        its end gets no more time. The delegated rooms are changed at its primary admins’ assignment.
        """
        answer: PartnerDetail = self._call("PATCH", _at("/customers/{}/partners/{}/", tenant_id, relationship_id), body=body, headers={"Idempotency-Key": idempotency_key, "If-Match": if_match})
        return answer

    def partner_remove(
        self,
        tenant_id: str,
        relationship_id: str,
        *,
        idempotency_key: str | None = None,
        if_match: str | None = None,
    ) -> None:
        """Remove a partner. Needs `settings.modify`. Its people have no access from their next request on, open
        invitations are withdrawn, tokens deleted. It cannot be undone.
        """
        self._call("DELETE", _at("/customers/{}/partners/{}/", tenant_id, relationship_id), headers={"Idempotency-Key": idempotency_key, "If-Match": if_match})

    def partner_resume(
        self,
        tenant_id: str,
        relationship_id: str,
        *,
        idempotency_key: str | None = None,
        if_match: str | None = None,
    ) -> PartnerDetail:
        """Resume a partner. Needs `settings.modify`. Its people have access again, to the same rooms as before."""
        answer: PartnerDetail = self._call("POST", _at("/customers/{}/partners/{}/resume/", tenant_id, relationship_id), headers={"Idempotency-Key": idempotency_key, "If-Match": if_match})
        return answer

    def partner_suspend(
        self,
        tenant_id: str,
        relationship_id: str,
        *,
        idempotency_key: str | None = None,
        if_match: str | None = None,
    ) -> PartnerDetail:
        """Suspend a partner. Needs `settings.modify`. Its people have no access until you resume it; nothing is
        lost.
        """
        answer: PartnerDetail = self._call("POST", _at("/customers/{}/partners/{}/suspend/", tenant_id, relationship_id), headers={"Idempotency-Key": idempotency_key, "If-Match": if_match})
        return answer

    def partners(
        self,
        tenant_id: str,
        *,
        cursor: str | None = None,
        page_size: int | None = None,
        q: str | None = None,
        sort: Literal["-name", "-since", "-state", "name", "since", "state"] | None = None,
        state: Literal["active", "all", "ended", "invited", "lapsed", "suspended"] | None = None,
    ) -> PartnerItemPage:
        """The partners of a customer. Needs `settings.view`.
        cursor: The place in the list; taken from `next` or `previous`.
        page_size: How many items at most.
        q: Words that the name or an invited UPN contains.
        sort: With “-” in front: the other way round.
        state: All but ended ones, if nothing is asked.
        """
        answer: PartnerItemPage = self._call("GET", _at("/customers/{}/partners/", tenant_id), query={"cursor": cursor, "page_size": page_size, "q": q, "sort": sort, "state": state})
        return answer

    def each_partners(
        self,
        tenant_id: str,
        *,
        q: str | None = None,
        sort: Literal["-name", "-since", "-state", "name", "since", "state"] | None = None,
        state: Literal["active", "all", "ended", "invited", "lapsed", "suspended"] | None = None,
    ) -> Iterator[PartnerItem]:
        """Each item of `partners`, page by page."""
        return self._each(_at("/customers/{}/partners/", tenant_id), {"q": q, "sort": sort, "state": state})

    def permission_table(self, *, customer: str | None = None) -> PermissionTableSchema:
        """The permission table, and what you hold. The 19 permissions of Table 1: for each built-in role whether it
        holds them, by which of the two published articles, and in `effective` how far you hold them in each customer
        you can work in: `everywhere`, `in_scope` (your rooms; for a partner’s `roles.*` the partner’s own roles) or
        `nowhere`. A token narrows it.
        customer: Only this one.
        """
        answer: PermissionTableSchema = self._call("GET", "/permission-table/", query={"customer": customer})
        return answer

    def person_access(self, tenant_id: str, user_id: int) -> AccessItem:
        """What a person can do, and why. Needs `roles.view`; of whom you see in an assignment, and of your own
        organisation.
        """
        answer: AccessItem = self._call("GET", _at("/customers/{}/people/{}/access/", tenant_id, user_id))
        return answer

    def report(
        self,
        tenant_id: str,
        *,
        days: Literal[180, 30, 7, 90] | None = None,
        group: int | None = None,
        partner: str | None = None,
    ) -> Report:
        """The figures of reports. Needs `reports.view`; only rooms on which you hold it enter, averages included.
        days: How far to look back; health at most 90.
        group: Id of a room group that you may see.
        partner: Id of a delegation: only rooms delegated to that partner.
        """
        answer: Report = self._call("GET", _at("/customers/{}/reports/", tenant_id), query={"days": days, "group": group, "partner": partner})
        return answer

    def report_rooms(
        self,
        tenant_id: str,
        *,
        cursor: str | None = None,
        days: Literal[180, 30, 7, 90] | None = None,
        group: int | None = None,
        page_size: int | None = None,
        partner: str | None = None,
    ) -> RoomReportPage:
        """What each room did. Needs `reports.view`. The rooms that enter reports, by name.
        cursor: The place in the list; taken from `next` or `previous`.
        days: How far to look back; health at most 90.
        group: Id of a room group that you may see.
        page_size: How many items at most.
        partner: Id of a delegation: only rooms delegated to that partner.
        """
        answer: RoomReportPage = self._call("GET", _at("/customers/{}/reports/rooms/", tenant_id), query={"cursor": cursor, "days": days, "group": group, "page_size": page_size, "partner": partner})
        return answer

    def each_report_rooms(
        self,
        tenant_id: str,
        *,
        days: Literal[180, 30, 7, 90] | None = None,
        group: int | None = None,
        partner: str | None = None,
    ) -> Iterator[RoomReport]:
        """Each item of `report_rooms`, page by page."""
        return self._each(_at("/customers/{}/reports/rooms/", tenant_id), {"days": days, "group": group, "partner": partner})

    def ring(self, tenant_id: str, ring_id: int) -> RingItem:
        """One update ring. Needs `rings.view` on at least one of its rooms."""
        answer: RingItem = self._call("GET", _at("/customers/{}/rings/{}/", tenant_id, ring_id))
        return answer

    def ring_create(self, tenant_id: str, body: NewRingRequest, *, idempotency_key: str | None = None) -> RingItem:
        """Make an update ring. Needs `rings.create` for all rooms of the customer. All rings together take at most
        60 days.
        """
        answer: RingItem = self._call("POST", _at("/customers/{}/rings/", tenant_id), body=body, headers={"Idempotency-Key": idempotency_key})
        return answer

    def ring_delete(
        self,
        tenant_id: str,
        ring_id: int,
        *,
        idempotency_key: str | None = None,
        if_match: str | None = None,
        justification: str | None = None,
    ) -> Waiting | None:
        """Delete an update ring. Needs `rings.modify` on all of its rooms, which move to the default ring.
        Preconfigured ones stay.
        """
        answer: Waiting | None = self._call("DELETE", _at("/customers/{}/rings/{}/", tenant_id, ring_id), headers={"Idempotency-Key": idempotency_key, "If-Match": if_match, "Change-Justification": justification})
        return answer

    def ring_modify(
        self,
        tenant_id: str,
        ring_id: int,
        body: PatchedRingChangesRequest | None = None,
        *,
        idempotency_key: str | None = None,
        if_match: str | None = None,
        justification: str | None = None,
    ) -> RingItem | Waiting:
        """Change an update ring. Needs `rings.modify` on all of its rooms; place and default concern other rings,
        which need it too. Rollouts that have not begun follow.
        """
        answer: RingItem | Waiting = self._call("PATCH", _at("/customers/{}/rings/{}/", tenant_id, ring_id), body=body, headers={"Idempotency-Key": idempotency_key, "If-Match": if_match, "Change-Justification": justification})
        return answer

    def ring_rooms(
        self,
        tenant_id: str,
        ring_id: int,
        body: RoomsToMoveRequest,
        *,
        idempotency_key: str | None = None,
        if_match: str | None = None,
        justification: str | None = None,
    ) -> RingItem | Waiting:
        """Move rooms into an update ring. Needs `rings.modify` on each room, and a ring that you may see. What is
        under way in their old ring ends for them; they take part in the new one’s rollout. All of it or nothing.
        """
        answer: RingItem | Waiting = self._call("POST", _at("/customers/{}/rings/{}/rooms/", tenant_id, ring_id), body=body, headers={"Idempotency-Key": idempotency_key, "If-Match": if_match, "Change-Justification": justification})
        return answer

    def rings(self, tenant_id: str, *, cursor: str | None = None, page_size: int | None = None) -> RingItemPage:
        """The update rings you may see. Needs `rings.view` on at least one room of a ring.
        cursor: The place in the list; taken from `next` or `previous`.
        page_size: How many items at most.
        """
        answer: RingItemPage = self._call("GET", _at("/customers/{}/rings/", tenant_id), query={"cursor": cursor, "page_size": page_size})
        return answer

    def each_rings(self, tenant_id: str) -> Iterator[RingItem]:
        """Each item of `rings`, page by page."""
        return self._each(_at("/customers/{}/rings/", tenant_id), {})

    def role(self, tenant_id: str, role_id: int) -> RoleItem:
        """One role. Needs `roles.view`."""
        answer: RoleItem = self._call("GET", _at("/customers/{}/roles/{}/", tenant_id, role_id))
        return answer

    def role_create(
        self,
        tenant_id: str,
        body: NewRoleRequest,
        *,
        idempotency_key: str | None = None,
        justification: str | None = None,
    ) -> RoleItem | Waiting:
        """Make a custom role. Needs `roles.modify`; nobody gives what he does not hold himself. Made by a partner it
        is that partner’s role for this customer, below what its primary admins hold, in delegated rooms.
        """
        answer: RoleItem | Waiting = self._call("POST", _at("/customers/{}/roles/", tenant_id), body=body, headers={"Idempotency-Key": idempotency_key, "Change-Justification": justification})
        return answer

    def role_delete(
        self,
        tenant_id: str,
        role_id: int,
        *,
        idempotency_key: str | None = None,
        if_match: str | None = None,
        justification: str | None = None,
    ) -> Waiting | None:
        """Delete a custom role. With its assignments. Needs `roles.modify`; the customer deletes a partner’s roles
        as well.
        """
        answer: Waiting | None = self._call("DELETE", _at("/customers/{}/roles/{}/", tenant_id, role_id), headers={"Idempotency-Key": idempotency_key, "If-Match": if_match, "Change-Justification": justification})
        return answer

    def role_modify(
        self,
        tenant_id: str,
        role_id: int,
        body: PatchedRoleChangesRequest | None = None,
        *,
        idempotency_key: str | None = None,
        if_match: str | None = None,
        justification: str | None = None,
    ) -> RoleItem | Waiting:
        """Change a custom role. Needs `roles.modify` on the side that owns the role. Permissions that are added you
        hold yourself in all rooms of its assignments, and not through this role.
        """
        answer: RoleItem | Waiting = self._call("PATCH", _at("/customers/{}/roles/{}/", tenant_id, role_id), body=body, headers={"Idempotency-Key": idempotency_key, "If-Match": if_match, "Change-Justification": justification})
        return answer

    def roles(self, tenant_id: str, *, cursor: str | None = None, page_size: int | None = None) -> RoleItemPage:
        """The roles you may see. Needs `roles.view` for all rooms; a partner sees its own roles for this customer.
        cursor: The place in the list; taken from `next` or `previous`.
        page_size: How many items at most.
        """
        answer: RoleItemPage = self._call("GET", _at("/customers/{}/roles/", tenant_id), query={"cursor": cursor, "page_size": page_size})
        return answer

    def each_roles(self, tenant_id: str) -> Iterator[RoleItem]:
        """Each item of `roles`, page by page."""
        return self._each(_at("/customers/{}/roles/", tenant_id), {})

    def rollout(self, tenant_id: str, rollout_id: int) -> RolloutItem:
        """One rollout. Needs `rings.view` on at least one room of its ring."""
        answer: RolloutItem = self._call("GET", _at("/customers/{}/rollouts/{}/", tenant_id, rollout_id))
        return answer

    def rollout_force(
        self,
        tenant_id: str,
        rollout_id: int,
        body: ForcedRequest | None = None,
        *,
        idempotency_key: str | None = None,
        if_match: str | None = None,
        justification: str | None = None,
    ) -> RolloutItem | Waiting:
        """Force the update. Devices install at once, meetings or not; your name stays with each room. Needs
        `rings.modify`: on all rooms of the ring for the whole of it, else it is done to your rooms only.
        """
        answer: RolloutItem | Waiting = self._call("POST", _at("/customers/{}/rollouts/{}/force/", tenant_id, rollout_id), body=body, headers={"Idempotency-Key": idempotency_key, "If-Match": if_match, "Change-Justification": justification})
        return answer

    def rollout_pause(
        self,
        tenant_id: str,
        rollout_id: int,
        *,
        idempotency_key: str | None = None,
        if_match: str | None = None,
        justification: str | None = None,
    ) -> RolloutItem | Waiting:
        """Pause a rollout. Devices are told nothing until it is resumed. Needs `rings.modify`: on all rooms of the
        ring for the whole of it, else it is done to your rooms only.
        """
        answer: RolloutItem | Waiting = self._call("POST", _at("/customers/{}/rollouts/{}/pause/", tenant_id, rollout_id), headers={"Idempotency-Key": idempotency_key, "If-Match": if_match, "Change-Justification": justification})
        return answer

    def rollout_resume(
        self,
        tenant_id: str,
        rollout_id: int,
        *,
        idempotency_key: str | None = None,
        if_match: str | None = None,
        justification: str | None = None,
    ) -> RolloutItem | Waiting:
        """Resume a rollout. What was paused goes on with the next night of each room. Needs `rings.modify`: on all
        rooms of the ring for the whole of it, else it is done to your rooms only.
        """
        answer: RolloutItem | Waiting = self._call("POST", _at("/customers/{}/rollouts/{}/resume/", tenant_id, rollout_id), headers={"Idempotency-Key": idempotency_key, "If-Match": if_match, "Change-Justification": justification})
        return answer

    def rollout_retry(
        self,
        tenant_id: str,
        rollout_id: int,
        *,
        idempotency_key: str | None = None,
        if_match: str | None = None,
        justification: str | None = None,
    ) -> RolloutItem | Waiting:
        """Retry all failed rooms. They try again from the next night on. Needs `rings.modify`: on all rooms of the
        ring for the whole of it, else it is done to your rooms only.
        """
        answer: RolloutItem | Waiting = self._call("POST", _at("/customers/{}/rollouts/{}/retry/", tenant_id, rollout_id), headers={"Idempotency-Key": idempotency_key, "If-Match": if_match, "Change-Justification": justification})
        return answer

    def rollout_rooms(
        self,
        tenant_id: str,
        rollout_id: int,
        *,
        cursor: str | None = None,
        page_size: int | None = None,
        state: Literal["done", "ended", "failed", "offered", "paused", "waiting"] | None = None,
    ) -> RoomUpdateItemPage:
        """The rooms of a rollout. Those that you may see, each with its night, its attempts and what went wrong.
        cursor: The place in the list; taken from `next` or `previous`.
        page_size: How many items at most.
        """
        answer: RoomUpdateItemPage = self._call("GET", _at("/customers/{}/rollouts/{}/rooms/", tenant_id, rollout_id), query={"cursor": cursor, "page_size": page_size, "state": state})
        return answer

    def each_rollout_rooms(
        self,
        tenant_id: str,
        rollout_id: int,
        *,
        state: Literal["done", "ended", "failed", "offered", "paused", "waiting"] | None = None,
    ) -> Iterator[RoomUpdateItem]:
        """Each item of `rollout_rooms`, page by page."""
        return self._each(_at("/customers/{}/rollouts/{}/rooms/", tenant_id, rollout_id), {"state": state})

    def rollouts(
        self,
        tenant_id: str,
        *,
        cursor: str | None = None,
        page_size: int | None = None,
        ring: int | None = None,
        state: Literal["completed", "completed_with_failures", "deprecated", "in_progress", "not_required", "paused", "scheduled"] | None = None,
    ) -> RolloutItemPage:
        """The rollouts you may see. Needs `rings.view` on at least one room of the ring. Newest release first.
        cursor: The place in the list; taken from `next` or `previous`.
        page_size: How many items at most.
        ring: Id of a ring that you may see.
        """
        answer: RolloutItemPage = self._call("GET", _at("/customers/{}/rollouts/", tenant_id), query={"cursor": cursor, "page_size": page_size, "ring": ring, "state": state})
        return answer

    def each_rollouts(
        self,
        tenant_id: str,
        *,
        ring: int | None = None,
        state: Literal["completed", "completed_with_failures", "deprecated", "in_progress", "not_required", "paused", "scheduled"] | None = None,
    ) -> Iterator[RolloutItem]:
        """Each item of `rollouts`, page by page."""
        return self._each(_at("/customers/{}/rollouts/", tenant_id), {"ring": ring, "state": state})

    def room(self, tenant_id: str, room_id: int) -> RoomDetail:
        """One room. Needs `rooms.view` on the room."""
        answer: RoomDetail = self._call("GET", _at("/customers/{}/rooms/{}/", tenant_id, room_id))
        return answer

    def room_access(
        self,
        tenant_id: str,
        room_id: int,
        *,
        cursor: str | None = None,
        page_size: int | None = None,
    ) -> AccessItemPage:
        """Who can do what in a room, and why. Needs `roles.view`, and `rooms.view` on the room. A partner reads of
        its own people; the customer reads of a partner’s people those who are named, not who is in the partner’s
        groups.
        cursor: The place in the list; taken from `next` or `previous`.
        page_size: How many items at most.
        """
        answer: AccessItemPage = self._call("GET", _at("/customers/{}/rooms/{}/access/", tenant_id, room_id), query={"cursor": cursor, "page_size": page_size})
        return answer

    def each_room_access(self, tenant_id: str, room_id: int) -> Iterator[AccessItem]:
        """Each item of `room_access`, page by page."""
        return self._each(_at("/customers/{}/rooms/{}/access/", tenant_id, room_id), {})

    def room_activity(
        self,
        tenant_id: str,
        room_id: int,
        *,
        cursor: str | None = None,
        page_size: int | None = None,
    ) -> ActivityItemPage:
        """What happened to a room. Needs `rooms.view` on the room. Newest first.
        cursor: The place in the list; taken from `next` or `previous`.
        page_size: How many items at most.
        """
        answer: ActivityItemPage = self._call("GET", _at("/customers/{}/rooms/{}/activity/", tenant_id, room_id), query={"cursor": cursor, "page_size": page_size})
        return answer

    def each_room_activity(self, tenant_id: str, room_id: int) -> Iterator[ActivityItem]:
        """Each item of `room_activity`, page by page."""
        return self._each(_at("/customers/{}/rooms/{}/activity/", tenant_id, room_id), {})

    def room_enroll(
        self,
        tenant_id: str,
        room_id: int,
        *,
        idempotency_key: str | None = None,
        if_match: str | None = None,
        justification: str | None = None,
    ) -> RoomDetail | Waiting:
        """Enrol a room. Needs `rooms.modify` on the room. Monitoring and reports begin; enrolled already, it stays
        so.
        """
        answer: RoomDetail | Waiting = self._call("POST", _at("/customers/{}/rooms/{}/enroll/", tenant_id, room_id), headers={"Idempotency-Key": idempotency_key, "If-Match": if_match, "Change-Justification": justification})
        return answer

    def room_filter_create(
        self,
        tenant_id: str,
        body: NewFilterRequest,
        *,
        idempotency_key: str | None = None,
    ) -> FilterItem:
        """Keep a filter. Needs `rooms.view`. `query` has the parameters of the list of rooms."""
        answer: FilterItem = self._call("POST", _at("/customers/{}/rooms/filters/", tenant_id), body=body, headers={"Idempotency-Key": idempotency_key})
        return answer

    def room_filter_delete(self, tenant_id: str, filter_id: int, *, idempotency_key: str | None = None) -> None:
        """Delete a filter. Needs `rooms.view`; it has to be your own."""
        self._call("DELETE", _at("/customers/{}/rooms/filters/{}/", tenant_id, filter_id), headers={"Idempotency-Key": idempotency_key})

    def room_filter_modify(
        self,
        tenant_id: str,
        filter_id: int,
        body: PatchedFilterChangesRequest | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> FilterItem:
        """Rename a filter, or open the list with it. Needs `rooms.view`; it has to be your own."""
        answer: FilterItem = self._call("PATCH", _at("/customers/{}/rooms/filters/{}/", tenant_id, filter_id), body=body, headers={"Idempotency-Key": idempotency_key})
        return answer

    def room_filters(
        self,
        tenant_id: str,
        *,
        cursor: str | None = None,
        page_size: int | None = None,
    ) -> FilterItemPage:
        """The filters you keep. Needs `rooms.view`. Nobody else sees them.
        cursor: The place in the list; taken from `next` or `previous`.
        page_size: How many items at most.
        """
        answer: FilterItemPage = self._call("GET", _at("/customers/{}/rooms/filters/", tenant_id), query={"cursor": cursor, "page_size": page_size})
        return answer

    def each_room_filters(self, tenant_id: str) -> Iterator[FilterItem]:
        """Each item of `room_filters`, page by page."""
        return self._each(_at("/customers/{}/rooms/filters/", tenant_id), {})

    def room_modify(
        self,
        tenant_id: str,
        room_id: int,
        body: PatchedRoomChangesRequest | None = None,
        *,
        idempotency_key: str | None = None,
        if_match: str | None = None,
        justification: str | None = None,
    ) -> RoomDetail | Waiting:
        """Change a room. Needs `rooms.modify` on the room. Only what is sent is changed, all of it or nothing. With
        `If-Match: "<version>"` it is refused (412, `stale_version`) if somebody else was faster.
        """
        answer: RoomDetail | Waiting = self._call("PATCH", _at("/customers/{}/rooms/{}/", tenant_id, room_id), body=body, headers={"Idempotency-Key": idempotency_key, "If-Match": if_match, "Change-Justification": justification})
        return answer

    def room_status(self, tenant_id: str, room_id: int) -> RoomStatus:
        """How a room is, and why. Needs `rooms.view` on the room."""
        answer: RoomStatus = self._call("GET", _at("/customers/{}/rooms/{}/status/", tenant_id, room_id))
        return answer

    def room_suppress(
        self,
        tenant_id: str,
        room_id: int,
        body: SuppressionRequest | None = None,
        *,
        idempotency_key: str | None = None,
        if_match: str | None = None,
        justification: str | None = None,
    ) -> RoomDetail | Waiting:
        """Suppress a room during maintenance. Needs `rooms.modify` on the room. No alerts and no history until
        `until`, at most 90 days ahead; suppressed already, it has the new end.
        """
        answer: RoomDetail | Waiting = self._call("POST", _at("/customers/{}/rooms/{}/suppress/", tenant_id, room_id), body=body, headers={"Idempotency-Key": idempotency_key, "If-Match": if_match, "Change-Justification": justification})
        return answer

    def room_unenroll(
        self,
        tenant_id: str,
        room_id: int,
        *,
        idempotency_key: str | None = None,
        if_match: str | None = None,
    ) -> RoomDetail:
        """Unenrol a room. Needs `rooms.unenroll` on the room, which no partner holds. Its system tickets are closed,
        its device’s token is revoked, its updates end; it stays in the inventory and can be enrolled again.
        """
        answer: RoomDetail = self._call("POST", _at("/customers/{}/rooms/{}/unenroll/", tenant_id, room_id), headers={"Idempotency-Key": idempotency_key, "If-Match": if_match})
        return answer

    def room_unsuppress(
        self,
        tenant_id: str,
        room_id: int,
        *,
        idempotency_key: str | None = None,
        if_match: str | None = None,
        justification: str | None = None,
    ) -> RoomDetail | Waiting:
        """Lift the suppression of a room. Needs `rooms.modify` on the room. It is watched again."""
        answer: RoomDetail | Waiting = self._call("POST", _at("/customers/{}/rooms/{}/unsuppress/", tenant_id, room_id), headers={"Idempotency-Key": idempotency_key, "If-Match": if_match, "Change-Justification": justification})
        return answer

    def rooms(
        self,
        tenant_id: str,
        *,
        building: str | None = None,
        city: str | None = None,
        country: str | None = None,
        cursor: str | None = None,
        group: int | None = None,
        health: Literal["healthy", "unhealthy", "unmonitored"] | None = None,
        page_size: int | None = None,
        q: str | None = None,
        region: str | None = None,
        sort: Literal["-building", "-city", "-health", "-name", "-state", "building", "city", "health", "name", "state"] | None = None,
        state: Literal["enrolled", "onboarding", "suppressed", "unenrolled"] | None = None,
    ) -> RoomItemPage:
        """The rooms you may see. Needs `rooms.view`. Filters that name a place or a group you cannot see are errors.
        country: Two-letter country code.
        cursor: The place in the list; taken from `next` or `previous`.
        group: Id of a room group that you may see.
        page_size: How many items at most.
        q: Words that name, resource account, city or building contain.
        region: State or province.
        sort: With “-” in front: the other way round.
        """
        answer: RoomItemPage = self._call("GET", _at("/customers/{}/rooms/", tenant_id), query={"building": building, "city": city, "country": country, "cursor": cursor, "group": group, "health": health, "page_size": page_size, "q": q, "region": region, "sort": sort, "state": state})
        return answer

    def each_rooms(
        self,
        tenant_id: str,
        *,
        building: str | None = None,
        city: str | None = None,
        country: str | None = None,
        group: int | None = None,
        health: Literal["healthy", "unhealthy", "unmonitored"] | None = None,
        q: str | None = None,
        region: str | None = None,
        sort: Literal["-building", "-city", "-health", "-name", "-state", "building", "city", "health", "name", "state"] | None = None,
        state: Literal["enrolled", "onboarding", "suppressed", "unenrolled"] | None = None,
    ) -> Iterator[RoomItem]:
        """Each item of `rooms`, page by page."""
        return self._each(_at("/customers/{}/rooms/", tenant_id), {"building": building, "city": city, "country": country, "group": group, "health": health, "q": q, "region": region, "sort": sort, "state": state})

    def rooms_bulk(self, tenant_id: str, body: BulkRequest, *, idempotency_key: str | None = None) -> BulkAnswer:
        """Change many rooms. At most 200 rooms. Each is changed for itself, as if it were asked for alone: `edit`,
        `enroll`, `suppress` and `unsuppress` need `rooms.modify` on it, `group` also `groups.modify` on the group,
        `ring` needs `rings.modify`. The answer is 207 and says for each room whether it is done, unchanged or
        refused; a room that does not exist and one that you may not see are refused alike.
        """
        answer: BulkAnswer = self._call("POST", _at("/customers/{}/rooms/bulk/", tenant_id), body=body, headers={"Idempotency-Key": idempotency_key})
        return answer

    def security_group(self, tenant_id: str, security_group_id: int) -> SecurityGroupItem:
        """One security group. Needs `roles.view` for all rooms."""
        answer: SecurityGroupItem = self._call("GET", _at("/customers/{}/security-groups/{}/", tenant_id, security_group_id))
        return answer

    def security_group_create(
        self,
        tenant_id: str,
        body: SecurityGroupNameRequest,
        *,
        idempotency_key: str | None = None,
    ) -> SecurityGroupItem:
        """Make a security group. Needs `roles.modify` for all rooms."""
        answer: SecurityGroupItem = self._call("POST", _at("/customers/{}/security-groups/", tenant_id), body=body, headers={"Idempotency-Key": idempotency_key})
        return answer

    def security_group_delete(
        self,
        tenant_id: str,
        security_group_id: int,
        *,
        idempotency_key: str | None = None,
        if_match: str | None = None,
    ) -> None:
        """Delete a security group. Needs `roles.modify` for all rooms; refused while an assignment names it."""
        self._call("DELETE", _at("/customers/{}/security-groups/{}/", tenant_id, security_group_id), headers={"Idempotency-Key": idempotency_key, "If-Match": if_match})

    def security_group_people(
        self,
        tenant_id: str,
        security_group_id: int,
        *,
        cursor: str | None = None,
        page_size: int | None = None,
    ) -> PersonItemPage:
        """The people of a security group. Needs `roles.view` for all rooms.
        cursor: The place in the list; taken from `next` or `previous`.
        page_size: How many items at most.
        """
        answer: PersonItemPage = self._call("GET", _at("/customers/{}/security-groups/{}/people/", tenant_id, security_group_id), query={"cursor": cursor, "page_size": page_size})
        return answer

    def each_security_group_people(self, tenant_id: str, security_group_id: int) -> Iterator[PersonItem]:
        """Each item of `security_group_people`, page by page."""
        return self._each(_at("/customers/{}/security-groups/{}/people/", tenant_id, security_group_id), {})

    def security_group_people_modify(
        self,
        tenant_id: str,
        security_group_id: int,
        body: PeopleInAndOutRequest | None = None,
        *,
        idempotency_key: str | None = None,
        if_match: str | None = None,
    ) -> SecurityGroupItem:
        """Put people in, take people out. Needs `roles.modify` for all rooms; to add, hold what every assignment of
        the group gives.
        """
        answer: SecurityGroupItem = self._call("POST", _at("/customers/{}/security-groups/{}/people/", tenant_id, security_group_id), body=body, headers={"Idempotency-Key": idempotency_key, "If-Match": if_match})
        return answer

    def security_group_rename(
        self,
        tenant_id: str,
        security_group_id: int,
        body: PatchedSecurityGroupNameRequest | None = None,
        *,
        idempotency_key: str | None = None,
        if_match: str | None = None,
    ) -> SecurityGroupItem:
        """Rename a security group. Needs `roles.modify` for all rooms."""
        answer: SecurityGroupItem = self._call("PATCH", _at("/customers/{}/security-groups/{}/", tenant_id, security_group_id), body=body, headers={"Idempotency-Key": idempotency_key, "If-Match": if_match})
        return answer

    def security_groups(
        self,
        tenant_id: str,
        *,
        cursor: str | None = None,
        page_size: int | None = None,
    ) -> SecurityGroupItemPage:
        """The security groups of your organisation. Needs `roles.view` for all rooms of your own organisation.
        cursor: The place in the list; taken from `next` or `previous`.
        page_size: How many items at most.
        """
        answer: SecurityGroupItemPage = self._call("GET", _at("/customers/{}/security-groups/", tenant_id), query={"cursor": cursor, "page_size": page_size})
        return answer

    def each_security_groups(self, tenant_id: str) -> Iterator[SecurityGroupItem]:
        """Each item of `security_groups`, page by page."""
        return self._each(_at("/customers/{}/security-groups/", tenant_id), {})

    def settings(self, tenant_id: str) -> GeneralItem:
        """The general settings. Needs `settings.view`."""
        answer: GeneralItem = self._call("GET", _at("/customers/{}/settings/", tenant_id))
        return answer

    def settings_modify(
        self,
        tenant_id: str,
        body: PatchedGeneralBodyRequest | None = None,
        *,
        idempotency_key: str | None = None,
        if_match: str | None = None,
    ) -> GeneralItem:
        """Change name, language or time zone. Needs `settings.modify`. The language is that of mails; business days
        are counted in the time zone.
        """
        answer: GeneralItem = self._call("PATCH", _at("/customers/{}/settings/", tenant_id), body=body, headers={"Idempotency-Key": idempotency_key, "If-Match": if_match})
        return answer

    def tenant_manager(self, tenant_id: str, manager_id: int) -> ManagerItem:
        """One tenant manager. Needs `settings.view`."""
        answer: ManagerItem = self._call("GET", _at("/customers/{}/tenant-managers/{}/", tenant_id, manager_id))
        return answer

    def tenant_manager_appoint(
        self,
        tenant_id: str,
        body: ManagerBodyRequest,
        *,
        idempotency_key: str | None = None,
    ) -> ManagerItem:
        """Appoint a tenant manager. Needs `settings.modify`. Somebody of your organisation who has signed in before."""
        answer: ManagerItem = self._call("POST", _at("/customers/{}/tenant-managers/", tenant_id), body=body, headers={"Idempotency-Key": idempotency_key})
        return answer

    def tenant_manager_dismiss(self, tenant_id: str, manager_id: int, *, idempotency_key: str | None = None) -> None:
        """Dismiss a tenant manager. Needs `settings.modify`. Nothing else of the person changes."""
        self._call("DELETE", _at("/customers/{}/tenant-managers/{}/", tenant_id, manager_id), headers={"Idempotency-Key": idempotency_key})

    def tenant_managers(
        self,
        tenant_id: str,
        *,
        cursor: str | None = None,
        page_size: int | None = None,
    ) -> ManagerItemPage:
        """The tenant managers of your organisation. Needs `settings.view`. While none of them can act, the MMR
        Admins answer invitations by domain.
        cursor: The place in the list; taken from `next` or `previous`.
        page_size: How many items at most.
        """
        answer: ManagerItemPage = self._call("GET", _at("/customers/{}/tenant-managers/", tenant_id), query={"cursor": cursor, "page_size": page_size})
        return answer

    def each_tenant_managers(self, tenant_id: str) -> Iterator[ManagerItem]:
        """Each item of `tenant_managers`, page by page."""
        return self._each(_at("/customers/{}/tenant-managers/", tenant_id), {})

    def terms(self) -> TermsSchema:
        """The terms as they are now. To be read before *Add a partner*, which asks for their version."""
        answer: TermsSchema = self._call("GET", "/terms/")
        return answer

    def ticket(self, tenant_id: str, ticket_id: int) -> TicketDetail:
        """One ticket. Needs `tickets.view` on at least one of its rooms; names only rooms that you may see."""
        answer: TicketDetail = self._call("GET", _at("/customers/{}/tickets/{}/", tenant_id, ticket_id))
        return answer

    def ticket_assign(
        self,
        tenant_id: str,
        ticket_id: int,
        body: AssigneeRequest,
        *,
        idempotency_key: str | None = None,
        if_match: str | None = None,
        justification: str | None = None,
    ) -> TicketDetail | Waiting:
        """Assign the ticket to somebody, or to nobody. Needs `tickets.update` on all of its rooms. Who gets it is
        told by mail.
        """
        answer: TicketDetail | Waiting = self._call("POST", _at("/customers/{}/tickets/{}/assignment/", tenant_id, ticket_id), body=body, headers={"Idempotency-Key": idempotency_key, "If-Match": if_match, "Change-Justification": justification})
        return answer

    def ticket_assignable(self, tenant_id: str, ticket_id: int) -> AssignablePeople:
        """Whom the ticket can be assigned to. People who may update it and whom you may know: the customer’s own
        people see all of them, a partner’s people their colleagues and those who take part in the ticket. Empty
        unless you may assign.
        """
        answer: AssignablePeople = self._call("GET", _at("/customers/{}/tickets/{}/assignment/", tenant_id, ticket_id))
        return answer

    def ticket_attach(
        self,
        tenant_id: str,
        ticket_id: int,
        body: NewAttachmentRequest,
        *,
        idempotency_key: str | None = None,
        justification: str | None = None,
    ) -> EntryItem | Waiting:
        """Attach a file. Needs `tickets.update` on at least one of its rooms. `multipart/form-data`, at most 10 MiB,
        and 20 files of a ticket. The content has to be what the file’s name says.
        """
        answer: EntryItem | Waiting = self._call("POST", _at("/customers/{}/tickets/{}/attachments/", tenant_id, ticket_id), body=body, headers={"Idempotency-Key": idempotency_key, "Change-Justification": justification}, is_form=True)
        return answer

    def ticket_attachment(self, tenant_id: str, ticket_id: int, attachment_id: str) -> bytes:
        """The content of a file. Needs `tickets.view` on at least one of the ticket’s rooms."""
        answer: bytes = self._call("GET", _at("/customers/{}/tickets/{}/attachments/{}/", tenant_id, ticket_id, attachment_id), is_file=True)
        return answer

    def ticket_close(
        self,
        tenant_id: str,
        ticket_id: int,
        body: ClosingRequest,
        *,
        idempotency_key: str | None = None,
        if_match: str | None = None,
        justification: str | None = None,
    ) -> TicketDetail | Waiting:
        """Close the ticket. Needs `tickets.update` on all of its rooms. System tickets close by what the device
        reports.
        """
        answer: TicketDetail | Waiting = self._call("POST", _at("/customers/{}/tickets/{}/close/", tenant_id, ticket_id), body=body, headers={"Idempotency-Key": idempotency_key, "If-Match": if_match, "Change-Justification": justification})
        return answer

    def ticket_entries(
        self,
        tenant_id: str,
        ticket_id: int,
        *,
        cursor: str | None = None,
        page_size: int | None = None,
    ) -> EntryItemPage:
        """The history of a ticket, messages included. Needs `tickets.view` on at least one of its rooms. The oldest
        line first.
        cursor: The place in the list; taken from `next` or `previous`.
        page_size: How many items at most.
        """
        answer: EntryItemPage = self._call("GET", _at("/customers/{}/tickets/{}/entries/", tenant_id, ticket_id), query={"cursor": cursor, "page_size": page_size})
        return answer

    def each_ticket_entries(self, tenant_id: str, ticket_id: int) -> Iterator[EntryItem]:
        """Each item of `ticket_entries`, page by page."""
        return self._each(_at("/customers/{}/tickets/{}/entries/", tenant_id, ticket_id), {})

    def ticket_report(
        self,
        tenant_id: str,
        body: NewIncidentRequest,
        *,
        idempotency_key: str | None = None,
        justification: str | None = None,
    ) -> TicketDetail | Waiting:
        """Report an incident. Needs `tickets.create_incident` on each of the rooms. High impact makes it critical,
        and its rooms unhealthy until it is closed.
        """
        answer: TicketDetail | Waiting = self._call("POST", _at("/customers/{}/tickets/", tenant_id), body=body, headers={"Idempotency-Key": idempotency_key, "Change-Justification": justification})
        return answer

    def ticket_state(
        self,
        tenant_id: str,
        ticket_id: int,
        body: NewStateRequest,
        *,
        idempotency_key: str | None = None,
        if_match: str | None = None,
        justification: str | None = None,
    ) -> TicketDetail | Waiting:
        """Change the state, or reopen. Needs `tickets.update` on all of its rooms. Closing has an address of its
        own; a closed ticket is reopened by `needs_action`.
        """
        answer: TicketDetail | Waiting = self._call("POST", _at("/customers/{}/tickets/{}/state/", tenant_id, ticket_id), body=body, headers={"Idempotency-Key": idempotency_key, "If-Match": if_match, "Change-Justification": justification})
        return answer

    def ticket_write(
        self,
        tenant_id: str,
        ticket_id: int,
        body: NewMessageRequest,
        *,
        idempotency_key: str | None = None,
        justification: str | None = None,
    ) -> EntryItem | Waiting:
        """Write a message. Needs `tickets.update` on at least one of its rooms. Those who take part are told by
        mail.
        """
        answer: EntryItem | Waiting = self._call("POST", _at("/customers/{}/tickets/{}/entries/", tenant_id, ticket_id), body=body, headers={"Idempotency-Key": idempotency_key, "Change-Justification": justification})
        return answer

    def tickets(
        self,
        tenant_id: str,
        *,
        assigned: Literal["me", "nobody"] | None = None,
        category: Literal["audio", "connectivity", "display", "peripherals", "versioning"] | None = None,
        cursor: str | None = None,
        kind: Literal["customer", "system"] | None = None,
        opened_from: str | None = None,
        opened_until: str | None = None,
        page_size: int | None = None,
        q: str | None = None,
        room: int | None = None,
        severity: Literal["critical", "important", "recommendation", "warning"] | None = None,
        sort: Literal["-activity", "-opened", "-severity", "activity", "opened", "severity"] | None = None,
        state: Literal["all", "closed", "investigating", "needs_action", "open", "resolved"] | None = None,
    ) -> TicketItemPage:
        """The tickets you may see. Those with a room on which you hold `tickets.view`; the open ones, unless you ask
        for others.
        category: Of system tickets.
        cursor: The place in the list; taken from `next` or `previous`.
        opened_from: In the customer’s time zone.
        opened_until: That day included.
        page_size: How many items at most.
        q: A number, or words that the title contains.
        room: Id of a room whose tickets you may see.
        sort: With “-” in front: the other way round.
        """
        answer: TicketItemPage = self._call("GET", _at("/customers/{}/tickets/", tenant_id), query={"assigned": assigned, "category": category, "cursor": cursor, "kind": kind, "opened_from": opened_from, "opened_until": opened_until, "page_size": page_size, "q": q, "room": room, "severity": severity, "sort": sort, "state": state})
        return answer

    def each_tickets(
        self,
        tenant_id: str,
        *,
        assigned: Literal["me", "nobody"] | None = None,
        category: Literal["audio", "connectivity", "display", "peripherals", "versioning"] | None = None,
        kind: Literal["customer", "system"] | None = None,
        opened_from: str | None = None,
        opened_until: str | None = None,
        q: str | None = None,
        room: int | None = None,
        severity: Literal["critical", "important", "recommendation", "warning"] | None = None,
        sort: Literal["-activity", "-opened", "-severity", "activity", "opened", "severity"] | None = None,
        state: Literal["all", "closed", "investigating", "needs_action", "open", "resolved"] | None = None,
    ) -> Iterator[TicketItem]:
        """Each item of `tickets`, page by page."""
        return self._each(_at("/customers/{}/tickets/", tenant_id), {"assigned": assigned, "category": category, "kind": kind, "opened_from": opened_from, "opened_until": opened_until, "q": q, "room": room, "severity": severity, "sort": sort, "state": state})

    def token(self, tenant_id: str, prefix: str) -> TokenItem:
        """One of your tokens. For a partner's people, signed in themselves: a tool makes no tools. The customer's
        own people need none.
        """
        answer: TokenItem = self._call("GET", _at("/customers/{}/tokens/{}/", tenant_id, prefix))
        return answer

    def token_issue(self, tenant_id: str, body: TokenBodyRequest, *, idempotency_key: str | None = None) -> NewToken:
        """Issue a token. It may do what you may do here, narrowed to `scopes`. The answer is the only one that holds
        the secret, `token`; send it as `Authorization: Token trm_…`.
        """
        answer: NewToken = self._call("POST", _at("/customers/{}/tokens/", tenant_id), body=body, headers={"Idempotency-Key": idempotency_key})
        return answer

    def token_revoke(
        self,
        tenant_id: str,
        prefix: str,
        *,
        idempotency_key: str | None = None,
        if_match: str | None = None,
    ) -> None:
        """Revoke one of your tokens. It opens nothing any more, from its next request on."""
        self._call("DELETE", _at("/customers/{}/tokens/{}/", tenant_id, prefix), headers={"Idempotency-Key": idempotency_key, "If-Match": if_match})

    def tokens(self, tenant_id: str, *, cursor: str | None = None, page_size: int | None = None) -> TokenItemPage:
        """Your tokens. Your own ones for this customer, newest first, without their secrets.
        cursor: The place in the list; taken from `next` or `previous`.
        page_size: How many items at most.
        """
        answer: TokenItemPage = self._call("GET", _at("/customers/{}/tokens/", tenant_id), query={"cursor": cursor, "page_size": page_size})
        return answer

    def each_tokens(self, tenant_id: str) -> Iterator[TokenItem]:
        """Each item of `tokens`, page by page."""
        return self._each(_at("/customers/{}/tokens/", tenant_id), {})

    def webhook(self, tenant_id: str, webhook_id: str) -> WebhookItem:
        """One webhook. For who modifies the customer’s settings: its own webhooks. For a partner’s primary admin,
        and his tools with `roles.modify`: the partner’s for this customer.
        """
        answer: WebhookItem = self._call("GET", _at("/customers/{}/webhooks/{}/", tenant_id, webhook_id))
        return answer

    def webhook_create(
        self,
        tenant_id: str,
        body: WebhookBodyRequest,
        *,
        idempotency_key: str | None = None,
    ) -> NewWebhook:
        """Make a webhook. For who modifies the customer’s settings: its own webhooks. For a partner’s primary admin,
        and his tools with `roles.modify`: the partner’s for this customer. By people, not by tools. The answer is
        the only one that holds the `secret`.
        """
        answer: NewWebhook = self._call("POST", _at("/customers/{}/webhooks/", tenant_id), body=body, headers={"Idempotency-Key": idempotency_key})
        return answer

    def webhook_delete(
        self,
        tenant_id: str,
        webhook_id: str,
        *,
        idempotency_key: str | None = None,
        if_match: str | None = None,
    ) -> None:
        """Delete a webhook. For who modifies the customer’s settings: its own webhooks. For a partner’s primary
        admin, and his tools with `roles.modify`: the partner’s for this customer. By people, not by tools. Nothing
        is sent any more, and its log is gone.
        """
        self._call("DELETE", _at("/customers/{}/webhooks/{}/", tenant_id, webhook_id), headers={"Idempotency-Key": idempotency_key, "If-Match": if_match})

    def webhook_modify(
        self,
        tenant_id: str,
        webhook_id: str,
        body: PatchedWebhookChangesRequest | None = None,
        *,
        idempotency_key: str | None = None,
        if_match: str | None = None,
    ) -> WebhookItem:
        """Change a webhook, turn it off or on. For who modifies the customer’s settings: its own webhooks. For a
        partner’s primary admin, and his tools with `roles.modify`: the partner’s for this customer. By people, not
        by tools. While it is off nothing new is kept for it; what waits is sent once it is on again.
        """
        answer: WebhookItem = self._call("PATCH", _at("/customers/{}/webhooks/{}/", tenant_id, webhook_id), body=body, headers={"Idempotency-Key": idempotency_key, "If-Match": if_match})
        return answer

    def webhook_rotate(
        self,
        tenant_id: str,
        webhook_id: str,
        body: RotationBodyRequest | None = None,
        *,
        idempotency_key: str | None = None,
        if_match: str | None = None,
    ) -> NewWebhook:
        """Give a webhook another secret. For who modifies the customer’s settings: its own webhooks. For a partner’s
        primary admin, and his tools with `roles.modify`: the partner’s for this customer. By people, not by tools.
        The secret of today goes on signing for `grace_hours` beside the new one, which this answer alone holds.
        """
        answer: NewWebhook = self._call("POST", _at("/customers/{}/webhooks/{}/rotate/", tenant_id, webhook_id), body=body, headers={"Idempotency-Key": idempotency_key, "If-Match": if_match})
        return answer

    def webhook_test(self, tenant_id: str, webhook_id: str, *, idempotency_key: str | None = None) -> DeliveryItem:
        """Send a test event. For who modifies the customer’s settings: its own webhooks. For a partner’s primary
        admin, and his tools with `roles.modify`: the partner’s for this customer. By people, not by tools. An event
        `webhook.test` is on its way; look at it in the log.
        """
        answer: DeliveryItem = self._call("POST", _at("/customers/{}/webhooks/{}/test/", tenant_id, webhook_id), headers={"Idempotency-Key": idempotency_key})
        return answer

    def webhooks(self, tenant_id: str, *, cursor: str | None = None, page_size: int | None = None) -> WebhookItemPage:
        """The webhooks you keep. For who modifies the customer’s settings: its own webhooks. For a partner’s primary
        admin, and his tools with `roles.modify`: the partner’s for this customer.
        cursor: The place in the list; taken from `next` or `previous`.
        page_size: How many items at most.
        """
        answer: WebhookItemPage = self._call("GET", _at("/customers/{}/webhooks/", tenant_id), query={"cursor": cursor, "page_size": page_size})
        return answer

    def each_webhooks(self, tenant_id: str) -> Iterator[WebhookItem]:
        """Each item of `webhooks`, page by page."""
        return self._each(_at("/customers/{}/webhooks/", tenant_id), {})

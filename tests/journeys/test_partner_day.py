"""A partner with three customers works a day: once by the API only, with the client, once by pages only.

Both do the same in each customer, to rooms of their own; the third customer approves changes of rooms first. Then the
audit log of the one tells, line for line, what that of the other tells. Real web server, no JavaScript.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from audit.models import AuditEvent
from partners.models import PartnerRelationship
from rbac.catalogue import CEILING, Permission
from rbac.models import User
from rooms import change_control
from rooms.models import ApprovalRequest, Room, RoomState, Ticket
from rooms_portal import Portal as Tool
from rooms_portal import is_waiting
from tests import invariants
from tests.factories.callers import token
from tests.factories.world import Customer, ask_first, found_customer, join, make
from tests.foundation.portal import Portal
from tests.journeys.visitor import Visitor


@dataclass
class Job:
    """What somebody of a partner cares for in one customer: two rooms, and no others."""

    customer: Customer
    relationship: PartnerRelationship
    person: User
    room: Room
    other: Room

    @property
    def tenant(self) -> str:
        return str(self.customer.tenant.pk)


class Day(ABC):
    """The work of a day in one customer, by one of two doors."""

    def work(self, job: Job) -> None:
        """Look at the rooms, resize one, keep another one quiet for a while; report an incident and see it through."""
        assert self.rooms(job) == {job.room.display_name, job.other.display_name}
        self.resize(job)
        self.suppress(job)
        self.lift(job)
        ticket = self.report(job)
        self.take(job, ticket)
        self.investigate(job, ticket)
        self.say(job, ticket, "The cable was loose.")
        self.close(job, ticket)

    @abstractmethod
    def rooms(self, job: Job) -> set[str]: ...
    @abstractmethod
    def resize(self, job: Job) -> None: ...
    @abstractmethod
    def suppress(self, job: Job) -> None: ...
    @abstractmethod
    def lift(self, job: Job) -> None: ...
    @abstractmethod
    def report(self, job: Job) -> int: ...
    @abstractmethod
    def take(self, job: Job, ticket: int) -> None: ...
    @abstractmethod
    def investigate(self, job: Job, ticket: int) -> None: ...
    @abstractmethod
    def say(self, job: Job, ticket: int, text: str) -> None: ...
    @abstractmethod
    def close(self, job: Job, ticket: int) -> None: ...


class ByTool(Day):
    """A program with a token for each customer."""

    def __init__(self, url: str, jobs: list[Job]) -> None:
        secrets = {job.tenant: token(job.relationship, job.person, *sorted(CEILING)) for job in jobs}
        self.tools = {tenant: Tool(url, secret) for tenant, secret in secrets.items()}

    def rooms(self, job: Job) -> set[str]:
        return {one["display_name"] for one in self.tools[job.tenant].each_rooms(job.tenant)}

    def resize(self, job: Job) -> None:
        changed = {"capacity": 14}
        self._done_or_approved(
            self.tools[job.tenant].room_modify(job.tenant, job.room.pk, changed, justification="New table"), job
        )

    def suppress(self, job: Job) -> None:
        answer = self.tools[job.tenant].room_suppress(job.tenant, job.other.pk, {"reason": "Painting"})
        self._done_or_approved(answer, job)

    def lift(self, job: Job) -> None:
        self._done_or_approved(self.tools[job.tenant].room_unsuppress(job.tenant, job.other.pk), job)

    def _done_or_approved(self, answer: object, job: Job) -> None:
        if is_waiting(answer):
            approve(job, answer["request"])
            assert self.tools[job.tenant].approval(job.tenant, answer["request"])["state"] == "executed"

    def report(self, job: Job) -> int:
        answer = self.tools[job.tenant].ticket_report(
            job.tenant,
            {"title": "No sound", "description": "Since noon.", "rooms": [job.room.pk], "severity": "important"},
        )
        assert not is_waiting(answer)
        return answer["id"]

    def take(self, job: Job, ticket: int) -> None:
        people = self.tools[job.tenant].ticket_assignable(job.tenant, ticket)["items"]
        [me] = [one["id"] for one in people if one["upn"] == job.person.upn]
        self.tools[job.tenant].ticket_assign(job.tenant, ticket, {"person": me})

    def investigate(self, job: Job, ticket: int) -> None:
        self.tools[job.tenant].ticket_state(job.tenant, ticket, {"state": "investigating"})

    def say(self, job: Job, ticket: int, text: str) -> None:
        self.tools[job.tenant].ticket_write(job.tenant, ticket, {"text": text})

    def close(self, job: Job, ticket: int) -> None:
        self.tools[job.tenant].ticket_close(job.tenant, ticket, {"reason": "fixed", "note": "It holds now."})


class ByPages(Day):
    """A person at a browser."""

    def __init__(self, url: str, person: User) -> None:
        self.browser = Visitor(url)
        client = Client()
        client.force_login(person, backend="rbac.backends.LocalAccounts")
        name = settings.SESSION_COOKIE_NAME
        self.browser.session.cookies.set(name, client.cookies[name].value)

    def _open(self, job: Job, path: str) -> Visitor:
        assert self.browser.open(f"{self.browser.base}/c/{job.tenant}/{path}").status == 200
        return self.browser

    def rooms(self, job: Job) -> set[str]:
        shown = self._open(job, "rooms/").page
        return {name for name, address in shown.links if re.search(r"/rooms/\d+/$", address)}

    def resize(self, job: Job) -> None:
        page = self._open(job, f"rooms/{job.room.pk}/edit/")
        typed = {"capacity": "14"}
        asks = "approves such changes first" in page.page.text
        page.press("Save", **typed | ({"justification": "New table"} if asks else {}))
        self._approved(job)

    def suppress(self, job: Job) -> None:
        self._open(job, f"rooms/{job.other.pk}/suppress/").press("Suppress", ends="open", reason="Painting")
        self._approved(job)

    def lift(self, job: Job) -> None:
        self._open(job, f"rooms/{job.other.pk}/").press("Lift the suppression")
        self._approved(job)

    def _approved(self, job: Job) -> None:
        """If the page is that of a request, the customer approves it."""
        assert self.browser.page.status == 200, self.browser.page.text
        found = re.search(r"/approvals/([0-9a-f-]{36})/", self.browser.page.url)
        if found is not None:
            assert "your change waits for the customer’s approval" in self.browser.page.text
            approve(job, found[1])
            assert "Approved and done" in self.browser.open(self.browser.page.url).text

    def report(self, job: Job) -> int:
        typed = {"title": "No sound", "description": "Since noon.", "severity": "important"}
        self._open(job, f"tickets/add/?room={job.room.pk}").press("Report the incident", **typed)
        found = re.search(r"/tickets/(\d+)/", self.browser.page.url)
        assert found is not None, self.browser.page.text
        return int(found[1])

    def take(self, job: Job, ticket: int) -> None:
        self._open(job, f"tickets/{ticket}/").press("Assign", person=str(job.person.pk))

    def investigate(self, job: Job, ticket: int) -> None:
        self._open(job, f"tickets/{ticket}/").press("Change", state="investigating")

    def say(self, job: Job, ticket: int, text: str) -> None:
        self._open(job, f"tickets/{ticket}/").press("Send", text=text)

    def close(self, job: Job, ticket: int) -> None:
        self._open(job, f"tickets/{ticket}/close/").press("Close ticket", reason="fixed", note="It holds now.")


def approve(job: Job, request: str) -> None:
    """Somebody of the customer reads the request and says yes."""
    change_control.approve(ApprovalRequest.objects.get(pk=request), by=job.customer.admin, comment="Fine")


@pytest.fixture
def jobs(portal: Portal) -> tuple[str, list[Job], list[Job]]:
    """The portal's address; three customers as Ann of Fabrikam sees them, and as Nora of Northwind does."""
    world = make()
    customers = [world.contoso, world.tailwind, found_customer("Woodgrove")]
    both: list[list[Job]] = [[], []]
    for customer in customers:
        number = iter(range(3, 7))
        for jobs, partner, name in zip(both, (world.fabrikam, world.northwind), ("ann", "nora"), strict=True):
            rooms = list(_rooms(customer, partner.tenant.name, number))
            relationship, [person] = join(customer, partner, name, rooms=rooms)
            jobs.append(Job(customer, relationship, person, *rooms))
            if customer is customers[-1]:
                ask_first(relationship, Permission.ROOMS_MODIFY)
    return portal.web(workers=1).url, *both


def _rooms(customer: Customer, partner: str, number: Iterator[int]) -> Iterator[Room]:
    for _ in range(2):
        which = next(number)
        yield Room.objects.create(
            tenant=customer.tenant,
            display_name=f"{partner} room {which}",
            resource_account=f"care{which}@{customer.domain}",
            country="DE",
            state=RoomState.ENROLLED,
            ring=customer.rooms[0].ring,
        )


def told(job: Job) -> list[dict[str, Any]]:
    """What the log says of the day, but for what can never be the same: times, numbers, names, who and from where."""
    lines = AuditEvent.objects.filter(relationship_id=job.relationship.delegation_id).order_by("pk")
    lines = lines.exclude(category__in=["PartnerInvitation", "Assignment", "Role", "User"])
    names = {job.room.display_name: "room", job.other.display_name: "other room", job.person.upn: "partner"}
    shown = [
        {
            "what": f"{line.category}/{line.operation} {line.result} {line.code}",
            "object": line.object_name,
            "by": line.user_id,
            "approver": line.approver,
            "before": str(line.before),
            "after": str(line.after),
        }
        for line in lines
    ]
    return [{name: _alike(text, names) for name, text in line.items()} for line in shown]


def _alike(text: str, names: dict[str, str]) -> str:
    for name, stands_for in names.items():
        text = text.replace(name, stands_for)
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d{4}-\d\d-\d\dT[\d:.+Z-]+", "…", text)
    return re.sub(r"(#|'(?:id|person|ticket|entry|rooms?)': \[?)\d+", r"\1…", text)


def test_day_by_the_api_and_day_by_pages_leave_the_same_story(jobs: tuple[str, list[Job], list[Job]]) -> None:
    url, by_tool, by_pages = jobs
    tool, pages = ByTool(url, by_tool), ByPages(url, by_pages[0].person)
    for job in by_tool:
        tool.work(job)
    for job in by_pages:
        pages.work(job)

    for one, another in zip(by_tool, by_pages, strict=True):
        story = told(one)
        assert story == told(another)
        assert len(story) >= 8
    waited = [line["what"] for line in told(by_tool[-1]) if "Approval" in line["what"]]
    assert waited == ["Approval/Create Successful ", "Approval/Update Successful "] * 3
    assert {ticket.state for ticket in Ticket.objects.all()} == {"closed"}
    assert Ticket.objects.count() == 6
    invariants.check()

"""The command line, as somebody types it: a process of its own against the running portal."""

import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rbac.catalogue import Permission
from rooms.models import Ticket
from rooms.services import tickets
from tests.client.conftest import Site
from tests.factories.world import ask_first
from trm_portal.development.state import PROJECT


class Shell:
    """Somebody's terminal, with a home folder of his own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "PYTHONPATH": str(PROJECT / "client"),
            "PYTHONIOENCODING": "utf-8",
        }

    def start(self, *words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "rooms_portal", *words]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, env=self.environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True)

    def run(self, *words: str, said: str = "") -> tuple[int, str, str]:
        """Exit status, output, complaints."""
        process = self.start(*words)
        out, err = process.communicate(said, timeout=60)
        return process.returncode, out, err


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.fixture
def logged_in(site: Site, shell: Shell) -> Shell:
    assert shell.run("login", site.web.url, said=f"{site.secret}\n")[0] == 0
    return shell


def test_day_of_a_tool(site: Site, logged_in: Shell) -> None:
    """Log in, list customers and rooms, open an incident, watch it until it is closed."""
    assert logged_in.run("whoami")[1] == f"{site.ann.upn}\t{site.ann.get_full_name()}\n"
    assert logged_in.run("customers")[1] == f"{site.customer}\tContoso\n"
    room = site.world.contoso.german[0]
    status, out, _ = logged_in.run("rooms", "--search", "room 0", "--json")
    assert (status, [json.loads(line)["id"] for line in out.splitlines()]) == (0, [room.pk])
    status, out, _ = logged_in.run("open-incident", "--room", str(room.pk), "The camera shows nothing")
    assert status == 0
    ticket = Ticket.objects.get()
    assert out == f"{ticket.pk}\tneeds_action\timportant\tThe camera shows nothing\n"

    watching = logged_in.start("watch", str(ticket.pk), "--every", "0.2", "--json")
    assert watching.stdout is not None
    assert json.loads(watching.stdout.readline())["kind"] == "opened"
    tickets.write(ticket, by=site.world.contoso.admin, text="Plugged in again.")
    assert json.loads(watching.stdout.readline())["text"] == "Plugged in again."
    tickets.close(ticket, by=site.world.contoso.admin, reason="fixed")
    rest, complaints = watching.communicate(timeout=60)
    assert (watching.returncode, complaints) == (0, "")
    assert [json.loads(line)["kind"] for line in rest.splitlines()] == ["closed"]
    assert logged_in.run("incidents")[1] == ""
    assert str(ticket.pk) in logged_in.run("incidents", "--all")[1]


def test_incident_that_waits_says_so(site: Site, logged_in: Shell) -> None:
    ask_first(site.relationship, Permission.TICKETS_CREATE_INCIDENT)
    room = site.world.contoso.german[0].pk
    status, out, _ = logged_in.run("open-incident", "--room", str(room), "Too warm")
    assert (status, "waits for the customer’s approval" in out) == (0, True)
    assert not Ticket.objects.exists()
    assert "tickets.create_incident" in logged_in.run("approvals")[1]


def test_token_is_kept_for_its_owner_only(site: Site, logged_in: Shell) -> None:
    kept = logged_in.home / ".config" / "rooms-portal" / "login.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    assert logged_in.run("logout")[1] == "Forgotten.\n"
    assert not kept.exists()
    status, _, complaint = logged_in.run("rooms")
    assert (status, complaint) == (2, "Not logged in: rooms-portal login ADDRESS\n")


def test_wrong_token_is_refused_and_not_kept(site: Site, shell: Shell) -> None:
    status, out, complaint = shell.run("login", site.web.url, said="trm_wrong\n")
    assert (status, out) == (1, "")
    assert "(authentication_failed)" in complaint
    assert not (shell.home / ".config").exists()


def test_refusal_names_the_field(site: Site, logged_in: Shell) -> None:
    status, out, complaint = logged_in.run("open-incident", "--room", "999999", "Too warm")
    assert (status, out) == (1, "")
    assert "(unknown_rooms)" in complaint


def test_portal_that_is_away_ends_with_three(site: Site, logged_in: Shell) -> None:
    site.web.kill()
    began = time.monotonic()
    status, out, complaint = logged_in.run("customers")
    assert (status, out) == (3, "")
    assert "does not answer" in complaint
    assert time.monotonic() - began < 30

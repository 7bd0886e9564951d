"""The command line: log in with a token, list customers and rooms, open an incident and watch it.

    rooms-portal login https://rooms.example        asks for the token, or reads it from standard input
    rooms-portal rooms --city Munich
    rooms-portal open-incident --room 1042 "The camera shows nothing"
    rooms-portal watch 77

A token is for one customer; where it reaches several, name one with --customer (its id, or the beginning of its name).
`--json` prints what the portal answered. The program ends with 0; with 1 if the portal refused, with 2 if it was called
in a way it does not know, with 3 if the portal did not answer.
"""

from __future__ import annotations

import argparse
import getpass
import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from rooms_portal import keychain
from rooms_portal.client import Portal, is_waiting
from rooms_portal.errors import PortalError, Problem, Unreachable
from rooms_portal.keychain import Login
from rooms_portal.models import Customer, EntryItem, NewIncidentRequest

REFUSED, USAGE, AWAY = 1, 2, 3
SECONDS = 10.0  # between two looks at a ticket
Command = Callable[[Portal, argparse.Namespace], Any]


class WrongCall(PortalError):
    """The program was called in a way it cannot follow."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what `arguments` say (those of the process, if none are given); the status to end with."""
    chosen = _parser().parse_args(arguments)
    try:
        if chosen.command in ("login", "logout"):
            return int(chosen.run(chosen) or 0)
        login = keychain.known()
        if login is None:
            raise WrongCall("Not logged in: rooms-portal login ADDRESS")
        with Portal(login.address, login.token) as portal:
            chosen.run(portal, chosen)
    except Problem as problem:
        _complain(f"{problem.detail} ({problem.code})")
        if problem.sign_in_url:
            _complain(f"  {problem.sign_in_url}")
        for error in problem.errors:
            _complain(f"  {error.get('pointer') or error.get('parameter') or ''}: {error['detail']}")
        return REFUSED
    except Unreachable as error:
        _complain(str(error))
        return AWAY
    except (WrongCall, ValueError) as error:
        _complain(str(error))
        return USAGE
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="rooms-portal", description="Work with the meeting rooms of your customers.")
    commands = parser.add_subparsers(dest="command", required=True)
    login = commands.add_parser("login", help="keep the portal's address and a token")
    login.add_argument("address", help="as in https://rooms.example")
    login.set_defaults(run=_login)
    commands.add_parser("logout", help="forget them").set_defaults(run=_logout)
    _add(commands, "whoami", _whoami, "whose token this is")
    _add(commands, "customers", _customers, "the customers it works for")
    rooms = _add(commands, "rooms", _rooms, "the rooms in your scope", of_customer=True)
    rooms.add_argument("--search", help="words that name, account, city or building contain")
    rooms.add_argument("--city")
    rooms.add_argument("--health", choices=["healthy", "unhealthy", "unmonitored"])
    tickets = _add(commands, "incidents", _incidents, "the incidents you may see", of_customer=True)
    tickets.add_argument("--all", action="store_true", help="closed ones too")
    _add(commands, "approvals", _approvals, "what you asked the customer for", of_customer=True)
    opened = _add(commands, "open-incident", _open_incident, "report an incident", of_customer=True)
    opened.add_argument("title", help="what is wrong, in a line")
    opened.add_argument("--description", default="", help="all that is known of it")
    opened.add_argument(
        "--room", type=int, action="append", required=True, help="id of a room; more than once for more"
    )
    opened.add_argument("--severity", choices=["important", "warning", "recommendation"], default="important")
    opened.add_argument("--high-impact", metavar="WHY", help="the impact is high, and why")
    watched = _add(commands, "watch", _watch, "follow a ticket until it is closed", of_customer=True)
    watched.add_argument("ticket", type=int)
    watched.add_argument("--every", type=float, default=SECONDS, metavar="SECONDS", help="how often to look (10)")
    return parser


def _add(commands: Any, name: str, run: Command, said: str, *, of_customer: bool = False) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=said)
    parser.add_argument("--json", action="store_true", help="what the portal answered, one JSON value a line")
    if of_customer:
        parser.add_argument("--customer", help="its id, or the beginning of its name")
    parser.set_defaults(run=run)
    return parser


def _login(chosen: argparse.Namespace) -> None:
    token = getpass.getpass("Token: ") if sys.stdin.isatty() else sys.stdin.readline()
    login = Login(chosen.address.rstrip("/"), token.strip())
    with Portal(login.address, login.token) as portal:
        me = portal.me()
    print(f"{me['upn']}, kept in {keychain.keep(login)}")


def _logout(chosen: argparse.Namespace) -> None:
    print("Forgotten." if keychain.forget() else "Nothing was kept.")


def _whoami(portal: Portal, chosen: argparse.Namespace) -> None:
    me = portal.me()
    _show(chosen, [me], lambda one: [one["upn"], one["name"]])


def _customers(portal: Portal, chosen: argparse.Namespace) -> None:
    _show(chosen, portal.each_customers(), lambda one: [one["id"], one["name"]])


def _rooms(portal: Portal, chosen: argparse.Namespace) -> None:
    customer = _customer(portal, chosen)
    found = portal.each_rooms(customer["id"], q=chosen.search, city=chosen.city, health=chosen.health)
    _show(chosen, found, lambda one: [one["id"], one["display_name"], one["city"], one["state"], one["health"]])


def _incidents(portal: Portal, chosen: argparse.Namespace) -> None:
    customer = _customer(portal, chosen)
    found = portal.each_tickets(customer["id"], state="all" if chosen.all else None)
    _show(chosen, found, lambda one: [one["id"], one["state"], one["severity"], one["title"]])


def _approvals(portal: Portal, chosen: argparse.Namespace) -> None:
    found = portal.each_approvals(_customer(portal, chosen)["id"])
    _show(chosen, found, lambda one: [one["id"], one["state"], one["event"], one["object"] or "–"])


def _open_incident(portal: Portal, chosen: argparse.Namespace) -> None:
    incident: NewIncidentRequest = {
        "title": chosen.title,
        "description": chosen.description,
        "rooms": chosen.room,
        "severity": chosen.severity,
    }
    if chosen.high_impact:
        incident["is_high_impact"], incident["justification"] = True, chosen.high_impact
    answer = portal.ticket_report(_customer(portal, chosen)["id"], incident)
    if is_waiting(answer):
        _show(chosen, [answer], lambda one: [one["request"], "waits for the customer’s approval", one["url"]])
    else:
        _show(chosen, [answer], lambda one: [one["id"], one["state"], one["severity"], one["title"]])


def _watch(portal: Portal, chosen: argparse.Namespace) -> None:
    """Print each entry of the ticket once, in its order, until the ticket is closed."""
    customer = _customer(portal, chosen)["id"]
    shown: set[int] = set()
    while True:
        is_closed = portal.ticket(customer, chosen.ticket)["state"] == "closed"  # first: no entry is missed
        entries = [one for one in portal.each_ticket_entries(customer, chosen.ticket) if one["id"] not in shown]
        _show(chosen, sorted(entries, key=lambda one: one["id"]), _entry)
        shown.update(one["id"] for one in entries)
        if is_closed:
            return
        time.sleep(chosen.every)


def _entry(entry: EntryItem) -> list[Any]:
    return [entry["at"], entry["kind"], entry["by"], entry["text"]]


def _customer(portal: Portal, chosen: argparse.Namespace) -> Customer:
    """The one that was named, or the only one there is. Raises WrongCall."""
    wanted = (chosen.customer or "").casefold()
    found = [
        one
        for one in portal.each_customers()
        if not wanted or one["id"] == wanted or one["name"].casefold().startswith(wanted)
    ]
    if len(found) == 1:
        return found[0]
    names = ", ".join(one["name"] for one in found) or "none"
    raise WrongCall(f"Name one customer with --customer; those that fit: {names}")


def _show(chosen: argparse.Namespace, items: Iterable[Any], row: Callable[[Any], list[Any]]) -> None:
    for item in items:
        print(json.dumps(item, ensure_ascii=False) if chosen.json else "\t".join(map(_plain, row(item))), flush=True)


def _plain(value: object) -> str:
    """One line without what a terminal would obey."""
    text = "–" if value is None else str(value)
    return "".join(sign if sign.isprintable() else " " for sign in text)


def _complain(text: str) -> None:
    print("".join(sign if sign.isprintable() else " " for sign in text), file=sys.stderr)

"""A client of the rooms portal, for the tools of partners and of customers.

    portal = Portal("https://rooms.example", token="trm_…")
    for customer in portal.each_customers():
        print(customer["name"])

A method of `Portal` is an operation of the API (docs/api.md of the portal), with its name, its fields and its types.
"""

from rooms_portal.client import Portal, etag, is_waiting
from rooms_portal.errors import Problem, Unreachable
from rooms_portal.webhooks import Rejected, verify

__all__ = ["Portal", "Problem", "Rejected", "Unreachable", "etag", "is_waiting", "verify"]

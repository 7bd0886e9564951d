"""`manage.py simulate_devices`: thousands of devices against a running portal, over HTTP. Needs no database here."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from trm_portal.development.simulation import THREADS, Plan, Simulation


class Command(BaseCommand):
    help = "Enrol made-up devices at a running portal, let them report, and say how long its answers took."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--url", required=True, help="where the portal answers, e.g. http://127.0.0.1:8000")
        parser.add_argument("--key", required=True, help="an enrolment key (Settings > Enrolment keys > Download key)")
        parser.add_argument("--devices", type=int, default=100, help="how many (100)")
        parser.add_argument("--minutes", type=float, default=5, help="for how long they report (5)")
        parser.add_argument("--interval", type=float, default=300, help="seconds between two reports of one (300)")
        parser.add_argument("--seed", type=int, default=1, help="the same seed, the same faults (1)")
        parser.add_argument("--fault-rate", type=float, default=0.02, help="chance of a signal to break (0.02)")
        parser.add_argument("--domain", default="rooms.example", help="of the resource accounts (rooms.example)")
        parser.add_argument("--threads", type=int, default=THREADS, help=f"connections at a time ({THREADS})")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run, and print what was measured. Raises CommandError if nobody could enrol."""
        names = ("url", "key", "devices", "minutes", "interval", "seed", "fault_rate", "domain", "threads")
        plan = Plan(**{name: options[name] for name in names})
        if plan.devices < 1 or plan.minutes < 0 or plan.interval <= 0 or not 1 <= plan.threads <= 256:
            raise CommandError("Devices, interval and threads (at most 256) must be more than 0.")
        simulation = Simulation(plan, self.stdout.write)
        figures = simulation.run()
        for line in figures.lines():
            self.stdout.write(line)
        if not any(device.token for device in simulation.devices):
            raise CommandError("No device could enrol: is the portal there, and does the key still enrol?")

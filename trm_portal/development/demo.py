"""The demo: the whole portal with made-up customers and partners on this machine, and a place to read its mails."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

from trm_portal.development import ports, processes, translations
from trm_portal.development.errors import SetUpError
from trm_portal.development.processes import Child
from trm_portal.development.servers import Servers
from trm_portal.development.state import PROJECT, AlreadyRunningError, StateFolder, write_privately

STATE = PROJECT / ".state" / "demo"  # unless DEMO_STATE names another folder
PORTAL_PORT, MAIL_PORT = 8000, 8025
TRIED_PORTS = 50  # after the usual one
START_TIMEOUT = 90  # seconds
END_TIMEOUT = 8  # seconds each process has to finish what it does

HEADLINE = """
The portal runs at    {portal}
Mails can be read at  {mails}
"""


class Stopped(Exception):
    """Somebody wants the demo to end."""


class Demo:
    """One demo, from its addresses and secrets to the processes that it consists of."""

    def __init__(self, given: Mapping[str, str], *, port: int | None, mail_port: int | None) -> None:
        self.state = StateFolder(Path(given.get("DEMO_STATE") or STATE))
        self.servers = Servers(self.state, given, durable=True)
        self.mails = self.state.folder("mails")
        self.attachments = self.state.folder("attachments")
        self.port = _port(port, PORTAL_PORT, "PORT")
        self.mail_port = _port(mail_port, MAIL_PORT, "MAIL_PORT", taken=self.port)
        self.smtp_port, self.provider_port = ports.any_free(), ports.any_free()
        self.url = f"http://{ports.LOOPBACK}:{self.port}"
        self.mails_url = f"http://{ports.LOOPBACK}:{self.mail_port}"
        self._children: list[Child] = []

    def environment(self) -> dict[str, str]:
        """What the settings read."""
        return {
            "DEMO": "true",
            "DEBUG": "false",
            "SECURE": "false",  # loopback, without TLS
            "LOCAL_SIGN_IN": "true",
            "OIDC_ENDPOINT": f"http://{ports.LOOPBACK}:{self.provider_port}",
            "OIDC_CLIENT_ID": "rooms-portal-demo",
            "OIDC_CLIENT_SECRET": "any: the demo's provider takes every client",
            "OIDC_OBJECT_CLAIM": "oid",
            "DATABASE_URL": self.servers.urls.app,
            "DATABASE_OWNER_URL": self.servers.urls.owner,
            "CELERY_BROKER_URL": self.servers.broker_url,
            "EMAIL_URL": f"smtp://{ports.LOOPBACK}:{self.smtp_port}",
            "PUBLIC_URL": self.url,
            "ALLOWED_HOSTS": f"{ports.LOOPBACK},localhost",
            "SECRET_KEY": self.state.secret("secret key"),
            "INVITATION_LINK_KEY": self.state.secret("invitation link key"),
            "ENROLLMENT_KEY_SECRETS": self.state.secret("enrolment key secret"),
            "ENROLLMENTS_PER_MINUTE": "6000",  # `simulate_devices` enrols them all from here
            "MAIL_FOLDER": str(self.mails),
            "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8",  # receivers on this machine can be tried out
            "DEMO_RECEIVERS": self.mails_url,
            "ATTACHMENTS_ROOT": str(self.attachments),
        }

    def run(self, *, reset: bool) -> None:
        """Start everything, tell where it is, and return when all of it has ended.

        Raises SetUpError if something can't start or ends by itself, AlreadyRunningError if a demo runs in this folder.
        """
        self._hold()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _stop)
        try:
            ended = processes.end_leftovers(self.state)
            if ended:
                _say(f"Ended what an earlier demo left behind: {', '.join(ended)}.")
            if reset:
                self._forget()
            self._start()
            self._watch()
        except Stopped:
            _say("\nEnding the demo; its data stay for the next time.")
        finally:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            self._end()

    def _hold(self) -> None:
        address = self.state.path / "address"
        try:
            self.state.hold()
        except AlreadyRunningError:
            url = address.read_text() if address.exists() else "its address"
            raise AlreadyRunningError(f"The demo is running already at {url}; end that one first.") from None
        write_privately(address, self.url)

    def _forget(self) -> None:
        if self.servers.postgres is None:
            raise SetUpError(
                "The demo's data are in the database that you gave: drop that one yourself, and start again."
            )
        self.servers.postgres.remove_data()
        for folder in (self.mails, self.attachments):
            shutil.rmtree(folder)
            self.state.folder(folder.name)
        _say("Forgot the data and mails of the earlier demo.")

    def _start(self) -> None:
        _say("Starting PostgreSQL and the broker ...")
        self.servers.start()
        translations.compile_translations()
        _say("Preparing the database ...")
        accounts = _prepare_database()
        _say("Starting web, worker, clock and mail ...")
        self._start_processes()
        _say(HEADLINE.format(portal=self.url, mails=self.mails_url))
        for line in accounts:
            _say(line)
        _say(f"\nCtrl+C ends the demo. Logs are in {self.state.path / 'logs'}.")

    def _start_processes(self) -> None:
        python = sys.executable
        self._child("mail", [python, "-m", "trm_portal.development.mail_sink", str(self.smtp_port), str(self.mails)])
        self._child(
            "mails",
            [python, *_web_server(self.mail_port, "trm_portal.development.mail_view:application", workers=1)],
            {"DJANGO_SETTINGS_MODULE": "trm_portal.development.mail_settings"},
        )
        provider = _web_server(self.provider_port, "trm_portal.development.demo_provider:application", workers=1)
        self._child("provider", [python, *provider])
        self._child("worker", [python, "-m", "celery", "-A", "trm_portal", "worker", "-c", "2", "-l", "INFO"])
        schedule = self.state.path / "schedule"
        beat = [python, "-m", "celery", "-A", "trm_portal", "beat", "-l", "INFO", "--pidfile=", "-s", str(schedule)]
        self._child("beat", beat)
        web = self._child("web", [python, *_web_server(self.port, "trm_portal.wsgi:application", workers=2)])
        web.wait_until(lambda: ports.web_answers(f"{self.url}/healthz"), START_TIMEOUT)

    def _child(self, name: str, command: list[str], environment: Mapping[str, str] | None = None) -> Child:
        child = processes.start(
            name,
            command,
            state=self.state,
            environment=os.environ | dict(environment or {}),
            folder=PROJECT,
        )
        self._children.append(child)
        return child

    def _watch(self) -> None:
        while True:
            for child in (*self.servers.children(), *self._children):
                if not child.is_running:
                    raise SetUpError(f"{child.name} has ended. See {child.log}:\n{child.last_words()}")
            time.sleep(0.5)

    def _end(self) -> None:
        for child in self._children:
            child.ask_to_end()
        for child in reversed(self._children):
            child.end(END_TIMEOUT)
        self.servers.stop()
        self.state.release()


_prepared: list[Demo] = []


def add_arguments(parser: ArgumentParser) -> None:
    """What `manage.py demo` takes; the ports may also come from PORT and MAIL_PORT."""
    parser.add_argument("--port", type=int, default=_number("PORT"), help="port of the portal, usually 8000")
    parser.add_argument("--mail-port", type=int, default=_number("MAIL_PORT"), help="port of the mails, usually 8025")
    parser.add_argument("--reset", action="store_true", help="forget the data of earlier demos first")


def prepare(arguments: list[str]) -> None:
    """Afterwards the environment holds what the settings of the demo read; the settings must not be loaded yet."""
    parser = ArgumentParser(add_help=False)
    try:
        add_arguments(parser)
        options = parser.parse_known_args(arguments)[0]
        demo = Demo(dict(os.environ), port=options.port, mail_port=options.mail_port)
    except SetUpError as error:
        sys.exit(str(error))
    os.environ.update(demo.environment())
    os.environ.pop("REDIS_URL", None)
    _prepared.append(demo)


def prepared() -> Demo:
    """The demo of this process. Raises SetUpError if it was not prepared before the settings were loaded."""
    if not _prepared:
        raise SetUpError("Start the demo with `make demo` or `manage.py demo`.")
    return _prepared[0]


def _prepare_database() -> list[str]:
    """Afterwards the database has today's shape and the demo's data; returns who can sign in."""
    from django.core.management import call_command  # noqa: PLC0415 - needs the settings
    from django.db import connections  # noqa: PLC0415

    from trm_portal.development import demo_data  # noqa: PLC0415

    call_command("migrate", database="owner", verbosity=0, interactive=False)
    lines = demo_data.load()
    connections.close_all()
    return list(lines)


def _web_server(port: int, application: str, *, workers: int) -> list[str]:
    server = ["-m", "gunicorn", application, "--bind", f"{ports.LOOPBACK}:{port}", "--no-control-socket"]
    server += ["--worker-class", "gthread", "--workers", str(workers), "--threads", "8"]
    return [*server, "--graceful-timeout", "5", "--access-logfile", "-", "--logger-class", "trm_portal.logs.AccessLog"]


def _port(wished: int | None, usual: int, name: str, *, taken: int | None = None) -> int:
    """The port that somebody wished for, or the first free one from the usual one on."""
    if wished is not None:
        if wished == taken or not ports.is_free(wished):
            raise SetUpError(f"Port {wished} is taken: name another one with {name}=...")
        return wished
    for port in range(usual, usual + TRIED_PORTS):
        if port != taken and ports.is_free(port):
            return port
    raise SetUpError(f"No port from {usual} to {usual + TRIED_PORTS - 1} is free: name one with {name}=...")


def _number(name: str) -> int | None:
    value = os.environ.get(name)
    if not value:
        return None
    if not value.isdigit() or not 0 < int(value) < 65536:
        raise SetUpError(f"{name} has to be a port from 1 to 65535, not {value!r}.")
    return int(value)


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise Stopped


def _say(line: str) -> None:
    print(line, flush=True)

"""PostgreSQL and a broker for one run: those that the environment names, else our own."""

from __future__ import annotations

from collections.abc import Mapping

from trm_portal.development import roles
from trm_portal.development.postgres import SUPERUSER, Postgres
from trm_portal.development.processes import Child
from trm_portal.development.roles import DatabaseUrls, Passwords
from trm_portal.development.state import StateFolder
from trm_portal.development.valkey import Valkey

DATABASE = "trm"


class Servers:
    """What a run needs beside Python: where it is, known at once, and true between `start` and `stop`."""

    def __init__(self, state: StateFolder, given: Mapping[str, str], *, durable: bool) -> None:
        self.postgres = None if given.get("DATABASE_URL") else Postgres(state, durable=durable)
        self.valkey = None if given.get("CELERY_BROKER_URL") or given.get("REDIS_URL") else Valkey(state)
        self.broker_url = (
            self.valkey.broker_url() if self.valkey else given.get("CELERY_BROKER_URL") or given["REDIS_URL"]
        )
        self._passwords = Passwords()
        if self.postgres is not None:
            self._makers_url = self.postgres.url(SUPERUSER, "postgres")
            self.urls = roles.urls_of(self._makers_url, DATABASE, self._passwords)
        elif given.get("DATABASE_OWNER_URL"):
            self._makers_url = ""  # somebody made them
            self.urls = DatabaseUrls(given["DATABASE_URL"], given["DATABASE_OWNER_URL"])
        else:
            self._makers_url = given["DATABASE_URL"]
            self._passwords = Passwords(state.secret("app role"), state.secret("owner role"))
            self.urls = roles.urls_of(self._makers_url, roles.database_of(self._makers_url), self._passwords)

    def start(self) -> None:
        """Afterwards both servers answer, and the database and its two roles are there.

        Raises SetUpError with what to do if that can't be had.
        """
        if self.valkey is not None:
            self.valkey.start()
        if self.postgres is not None:
            self.postgres.start()
        if self._makers_url:
            roles.make_roles(self._makers_url, self.urls, self._passwords)
        roles.grant(self.urls)

    def children(self) -> list[Child]:
        """The servers that we started and that have not been stopped."""
        servers = (server for server in (self.postgres, self.valkey) if server is not None)
        return [server.child for server in servers if server.child is not None]

    def stop(self) -> None:
        """Afterwards what we started has ended; data that are durable stay."""
        for server in (self.valkey, self.postgres):
            if server is not None:
                server.stop()

"""PostgreSQL and a broker for one run: those that the environment names, else our own."""

from __future__ import annotations

from collections.abc import Mapping

from trm_portal.development.postgres import SUPERUSER, Postgres
from trm_portal.development.roles import DatabaseUrls, Passwords, connected, database_of, grant, make_roles
from trm_portal.development.state import StateFolder
from trm_portal.development.valkey import Valkey

DATABASE = "trm"


class Servers:
    """What a run needs beside Python; `start` tells where it is, `stop` ends what we started."""

    def __init__(self, state: StateFolder, given: Mapping[str, str], *, durable: bool) -> None:
        self.state, self.given = state, given
        self.postgres = None if given.get("DATABASE_URL") else Postgres(state, durable=durable)
        self.given_broker_url = given.get("CELERY_BROKER_URL") or given.get("REDIS_URL")
        self.valkey = None if self.given_broker_url else Valkey(state)

    def start(self) -> tuple[DatabaseUrls, str]:
        """Afterwards both servers answer, and the two roles are there: their addresses and the broker's.

        Raises SetUpError with what to do if that can't be had.
        """
        urls = self._database()
        grant(urls)
        return urls, self._broker()

    def stop(self) -> None:
        """Afterwards what we started has ended; data that are durable stay."""
        for server in (self.valkey, self.postgres):
            if server is not None:
                server.stop()

    def _database(self) -> DatabaseUrls:
        if self.postgres is not None:
            self.postgres.start()
            return make_roles(self.postgres.url(SUPERUSER, "postgres"), database=DATABASE, passwords=Passwords())
        url = self.given["DATABASE_URL"]
        if self.given.get("DATABASE_OWNER_URL"):
            return DatabaseUrls(url, self.given["DATABASE_OWNER_URL"])
        return self._given_database(url)

    def _broker(self) -> str:
        if self.valkey is None:
            return str(self.given_broker_url)
        self.valkey.start()
        return self.valkey.broker_url()

    def _given_database(self, url: str) -> DatabaseUrls:
        """The roles at a server of which we know one address: that of somebody who may make them."""
        passwords = Passwords(self.state.secret("app role"), self.state.secret("owner role"))
        maintenance = DatabaseUrls(url, url).of("postgres").app
        with connected(maintenance):
            pass
        return make_roles(maintenance, database=database_of(url) or DATABASE, passwords=passwords)

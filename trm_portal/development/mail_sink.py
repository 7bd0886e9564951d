"""A mail server on loopback that keeps every mail: `python -m trm_portal.development.mail_sink PORT FOLDER`."""

from __future__ import annotations

import asyncio
import sys
from functools import partial
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from trm_portal.development.mail_folder import MailFolder
from trm_portal.development.ports import LOOPBACK

LARGEST_MAIL = 20 * 1024 * 1024


class Keeper:
    """Takes what it is sent."""

    def __init__(self, folder: MailFolder) -> None:
        self._folder = folder

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        """Keep the mail, then say so."""
        content = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content).encode()
        name = self._folder.keep(content, sender=envelope.mail_from or "", recipients=envelope.rcpt_tos)
        print(f"{name} for {len(envelope.rcpt_tos)}", flush=True)
        return f"250 Kept as {name}"


async def serve(port: int, folder: Path) -> None:
    """Take mails until the process ends."""
    factory = partial(SMTP, Keeper(MailFolder(folder)), data_size_limit=LARGEST_MAIL, hostname="localhost")
    server = await asyncio.get_running_loop().create_server(factory, LOOPBACK, port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2])))

"""What stands in logs: never the secret of an invitation's link, which is part of its address."""

import logging
import re
from typing import Any

from gunicorn.glogging import Logger
from structlog.stdlib import ProcessorFormatter

_SLASH = "(?:/|%2[Ff])"
_LINK = re.compile(rf"(invitations{_SLASH}[0-9a-f-]{{36}}{_SLASH})[A-Za-z0-9_-]{{32}}(?![A-Za-z0-9_-])")


def hide_secrets(text: str) -> str:
    """`text` without the secrets of links."""
    return _LINK.sub(r"\1…", text)


class SafeFormatter(ProcessorFormatter):
    """structlog's, for the portal's own lines and those of libraries."""

    def format(self, record: logging.LogRecord) -> str:
        return hide_secrets(super().format(record))


class AccessLog(Logger):
    """gunicorn's, named by `--logger-class`: request line, address, query and referrer hold links, too."""

    def atoms(self, resp: Any, req: Any, environ: Any, request_time: Any) -> dict[str, Any]:
        found = super().atoms(resp, req, environ, request_time)
        return {name: hide_secrets(value) if isinstance(value, str) else value for name, value in found.items()}

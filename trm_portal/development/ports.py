"""Ports on the loopback interface, and who answers there."""

import contextlib
import socket
import urllib.error
import urllib.request

LOOPBACK = "127.0.0.1"


def is_free(port: int) -> bool:
    """Whether a server could listen on this port right now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return not answers(port)


def answers(port: int) -> bool:
    """Whether somebody listens on this port."""
    with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=1):
        return True
    return False


def any_free() -> int:
    """A port that nobody uses right now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def web_answers(url: str) -> bool:
    """Whether a web server answers there, and not with a fault of its own."""
    try:
        urllib.request.urlopen(url, timeout=10).close()  # noqa: S310 - an address of ours on this machine
    except urllib.error.HTTPError as answer:
        answer.close()
        return answer.code < 500
    except OSError:
        return False
    return True

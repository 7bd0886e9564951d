"""Where the command line keeps which portal it asks, and with which token: a file that only its owner reads."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Login:
    """A portal and a token for it."""

    address: str
    token: str


def place() -> Path:
    """The file: ROOMS_PORTAL_LOGIN, or `rooms-portal/login.json` in the folder for settings."""
    named = os.environ.get("ROOMS_PORTAL_LOGIN")
    if named:
        return Path(named)
    folder = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(folder) / "rooms-portal" / "login.json"


def known() -> Login | None:
    """What is kept; ROOMS_PORTAL_URL and ROOMS_PORTAL_TOKEN of the environment go first. None without either."""
    address, token = os.environ.get("ROOMS_PORTAL_URL"), os.environ.get("ROOMS_PORTAL_TOKEN")
    if address and token:
        return Login(address, token)
    try:
        kept = json.loads(place().read_text())
        return Login(kept["address"], kept["token"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def keep(login: Login) -> Path:
    """`login` is kept, readable by its owner only, from the first byte on. Returns where."""
    path = place()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        json.dump({"address": login.address, "token": login.token}, file)
    return path


def forget() -> bool:
    """Nothing is kept any more; whether something was."""
    was_kept = place().exists()
    place().unlink(missing_ok=True)
    return was_kept

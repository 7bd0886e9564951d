"""The translations, compiled without GNU gettext; collected with it, where it is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from trm_portal.development.state import PROJECT

LOCALE = PROJECT / "locale"


def compile_translations(folder: Path = LOCALE) -> list[Path]:
    """Afterwards every django.po has a django.mo of the same content; returns those that were written."""
    written = []
    for source in sorted(folder.glob("*/LC_MESSAGES/django.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime_ns > source.stat().st_mtime_ns:
            continue
        with source.open("rb") as file:
            catalogue = read_po(file, locale=source.parents[1].name)
        fresh = target.with_suffix(f".{os.getpid()}.new")
        with fresh.open("wb") as file:
            write_mo(file, catalogue)
        fresh.replace(target)
        written.append(target)
    return written


def collect_texts() -> bool:
    """Afterwards the German django.po names every text there is; False where GNU gettext is missing."""
    if shutil.which("xgettext") is None:
        return False
    unused = {"SECRET_KEY": "-", "INVITATION_LINK_KEY": "-", "DATABASE_URL": "postgres:///unused"}
    command = [sys.executable, "manage.py", "makemessages", "--locale", "de", "--no-wrap", "--add-location", "file"]
    subprocess.run(command, cwd=PROJECT, env=unused | os.environ, check=True)
    return True


if __name__ == "__main__":
    if not collect_texts():
        print("GNU gettext is not installed: no texts were collected.")
    for path in compile_translations():
        print(f"Compiled {path.relative_to(PROJECT)}")

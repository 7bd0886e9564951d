"""Translations are compiled where they are missing or out of date, and nowhere else."""

import gettext
import os
from pathlib import Path

from trm_portal.development.translations import compile_translations

SOURCE = """
msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8\\nPlural-Forms: nplurals=2; plural=(n != 1);\\n"

msgid "Rooms"
msgstr "{rooms}"

#, fuzzy
msgid "Partner"
msgstr "Perhaps"

msgid "%(n)s room"
msgid_plural "%(n)s rooms"
msgstr[0] "%(n)s Raum"
msgstr[1] "%(n)s Räume"
"""


def write(folder: Path, rooms: str, *, moment: int) -> Path:
    source = folder / "de" / "LC_MESSAGES" / "django.po"
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text(SOURCE.format(rooms=rooms))
    os.utime(source, (moment, moment))
    return source


def read(path: Path) -> gettext.GNUTranslations:
    with path.open("rb") as file:
        return gettext.GNUTranslations(file)


def test_compiled_once_and_again_after_a_change(tmp_path: Path) -> None:
    target = write(tmp_path, "Räume", moment=1_000).with_suffix(".mo")

    assert compile_translations(tmp_path) == [target]
    assert compile_translations(tmp_path) == []
    assert read(target).gettext("Rooms") == "Räume"

    os.utime(target, (2_000, 2_000))
    write(tmp_path, "Zimmer", moment=3_000)
    assert compile_translations(tmp_path) == [target]
    assert read(target).gettext("Rooms") == "Zimmer"


def test_plurals_are_there_and_guesses_are_not(tmp_path: Path) -> None:
    target = write(tmp_path, "Räume", moment=1_000).with_suffix(".mo")

    compile_translations(tmp_path)

    compiled = read(target)
    assert [compiled.ngettext("%(n)s room", "%(n)s rooms", n) for n in (1, 2)] == ["%(n)s Raum", "%(n)s Räume"]
    assert compiled.gettext("Partner") == "Partner"

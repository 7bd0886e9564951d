"""The translations: collected from code and templates, and compiled. Neither needs GNU gettext."""

from __future__ import annotations

import os
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

from trm_portal.development.state import PROJECT

LOCALE = PROJECT / "locale"
APPS = ("audit", "partners", "rbac", "rooms", "trm_portal")

ONE, SEVERAL = None, (1, 2)
IN_CONTEXT, SEVERAL_IN_CONTEXT = ((1, "c"), 2), ((1, "c"), 2, 3)
KEYWORDS = {
    "_": ONE,
    "gettext": ONE,
    "gettext_lazy": ONE,
    "gettext_noop": ONE,
    "ngettext": SEVERAL,
    "ngettext_lazy": SEVERAL,
    "pgettext": IN_CONTEXT,
    "pgettext_lazy": IN_CONTEXT,
    "npgettext": SEVERAL_IN_CONTEXT,
    "npgettext_lazy": SEVERAL_IN_CONTEXT,
}


def texts(project: Path = PROJECT) -> Catalog:
    """Every text of the apps under `project` that people read, with the files it stands in; nothing is translated."""
    found = Catalog()
    for path in _sources(project):
        name = path.relative_to(project).as_posix()
        for line, message, comments, context in extract(
            "python", BytesIO(_as_python(path, name)), KEYWORDS, ["Translators"]
        ):
            found.add(message, locations=[(name, line)], auto_comments=comments, context=context)
    return found


def collect_texts(folder: Path = LOCALE, project: Path = PROJECT) -> list[Path]:
    """Afterwards every django.po names every text there is, and no other; returns these files.

    A text that is new is there without a translation: nothing is guessed.
    """
    found = texts(project)
    catalogues = sorted(folder.glob("*/LC_MESSAGES/django.po"))
    for path in catalogues:
        with path.open("rb") as file:
            catalogue = read_po(file, locale=path.parents[1].name)
        catalogue.update(found, no_fuzzy_matching=True, update_creation_date=False)
        catalogue.obsolete.clear()
        with path.open("wb") as file:
            write_po(file, catalogue, width=0, sort_by_file=True, include_lineno=False)
    return catalogues


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


def _sources(project: Path) -> Iterator[Path]:
    for app in APPS:
        for path in sorted((project / app).rglob("*")):
            if path.suffix == ".py" or ("templates" in path.parts and path.suffix in {".html", ".txt"}):
                yield path


def _as_python(path: Path, name: str) -> bytes:
    source = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        # What stands between the texts of a template is indented as it likes, which Python would not read.
        source = "\n".join(line.lstrip() for line in templatize(source, origin=name).splitlines())
    return source.encode()


if __name__ == "__main__":
    for path in collect_texts():
        print(f"Collected {path.relative_to(PROJECT)}")
    for path in compile_translations():
        print(f"Compiled {path.relative_to(PROJECT)}")

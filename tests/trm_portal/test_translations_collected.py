"""What is collected: every way in which code and templates mark a text, and nothing of what was translated is lost."""

from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from trm_portal.development.translations import collect_texts, texts

CODE = """
from django.utils.translation import gettext as _, gettext_lazy, ngettext_lazy, npgettext, pgettext_lazy

LABEL = gettext_lazy("Label")
LONG = _("One sentence "
         "on two lines.")
# Translators: a verb
VERB = pgettext_lazy("permission", "View")
ROOMS = ngettext_lazy("%(n)d room", "%(n)d rooms", "n")
TICKETS = npgettext("closed", "%(n)d ticket", "%(n)d tickets", 2)
unmarked("Not a text")
"""
PAGE = """{% load i18n %}
      <h1>{% translate "Heading" %}</h1>
  <p>{% blocktranslate trimmed count total=n %}
    <strong>{{ total }}</strong> partner
  {% plural %}
    <strong>{{ total }}</strong> partners
  {% endblocktranslate %}</p>
        {% badge "info" _("Given to a tag") %} {% translate "Open" context "state" as label %}
"""
MAIL = "{% blocktranslate %}Hello {{ name }},{% endblocktranslate %}\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    files = {
        "rooms/views.py": CODE,
        "rooms/templates/rooms/page.html": PAGE,
        "partners/templates/mail.txt": MAIL,
        "partners/notes.txt": "{% load i18n %}{% translate 'In no template' %}",
        "tests/test_rooms.py": "_('Of a test')",
    }
    for name, source in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    return tmp_path


def listed(catalogue: Catalog) -> dict[tuple[object, str | None], list[str]]:
    return {(text.id, text.context): [name for name, _ in text.locations] for text in catalogue if text.id}


def test_every_kind_of_text_is_found(project: Path) -> None:
    code, page = ["rooms/views.py"], ["rooms/templates/rooms/page.html"]

    assert listed(texts(project)) == {
        ("Hello %(name)s,", None): ["partners/templates/mail.txt"],
        ("Heading", None): page,
        (
            ("<strong>%(total)s</strong> partner", "<strong>%(total)s</strong> partners"),
            None,
        ): page,
        ("Given to a tag", None): page,
        ("Open", "state"): page,
        ("Label", None): code,
        ("One sentence on two lines.", None): code,
        ("View", "permission"): code,
        (("%(n)d room", "%(n)d rooms"), None): code,
        (("%(n)d ticket", "%(n)d tickets"), "closed"): code,
    }


def test_notes_to_translators_are_kept(project: Path) -> None:
    assert texts(project).get("View", "permission").auto_comments == ["Translators: a verb"]


def test_collecting_keeps_translations_and_guesses_nothing(project: Path) -> None:
    catalogue = project / "locale" / "de" / "LC_MESSAGES" / "django.po"
    catalogue.parent.mkdir(parents=True)
    catalogue.write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\nPlural-Forms: nplurals=2; plural=(n != 1);\\n"\n\n'
        'msgid "Label"\nmsgstr "Beschriftung"\n\nmsgid "Headings"\nmsgstr "Überschriften"\n'
    )

    assert collect_texts(project / "locale", project) == [catalogue]

    with catalogue.open("rb") as file:
        collected = read_po(file, locale="de")
    assert collected.get("Label").string == "Beschriftung"
    assert not collected.get("Heading").string  # much like “Headings”, which is gone
    assert set(listed(collected)) == set(listed(texts(project)))
    assert not collected.obsolete


def test_collecting_again_changes_nothing(project: Path) -> None:
    catalogue = project / "locale" / "de" / "LC_MESSAGES" / "django.po"
    catalogue.parent.mkdir(parents=True)
    catalogue.write_text('msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n')
    collect_texts(project / "locale", project)
    before = catalogue.read_bytes()

    collect_texts(project / "locale", project)

    assert catalogue.read_bytes() == before

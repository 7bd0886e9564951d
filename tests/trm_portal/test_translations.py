"""German is complete, keeps the placeholders, and says what the glossary says."""

import csv
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from django.conf import settings
from django.db.models import TextChoices
from django.utils.translation import gettext, override

from partners.models import InvitationState
from rbac.catalogue import BuiltIn, Permission
from rooms.models import ControlMode, Health, RoomState
from trm_portal.development.translations import texts

ROOT = Path(settings.BASE_DIR)
GERMAN = ROOT / "locale" / "de" / "LC_MESSAGES" / "django.po"
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[sd%]|\{\w*\}")
# Long enough to be a sentence, so the same words in both languages are a translation that was forgotten.
SENTENCE = re.compile(r"\w+\W+\w+\W+\w+")


@pytest.fixture(scope="module")
def german() -> Catalog:
    with GERMAN.open("rb") as file:
        return read_po(file, locale="de")


@pytest.fixture(scope="module")
def found() -> Catalog:
    return texts(ROOT)


def forms(value: object) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value or ())


class Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.found.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.found.append("/" + tag)


def parts(text: str) -> tuple[list[str], list[str]]:
    """What has to be in the translation as it is: placeholders and HTML."""
    return sorted(PLACEHOLDER.findall(text)), sorted(Tags(text).found)


def faults(text: Message, translation: Message | None) -> Iterator[str]:
    """What is wrong with the translation of one text."""
    originals, translated = forms(text.id), forms(translation.string if translation else None)
    if len(originals) != len(translated) or not all(form.strip() for form in translated):
        yield "is not translated"
        return
    if translation is not None and translation.fuzzy:
        yield "has a translation that nobody has confirmed"
    for original, form in zip(originals, translated, strict=True):
        if parts(original) != parts(form):
            yield f"has other placeholders or HTML than {form!r}"
        if original == form and SENTENCE.search(PLACEHOLDER.sub("", original)):
            yield "is the same in German"


def all_faults(found: Catalog, translations: Catalog) -> list[str]:
    return [
        f"{text.id!r} ({text.locations[0][0]}) {fault}"
        for text in found
        if text.id
        for fault in faults(text, translations.get(text.id, text.context))
    ]


def test_every_text_has_a_german_translation(german: Catalog, found: Catalog) -> None:
    assert len(found) > 900
    wrong = all_faults(found, german)
    assert wrong == [], "\n".join(wrong)


def test_the_catalogue_holds_nothing_else(german: Catalog, found: Catalog) -> None:
    unused = [text.id for text in german if text.id and found.get(text.id, text.context) is None]

    assert unused == []
    assert not german.obsolete


def test_what_is_missing_is_named() -> None:
    found, translations = Catalog(locale="de"), Catalog(locale="de")
    for text in ("Left out", "Empty", "Guessed", "%(n)s of it", "<b>Bold</b>", "One two three", "Well done"):
        found.add(text, locations=[("page.html", 1)])
    found.add(("%(n)s room", "%(n)s rooms"), locations=[("page.html", 2)])
    found.add("View", context="permission", locations=[("page.html", 3)])
    translations.add("Empty", " ")
    translations.add("Guessed", "Geraten", flags=["fuzzy"])
    translations.add("%(n)s of it", "%(m)s davon")
    translations.add("<b>Bold</b>", "<i>Fett</i>")
    translations.add("One two three", "One two three")
    translations.add("Well done", "Gut gemacht")
    translations.add(("%(n)s room", "%(n)s rooms"), ("%(n)s Raum", ""))
    translations.add("View", "Anzeigen")

    assert all_faults(found, translations) == [
        "'Left out' (page.html) is not translated",
        "'Empty' (page.html) is not translated",
        "'Guessed' (page.html) has a translation that nobody has confirmed",
        "'%(n)s of it' (page.html) has other placeholders or HTML than '%(m)s davon'",
        "'<b>Bold</b>' (page.html) has other placeholders or HTML than '<i>Fett</i>'",
        "'One two three' (page.html) is the same in German",
        "('%(n)s room', '%(n)s rooms') (page.html) is not translated",
        "'View' (page.html) is not translated",
    ]


# --- The way it is written -----------------------------------------------------------------------
HABITS = {
    "familiar address": re.compile(r"\b([Dd]u|[Dd]ir|[Dd]ich|[Dd]eine?[rmns]?|[Ee]u(ch|re?[rmns]?))\b"),
    "straight or English quotation marks": re.compile(r"[\"”«»]|“[^„]*“|„[^“]*(„|$)"),
    "three dots instead of an ellipsis": re.compile(r"\.\.\."),
    "a blank too many": re.compile(r"^\s|\s$|  "),
}


def habits(text: str) -> list[str]:
    plain = re.sub(r"<[^>]*>", "", text)
    return [name for name, pattern in HABITS.items() if pattern.search(plain)]


def test_german_is_formal_and_well_set(german: Catalog) -> None:
    found = {form: habits(form) for text in german if text.id for form in forms(text.string)}

    assert {form: said for form, said in found.items() if said} == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Öffnen Sie „Weiter“ und „Zurück“ …", []),
        ('<a class="btn">Weiter</a>', []),
        ("Hast du deine Räume?", ["familiar address"]),
        ('Öffnen Sie "Weiter".', ["straight or English quotation marks"]),
        ("Öffnen Sie “Weiter”.", ["straight or English quotation marks"]),
        ("Öffnen Sie „Weiter.", ["straight or English quotation marks"]),
        ("Wird geladen ...", ["three dots instead of an ellipsis"]),
        ("Zwei  Räume", ["a blank too many"]),
    ],
)
def test_bad_habits_are_found(text: str, said: list[str]) -> None:
    assert habits(text) == said


# --- The glossary --------------------------------------------------------------------------------
# Texts that are a glossary's term by accident: there, they mean something else.
OTHERWISE = {
    ("Update", None): "Aktualisieren",  # an operation of the audit log; the glossary's is what one may do with a ticket
    ("Suspend", None): "Sperren",  # the button on a partner's page, where the glossary names the partner as well
}


def terms() -> dict[str, set[str]]:
    """Every English term of the glossary, in small letters, with its German ones."""
    known: dict[str, set[str]] = {}
    with (ROOT / "tests" / "spec" / "glossary-de.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            english, german = (split(row[language]) for language in ("en", "de"))
            if len(german) == 1:
                german *= len(english)
            if len(english) == len(german):
                for term, said in zip(english, german, strict=True):
                    known.setdefault(term.casefold(), set()).add(said)
    return known


def split(cell: str) -> list[str]:
    """The terms of a cell: `pending / accepted (invitation)` are two."""
    return [term.strip() for term in re.split(r" / | > |[;,] ", re.sub(r"\s*\([^)]*\)", "", cell))]


GLOSSARY = terms()


def strangers(translations: Catalog) -> list[str]:
    """What stands alone as a text, and is called otherwise than in the glossary."""
    return [
        f"{text.id}: {text.string}, not {' or '.join(sorted(GLOSSARY[text.id.casefold()]))}"
        for text in translations
        if isinstance(text.id, str)
        and text.id.casefold() in GLOSSARY
        and text.string != OTHERWISE.get((text.id, text.context))
        and text.string.casefold() not in {term.casefold() for term in GLOSSARY[text.id.casefold()]}
    ]


def test_terms_are_the_glossarys(german: Catalog) -> None:
    asked = [text.id for text in german if isinstance(text.id, str) and text.id.casefold() in GLOSSARY]

    assert len(asked) > 60
    assert strangers(german) == []


def test_other_words_than_the_glossarys_are_named() -> None:
    translations = Catalog(locale="de")
    translations.add("Site Lead", "Standortleiter")
    translations.add("Scope", "Geltungsbereich")
    translations.add("Suspend", "Pausieren")

    assert strangers(translations) == [
        "Site Lead: Standortleiter, not Standortleitung",
        "Suspend: Pausieren, not Partner sperren",
    ]


def test_every_exception_is_still_one(german: Catalog) -> None:
    assert {key: german.get(*key).string for key in OTHERWISE if german.get(*key) is not None} == OTHERWISE
    assert all(said not in GLOSSARY[text.casefold()] for (text, _), said in OTHERWISE.items())


@pytest.mark.parametrize(
    ("kind", "own_words"),
    [
        (Permission, {}),
        (BuiltIn, {}),
        (InvitationState, {}),
        (ControlMode, {}),
        (RoomState, {"Enrolled": "Registriert"}),  # the opposite of “unenroll”, which the glossary has
        (Health, {}),
    ],
)
def test_labels_are_the_glossarys(kind: type[TextChoices], own_words: dict[str, str]) -> None:
    shown = {}
    for member in kind:
        with override("en"):
            english = str(member.label)
        with override("de"):
            shown[english] = str(member.label)

    wrong = {
        english: said
        for english, said in shown.items()
        if said != own_words.get(english)
        and said.casefold() not in {term.casefold() for term in GLOSSARY.get(english.casefold(), set())}
    }
    assert wrong == {}


def test_pages_speak_german() -> None:
    with override("de"):
        assert gettext("Remove partner") == "Partner entfernen"
        assert Permission.ROOMS_UNENROLL.full_label == "Räume: Registrierung aufheben"

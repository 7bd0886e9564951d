"""No template has a text that cannot be translated: a walk over what stands outside of translation tags."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import settings
from django.template.base import Lexer, TokenType

ROOT = Path(settings.BASE_DIR)
APPS = ("audit", "partners", "rbac", "rooms", "trm_portal")
# The style guide is for those who write pages; it is never served outside of development, and English as docs/ui.md.
PAGES = sorted(
    path
    for app in APPS
    for path in (ROOT / app).glob("**/templates/**/*")
    if path.suffix in {".html", ".txt"} and "styleguide" not in path.parts
)
READ_ALOUD = {"alt", "aria-label", "aria-description", "aria-roledescription", "label", "placeholder", "title"}
SILENT = {"code", "script", "style", "svg"}
VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}
TAG = "\N{OBJECT REPLACEMENT CHARACTER}"  # stands where a template tag stood
WORD = re.compile(r"[^\W\d_]{2,}")
LITERAL = re.compile(r"""(_\()?("[^"]*"|'[^']*')""")
CLASSES = re.compile(r"block \w+_class")  # a block that stands within class="…"
SAYING_TAGS = {"badge", "disabled_reason", "empty_state", "field", "icon", "progress", "sort_header", "steps", "tabs"}
# The same in every language.
NAMES = {"UPN", "CSV", "JSON", "UTC", "SHA-256", "Exchange Online", "Microsoft Graph"}


class BareTexts(HTMLParser):
    """What a person would read or hear of this HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # What names its own language says it in that language: the switch of languages.
        own_language = (dict(attrs).get("lang") or TAG) != TAG
        if tag not in VOID:
            self.open.append((tag, tag in SILENT or own_language))
        pressed = tag == "input" and dict(attrs).get("type") in ("submit", "button", "reset")
        for name, value in attrs:
            if (
                name in READ_ALOUD
                or (pressed and name == "value")
                or (name.startswith("data-") and " " in (value or ""))
            ):
                self.note(value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in (name for name, _ in self.open):
            while self.open.pop()[0] != tag:
                pass

    def handle_data(self, data: str) -> None:
        if not any(silent for _, silent in self.open):
            self.note(data)

    def note(self, text: str) -> None:
        said = text.replace(TAG, " ").strip()
        if WORD.search(said) and said not in NAMES:
            self.found.append(said)


def bare_texts(source: str, *, is_html: bool = True) -> list[str]:
    """The texts of a template that are in no translation tag, and the words given to components outside of `_()`."""
    outside, given, opened = [], [], ""
    for token in Lexer(source).tokenize():
        name = token.contents.partition(" ")[0] if token.token_type is TokenType.BLOCK else ""
        if opened:
            opened = "" if name == f"end{opened}" else opened
        elif name in ("blocktranslate", "blocktrans", "comment") or CLASSES.fullmatch(token.contents):
            opened = name
            outside.append(TAG)
        elif token.token_type is TokenType.TEXT:
            outside.append(token.contents)
        elif token.token_type is not TokenType.COMMENT:
            outside.append(TAG)
            given += spoken_words(token.contents) if name in SAYING_TAGS else []
    texts = BareTexts()
    if is_html:
        texts.feed("".join(outside))
        texts.close()
    else:
        texts.handle_data("".join(outside))
    return texts.found + given


def spoken_words(tag: str) -> list[str]:
    """Literals of a component that read like a text (icons and classes are in small letters)."""
    return [text[1:-1] for translated, text in LITERAL.findall(tag) if not translated and re.search(r"[A-ZÄÖÜ]", text)]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_text_can_be_translated(path: Path) -> None:
    found = bare_texts(path.read_text(encoding="utf-8"), is_html=path.suffix == ".html")

    assert found == [], "\n".join(found)


def test_the_walk_sees_the_pages_and_the_mails() -> None:
    walked = {path.relative_to(ROOT).as_posix() for path in PAGES}

    assert walked >= {
        "trm_portal/templates/base.html",
        "partners/templates/partners/partners/list.html",
        "partners/templates/partners/mail/invitation.txt",
        "trm_portal/development/templates/mails/list.html",
    }


@pytest.mark.parametrize(
    "source",
    [
        '{% load i18n %}<p class="lead">{% translate "Rooms" %}: {{ count }} · <code>manage.py</code></p>',
        "{% blocktranslate count n=n %}{{ n }} room{% plural %}{{ n }} rooms{% endblocktranslate %}",
        "{# a note #}{% comment %}Not shown{% endcomment %}<!-- nor this -->",
        '<input type="hidden" name="next" value="some page"><a {% if x %}class="on off"{% endif %} href="/a b">→</a>',
        '{% badge "warning" _("Deactivated") "person-x" %}{% icon "trash" %}{% sort_header _("Name") url "asc" %}',
        '<button lang="de">DE<span> – Deutsch</span></button><br><p lang="{{ current }}"></p>',
        "{% block card_class %}{% if wide %}wide-card{% endif %}{% endblock %}",
        '<abbr title="{% translate "user principal name" %}">UPN</abbr>',
        "<script>if (ready) go();</script><style>p { color: red }</style>",
    ],
)
def test_a_good_template_passes(source: str) -> None:
    assert bare_texts(source) == []


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("<h1>Partners</h1>", ["Partners"]),
        ("<p>{{ count }} rooms</p>", ["rooms"]),
        ('{% if a %}{% translate "Yes" %}{% else %}Nothing{% endif %}', ["Nothing"]),
        ('{% blocktranslate %}Here{% endblocktranslate %} there <b>{% translate "now" %}</b>', ["there"]),
        ('<button aria-label="Close the pane" title="{{ x }} gone">×</button>', ["Close the pane", "gone"]),
        ('<input type="submit" value="Send"><input placeholder="Search">', ["Send", "Search"]),
        ('<span data-none="Nothing selected"></span>', ["Nothing selected"]),
        ('{% badge "danger" "Deactivated" "person-x" %}', ["Deactivated"]),
        ('{% empty_state "people" _("No partner") "Add one." %}', ["Add one."]),
        ("<code>manage.py</code> does it", ["does it"]),
        ('<html lang="{{ current }}"><p>All of it', ["All of it"]),
        ("{% block card %}Cards{% endblock %}", ["Cards"]),
    ],
)
def test_a_bad_template_is_found(source: str, said: list[str]) -> None:
    assert bare_texts(source) == said


def test_a_bad_mail_is_found() -> None:
    assert bare_texts("{% load i18n %}{% translate 'Hello' %}\n-- \nYour portal <3", is_html=False) == [
        "-- \nYour portal <3"
    ]

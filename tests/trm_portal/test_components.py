"""The kit that all pages are built from: what its tags write, and that templates keep to the security policy."""

import datetime
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django import forms
from django.conf import settings
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.core.files.storage import FileSystemStorage
from django.template import Context, Template
from django.utils import timezone, translation

from trm_portal.templatetags.portal import BADGE_ICONS, MESSAGE_ICONS, icon_names

ROOT = Path(settings.BASE_DIR)
APPS = ("trm_portal", "partners", "rooms", "rbac", "audit")
TEMPLATES = sorted(path for app in APPS for path in (ROOT / app).rglob("templates/**/*.html"))
PAGES = [path for path in TEMPLATES if "mail" not in path.parts and "mails" not in path.parts]
STATIC = ROOT / "trm_portal" / "static"


def render(source: str, **context: Any) -> str:
    return Template("{% load portal %}" + source).render(Context(context))


class Elements(HTMLParser):
    """Collects (tag, attributes) of what was rendered."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def one(self, tag: str) -> dict[str, str | None]:
        (attrs,) = [attrs for name, attrs in self.found if name == tag]
        return attrs


class ContactForm(forms.Form):
    name = forms.CharField(label="Name", help_text="As on the badge.")
    kind = forms.ChoiceField(label="Kind", widget=forms.RadioSelect, choices=[("a", "Auto"), ("m", "Manual")])
    note = forms.CharField(label="Note", required=False)


ContactFormSet = forms.formset_factory(ContactForm, extra=0, min_num=1, validate_min=True)


def test_icon_is_decoration_unless_it_is_labelled() -> None:
    plain, labelled = Elements(render('{% icon "people" %}')), Elements(render('{% icon "lock" "Locked" %}'))

    assert plain.one("svg")["aria-hidden"] == "true"
    assert plain.one("use")["href"] == settings.STATIC_URL + "vendor/bootstrap-icons-1.13.2/icons.svg#people"
    assert (labelled.one("svg")["role"], labelled.one("svg")["aria-label"]) == ("img", "Locked")


def test_unknown_icon_warns() -> None:
    with pytest.warns(UserWarning, match="no icon 'peple'"):
        assert "#circle" in render('{% icon "peple" %}')


def test_every_icon_named_in_templates_and_by_the_tags_is_in_the_sprite() -> None:
    text = "\n".join(path.read_text() for path in TEMPLATES)
    named = set(re.findall(r'{% (?:icon|empty_state) "([\w-]+)"', text))

    assert named > {"people", "trash"}
    assert (named | set(BADGE_ICONS.values()) | set(MESSAGE_ICONS.values())) - icon_names() == set()


def test_badge_is_icon_word_and_colour_and_escapes_the_word() -> None:
    html = render('{% badge "warning" label %}', label="<Expired>")

    assert 'class="status status-warning"' in html
    assert "#exclamation-triangle-fill" in html
    assert html.endswith("&lt;Expired&gt;</span>")


def test_badge_refuses_an_unknown_kind() -> None:
    with pytest.raises(ValueError, match="not 'purple'"):
        render('{% badge "purple" "Active" %}')


@pytest.mark.parametrize(
    ("hours", "kind", "words"),
    [
        (-1, "neutral", "Time limit reached"),
        (0, "neutral", "Time limit reached"),
        (1, "warning", "Ends in 1 day"),
        (24, "warning", "Ends in 1 day"),
        (7 * 24, "warning", "Ends in 7 days"),
        (7 * 24 + 1, "info", "Ends in 8 days"),
        (30 * 24, "info", "Ends in 30 days"),
    ],
)
def test_time_left_warns_in_the_last_week(hours: int, kind: str, words: str) -> None:
    at = datetime.datetime(2026, 3, 2, 13, 5, tzinfo=datetime.UTC)
    html = render("{% time_left until at %}", until=at + datetime.timedelta(hours=hours), at=at)

    assert f'class="status status-{kind}"' in html
    assert html.endswith(f"{words}</span>")


def test_time_left_says_nothing_of_what_is_far_or_has_no_end() -> None:
    at = datetime.datetime(2026, 3, 2, 13, 5, tzinfo=datetime.UTC)
    far = at + datetime.timedelta(days=30, hours=1)

    assert render("{% time_left far at %}{% time_left None at %}", far=far, at=at) == ""


def test_when_names_the_moment_in_utc_and_the_zone_it_is_written_in() -> None:
    moment = datetime.datetime(2026, 3, 2, 13, 5, tzinfo=datetime.UTC)

    with timezone.override("Europe/Berlin"), translation.override("de"):
        html = render("{% when moment %}", moment=moment)

    assert html == (
        '<time datetime="2026-03-02T13:05:00Z" data-local="datetime" title="2. März 2026 14:05 CET">'
        "2. März 2026 14:05 CET</time>"
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, '<span class="nothing" aria-label="none">–</span>'),
        (datetime.date(2026, 3, 2), '<time datetime="2026-03-02" data-local="day">March 2, 2026</time>'),
    ],
)
def test_when_without_a_moment(value: datetime.date | None, expected: str) -> None:
    assert render("{% when value %}", value=value) == expected


def test_breakable_breaks_at_dots_and_before_the_at_sign_and_escapes() -> None:
    assert render("{{ upn|breakable }}", upn="a.b@c.example") == "a.<wbr>b<wbr>@c.<wbr>example"
    assert render("{{ upn|breakable }}", upn="<i>@x") == "&lt;i&gt;<wbr>@x"


def test_field_ties_label_help_and_error_to_the_control() -> None:
    form = ContactForm({"name": "", "kind": "a"})

    html = render("{% field form.name %}", form=form)

    control = Elements(html).one("input")
    assert control["aria-describedby"] == "id_name_help id_name_error"
    assert (control["aria-invalid"], control["class"]) == ("true", "form-control is-invalid")
    assert Elements(html).one("label")["for"] == "id_name"
    assert {attrs.get("id") for _, attrs in Elements(html).found} >= {"id_name_help", "id_name_error"}
    assert "This field is required." in html


def test_field_without_error_is_not_invalid_and_says_when_it_is_optional() -> None:
    html = render("{% field form.note %}|{% field form.note optional=False %}", form=ContactForm())

    with_word, without_word = html.split("|")
    assert "(optional)" in with_word
    assert "(optional)" not in without_word
    assert "aria-invalid" not in html
    assert "aria-describedby" not in html


def test_radio_buttons_are_a_group_with_a_legend() -> None:
    elements = Elements(render("{% field form.kind %}", form=ContactForm({"name": "x"})))

    assert elements.one("fieldset")["aria-describedby"] == "id_kind_error"
    assert elements.one("legend")["id"] == "id_kind_legend"
    assert [attrs["id"] for tag, attrs in elements.found if tag == "input"] == ["id_kind_0", "id_kind_1"]


def test_a_choice_that_cannot_be_taken_says_why() -> None:
    class Choice(forms.RadioSelect):
        def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
            option: dict[str, Any] = super().create_option(name, value, *args, **kwargs)
            if value == "m":
                option["attrs"] |= {"disabled": True, "data-reason": "Not yet."}
            return option

    form = ContactForm()
    form.fields["kind"].widget = Choice(choices=[("a", "Auto"), ("m", "Manual")])

    html = render("{% field form.kind %}", form=form)

    auto, manual = [attrs for tag, attrs in Elements(html).found if tag == "input"]
    assert "disabled" not in auto
    assert "disabled" in manual
    assert manual["aria-describedby"] == "id_kind_1_reason"
    assert "Not yet." in html


def test_error_summary_links_each_error_to_its_field_in_forms_and_formsets() -> None:
    data = {
        "form-TOTAL_FORMS": "2",
        "form-INITIAL_FORMS": "0",
        "form-0-name": "A",
        "form-0-kind": "a",
        "form-1-kind": "a",
    }
    form, formset = ContactForm({"name": "x"}), ContactFormSet(data)

    html = render("{% error_summary form formset %}", form=form, formset=formset)

    links = [attrs["href"] for tag, attrs in Elements(html).found if tag == "a"]
    assert links == ["#id_kind_0", "#id_form-1-name"]
    assert "Row 2, Name: This field is required." in html
    assert "2 things need your attention" in html


def test_error_summary_is_absent_when_all_is_well() -> None:
    form = ContactForm({"name": "x", "kind": "a"})

    assert render("{% error_summary form unbound %}", form=form, unbound=ContactForm()).strip() == ""


@pytest.mark.parametrize(("direction", "expected"), [("asc", "ascending"), ("desc", "descending"), ("", None)])
def test_sort_header_tells_the_order(direction: str, expected: str | None) -> None:
    html = render('{% sort_header "Name" "?sort=name" direction %}', direction=direction)

    assert Elements(html).one("th").get("aria-sort") == expected


def test_pager_links_only_where_there_is_a_page() -> None:
    page = {"previous_url": "", "next_url": "?after=x", "shown_text": "Rows 1–50"}

    html = render("{% pager page %}", page=page)

    assert [attrs["href"] for tag, attrs in Elements(html).found if tag == "a"] == ["?after=x"]
    assert "Rows 1–50" in html


def test_steps_mark_the_current_one_and_link_only_where_one_may_go() -> None:
    entries = [
        {"label": "Contacts", "url": "/1", "state": "done"},
        {"label": "Rooms", "url": "/2", "state": "current"},
        {"label": "Review", "url": "", "state": "todo"},
    ]

    elements = Elements(render("{% steps entries %}", entries=entries))

    assert [attrs["href"] for tag, attrs in elements.found if tag == "a"] == ["/1"]
    assert [attrs.get("aria-current") for tag, attrs in elements.found if tag == "li"] == [None, "step", None]


def test_disabled_reason_is_tied_to_a_button_that_can_be_reached() -> None:
    html = render('{% disabled_reason "Suspend partner" "Only MMR Admins may." %}')

    button = Elements(html).one("button")
    assert "disabled" not in button
    assert (button["type"], button["aria-disabled"]) == ("button", "true")
    assert f'id="{button["aria-describedby"]}"' in html


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_page_templates_keep_to_the_content_security_policy(path: Path) -> None:
    text = path.read_text()

    assert re.findall(r"<style\b|\sstyle\s*=|\son[a-z]+\s*=\s*[\"']|javascript:|hx-on|hx-vals='js", text) == []
    assert [
        tag
        for tag in re.findall(r"<script\b[^>]*>(?:.|\n)*?</script>", text)
        if not re.search(r"src=.*></script>", tag)
    ] == []


def test_static_files_resolve_under_hashed_names(tmp_path: Path) -> None:
    storage = ManifestStaticFilesStorage(location=tmp_path)
    source = FileSystemStorage(location=STATIC)
    files = [str(path.relative_to(STATIC)) for path in STATIC.rglob("*") if path.is_file()]
    for name in files:
        with source.open(name) as content:
            storage.save(name, content)

    outcomes = list(storage.post_process({name: (storage, name) for name in files}))

    assert [outcome for outcome in outcomes if isinstance(outcome[2], Exception)] == []
    hashed = storage.stored_name("portal/theme.css")
    assert re.search(r'url\("img/check\.[0-9a-f]{12}\.svg"\)', (tmp_path / hashed).read_text())


def test_customer_mark_names_the_customer_beside_its_colour() -> None:
    tenant = UUID(int=11)
    mark = render("{% customer_mark tenant name %}", tenant=tenant, name="<b>Contoso</b>")
    assert (
        mark == '<span class="customer-mark"><span class="tenant-dot tenant-3"></span>&lt;b&gt;Contoso&lt;/b&gt;</span>'
    )

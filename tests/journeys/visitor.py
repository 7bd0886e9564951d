"""Somebody with a browser without JavaScript: opens pages, follows links by their text, fills forms, presses buttons."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

import requests

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


@dataclass
class Button:
    text: str
    name: str
    value: str
    action: str | None
    method: str | None = None


@dataclass
class Form:
    """A form as the page showed it: its fields with what they hold, and its buttons."""

    method: str
    action: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    choices: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    buttons: list[Button] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[Form] = []
        self.links: list[tuple[str, str]] = []
        self.texts: list[str] = []
        self._form: Form | None = None
        self._by_id: dict[str, Form] = {}
        self._pending: list[tuple[str, dict[str, str]]] = []
        self._link: str | None = None
        self._label: list[str] = []
        self._button: dict[str, str] | None = None
        self._button_form: Form | None = None
        self._select: str | None = None
        self._area: str | None = None
        self._quiet = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        have = {name: value or "" for name, value in attrs}
        if tag in {"script", "style", "head"}:
            self._quiet += 1
        elif tag == "form":
            self._form = Form(have.get("method", "get").lower(), have.get("action", ""))
            self.forms.append(self._form)
            self._by_id[have.get("id", "")] = self._form
        elif tag == "a" and "href" in have:
            self._link, self._label = have["href"], []
        elif tag == "button":
            self._button, self._label = have, []
            self._button_form = self._by_id.get(have["form"]) if "form" in have else self._form
        else:
            self._field(tag, have)

    def _field(self, tag: str, have: dict[str, str]) -> None:
        form = self._by_id.get(have["form"]) if "form" in have else self._form
        name = have.get("name", "")
        if form is None or (not name and tag != "option") or "disabled" in have:
            return
        if tag == "input":
            kind = have.get("type", "text")
            if kind in {"checkbox", "radio"}:
                form.choices.setdefault(name, []).append((have.get("value", "on"), ""))
                if "checked" in have:
                    form.fields.append((name, have.get("value", "on")))
            elif kind == "file":
                form.files.append(name)
            elif kind == "submit":
                form.buttons.append(Button(have.get("value", ""), name, have.get("value", ""), have.get("formaction")))
            else:
                form.fields.append((name, have.get("value", "")))
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select:
            form.choices.setdefault(self._select, []).append((have.get("value", ""), ""))
            if "selected" in have:
                form.fields.append((self._select, have.get("value", "")))
        elif tag == "textarea":
            self._area = name
            form.fields.append((name, ""))

    def handle_endtag(self, tag: str) -> None:
        if tag in {"script", "style", "head"}:
            self._quiet -= 1
        elif tag == "form":
            self._form = None
        elif tag == "a" and self._link is not None:
            self.links.append((" ".join("".join(self._label).split()), self._link))
            self._link = None
        elif tag == "select":
            self._select = None
        elif tag == "textarea":
            self._area = None
        elif tag == "button" and self._button is not None:
            have, self._button = self._button, None
            if self._button_form is not None and "disabled" not in have:
                text = " ".join("".join(self._label).split()) or have.get("aria-label", "")
                self._button_form.buttons.append(
                    Button(text, have.get("name", ""), have.get("value", ""), have.get("formaction"))
                )

    def handle_data(self, data: str) -> None:
        if self._area and self._form is not None:
            name, text = self._form.fields[-1]
            self._form.fields[-1] = (name, text + data)
        if self._quiet == 0:
            self.texts.append(data)
            self._label.append(data)


@dataclass
class Seen:
    """The page somebody looks at."""

    url: str
    status: int
    html: str
    forms: list[Form]
    links: list[tuple[str, str]]

    @property
    def text(self) -> str:
        reader = _Reader()
        reader.feed(self.html)
        return " ".join(" ".join(reader.texts).split())


class Visitor:
    """A person at a browser of his own; `page` is what he sees."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.session = requests.Session()
        self.session.headers["Accept-Language"] = "en"
        self.page = Seen(base, 0, "", [], [])

    def open(self, address: str) -> Seen:
        """Open an address, wherever it leads."""
        return self._show(self.session.get(urljoin(self.page.url or self.base, address), timeout=30))

    def follow(self, text: str) -> Seen:
        """Follow the first link called `text`, or else the first whose text contains it."""
        for label, href in sorted(self.page.links, key=lambda link: link[0] != text):
            if text in label:
                return self.open(href)
        raise AssertionError(f"no link “{text}” among {[label for label, _ in self.page.links]} at {self.page.url}")

    def press(self, text: str, /, *, files: dict[str, Any] | None = None, **typed: Any) -> Seen:
        """Press the first button called `text`, after typing (or ticking: a list) into the fields of its form."""
        for form in self.page.forms:
            for button in form.buttons:
                if text in button.text:
                    return self._submit(form, button, typed, files)
        labels = [button.text for form in self.page.forms for button in form.buttons]
        raise AssertionError(f"no button “{text}” among {labels} at {self.page.url} ({self.page.status})")

    def press_hidden(self, name: str, value: str) -> Seen:
        """Press the only button of the form that carries the hidden `name` = `value`."""
        for form in self.page.forms:
            if (name, value) in form.fields:
                return self._submit(form, form.buttons[0], {}, None)
        raise AssertionError(f"no form with {name} = {value} at {self.page.url}")

    def _submit(self, form: Form, button: Button, typed: dict[str, Any], files: dict[str, Any] | None) -> Seen:
        known = {name for name, _ in form.fields} | set(form.choices) | set(form.files)
        unknown = set(typed) - known
        assert not unknown, f"no fields {unknown} in {sorted(known)} at {self.page.url}"
        data = [(name, value) for name, value in form.fields if name not in typed]
        for name, value in typed.items():
            data += [(name, one) for one in (value if isinstance(value, list) else [value])]
        if button.name:
            data.append((button.name, button.value))
        address = urljoin(self.page.url, button.action or form.action or self.page.url)
        if form.method == "get":
            return self._show(self.session.get(address.partition("?")[0], params=data, timeout=30))
        return self._show(
            self.session.post(address, data=data, files=files, headers={"Referer": self.page.url}, timeout=60)
        )

    def _show(self, response: requests.Response) -> Seen:
        assert response.status_code < 500, f"{response.status_code} at {response.url}"
        reader = _Reader()
        if "html" in response.headers.get("Content-Type", ""):
            reader.feed(response.text)
        self.page = Seen(response.url, response.status_code, response.text, reader.forms, reader.links)
        return self.page

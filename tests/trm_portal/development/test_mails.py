"""The mails of the demo: kept as they came, shown without being run."""

import smtplib
import sys
from email.message import EmailMessage
from pathlib import Path

import pytest
from django.test import Client

from trm_portal.development import mail_settings, mail_sink, ports, processes
from trm_portal.development.mail_folder import MailFolder
from trm_portal.development.state import PROJECT, StateFolder

EVIL = "<script>alert(1)</script>"


def message(subject: str, text: str, html: str = "") -> EmailMessage:
    made = EmailMessage()
    made["Subject"], made["From"], made["To"] = subject, "Portal <portal@localhost>", "list@example.org"
    made.set_content(text)
    if html:
        made.add_alternative(html, subtype="html")
    return made


@pytest.fixture
def folder(tmp_path: Path) -> MailFolder:
    (tmp_path / "mails").mkdir()
    return MailFolder(tmp_path / "mails")


def keep(folder: MailFolder, mail: EmailMessage) -> str:
    return folder.keep(mail.as_bytes(), sender="portal@localhost", recipients=["ann@example.org", "bob@example.org"])


@pytest.fixture
def browser(tmp_path: Path, folder: MailFolder, settings: object, monkeypatch: pytest.MonkeyPatch) -> Client:
    """Asks the page as it is set up in the demo."""
    for name in ("ROOT_URLCONF", "MIDDLEWARE", "TEMPLATES", "ALLOWED_HOSTS"):
        setattr(settings, name, getattr(mail_settings, name))
    monkeypatch.setenv("MAIL_FOLDER", str(tmp_path / "mails"))
    monkeypatch.setenv("PUBLIC_URL", "http://127.0.0.1:8000")
    return Client(headers={"host": "127.0.0.1:8025"})


def test_sink_keeps_what_it_is_sent(tmp_path: Path, folder: MailFolder) -> None:
    port = ports.any_free()
    command = ["-m", mail_sink.__name__, str(port), str(tmp_path / "mails")]
    sink = processes.start("sink", [sys.executable, *command], state=StateFolder(tmp_path / "state"), folder=PROJECT)
    sink.wait_until(lambda: ports.answers(port), timeout=20)

    with smtplib.SMTP(ports.LOOPBACK, port) as connection:
        connection.send_message(message("Grüße", "Räume\n"), to_addrs=["ann@example.org", "hidden@example.org"])
    sink.end()

    (kept,) = folder.newest_first(10)
    assert (kept.subject, kept.text.replace("\r\n", "\n"), kept.html) == ("Grüße", "Räume\n", "")
    assert (kept.sender, kept.recipients) == ("Portal <portal@localhost>", "ann@example.org, hidden@example.org")


def test_envelope_can_not_add_a_head_line(folder: MailFolder) -> None:
    name = folder.keep(b"Subject: A\r\n\r\nB", sender="a@b\r\nSubject: Forged", recipients=["c@d\r\nBcc: e@f"])

    kept = folder.find(name)

    assert kept is not None
    assert (kept.subject, kept.recipients, kept.message["Bcc"]) == ("A", "c@d Bcc: e@f", None)


def test_newest_comes_first_and_no_more_than_asked(folder: MailFolder) -> None:
    for subject in ("first", "second", "third"):
        keep(folder, message(subject, "."))

    assert [mail.subject for mail in folder.newest_first(2)] == ["third", "second"]


@pytest.mark.parametrize("name", ["../secrets", "", "01795393145614716158-2d7b8dcf", "x" * 300])
def test_only_mails_are_found(folder: MailFolder, name: str) -> None:
    assert folder.find(name) is None


def test_empty_list_says_what_to_do(browser: Client) -> None:
    page = browser.get("/")

    assert page.status_code == 200
    assert "No mail has been sent yet. Invite somebody, and look here again." in page.text
    assert 'href="http://127.0.0.1:8000"' in page.text


def test_list_escapes_and_says_who_got_it(browser: Client, folder: MailFolder) -> None:
    name = keep(folder, message(f"Hello {EVIL}", "."))

    page = browser.get("/")

    assert "Hello &lt;script&gt;alert(1)&lt;/script&gt;" in page.text
    assert EVIL not in page.text
    assert "to ann@example.org, bob@example.org" in page.text
    assert f'href="/mails/{name}/"' in page.text
    assert page["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self';")


def test_mail_shows_text_with_links_and_runs_nothing(browser: Client, folder: MailFolder) -> None:
    name = keep(folder, message("A", f"Open http://127.0.0.1:8000/x?a=1&b=2 {EVIL}", f"<p>Hi</p>{EVIL}"))

    page = browser.get(f"/mails/{name}/")

    assert '<a href="http://127.0.0.1:8000/x?a=1&amp;b=2" rel="nofollow">' in page.text
    assert EVIL not in page.text
    assert f'<iframe src="/mails/{name}/html"' in page.text
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page.text


def test_html_of_a_mail_is_sandboxed_and_its_links_open_apart(browser: Client, folder: MailFolder) -> None:
    html = "<html><head><title>T</title></head><body><a href='http://127.0.0.1:8000/'>Go</a></body></html>"
    name = keep(folder, message("A", "B", html))

    page = browser.get(f"/mails/{name}/html")

    assert '<head><base target="_blank"><title>' in page.text
    policy = page["Content-Security-Policy"]
    assert policy.startswith("default-src 'none';")
    assert "script-src" not in policy
    assert policy.endswith("sandbox allow-popups allow-popups-to-escape-sandbox")


def test_mail_without_html_has_no_frame(browser: Client, folder: MailFolder) -> None:
    name = keep(folder, message("A", "B"))

    assert "<iframe" not in browser.get(f"/mails/{name}/").text
    assert browser.get(f"/mails/{name}/html").status_code == 404


def test_page_speaks_german(browser: Client) -> None:
    assert '<html lang="de">' in browser.get("/", headers={"accept-language": "de"}).text


@pytest.mark.parametrize("path", ["/mails/01795393145614716158-2d7b8dcf/", "/mails/../secrets.json", "/other"])
def test_anything_else_is_not_found(browser: Client, path: str) -> None:
    assert browser.get(path).status_code == 404


def test_page_only_reads_and_answers_only_this_machine(browser: Client) -> None:
    assert browser.post("/").status_code == 405
    assert browser.get("/", headers={"host": "portal.example.org"}).status_code == 400


def test_look_is_served(browser: Client) -> None:
    style = browser.get("/style.css")

    assert style["Content-Type"] == "text/css"
    assert b"prefers-color-scheme: dark" in style.getvalue()

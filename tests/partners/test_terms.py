"""The operator's terms: versions that customers agree to, published by support staff."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command

from partners.errors import EmptyTerms, UnchangedTerms
from partners.models import Terms
from partners.services import terms
from rbac.models import User
from tests.factories.evidence import leaves, refused
from tests.factories.world import found_customer

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff() -> User:
    return User.objects.create(username="jo@operator.example", upn="jo@operator.example", is_staff=True)


def test_first_version_is_one_and_on_record(staff):
    with leaves("platform: Settings/Create terms 1 Successful jo@operator.example") as evidence:
        first = terms.publish("Be careful.\r\n", "  Vorsicht.", by=staff, reason="Opening day")

    assert (first.version, first.text_en, first.text_de) == (1, "Be careful.", "Vorsicht.")
    assert evidence.events[0].after == {"version": 1, "sha256": first.digest, "reason": "Opening day"}


def test_next_version_leaves_the_older_as_it_was(staff):
    terms.publish("Be careful.", "Vorsicht.", by=staff)

    second = terms.publish("Be very careful.", "Vorsicht.", by=None)

    assert second.version == 2
    assert list(Terms.objects.values_list("version", "text_en")) == [(2, "Be very careful."), (1, "Be careful.")]


def test_both_languages_are_needed(staff):
    for texts in (("", "Vorsicht."), ("Be careful.", " \n ")):
        refused(
            EmptyTerms,
            lambda texts=texts: terms.publish(*texts, by=staff),
            "platform: Settings/Create terms Failed(empty_terms) jo@operator.example",
        )


def test_same_texts_make_no_version(staff):
    terms.publish("Be careful.", "Vorsicht.", by=staff)

    refused(
        UnchangedTerms,
        lambda: terms.publish("Be careful.\n", "Vorsicht.", by=staff),
        "platform: Settings/Create terms Failed(unchanged_terms) jo@operator.example",
    )


def test_only_support_staff_publish():
    admin = found_customer("Contoso").admin

    refused(
        PermissionDenied,
        lambda: terms.publish("Be careful.", "Vorsicht.", by=admin),
        "platform: Settings/Create terms Failed(permission_denied) admin@contoso.example",
    )


def test_command_publishes_files(tmp_path: Path):
    english, german = tmp_path / "en", tmp_path / "de"
    english.write_text("\ufeffBe careful.\n", encoding="utf-8")
    german.write_text("Räume sind Räume.\n", encoding="utf-8")
    out = StringIO()

    call_command("set_terms", "--en", str(english), "--de", str(german), stdout=out)

    published = Terms.objects.get()
    assert (published.text_en, published.text_de) == ("Be careful.", "Räume sind Räume.")
    assert out.getvalue() == f"Version 1 is published (SHA-256 {published.digest}).\n"


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"a\x00b", b""])
def test_command_refuses_what_is_no_text(tmp_path: Path, content):
    english, german = tmp_path / "en", tmp_path / "de"
    english.write_text("Be careful.")
    if content is not None:
        german.write_bytes(content)

    with pytest.raises(CommandError, match=r"\w"):
        call_command("set_terms", "--en", str(english), "--de", str(german), stdout=StringIO())

    assert not Terms.objects.exists()

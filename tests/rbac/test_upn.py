import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from rbac.models import User
from rbac.upn import MAX_LENGTH, domain_of, normalise


@pytest.mark.parametrize(
    ("text", "upn"),
    [
        ("ann@fabrikam.example", "ann@fabrikam.example"),
        ("  Ann.O'Brien_2@Fabrikam.EXAMPLE \n", "ann.o'brien_2@fabrikam.example"),
        ("a!#^~-b@sub.do-main.example", "a!#^~-b@sub.do-main.example"),
        ("x" * 64 + "@fabrikam.example", "x" * 64 + "@fabrikam.example"),
        ("a@" + "d" * 40 + ".example", "a@" + "d" * 40 + ".example"),
    ],
)
def test_upn_is_lower_case_without_blanks(text, upn):
    assert normalise(text) == upn


@pytest.mark.parametrize(
    ("text", "character"),
    [
        ("ann lee@fabrikam.example", " "),
        ("änn@fabrikam.example", "ä"),
        ("ann@fabri\u212aam.example", "\u212a"),  # the Kelvin sign is a k once in lower case
        ("аnn@fabrikam.example", "а"),  # Cyrillic
        ("ann@fabrikam.example\x00", "U+0000"),
        ("ann\r\nBcc:x@fabrikam.example", "U+000D"),
        ("ann+tag@fabrikam.example", "+"),
        ("ann%@fabrikam.example", "%"),
        ('"ann"@fabrikam.example', '"'),
        ("ann\ud800@fabrikam.example", "U+D800"),
    ],
)
def test_refused_character_is_named(text, character):
    with pytest.raises(ValidationError) as caught:
        normalise(text)
    assert caught.value.code == "upn_character"
    assert caught.value.params == {"character": character}
    assert caught.value.messages == [f"“{character}” is not allowed in a user principal name."]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "ann",
        "ann@",
        "@fabrikam.example",
        "ann@fabrikam",
        "ann@@fabrikam.example",
        "ann@fabrikam..example",
        "ann@-fabrikam.example",
        "ann@fabrikam-.example",
        "ann@.example",
        "ann@fabrikam.example.",
        "ann@fab_rikam.example",
        "x" * 65 + "@fabrikam.example",
        "a@" + "d" * 41 + ".example",
        "x" * 64 + "@" + "d" * 41 + ".example",
    ],
)
def test_malformed_upn_is_refused(text):
    with pytest.raises(ValidationError) as caught:
        normalise(text)
    assert caught.value.code == "upn_form"


def test_longest_upn_fits():
    upn = "x" * 64 + "@" + "d" * 40 + ".example"
    assert len(normalise(upn)) == MAX_LENGTH


def test_guests_are_refused():
    with pytest.raises(ValidationError) as caught:
        normalise("ann_fabrikam.example#EXT#@contoso.example")
    assert caught.value.code == "upn_guest"


def test_domain_is_what_follows_the_sign():
    assert domain_of("ann@fabrikam.example") == "fabrikam.example"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "upn", ["Ann@fabrikam.example", "ann", "ann@fabrikam", "änn@fabrikam.example", "a b@c.example"]
)
def test_database_refuses_what_is_no_normal_upn(upn):
    with pytest.raises(IntegrityError, match="user_upn_form"), transaction.atomic():
        User.objects.create(username=upn, upn=upn)

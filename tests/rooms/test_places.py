"""Countries and time zones."""

from zoneinfo import ZoneInfo

import pytest
from django.utils.translation import override

from rooms import places


def test_there_are_the_countries_of_iso_and_kosovo():
    assert len(places.country_codes()) == 250
    assert {"DE", "US", "XK"} <= places.country_codes()
    assert not {"EU", "UN", "ZZ", ""} & places.country_codes()


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_country_is_found_by_its_code_and_its_name_in_either_language(language):
    with override(language):
        choices = places.country_choices()

    assert len(choices) == 250
    for code, name in choices:
        assert places.country_code(code) == code
        assert places.country_code(code.lower()) == code
        assert places.country_code(name) == code
        assert places.country_code(f" {name.upper()} ") == code


def test_names_and_their_order_are_the_readers():
    with override("de"):
        assert places.country_name("AT") == "Österreich"
        assert [name for _, name in places.country_choices()][:4] == [
            "Afghanistan",
            "Ägypten",
            "Ålandinseln",
            "Albanien",
        ]
    with override("en"):
        assert places.country_name("AT") == "Austria"
    assert places.country_name("") == ""


@pytest.mark.parametrize(
    ("text", "code"),
    [("United States of America", "US"), ("USA", "US"), ("UK", "GB"), ("Czech Republic", "CZ"), ("", ""), ("  ", "")],
)
def test_other_names_of_a_country(text, code):
    assert places.country_code(text) == code


@pytest.mark.parametrize("text", ["Atlantis", "EU", "XX", "D", "SUN", "ANT", "12"])
def test_what_is_no_country(text):
    assert places.country_code(text) is None


@pytest.mark.parametrize(
    ("country", "zone"),
    [
        ("DE", "Europe/Berlin"),
        ("GB", "Europe/London"),
        ("IN", "Asia/Kolkata"),
        ("JP", "Asia/Tokyo"),
        ("US", ""),
        ("AU", ""),
        ("", ""),
        ("XX", ""),
    ],
)
def test_a_country_has_a_time_zone_only_if_all_its_clocks_agree(country, zone):
    assert places.zone_of(country) == zone


def test_every_time_zone_to_choose_from_is_one():
    names = places.time_zone_names()

    assert len(names) > 400
    assert "UTC" in names
    assert all(places.is_time_zone(name) and ZoneInfo(name) for name in names)
    assert not places.is_time_zone("Europe/Atlantis")
    assert not places.is_time_zone("../etc/passwd")

"""Countries and time zones: the codes a room may have, and their names in the reader's language.

Country codes are ISO 3166-1's (from the IANA time zone data) and XK, which Microsoft's directories use for Kosovo;
their names are CLDR's (babel).
"""

import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo, available_timezones

from babel import Locale
from babel.core import get_global
from django.conf import settings
from django.utils.translation import get_language

_KOSOVO = "XK"

# What people and directories write instead of the CLDR name, in the form of `_folded`.
_ALIASES = {
    "america": "US",
    "bosnia and herzegovina": "BA",
    "burma": "MM",
    "czech republic": "CZ",
    "england": "GB",
    "great britain": "GB",
    "grossbritannien": "GB",
    "holland": "NL",
    "hong kong": "HK",
    "hongkong": "HK",
    "ivory coast": "CI",
    "korea": "KR",
    "macao": "MO",
    "macau": "MO",
    "northern ireland": "GB",
    "republic of ireland": "IE",
    "republic of korea": "KR",
    "russian federation": "RU",
    "scotland": "GB",
    "the netherlands": "NL",
    "tschechische republik": "CZ",
    "turkey": "TR",
    "u.k.": "GB",
    "u.s.": "US",
    "u.s.a.": "US",
    "uk": "GB",
    "united states of america": "US",
    "usa": "US",
    "viet nam": "VN",
    "wales": "GB",
}


@cache
def country_codes() -> frozenset[str]:
    """All codes a room's country may have."""
    return frozenset(code for code, *_ in _table("iso3166.tab")) | {_KOSOVO}


def country_name(code: str) -> str:
    """The country's name in the reader's language; the code itself if it is none, nothing for no code."""
    return _names(get_language() or settings.LANGUAGE_CODE).get(code, code)


def country_choices() -> list[tuple[str, str]]:
    """Code and name of every country, in the order of the names in the reader's language."""
    names = _names(get_language() or settings.LANGUAGE_CODE)
    return sorted(names.items(), key=lambda pair: _folded(pair[1]))


def country_code(text: str) -> str | None:
    """The code of the country called `text`: its code (two letters or three) or its name in one of our languages.

    Nothing for no text, None for a country nobody knows.
    """
    text = text.strip()
    if not text or text.upper() in country_codes():
        return text.upper()
    if len(text) == 3 and text.isascii() and text.isalpha():
        found = get_global("territory_aliases").get(text.upper(), [])
        if len(found) == 1 and found[0] in country_codes():
            return str(found[0])
    return _by_name().get(_folded(text))


def is_time_zone(name: str) -> bool:
    """Whether `name` is a time zone that clocks can be set by."""
    return name in _zones()


@cache
def time_zone_names() -> tuple[str, ...]:
    """The time zones to choose from: one for each place of the world's table, without old names."""
    return tuple(sorted({zone for _, _, zone, *_ in _table("zone.tab")} & _zones() | {"UTC"}))


@cache
def zone_of(country: str) -> str:
    """The time zone of `country` if all its clocks show the same time; else nothing, rather than a guess."""
    zones = _zones_by_country().get(country, [])
    return zones[0] if zones and len({_clock(zone) for zone in zones}) == 1 else ""


@cache
def _names(language: str) -> dict[str, str]:
    territories = Locale.parse(language, sep="-").territories
    return {code: str(territories.get(code, code)) for code in sorted(country_codes())}


@cache
def _by_name() -> dict[str, str]:
    known = dict(_ALIASES)
    for language, _ in settings.LANGUAGES:
        known |= {_folded(name): code for code, name in _names(language).items()}
    return known


def _folded(text: str) -> str:
    """`text` without case, accents, double blanks and the article's comma: how names are compared and sorted."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("&", "and").replace("’", "'"))
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


@cache
def _zones_by_country() -> dict[str, list[str]]:
    found = defaultdict(list)
    for code, _, zone, *_ in _table("zone.tab"):
        found[code].append(zone)
    return dict(found)


def _clock(zone: str) -> tuple[timedelta | None, ...]:
    """What a clock in `zone` shows against UTC, week by week, this year and the next."""
    start, place = datetime(datetime.now(UTC).year, 1, 1, tzinfo=UTC), ZoneInfo(zone)
    return tuple((start + timedelta(weeks=week)).astimezone(place).utcoffset() for week in range(104))


def _table(name: str) -> Iterator[list[str]]:
    """The rows of one of the IANA tables that come with tzdata."""
    for line in (files("tzdata") / "zoneinfo" / name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            yield line.split("\t")

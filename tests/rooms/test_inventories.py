"""Reading the two formats: what each says, what is wrong with a row, and what is no inventory at all."""

import io
import json
from decimal import Decimal
from pathlib import Path

import pytest

from rooms import inventories
from rooms.cells import Problem
from rooms.errors import UnreadableInventory
from rooms.inventories import Format

INVENTORIES = Path(inventories.__file__).parents[1] / "trm_portal" / "development" / "inventories"
HEAD = '"Identity","DisplayName"'


def rows(content, **settings):
    text = content if isinstance(content, bytes) else content.encode()
    return list(inventories.read(io.BytesIO(text)).rows)


def csv(*lines):
    return rows("\r\n".join([HEAD, *lines]))


def cell(column, value):
    """The row of a CSV with one more column."""
    (row,) = rows(f'{HEAD},"{column}"\n"a@contoso.example","A","{value}"\n')
    return row


def place(**properties):
    """The row of a JSON with one room."""
    room = {"emailAddress": "a@contoso.example", "displayName": "A"} | properties
    (row,) = rows(json.dumps({"value": [room]}))
    return row


def problems(row):
    return [(one.code, one.params) for one in row.problems]


# --- The real files -----------------------------------------------------------------------------
def test_get_place_is_read_whole():
    with (INVENTORIES / "contoso-get-place.csv").open("rb") as stream:
        inventory = inventories.read(stream)
        found = list(inventory.rows)

    assert inventory.format is Format.GET_PLACE
    assert len(found) == 666
    assert not any(row.problems for row in found)
    assert sum(row.values["country"] == "DE" for row in found) == 114
    assert found[0].number == 2
    assert found[0].values == {
        "resource_account": "room-newyorkcity-b1f1-zuse@contoso.com",
        "display_name": "Zuse (New York City 1.1)",
        "street": "342 Main Street",
        "city": "New York City",
        "region": "NY",
        "postal_code": "28416",
        "country": "US",
        "latitude": Decimal("40.7143"),
        "longitude": Decimal("-74.0060"),
        "phone": "",
        "building": "New York City Tower 1",
        "label": "Boardroom",
        "floor": 1,
        "floor_label": "North",
        "capacity": 30,
        "audio_device": "Yealink CPW90",
        "video_device": "Yealink MVC860",
        "display_device": 'Microsoft Surface Hub 2S 85"',
        "is_wheelchair_accessible": True,
        "tags": [],
    }


def test_graph_says_of_its_120_rooms_what_get_place_says():
    with (INVENTORIES / "contoso-get-place.csv").open("rb") as stream:
        by_account = {row.account: row.values for row in inventories.read(stream).rows}
    with (INVENTORIES / "contoso-graph-places.json").open("rb") as stream:
        inventory = inventories.read(stream)
        found = list(inventory.rows)

    assert inventory.format is Format.GRAPH
    assert [row.number for row in found] == list(range(1, 121))
    assert [row.values for row in found] == [by_account[row.account] for row in found]


# --- Cells of the CSV ---------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("CountryOrRegion", "de", {"country": "DE"}),
        ("CountryOrRegion", "Deutschland", {"country": "DE"}),
        ("CountryOrRegion", "DEU", {"country": "DE"}),
        ("CountryOrRegion", "Türkiye", {"country": "TR"}),
        ("CountryOrRegion", "Turkey", {"country": "TR"}),
        ("CountryOrRegion", "Cote d'Ivoire", {"country": "CI"}),
        ("CountryOrRegion", "", {"country": ""}),
        ("GeoCoordinates", "52.52;13.40496", {"latitude": Decimal("52.5200"), "longitude": Decimal("13.4050")}),
        ("GeoCoordinates", "-33.1;-0.00001;12", {"latitude": Decimal("-33.1000"), "longitude": Decimal("0.0000")}),
        ("GeoCoordinates", "", {"latitude": None, "longitude": None}),
        ("Floor", "-2", {"floor": -2}),
        ("Floor", "", {"floor": None}),
        ("Capacity", " 12 ", {"capacity": 12}),
        ("IsWheelChairAccessible", "TRUE", {"is_wheelchair_accessible": True}),
        ("IsWheelChairAccessible", "", {"is_wheelchair_accessible": False}),
        ("Tags", "a, b,,a", {"tags": ["a", "b"]}),
        ("Tags", "System.String[]", {}),
        ("Street", "  Line one\nLine\ttwo ", {"street": "Line one Line two"}),
        ("Type", "Room", {}),
        ("MTREnabled", "whatever", {}),
    ],
)
def test_a_cell_becomes_a_value(column, value, expected):
    row = cell(column, value)

    assert problems(row) == []
    assert row.values == {"resource_account": "a@contoso.example", "display_name": "A"} | expected


@pytest.mark.parametrize(
    ("column", "value", "code", "params"),
    [
        ("CountryOrRegion", "Atlantis", "unknown_country", {"value": "Atlantis"}),
        ("CountryOrRegion", "EU", "unknown_country", {"value": "EU"}),
        ("GeoCoordinates", "91;0", "out_of_range", {"field": "latitude", "value": "91", "least": -90, "most": 90}),
        (
            "GeoCoordinates",
            "1;-181",
            "out_of_range",
            {"field": "longitude", "value": "-181", "least": -180, "most": 180},
        ),
        ("GeoCoordinates", "52,52", "wrong_type", {"field": "latitude", "value": "52,52"}),
        ("GeoCoordinates", "nan;1", "wrong_type", {"field": "latitude", "value": "nan"}),
        ("Floor", "EG", "wrong_type", {"field": "floor", "value": "EG"}),
        ("Floor", "1.5", "wrong_type", {"field": "floor", "value": "1.5"}),
        ("Floor", "301", "out_of_range", {"field": "floor", "value": "301", "least": -50, "most": 300}),
        ("Capacity", "-1", "out_of_range", {"field": "capacity", "value": "-1", "least": 0, "most": 100_000}),
        ("Capacity", "9" * 19, "wrong_type", {"field": "capacity", "value": "9" * 19}),
        ("Capacity", "²", "wrong_type", {"field": "capacity", "value": "²"}),
        ("IsWheelChairAccessible", "ja", "wrong_type", {"field": "is_wheelchair_accessible", "value": "ja"}),
        ("City", "x" * 101, "too_long", {"field": "city", "limit": 100}),
        ("Tags", "x" * 61, "too_long", {"field": "tags", "limit": 60}),
        ("City", "a\x00b", "unreadable_character", {"field": "city", "character": "U+0000"}),
        ("City", "a\x1bb", "unreadable_character", {"field": "city", "character": "U+001B"}),
        ("Type", "Space", "not_a_room", {"value": "Space"}),
    ],
)
def test_a_cell_that_no_room_can_have_is_named(column, value, code, params):
    assert problems(cell(column, value)) == [(code, params)]


@pytest.mark.parametrize(
    ("account", "code", "params"),
    [
        ("rüm@contoso.example", "upn_character", {"field": "resource_account", "character": "ü"}),
        ("a room@contoso.example", "upn_blank", {"field": "resource_account", "character": " "}),
        ("a\x00@contoso.example", "upn_character", {"field": "resource_account", "character": "U+0000"}),
        ("room", "upn_form", {"field": "resource_account", "value": "room"}),
        ("a_b.de#ext#@contoso.example", "upn_guest", {"field": "resource_account"}),
        ("", "missing", {"field": "resource_account"}),
        (
            "x" * 65 + "@contoso.example",
            "upn_form",
            {"field": "resource_account", "value": "x" * 65 + "@contoso.example"},
        ),
    ],
)
def test_an_account_that_is_none_is_refused(account, code, params):
    (row,) = csv(f'"{account}","A"')

    assert problems(row) == [(code, params)]


def test_a_row_names_all_its_problems():
    (row,) = rows(f'{HEAD},"Floor","Capacity"\n"é@x.de","","x","-1"\n')

    assert [code for code, _ in problems(row)] == ["upn_character", "wrong_type", "out_of_range", "missing"]


def test_accounts_are_compared_in_lower_case_and_the_first_counts():
    found = csv('"Room1@Contoso.Example","A"', '"room1@contoso.example ","B"', '"room2@contoso.example","C"')

    assert [row.values.get("resource_account") for row in found] == [
        "room1@contoso.example",
        None,
        "room2@contoso.example",
    ]
    assert problems(found[1]) == [("duplicate", {"row": 2})]


# --- Broken lines -------------------------------------------------------------------------------
GOOD = ['"room1@contoso.example","One"', '"room2@contoso.example","Two"', '"room3@contoso.example","Three"']


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('"bad@contoso.example","never closed', "line_broken"),
        ('"bad@contoso.example","clo"sed"', "line_broken"),
        ('"bad@contoso.example","in "the" middle"', "line_broken"),
        ('"bad@contoso.example"', "cells"),
        ('"bad@contoso.example","A","B"', "cells"),
        ("junk", "cells"),
        ('"', "line_broken"),
    ],
)
@pytest.mark.parametrize("place", [0, 1, 3])
def test_a_broken_line_takes_no_good_one_with_it(line, code, place):
    lines = list(GOOD)
    lines.insert(place, line)

    found = csv(*lines)

    assert [one.code for row in found for one in row.problems] == [code]
    assert [row.values["display_name"] for row in found if not row.problems] == ["One", "Two", "Three"]
    assert [row.number for row in found if row.problems] == [place + 2]


def test_a_line_in_another_encoding_takes_no_good_one_with_it():
    found = rows(f"{HEAD}\n{GOOD[0]}\n".encode() + '"k@contoso.example","Köln"\n'.encode("latin-1") + GOOD[1].encode())

    assert [[one.code for one in row.problems] for row in found] == [[], ["encoding"], []]
    assert found[1].account == "k@contoso.example"


def test_a_cell_may_go_over_several_lines():
    (row,) = csv('"room1@contoso.example","One\r\nand\r\nhalf"')

    assert row.values["display_name"] == "One and half"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_end_of_line_will_do(end):
    found = rows(end.join([HEAD, *GOOD, "", ""]))

    assert [row.values["display_name"] for row in found] == ["One", "Two", "Three"]


def test_a_line_longer_than_what_is_read_at_once_is_one_line():
    long = '"room1@contoso.example","' + "é" * 70_000 + '"'

    assert [len(row.name) for row in csv(long, *GOOD[1:])] == [200, 3, 5]


@pytest.mark.parametrize(
    "head",
    [
        "\ufeff" + HEAD,
        "Identity,DisplayName",
        '"identity" ,"DISPLAYNAME"'.replace(" ", ""),
        "#TYPE Deserialized.Microsoft.Exchange.Place\n" + HEAD,
        "\ufeff#TYPE x\r\n" + HEAD,
    ],
)
def test_heads_as_they_come(head):
    assert [row.values["display_name"] for row in rows(f"{head}\n{GOOD[0]}\n")] == ["One"]


def test_other_delimiters_are_told_by_the_head():
    for sign in ";\t":
        (row,) = rows(sign.join(["Identity", "DisplayName", "City"]) + f"\na@contoso.example{sign}A, B{sign}Köln\n")
        assert row.values == {"resource_account": "a@contoso.example", "display_name": "A, B", "city": "Köln"}


# --- Graph --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"floorNumber": -1, "capacity": 0}, {"floor": -1, "capacity": 0}),
        ({"floorNumber": None}, {"floor": None}),
        ({"address": {"city": "Köln"}}, {"city": "Köln"}),
        ({"address": None}, dict.fromkeys(["street", "city", "region", "postal_code", "country"], "")),
        ({"geoCoordinates": None}, {"latitude": None, "longitude": None}),
        ({"geoCoordinates": {"latitude": 1, "altitude": 3.0}}, {"latitude": Decimal("1.0000")}),
        ({"geoCoordinates": {"longitude": -87.65005}}, {"longitude": Decimal("-87.6500")}),
        ({"isWheelChairAccessible": None}, {"is_wheelchair_accessible": False}),
        ({"tags": ["a", " b ", ""]}, {"tags": ["a", "b"]}),
        ({"tags": None}, {"tags": []}),
        ({"@odata.type": "#microsoft.graph.room"}, {}),
        ({"nickname": "x", "bookingType": "standard", "unknown": {"deep": []}}, {}),
    ],
)
def test_a_property_becomes_a_value(properties, expected):
    row = place(**properties)

    assert problems(row) == []
    assert row.values == {"resource_account": "a@contoso.example", "display_name": "A"} | expected


@pytest.mark.parametrize(
    ("properties", "code", "field"),
    [
        ({"displayName": 5}, "wrong_type", "display_name"),
        ({"displayName": None}, "missing", "display_name"),
        ({"emailAddress": ["a"]}, "wrong_type", "resource_account"),
        ({"emailAddress": None}, "missing", "resource_account"),
        ({"capacity": "30"}, "wrong_type", "capacity"),
        ({"capacity": True}, "wrong_type", "capacity"),
        ({"capacity": 30.5}, "wrong_type", "capacity"),
        ({"capacity": 2**63}, "out_of_range", "capacity"),
        ({"floorNumber": 10**400}, "out_of_range", "floor"),
        ({"floorNumber": float("nan")}, "wrong_type", "floor"),
        ({"isWheelChairAccessible": "true"}, "wrong_type", "is_wheelchair_accessible"),
        ({"tags": "a"}, "wrong_type", "tags"),
        ({"tags": [1]}, "wrong_type", "tags"),
        ({"tags": [str(number) for number in range(51)]}, "too_long", "tags"),
        ({"address": "Köln"}, "wrong_type", "street"),
        ({"address": {"city": {}}}, "wrong_type", "city"),
        ({"geoCoordinates": [1, 2]}, "wrong_type", "latitude"),
        ({"geoCoordinates": {"latitude": "1"}}, "wrong_type", "latitude"),
        ({"geoCoordinates": {"latitude": float("inf")}}, "out_of_range", "latitude"),
        ({"geoCoordinates": {"latitude": True}}, "wrong_type", "latitude"),
        ({"building": "\ud800"}, "unreadable_character", "building"),
        ({"@odata.type": "#microsoft.graph.workspace"}, "not_a_room", None),
    ],
)
def test_a_property_that_no_room_can_have_is_named(properties, code, field):
    assert [(one.code, one.params.get("field")) for one in place(**properties).problems] == [(code, field)]


def test_what_a_report_keeps_of_a_row_can_be_stored():
    row = place(displayName="a\x00\ud800b", emailAddress="\x00")

    assert (row.account, row.name) == ("\ufffd", "a\ufffd\ufffdb")
    assert json.dumps([row.name, [one.params for one in row.problems]]).encode()


def test_an_infinite_number_is_out_of_range():
    (row,) = rows('{"value": [{"emailAddress": "a@x.de", "displayName": "A", "capacity": 1e999}]}')

    assert [one.code for one in row.problems] == ["out_of_range"]


def test_a_bare_list_and_items_that_are_no_rooms():
    found = rows('[{"emailAddress": "a@x.de", "displayName": "A"}, 5, null, []]')

    assert [list(row.problems) for row in found] == [
        [],
        [Problem("not_a_room", {"value": "5"})],
        [Problem("not_a_room", {"value": "None"})],
        [Problem("not_a_room", {"value": "[]"})],
    ]


@pytest.mark.parametrize("is_first", [True, False])
def test_one_page_of_many_says_so(is_first):
    room = {"value": [{"emailAddress": "a@x.de", "displayName": "A"}]}
    link = {"@odata.nextLink": "https://graph.microsoft.com/v1.0/places?$skiptoken=x"}
    inventory = inventories.read(io.BytesIO(json.dumps(link | room if is_first else room | link).encode()))

    assert len(list(inventory.rows)) == 1
    assert inventory.has_more


def test_rooms_come_one_by_one():
    """The second half of the file may be as broken as it likes until somebody reads on."""
    reader = inventories.read(io.BytesIO(b'{"value": [{"emailAddress": "a@x.de", "displayName": "A"}, {oops')).rows

    assert next(reader).account == "a@x.de"
    with pytest.raises(UnreadableInventory):
        next(reader)


# --- Files that are no inventory ----------------------------------------------------------------
ROOM = '{"emailAddress": "a@x.de", "displayName": "A"}'
NO_INVENTORIES = {
    "empty": (b"", "empty"),
    "blank": (b" \n\t\n", "empty"),
    "only a mark": (b"\xef\xbb\xbf", "names no column"),
    "utf-16 with mark": (HEAD.encode("utf-16"), "UTF-16"),
    "utf-16 without": (HEAD.encode("utf-16-le"), "UTF-16"),
    "utf-16 json": ('{"value": []}'.encode("utf-16-be"), "UTF-16"),
    "workbook": (b"PK\x03\x04" + bytes(60), "workbook"),
    "old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "workbook"),
    "picture": (b"\x89PNG\r\n\x1a\n", "neither CSV nor JSON"),
    "binary": (bytes(100), "neither CSV nor JSON"),
    "latin-1 head": ('"Identity","Größe"'.encode("latin-1"), "neither CSV nor JSON in UTF-8"),
    "other csv": (b"name,city\nA,B\n", "“Identity”"),
    "no name": (b"Identity,City\na@x.de,B\n", "“DisplayName”"),
    "column twice": (b"Identity,DisplayName,displayname\na@x.de,A,B\n", "“DisplayName” twice"),
    "head only": (HEAD.encode(), "no rooms"),
    "html": (b"<!doctype html><html></html>", "names no column"),
    "broken json": (b'{"value": [', "no valid JSON near line 1"),
    "json and more": (f'{{"value": [{ROOM}]}} x'.encode(), "no valid JSON"),
    "missing comma": (f'{{"value": [{ROOM} {ROOM}]}}'.encode(), "no valid JSON"),
    "json without list": (b'{"error": {"code": "Forbidden"}}', "no list “value”"),
    "value is no list": (b'{"value": 5}', "no list “value”"),
    "no rooms": (b'{"value": []}', "no rooms"),
    "deep": (b"[" * 100_000, "no valid JSON"),
    "deep within": (b'{"value": [' + b'{"a":' * 50_000, "no valid JSON"),
    "json in latin-1": ('{"value": [{"displayName": "Köln"}]}'.encode("latin-1"), "neither CSV nor JSON in UTF-8"),
}


@pytest.mark.parametrize(("content", "reason"), NO_INVENTORIES.values(), ids=NO_INVENTORIES.keys())
def test_what_is_no_inventory_says_why(content, reason):
    with pytest.raises(UnreadableInventory) as caught:
        rows(content)

    assert reason in " ".join(caught.value.messages)


def test_a_file_is_not_read_beyond_its_limit(settings):
    settings.INVENTORY_MAX_BYTES = 200_000
    stream = io.BytesIO((HEAD + "\n" + "x" * 10_000_000).encode())

    with pytest.raises(UnreadableInventory, match="larger than 195"):
        list(inventories.read(stream).rows)

    assert stream.tell() < 400_000


def test_a_file_holds_no_more_rows_than_its_limit(settings):
    settings.INVENTORY_MAX_ROWS = 2

    assert len(csv(*GOOD[:2])) == 2
    with pytest.raises(UnreadableInventory, match="more than 2 rooms"):
        csv(*GOOD)

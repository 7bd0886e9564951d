"""The check that docs/webhooks.md gives to receivers, run as it stands there."""

import re
import time
from pathlib import Path
from typing import Any

import pytest

from audit.events import EventType
from partners import signatures

TEXT = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text()
BODY = b'{"id":"1","type":"ticket.opened"}'
SECRET, OTHER = signatures.new_secret(), signatures.new_secret()


@pytest.fixture
def check() -> dict[str, Any]:
    [code] = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(code, "docs/webhooks.md", "exec"), names)
    return names


def signed(body: bytes = BODY, *secrets: str, age: float = 0) -> dict[str, str]:
    return signatures.headers("1", int(time.time() - age), body, secrets or (SECRET,))


def test_what_the_portal_sends_is_taken_once(check):
    taken: set[str] = set()
    assert check["take"](signed(), BODY, [SECRET], taken) == {"id": "1", "type": "ticket.opened"}
    assert check["take"](signed(), BODY, [SECRET], taken) is None


def test_during_a_rotation_either_secret_does(check):
    for known in (SECRET, OTHER):
        assert check["take"](signed(BODY, OTHER, SECRET), BODY, [known], set())


STALE = {"too old", "of tomorrow", "no moment", "a moment in other digits", "nothing"}
FALSE = {
    "another secret": lambda: (signed(BODY, OTHER), BODY),
    "another body": lambda: (signed(), BODY + b" "),
    "another id": lambda: (signed() | {"webhook-id": "2"}, BODY),
    "another moment": lambda: (signed() | {"webhook-timestamp": str(int(time.time()) + 1)}, BODY),
    "too old": lambda: (signed(age=301), BODY),
    "of tomorrow": lambda: (signed(age=-400), BODY),
    "no moment": lambda: (signed() | {"webhook-timestamp": "now"}, BODY),
    "a moment in other digits": lambda: (signed() | {"webhook-timestamp": "²"}, BODY),
    "a signature in other letters": lambda: (signed() | {"webhook-signature": "v1,ä"}, BODY),
    "no signature": lambda: (signed() | {"webhook-signature": ""}, BODY),
    "an empty one": lambda: (signed() | {"webhook-signature": "v1,"}, BODY),
    "nothing": lambda: ({}, BODY),
}


@pytest.mark.parametrize("name", FALSE)
def test_forged_altered_and_stale_ones_are_refused(check, name):
    (headers, body), taken = FALSE[name](), set()
    with pytest.raises(check["Refused"], match="stale" if name in STALE else "forged or altered"):
        check["take"](headers, body, [SECRET], taken)
    assert taken == set()


def test_every_event_is_described():
    kinds = {one.value.partition(".") for one in EventType}
    for kind, _, name in kinds:
        [row] = re.findall(rf"^\| (`{kind}\..*?) \|", TEXT, re.MULTILINE)
        assert f"`{kind}.{name}`" in row or f"`.{name}`" in row

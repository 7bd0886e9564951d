import os
import pytest
from tests.authz import ledger
from tests.authz.scene import make_scene
from tests.authz.test_ledger import _differences, _unlisted, covering
pytestmark = pytest.mark.django_db
MINE = set(__import__("pathlib").Path("/tmp/roles/mine.txt").read_text().split())
def test_mine():
    scene, entries = make_scene(), ledger.entries()
    kind = os.environ["KIND"]
    for route in ledger.routes():
        if route.name not in MINE or route.name.startswith("api-") != (kind == "api"): continue
        for entry in covering(route, entries):
            for one in _differences(scene, route, entry): print(one, flush=True)
        for one in _unlisted(scene, route, {m for o in covering(route, entries) for m in o.methods}): print(one, flush=True)
        print("done", route.name, flush=True)

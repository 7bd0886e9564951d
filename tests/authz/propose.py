"""What routes that the ledger lacks answer today, as lines for `ledger.txt`: to be read, cell by cell, against the
contract before any of them is written down. `python -m pytest -s tests/authz/propose.py` prints them.
"""

import pytest

from tests.authz import ledger
from tests.authz.ledger import METHODS, Route
from tests.authz.scene import ACTORS, Scene, make_scene
from tests.authz.test_ledger import TOOLS, covering

pytestmark = pytest.mark.django_db


def test_propose_lines():
    scene, known = make_scene(), ledger.entries()
    for route in ledger.routes():
        if covering(route, known):
            continue
        for method in METHODS:
            lines = {relation: _cells(scene, route, method, relation) for relation in sorted(route.relations)}
            if any(cell not in ("405", "sign-in", "401", "404", "302") for cells in lines.values() for cell in cells):
                for relation, cells in lines.items():
                    print(
                        f"{route.name:30} {method:12} {relation:10} {' '.join(f'{cell:8}' for cell in cells)}".rstrip()
                    )
        print()


def _cells(scene: Scene, route: Route, method: str, relation: str) -> list[str]:
    url, cells = route.url(scene, relation), {}
    for actor in ACTORS:
        if actor in TOOLS and not route.pattern.startswith("api/"):
            cells[actor] = cells["anon"]
            continue
        with scene.asking(actor, method, url, route.name, relation) as (answer, _):
            cells[actor] = ledger.cell_of(answer)
    return [cells[actor] for actor in ACTORS]

import pytest

from partners.services import invitations
from tests.factories.world import World, make
from tests.foundation.database import WorkerDatabase


@pytest.fixture
def world(committed_db: WorkerDatabase, broker_url: str, monkeypatch: pytest.MonkeyPatch) -> World:
    """The small world with real commits; many rounds send more invitations than a day allows."""
    monkeypatch.setattr(invitations, "DAILY_LIMIT", 100_000)
    return make()

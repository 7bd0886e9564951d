"""The portal beside an OpenID provider that knows the demo's people, with and without a second factor."""

import pytest
from django.conf import settings

from tests.foundation.mail import SmtpSink
from tests.foundation.portal import Portal, PortalProcess
from trm_portal.development import demo_data


@pytest.fixture
def site(portal: Portal, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch) -> PortalProcess:
    """The portal with the demo's data and such a provider."""
    monkeypatch.setattr(settings, "DEMO", True)
    demo_data.load()
    known = {"OIDC_ENDPOINT": portal.provider().url, "OIDC_CLIENT_ID": "portal", "OIDC_CLIENT_SECRET": "any"}
    return portal.web(environment={"DEMO": "true", "OIDC_OBJECT_CLAIM": "oid"} | known)


@pytest.fixture
def complaints() -> list[str]:
    """Of our own pages; the provider's asks for things from elsewhere, which is no fault of ours."""

    class Ours(list[str]):
        def append(self, text: str) -> None:
            if "ERR_NAME_NOT_RESOLVED" not in text and "ERR_CONNECTION" not in text:
                super().append(text)

    return Ours()

"""Signing in at the tests' provider: there, and back with its code."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django.test import Client

from tests.foundation.provider import CLIENT_ID, CLIENT_SECRET, Provider


def set_up(settings: Any, provider: Provider) -> None:
    """The portal knows the provider, as Entra ID and as one of another make."""
    settings.SIGN_IN_PROVIDERS = {"entra": True, "openid": True}
    for name in ("ENTRA", "OPENID"):
        setattr(settings, f"SOCIAL_AUTH_{name}_KEY", CLIENT_ID)
        setattr(settings, f"SOCIAL_AUTH_{name}_SECRET", CLIENT_SECRET)
        setattr(settings, f"SOCIAL_AUTH_{name}_OIDC_ENDPOINT", f"{provider.url}/organizations/v2.0")


def begin(client: Client, provider: Provider, name: str = "entra", **sent: str) -> dict[str, str]:
    """Off to the provider; what it is asked."""
    return sent_off(client.post(f"/sign-in/{name}/", sent), provider)


def sent_off(answer: Any, provider: Provider) -> dict[str, str]:
    """What the provider is asked by an answer that leads there."""
    assert answer.status_code == 302
    place = urlsplit(answer["Location"])
    assert f"{place.scheme}://{place.netloc}{place.path}" == f"{provider.url}/authorize"
    provider.asked = dict(parse_qsl(place.query))
    return provider.asked


def back(client: Client, asked: dict[str, str], name: str = "entra", **changed: str) -> Any:
    """Back from the provider with its code."""
    return client.get(f"/sign-in/{name}/complete/", {"code": "one-time", "state": asked["state"]} | changed)


def sign_in(client: Client, provider: Provider, name: str = "entra", **sent: str) -> Any:
    return back(client, begin(client, provider, name, **sent), name)

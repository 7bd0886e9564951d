"""An OpenID provider on this machine, with keys of its own, that says in its tokens whatever a test wants.

It speaks the code flow over HTTP as a real one does, and holds the portal to PKCE. What it signs is made by PyJWT.
"""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

CLIENT_ID, CLIENT_SECRET = "rooms-portal", "a secret of the provider"


class Provider(ThreadingHTTPServer):
    """`claims` go into every token; `signs_with` and `issuer` can be changed; None in `claims` leaves one out."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.keys = {"first": rsa.generate_private_key(public_exponent=65537, key_size=2048)}
        self.published, self.signs_with = ["first"], "first"
        self.claims: dict[str, Any] = {}
        self.asked: dict[str, str] = {}  # what the last authorisation request carried
        self.delay, self.is_down = 0.0, False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def configuration(self) -> dict[str, Any]:
        return {
            "issuer": f"{self.url}/{{tenantid}}/v2.0",
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        }

    def add_key(self, name: str, *, is_published: bool = True) -> None:
        self.keys[name] = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        if is_published:
            self.published.append(name)

    def jwks(self) -> dict[str, Any]:
        found = []
        for name in self.published:
            key = json.loads(RSAAlgorithm.to_jwk(self.keys[name].public_key()))
            found.append(key | {"kid": name, "use": "sig", "alg": "RS256"})
        return {"keys": found}

    def token(self) -> str:
        now = int(time.time())
        tid = self.claims.get("tid", "")
        usual = {
            "iss": f"{self.url}/{tid}/v2.0",
            "aud": CLIENT_ID,
            "iat": now,
            "nbf": now,
            "exp": now + 300,
            "sub": "pairwise",
            "nonce": self.asked.get("nonce"),
        }
        claims = {name: value for name, value in (usual | self.claims).items() if value is not None}
        return jwt.encode(claims, self.keys[self.signs_with], algorithm="RS256", headers={"kid": self.signs_with})

    def person(self, tid: UUID, oid: UUID, upn: str | None, **more: Any) -> None:
        """From now on this is who signs in."""
        self.claims = {"tid": str(tid), "oid": str(oid), "upn": upn, "name": "Ann Keller", "acct": 0} | more


class _Handler(BaseHTTPRequestHandler):
    server: Provider

    def do_GET(self) -> None:
        place = urlsplit(self.path).path
        if place == "/keys":
            self._answer(self.server.jwks())
        elif place.endswith("/.well-known/openid-configuration"):
            self._answer(self.server.configuration())
        else:
            self._answer({"error": "not_found"}, 404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if challenge != self.server.asked.get("code_challenge"):
            self._answer({"error": "invalid_grant"}, 400)
        elif (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            self._answer({"error": "invalid_client"}, 401)
        else:
            self._answer({"access_token": "opaque", "token_type": "Bearer", "id_token": self.server.token()})

    def _answer(self, body: dict[str, Any], status: int = 200) -> None:
        time.sleep(self.server.delay)
        content = json.dumps(body).encode()
        self.send_response(503 if self.server.is_down else status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: Any) -> None:
        """Says nothing."""


@pytest.fixture
def provider() -> Iterator[Provider]:
    server = Provider()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()

"""The OpenAPI document: valid, whole, and true: what the API answers is what the document says."""

import json
import re
from typing import Any

import jsonschema
import pytest
import yaml
from django.core.management import call_command
from django.db import transaction
from django.urls import resolve
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from tests.contract.scene import NEVER, Operation, Scene, operations
from trm_portal.api_views import document

OUTSIDE = ("api-schema", "api-docs", "api-nothing")


@pytest.fixture(scope="module")
def openapi() -> dict[str, Any]:
    return json.loads(document("json"))


def described(openapi) -> dict[str, Any]:
    """The document's operations by `method operationId`-like names: method and path."""
    return {
        f"{method} {path}": operation
        for path, methods in openapi["paths"].items()
        for method, operation in methods.items()
    }


def check(openapi, value, schema) -> None:
    """`value` is what `schema` of the document says, formats and closed objects included."""
    closed = json.loads(json.dumps(schema)) | {"components": openapi["components"]}
    jsonschema.Draft202012Validator(closed, format_checker=jsonschema.FormatChecker()).validate(value)


def test_document_is_valid_and_nothing_was_guessed(tmp_path):
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "api.yaml"))


def test_document_is_openapi(openapi):
    """By the official schema of OpenAPI 3.1, and beyond it: references lead somewhere, defaults fit, names are unique."""
    validate(openapi, cls=OpenAPIV31SpecValidator)


def test_every_operation_is_described_and_nothing_else(openapi):
    ours = [one for one in operations() if one.name not in OUTSIDE]
    assert len(described(openapi)) == len(ours) > 20
    assert len({one["operationId"] for one in described(openapi).values()}) == len(ours)


def test_every_operation_has_summary_tag_examples_and_problems(openapi):
    for name, operation in described(openapi).items():
        assert operation["summary"], name
        assert operation["description"], name
        assert len(operation["tags"]) == 1, name
        bodies = [operation["requestBody"]] if "requestBody" in operation else []
        answers = done(operation)
        assert len(answers) == 1, name
        bodies += [one for one in answers.values() if "content" in one]
        for body in bodies:
            for content in body["content"].values():
                assert content["examples"], name
        problems = {status: one for status, one in operation["responses"].items() if status >= "400"}
        assert {"400", "401", "406", "429"} <= set(problems), name
        for status, one in problems.items():
            content = one["content"]["application/problem+json"]
            assert content["schema"] == {"$ref": "#/components/schemas/Problem"}, name
            [example] = content["examples"].values()
            assert example["value"]["status"] == int(status), name
            check(openapi, example["value"], content["schema"])


# Every header that the API takes or sends; those that all HTTP has (Content-Type, Accept …) aside.
TAKEN = {"Idempotency-Key", "If-Match", "Change-Justification"}
RATE = {"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"}


def headers_of(operation, kind="parameters"):
    if kind == "parameters":
        return {one["name"] for one in operation.get("parameters", ()) if one["in"] == "header"}
    return {status: set(answer["headers"]) for status, answer in operation["responses"].items()}


def test_every_operation_names_its_headers(openapi):
    for name, operation in described(openapi).items():
        taken, sent = headers_of(operation), headers_of(operation, "responses")
        assert taken <= TAKEN, name
        assert ("Idempotency-Key" in taken) == (not name.startswith("get ")), name
        is_stale = "412" in operation["responses"] and operation["operationId"] != "approval_again"
        assert ("If-Match" in taken) == is_stale, name
        assert ("Change-Justification" in taken) == (
            "202" in sent and operation["operationId"] != "notifications_test"
        ), name
        for status, headers in sent.items():
            assert (headers >= RATE) == (status != "401"), (name, status)
            assert ("Retry-After" in headers) == (
                status == "429" or (status == "409" and not name.startswith("get "))
            ), (name, status)
        if "Change-Justification" in taken:
            assert "Location" in sent["202"], name
        if "If-Match" in taken:
            assert "invalid_header" in operation["responses"]["400"]["description"], name


def test_every_example_fits_its_schema(openapi):
    seen = 0
    for operation in described(openapi).values():
        bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
        for content in (content for body in bodies for content in body.get("content", {}).values()):
            for example in content.get("examples", {}).values():
                check(openapi, example["value"], content["schema"])
                _check_known(openapi, example["value"], content["schema"])
                seen += 1
    assert seen > 100


def _check_known(openapi, value, schema) -> None:
    """No field of `value` is unknown to the document: JSON schema alone lets more pass."""
    schema = _resolved(openapi, schema)
    if isinstance(value, list):
        for one in value:
            _check_known(openapi, one, schema["items"])
    elif isinstance(value, dict) and "properties" in schema:
        assert set(value) <= set(schema["properties"]), set(value) - set(schema["properties"])
        for name, one in value.items():
            _check_known(openapi, one, schema["properties"][name])


def _resolved(openapi, schema):
    for word in ("allOf", "oneOf", "anyOf"):
        choices = [one for one in schema.get(word, ()) if one.get("type") != "null"]
        if choices:
            return _resolved(openapi, choices[0])
    if "$ref" in schema:
        return _resolved(openapi, openapi["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    return schema


def done(operation):
    """The answer to what was done; 202 beside it is that of a change that waits for approval."""
    answers = {status: one for status, one in operation["responses"].items() if status < "300"}
    return answers if len(answers) == 1 else {status: one for status, one in answers.items() if status != "202"}


@pytest.mark.django_db
def test_answers_are_what_the_document_says(openapi):
    """Every operation is called by somebody who may; the answer has the status, fields and types that are written."""
    scene, described_as = Scene(), _by_operation(openapi)
    assert set(described_as) == {one for one in operations() if one.name not in OUTSIDE}
    for operation, spec in described_as.items():
        with transaction.atomic():
            if operation.name == "api-partner-resume":
                scene.admin().post("api-partner-suspend", *scene.args(operation.name))
            answer = scene.ask(_allowed(scene, operation), operation)
            transaction.set_rollback(True)
        [expected] = done(spec)
        assert str(answer.status_code) == expected, (operation, answer.content)
        told = set(spec["responses"][expected]["headers"]) - {"Idempotent-Replayed"}
        assert told <= set(answer.headers), operation
        assert {"ETag", "Location"} & set(answer.headers) <= told, operation
        if answer.content:
            media = answer.headers["Content-Type"].partition(";")[0]
            schema = spec["responses"][expected]["content"][media]["schema"]
            if media != "application/json":  # a file: the document knows its type
                assert schema == {"type": "string", "format": "binary"}
                continue
            check(openapi, answer.json(), schema)
            _check_known(openapi, answer.json(), schema)


def _by_operation(openapi) -> dict[Operation, Any]:
    """The document's entry for each of our operations: its path leads to the address of that name."""
    kinds = (
        "room",
        "group",
        "filter",
        "ticket",
        "ring",
        "rollout",
        "role",
        "assignment",
        "security_group",
        "user",
        "domain",
        "manager",
    )
    values = {"prefix": "x"} | {f"{kind}_id": "1" for kind in kinds}
    found = {}
    for path, methods in openapi["paths"].items():
        url = re.sub(r"{(\w+)}", lambda match: values.get(match[1], str(NEVER)), path)
        found |= {Operation(method, resolve(url).url_name): spec for method, spec in methods.items()}
    return found


def _allowed(scene, operation):
    own = ("api-approval-withdraw", "api-approval-again", "api-colleagues")
    if operation.name.startswith(("api-token", "api-all-")) or operation.name in own:
        return scene.partner()
    if str(operation) == "delete customer":
        return scene.partner()
    return scene.invited() if operation.name.startswith("api-my-invitation") else scene.admin()


def test_both_forms_say_the_same(client, openapi):
    as_json, as_yaml = client.get("/api/v1/schema/"), client.get("/api/v1/schema/?format=yaml")
    assert as_json.json() == yaml.safe_load(as_yaml.content) == openapi
    assert as_json.headers["Content-Type"] == "application/vnd.oai.openapi+json; charset=utf-8"
    assert as_yaml.headers["Content-Type"] == "application/vnd.oai.openapi; charset=utf-8"
    assert openapi["openapi"] == "3.1.0"
    assert client.get("/api/v1/schema/?format=xml").status_code == 400
    assert client.get("/api/v1/schema/?lang=de").status_code == 400

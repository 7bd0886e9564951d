"""The API's own addresses: its document, the page that shows it, and the answer where there is nothing."""

import json
from functools import cache
from typing import Any, ClassVar, NoReturn

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import override
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import NotFound
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from rbac.api.base import refuse_unknown_parameters
from rbac.api.errors import InvalidParameters

FORMS = {"json": "application/vnd.oai.openapi+json", "yaml": "application/vnd.oai.openapi"}


class AnyForm(BaseContentNegotiation):
    """For addresses that answer in one form, whatever is asked for."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class PublicView(APIView):
    """For everybody; says nothing of anybody's data."""

    authentication_classes: ClassVar[list[type[BaseAuthentication]]] = []
    permission_classes = [AllowAny]
    throttle_classes: ClassVar[list[type[BaseThrottle]]] = []
    content_negotiation_class = AnyForm
    schema = None


class Nothing(PublicView):
    """Every address that does not exist, for every method: the same 404 as for what one may not see."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> NoReturn:
        raise NotFound


class Document(PublicView):
    """The OpenAPI document: JSON, or YAML with `?format=yaml`."""

    def get(self, request: Request) -> HttpResponse:
        refuse_unknown_parameters(request, {"format"})
        form = request.query_params.get("format", "json")
        if form not in FORMS:
            raise InvalidParameters({"format": ("invalid_choice", "json, yaml")})
        return HttpResponse(document(form), content_type=f"{FORMS[form]}; charset=utf-8")


@cache
def document(form: str) -> bytes:
    """The document in one of FORMS; the same for everybody and for the life of the process, so it is made once."""
    with override("en"):
        schema = SchemaGenerator().get_schema(request=None, public=True)
    if form == "yaml":
        return bytes(OpenApiYamlRenderer().render(schema, renderer_context={}))
    return json.dumps(schema, default=str, ensure_ascii=False, indent=1).encode()


class Documentation(PublicView):
    """The document as a page on which one can try it out. Without JavaScript it leads to the document itself."""

    def get(self, request: Request) -> HttpResponse:
        refuse_unknown_parameters(request, ())
        page = render(request, "api_docs.html", {"schema_url": reverse("api-schema")})
        page.headers["Cache-Control"] = "no-store"  # it carries this browser's CSRF token
        return page

"""How the API's operations describe themselves. Apart from `api`: this needs the framework's views, which need that."""

from drf_spectacular.openapi import AutoSchema


class ProblemSchema(AutoSchema):
    """Every operation answers its errors as problem details."""

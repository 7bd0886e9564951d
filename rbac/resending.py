"""What a form has sent, for a page in between that asks something first and then has the browser send it again."""

from collections.abc import Collection

from django.http import HttpRequest

CSRF = "csrfmiddlewaretoken"  # each page has its own


def fields_of(request: HttpRequest, besides: Collection[str] = ()) -> list[tuple[str, str]]:
    """The fields of the request's form, one by one in their order; without the CSRF token and those named `besides`."""
    left_out = {CSRF, *besides}
    return [(name, value) for name, values in request.POST.lists() if name not in left_out for value in values]

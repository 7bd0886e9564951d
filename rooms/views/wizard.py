"""What wizards share: steps in an order, kept in a draft; every button is a plain POST that keeps what was entered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from rbac import drafts
from rbac.drafts import Draft
from rbac.gates import TenantRequest

D = TypeVar("D", bound=Draft)


@dataclass
class Wizard(Generic[D]):
    """One request to one step."""

    request: TenantRequest
    step: str
    draft: D

    labels: ClassVar[Mapping[Any, Any]]
    folder: ClassVar[str]

    @property
    def order(self) -> Sequence[str]:
        """The steps."""
        raise NotImplementedError

    @property
    def open_step(self) -> str:
        """The first step that is not done; the last one when all are."""
        raise NotImplementedError

    def url(self, step: str) -> str:
        """The address of `step`."""
        raise NotImplementedError

    @property
    def home(self) -> str:
        """Where *Cancel* leads."""
        raise NotImplementedError

    def crumbs(self) -> list[tuple[str, str]]:
        """The way to this page."""
        raise NotImplementedError

    @property
    def is_ahead(self) -> bool:
        """Whether a step before this one is not done."""
        return self.order.index(self.step) > self.order.index(self.open_step)

    def keep(self, entries: Mapping[str, Any], *, is_complete: bool) -> None:
        """`entries` are stored with the draft, and whether the step is done."""
        self.draft = drafts.keep(self.draft, str(self.step), entries, is_complete=is_complete)

    def go_on(self) -> HttpResponse:
        """Where the pressed button leads: the next step, the one before, or out; else back to this one."""
        place, post = self.order.index(self.step), self.request.POST
        if "next" in post:
            return redirect(self.url(self.order[min(place + 1, len(self.order) - 1)]))
        if "previous" in post and place:
            return redirect(self.url(self.order[place - 1]))
        if "cancel" in post:
            messages.info(self.request, _("What you entered is kept. You can go on with it whenever you like."))
            return redirect(self.home)
        return redirect(self.request.get_full_path())

    def show(self, context: Mapping[str, Any], status: int = 200) -> HttpResponse:
        """The page of the step."""
        shared = {
            "crumbs": self.crumbs(),
            "steps": self._steps(),
            "draft": self.draft,
            "step": self.step,
            "is_first": self.order.index(self.step) == 0,
        }
        template = f"{self.folder}/{str(self.step).replace('-', '_')}.html"
        return render(self.request, template, {**shared, **context}, status=status)

    def _steps(self) -> list[dict[str, Any]]:
        done, reachable = self.draft.data.get("done", ()), self.order.index(self.open_step)
        return [
            {
                "label": self.labels[step],
                "url": self.url(step) if place <= reachable else "",
                "state": "current" if step == self.step else "done" if step in done and place <= reachable else "todo",
            }
            for place, step in enumerate(self.order)
        ]

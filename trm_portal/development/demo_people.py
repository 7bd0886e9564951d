"""The made-up organisations and people of the demo. Everybody arrives as after a sign-in at home: (tid, oid) and UPN."""

from dataclasses import dataclass
from uuid import UUID, uuid5

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from rbac.sign_in import Identity

_NAMESPACE = UUID("6d0c8e5e-54f3-4c8e-9d5f-7f1a52c0ffee")


@dataclass(frozen=True)
class Organisation:
    name: str
    domain: str
    language: str = "en"
    time_zone: str = "UTC"
    # Support staff have founded it; others are unknown until somebody of theirs follows an invitation.
    is_known: bool = True

    @property
    def first_admin(self) -> str:
        """Whom support staff named as MMR Admin: a customer's first person; nobody of the demo at a partner."""
        people = [person.upn for person in PEOPLE if person.at == self and self in CUSTOMERS]
        return people[0] if people else f"it@{self.domain}"

    @property
    def tid(self) -> UUID:
        return uuid5(_NAMESPACE, self.domain)


@dataclass(frozen=True)
class Person:
    name: str
    local: str
    at: Organisation
    role: str | Promise

    @property
    def upn(self) -> str:
        return f"{self.local}@{self.at.domain}"

    @property
    def identity(self) -> Identity:
        return Identity(self.at.tid, uuid5(self.at.tid, self.local), self.upn, self.name)


CONTOSO = Organisation("Contoso Ltd.", "contoso.com", time_zone="America/New_York")
TAILWIND = Organisation("Tailwind Traders", "tailwindtraders.com", language="de", time_zone="Europe/Vienna")
WIDE_WORLD = Organisation("Wide World Importers", "wideworldimporters.com", time_zone="Europe/Oslo")
FABRIKAM = Organisation("Fabrikam AV Services", "fabrikam.com", time_zone="Europe/London")
NORTHWIND = Organisation("Northwind Rooms GmbH", "northwind-rooms.de", language="de", time_zone="Europe/Berlin")
ADATUM = Organisation("Adatum Integrators", "adatum.com", is_known=False)
CUSTOMERS = (CONTOSO, TAILWIND, WIDE_WORLD)
PARTNERS = (FABRIKAM, NORTHWIND, ADATUM)

MARA = Person("Mara Berg", "mara.berg", CONTOSO, _("MMR Admin; no rooms and no partners yet: the story starts here"))
TESSA = Person("Tessa Wood", "tessa.wood", TAILWIND, _("MMR Admin; partners in every state"))
LENA = Person(
    "Lena Hofer",
    "lena.hofer",
    TAILWIND,
    _("Site Lead in Vienna and Zurich; answers as tenant manager"),
)
TOM = Person("Tom Brandt", "tom.brandt", TAILWIND, _("Site Tech of the rooms in Berlin"))
WIM = Person("Wim Hansen", "wim.hansen", WIDE_WORLD, _("MMR Admin"))
ANN = Person("Ann Keller", "ann.keller", FABRIKAM, _("Primary admin at Tailwind Traders and Wide World Importers"))
BOB = Person("Bob Ortiz", "bob.ortiz", FABRIKAM, _("Primary admin at Wide World Importers"))
NILS = Person("Nils Petersen", "nils.petersen", NORTHWIND, _("Primary admin at Tailwind Traders, suspended"))
NORA = Person("Nora Lindt", "nora.lindt", NORTHWIND, _("Invited by Wide World Importers, has not answered"))
ADA = Person("Ada Marsh", "ada.marsh", ADATUM, _("Invited by Tailwind Traders; accepts with the link in the mail"))
PEOPLE = (MARA, TESSA, LENA, TOM, WIM, ANN, BOB, NILS, NORA, ADA)

SUPPORT_UPN = "support@rooms-portal.example"
SUPPORT_NAME = "Sam Support"

"""Codes that are tried at the same moment: the right one opens once, of wrong ones one is looked at."""

from collections.abc import Callable
from dataclasses import dataclass

from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

from audit.models import AuditEvent
from rbac.models import User
from rbac.services import accounts, second_factor
from tests.factories.world import World
from tests.races.guards import no_row_locks
from tests.races.harness import Race

ROUNDS = 15


@dataclass
class Case:
    """Somebody of support staff with an authenticator app."""

    person: User
    device: TOTPDevice
    lines: int

    @property
    def right(self) -> str:
        return f"{totp(self.device.bin_key, step=self.device.step, t0=self.device.t0):06}"

    def enter(self) -> object:
        return second_factor.verify(self.person, self.right)

    def guess(self) -> object:
        return second_factor.verify(self.person, f"{(int(self.right) + 500_000) % 1_000_000:06}")


def fresh(number: int) -> Case:
    upn = f"jo{number}-{User.objects.count()}@operator.example"
    person = accounts.open_support_account(upn, "a long password of Jo", by=None)
    device = TOTPDevice.objects.create(user=person, confirmed=True, name=second_factor.NAME)
    return Case(person, device, AuditEvent.objects.count())


def one_enters(case: Case, names: list[str]) -> None:
    assert sorted(names) == ["ok", "wrong_code"]


def one_is_looked_at(case: Case, names: list[str]) -> None:
    assert names == ["wrong_code"] * 3
    case.device.refresh_from_db()
    assert (case.device.throttling_failure_count, AuditEvent.objects.count() - case.lines) == (1, 1)


def race(contender: Callable[[Case], object], times: int, judge: Callable[[Case, list[str]], None]) -> Race[Case]:
    return Race(fresh, [contender] * times, judge)


def test_code_opens_once(world: World) -> None:
    race(Case.enter, 2, one_enters).must_win(ROUNDS)


def test_control_code_opens_once(world: World) -> None:
    with no_row_locks():
        race(Case.enter, 2, one_enters).must_lose()


def test_of_several_guesses_one_is_looked_at(world: World) -> None:
    race(Case.guess, 3, one_is_looked_at).must_win(ROUNDS)


def test_control_of_several_guesses_one_is_looked_at(world: World) -> None:
    with no_row_locks():
        race(Case.guess, 3, one_is_looked_at).must_lose()

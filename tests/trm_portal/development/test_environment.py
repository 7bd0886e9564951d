"""What is installed, and when nothing is: the script runs for real, in a project of its own with a stand-in for pip."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from trm_portal.development import environment

FILES = {name for names in environment.NEEDED.values() for name in names}
# Says yes to everything else, writes down what pip was asked for, and fails where it is told to.
INTERPRETER = """#!/bin/sh
if [ "$2" = pip ]; then
    echo "$*" >> "{log}"
    case "$*" in *"$FAILS"*) exit 1 ;; esac
fi
"""
OPTIONS = "-m pip install --quiet --disable-pip-version-check --no-input"
EMBEDDED = f"{OPTIONS} --no-deps --require-hashes --requirement requirements-embedded.txt"


class Project:
    """A folder with the script, the files that it reads and an environment that only writes down."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.script = folder / "trm_portal" / "development" / "environment.py"
        self.log = folder / "asked"
        self.script.parent.mkdir(parents=True)
        shutil.copy(environment.__file__, self.script)
        for name in {"constraints.txt", *FILES}:
            (folder / name).write_text(f"{name}\n")
        python = folder / ".venv" / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(INTERPRETER.format(log=self.log))
        python.chmod(0o755)

    def run(self, command: str, *, fails: str = "nothing", **given: str) -> tuple[int, str]:
        """The exit code, and what a person saw."""
        variables = {"PATH": os.environ["PATH"], "FAILS": fails} | given
        done = subprocess.run(
            [sys.executable, "-I", self.script, command], env=variables, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout + done.stderr

    def asked(self) -> list[str]:
        """What pip was asked for since the last time."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return lines


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "a project")


def test_installs_once(project: Project) -> None:
    first = project.run("demo")

    assert first == (
        0,
        "Installing requirements.txt, requirements-demo.txt ...\nInstalling requirements-embedded.txt ...\n",
    )
    assert project.asked() == [
        f"{OPTIONS} --requirement requirements.txt --requirement requirements-demo.txt",
        EMBEDDED,
    ]
    assert project.run("demo") == (0, "")
    assert project.asked() == []


def test_installs_only_what_another_command_needs_beside(project: Project) -> None:
    project.run("demo")
    project.asked()

    project.run("test")

    assert project.asked() == [f"{OPTIONS} --requirement requirements-test.txt"]


def test_installs_again_what_has_changed(project: Project) -> None:
    project.run("demo")
    project.asked()
    (project.folder / "requirements-demo.txt").write_text("something new\n")

    project.run("demo")

    assert project.asked() == [f"{OPTIONS} --requirement requirements-demo.txt"]


@pytest.mark.parametrize("broker", ["CELERY_BROKER_URL", "REDIS_URL"])
def test_own_servers_need_no_embedded_ones(project: Project, broker: str) -> None:
    given = {"DATABASE_URL": "postgres://db/trm", broker: "redis://broker/0"}

    assert project.run("demo", **given)[0] == 0
    assert EMBEDDED not in project.asked()

    assert project.run("demo")[0] == 0  # the servers are gone again
    assert project.asked() == [EMBEDDED]


def test_says_what_to_do_where_there_is_no_wheel(project: Project) -> None:
    code, output = project.run("demo", fails="embedded")

    assert code == 1
    assert "Elsewhere name servers of your own and start again:\n    DATABASE_URL=postgres://" in output
    project.asked()
    assert project.run("demo")[0] == 0  # what failed is tried again
    assert EMBEDDED in project.asked()


def test_failed_installation_is_not_taken_for_done(project: Project) -> None:
    assert project.run("demo", fails="requirements.txt") == (
        1,
        "Installing requirements.txt, requirements-demo.txt ...\n\nNot everything could be installed (see above).\n",
    )
    project.asked()

    assert project.run("demo")[0] == 0
    assert len(project.asked()) == 2


def test_no_file_names_a_place_to_load_from() -> None:
    for path in environment.PROJECT.glob("*requirements*.txt"):
        lines = path.read_text().splitlines()
        assert [line for line in lines if "://" in line or "--find-links" in line or "index-url" in line] == []


def test_every_version_is_pinned() -> None:
    for name in {"constraints.txt", *FILES}:
        lines = (environment.PROJECT / name).read_text().splitlines()
        named = [line for line in lines if line and not line.startswith(("#", "-c", " "))]
        assert [line for line in named if "==" not in line] == []


def test_versions_agree_with_the_constraints() -> None:
    constraints = dict(_pins("constraints.txt"))
    for name in FILES - {environment.EMBEDDED}:
        for package, version in _pins(name):
            assert (package, constraints.get(package)) == (package, version)


def _pins(name: str) -> list[tuple[str, str]]:
    pins = []
    for line in (environment.PROJECT / name).read_text().splitlines():
        package, found, version = line.partition("#")[0].strip().partition("==")
        if found:
            pins.append((package.partition("[")[0].lower().replace("_", "-"), version))
    return pins

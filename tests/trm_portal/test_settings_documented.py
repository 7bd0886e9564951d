"""Whoever runs the portal finds every setting in docs/operations.md, and none that is not read."""

import re

from django.conf import settings

READ = re.compile(r"\benv\.\w+\(\s*\"([A-Z_]+)\"")
NAMED = re.compile(r"`([A-Z_]+)`")


def test_table_of_settings_is_what_the_code_reads():
    read = {name for file in ("settings.py", "celery.py") for name in READ.findall(source(file))}
    assert documented() == read


def source(file: str) -> str:
    return (settings.BASE_DIR / "trm_portal" / file).read_text()


def documented() -> set[str]:
    """The names in the first column of the table below the heading *Settings*."""
    section = (settings.BASE_DIR / "docs" / "operations.md").read_text().split("\n## Settings\n")[1].split("\n## ")[0]
    return {name for row in section.splitlines() if row.startswith("| `") for name in NAMED.findall(row.split("|")[1])}

#!/usr/bin/env python
"""The portal's command line."""

import os
import sys


def main() -> None:
    """Run the command that was asked for."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trm_portal.settings")
    if sys.argv[1:2] == ["demo"]:
        # The demo has secrets and addresses of its own, and the settings are read once.
        from trm_portal.development.demo import prepare  # noqa: PLC0415 - the demo only

        prepare(sys.argv[2:])
    from django.core.management import execute_from_command_line  # noqa: PLC0415 - after the environment is set

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()

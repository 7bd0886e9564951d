"""`python -m rooms_portal`, installed as `rooms-portal`."""

import sys

from rooms_portal.cli import main

sys.exit(main())

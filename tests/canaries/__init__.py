"""Seeded faults: each must turn the tests that guard against it red. `python -m tests.canaries` sets them free."""

"""`manage.py migrate`, as the database's owner: the role that serves can't change the schema."""

from argparse import ArgumentParser

from django.core.management.commands import migrate


class Command(migrate.Command):
    """Django's own command; only what it does when nobody names a database is different."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the owner's connection unless another one is named."""
        super().add_arguments(parser)
        parser.set_defaults(database="owner")

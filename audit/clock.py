"""The database's clock, the only one that decides.

Web and worker machines may be hours off; what is due, valid or expired is judged by `trm_now()`, a function in the
database that answers the time of the statement (not of the transaction: a lock may have been waited for).
"""

from datetime import datetime

from django.db import connection, models


class Now(models.Func):
    """`trm_now()` inside a query."""

    function = "trm_now"
    output_field = models.DateTimeField()


def now() -> datetime:
    """The database's time, now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT trm_now()")
        return cursor.fetchone()[0]

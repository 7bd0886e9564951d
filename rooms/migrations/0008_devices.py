"""Nothing of its own: two branches of the tree meet."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("rooms", "0007_rings"), ("rooms", "0007_reports")]
    operations: list = []

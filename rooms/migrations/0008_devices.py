"""Nothing of its own: three branches of the tree meet."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("rooms", "0007_rings"), ("rooms", "0007_reports"), ("rooms", "0007_operations")]
    operations: list = []

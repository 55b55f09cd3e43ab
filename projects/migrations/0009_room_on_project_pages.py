"""Room on the pages of projects, so that the lights of a day are updated in place.

About half of all projects change their numbers on an ordinary day. On a full page each update writes the row
anew elsewhere, and an entry into every index with it: twice the time.
"""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [("projects", "0008_versions_and_spans_of_what_stands")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE projects_project SET (fillfactor = 60)",
            "ALTER TABLE projects_project RESET (fillfactor)",
        )
    ]

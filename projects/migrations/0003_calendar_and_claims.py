import csv
from pathlib import Path

from django.db import migrations

SOURCE = "国务院办公厅关于部分节假日安排的通知"
DATA = Path(__file__).resolve().parent.parent / "data" / "working_calendar.csv"


def fill_calendar(apps, schema_editor):
    """The years known when this was written; later ones are entered in the portal."""
    with DATA.open(encoding="utf-8") as file:
        apps.get_model("projects", "CalendarDay").objects.bulk_create(
            apps.get_model("projects", "CalendarDay")(
                day=row["day"], is_working=row["is_working"] == "1", name=row["name"], source=SOURCE
            )
            for row in csv.DictReader(file)
        )


class Migration(migrations.Migration):
    dependencies = [("projects", "0002_reports_extensions_close_outs")]

    operations = [
        migrations.RunPython(fill_calendar, migrations.RunPython.noop),
        # Claims that waited before there were reports: each gets the report that its review is about.
        migrations.RunSQL(
            """
            INSERT INTO projects_progressreport (
                milestone_id, round, state, percent, percent_before, claimed_on, submitted_by_id,
                submitted_on, submitted_at, created_at,
                done, problems, needs, next_step, comment, no_change
            )
            SELECT id, 1, 'submitted', 100, 99, claimed_on, submitted_by_id,
                COALESCE(closed_since, claimed_on),
                COALESCE(closed_since, claimed_on)::timestamp AT TIME ZONE 'Asia/Shanghai', now(),
                '', '', '', '', '', false
            FROM projects_milestone WHERE state = 'submitted'
            """,
            migrations.RunSQL.noop,
        ),
    ]

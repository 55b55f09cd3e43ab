"""What was judged before versions and spans were kept gets its first version and its open span."""

from django.db import migrations

VERSIONS = """
INSERT INTO projects_lightpolicyversion
    (programme_id, number, since, warning_days, yellow_gap, red_gap, red_fades, reporting_cycle, reason, made_at)
SELECT id, policy_number, NULL, warning_days, yellow_gap, red_gap, red_fades, reporting_cycle, '', now()
FROM projects_programme
ON CONFLICT (programme_id, number) DO NOTHING
"""

SPANS = """
INSERT INTO projects_lightspan (project_id, light, reason, policy_number, from_on)
SELECT id, light, light_reason, 1, light_on FROM projects_project WHERE light <> '' AND light_on IS NOT NULL
"""


class Migration(migrations.Migration):

    dependencies = [("projects", "0007_lights_ladder_reminders")]

    operations = [
        migrations.RunSQL(VERSIONS, migrations.RunSQL.noop),
        migrations.RunSQL(SPANS, migrations.RunSQL.noop),
    ]

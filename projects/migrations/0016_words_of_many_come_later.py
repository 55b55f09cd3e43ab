from django.db import migrations, models

LATER = """
CREATE OR REPLACE FUNCTION projects_words_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('portal.words_later', true) = 'on' THEN
        INSERT INTO projects_wordsdue (project_id) SELECT id FROM new_rows;
    ELSE
        PERFORM projects_refresh_words((SELECT array_agg(id) FROM new_rows));
    END IF;
    RETURN NULL;
END $$;
"""
AT_ONCE = """
CREATE OR REPLACE FUNCTION projects_words_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM projects_refresh_words((SELECT array_agg(id) FROM new_rows));
    RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):

    dependencies = [("projects", "0015_attempts_at_ledgers")]

    operations = [
        migrations.CreateModel(
            name="WordsDue",
            fields=[("project_id", models.BigIntegerField(primary_key=True, serialize=False))],
            options={"default_permissions": ()},
        ),
        migrations.RunSQL(LATER, AT_ONCE),
    ]

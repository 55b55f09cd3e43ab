"""Words by which projects and milestones are found, kept by triggers."""

import django.db.models.deletion
from django.contrib.postgres.indexes import GinIndex
from django.db import migrations, models

import enterprises.search

# The lock comes before the reading: of two that change what one row's words are made of (the project, its
# enterprise's name, the name of a person), the later one reads what the first has written.
TRIGGERS = r"""
CREATE FUNCTION projects_refresh_words(ids bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM projects_projectwords WHERE project_id = ANY (ids) ORDER BY project_id FOR UPDATE;
    INSERT INTO projects_projectwords AS kept (project_id, code, words, people)
    SELECT p.id, portal_fold(p.code),
        portal_fold(concat_ws(E'\n', p.code, p.name, nullif(p.place, ''),
            portal_initials_of_syllables(coalesce(nullif(p.sort_key, ''), p.name)),
            e.name, nullif(e.short_name, ''), nullif(who.people, ''))),
        portal_fold(coalesce(who.people, ''))
    FROM projects_project p
    JOIN enterprises_enterprise e ON e.id = p.enterprise_id
    CROSS JOIN LATERAL (
        SELECT CASE WHEN named.names = '' THEN '' ELSE named.names || E'\n' || portal_initials(portal_fold(named.names)) END
        FROM (
            SELECT concat_ws(E'\n',
                (SELECT string_agg(coalesce(nullif(u.name, ''), u.username), E'\n' ORDER BY u.id) FROM enterprises_user u
                    WHERE u.id IN (p.liaison_leader_id, p.accountable_lead_id, p.direct_lead_id, p.coordinator_id)),
                nullif(portal_person(p.accountable_lead_text), ''),
                nullif(portal_person(p.direct_lead_text), ''),
                nullif(portal_person(p.coordinator_text), ''))
        ) named (names)
    ) who (people)
    WHERE p.id = ANY (ids) ORDER BY p.id
    ON CONFLICT (project_id) DO UPDATE
        SET code = EXCLUDED.code, words = EXCLUDED.words, people = EXCLUDED.people
        WHERE (kept.code, kept.words, kept.people) IS DISTINCT FROM (EXCLUDED.code, EXCLUDED.words, EXCLUDED.people);
END $$;

CREATE FUNCTION projects_words_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM projects_refresh_words((SELECT array_agg(id) FROM new_rows));
    RETURN NULL;
END $$;
CREATE TRIGGER words_inserted AFTER INSERT ON projects_project
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION projects_words_inserted();

CREATE FUNCTION projects_words_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM projects_projectwords WHERE project_id = OLD.id;
    ELSE
        PERFORM projects_refresh_words(ARRAY[NEW.id]);
    END IF;
    RETURN NULL;
END $$;
-- By column, so that what the lights and the services write every day does not come here.
CREATE TRIGGER words_updated AFTER UPDATE OF code, name, sort_key, place, enterprise_id, liaison_leader_id,
        accountable_lead_id, direct_lead_id, coordinator_id, accountable_lead_text, direct_lead_text, coordinator_text
    ON projects_project FOR EACH ROW
    WHEN ((OLD.code, OLD.name, OLD.sort_key, OLD.place, OLD.enterprise_id, OLD.liaison_leader_id,
            OLD.accountable_lead_id, OLD.direct_lead_id, OLD.coordinator_id, OLD.accountable_lead_text,
            OLD.direct_lead_text, OLD.coordinator_text)
        IS DISTINCT FROM (NEW.code, NEW.name, NEW.sort_key, NEW.place, NEW.enterprise_id, NEW.liaison_leader_id,
            NEW.accountable_lead_id, NEW.direct_lead_id, NEW.coordinator_id, NEW.accountable_lead_text,
            NEW.direct_lead_text, NEW.coordinator_text))
    EXECUTE FUNCTION projects_words_changed();
CREATE TRIGGER words_deleted AFTER DELETE ON projects_project
    FOR EACH ROW EXECUTE FUNCTION projects_words_changed();

CREATE FUNCTION projects_words_enterprise() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM projects_refresh_words(ARRAY(SELECT id FROM projects_project WHERE enterprise_id = NEW.id));
    RETURN NULL;
END $$;
CREATE TRIGGER words_of_projects AFTER UPDATE OF name, short_name ON enterprises_enterprise FOR EACH ROW
    WHEN ((OLD.name, OLD.short_name) IS DISTINCT FROM (NEW.name, NEW.short_name))
    EXECUTE FUNCTION projects_words_enterprise();

CREATE FUNCTION projects_words_person() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM projects_refresh_words(ARRAY(
        SELECT id FROM projects_project WHERE liaison_leader_id = NEW.id OR accountable_lead_id = NEW.id
            OR direct_lead_id = NEW.id OR coordinator_id = NEW.id));
    RETURN NULL;
END $$;
CREATE TRIGGER words_of_projects AFTER UPDATE OF name, username ON enterprises_user FOR EACH ROW
    WHEN ((OLD.name, OLD.username) IS DISTINCT FROM (NEW.name, NEW.username))
    EXECUTE FUNCTION projects_words_person();

-- Not unique, so that nobody waits for somebody else's transaction that gives the same name.
CREATE FUNCTION projects_milestone_names_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO projects_milestonename (name, words)
    SELECT fresh.name, portal_fold(fresh.name) FROM (SELECT DISTINCT name FROM new_rows) fresh
    WHERE NOT EXISTS (SELECT FROM projects_milestonename known WHERE known.name = fresh.name);
    RETURN NULL;
END $$;
CREATE TRIGGER names_inserted AFTER INSERT ON projects_milestone
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION projects_milestone_names_inserted();

CREATE FUNCTION projects_milestone_names_updated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO projects_milestonename (name, words) SELECT NEW.name, portal_fold(NEW.name)
    WHERE NOT EXISTS (SELECT FROM projects_milestonename known WHERE known.name = NEW.name);
    RETURN NULL;
END $$;
CREATE TRIGGER names_updated AFTER UPDATE OF name ON projects_milestone FOR EACH ROW
    WHEN (OLD.name IS DISTINCT FROM NEW.name) EXECUTE FUNCTION projects_milestone_names_updated();

SELECT projects_refresh_words((SELECT array_agg(id) FROM projects_project));
INSERT INTO projects_milestonename (name, words)
    SELECT name, portal_fold(name) FROM (SELECT DISTINCT name FROM projects_milestone) known;
"""

NO_TRIGGERS = """
DROP TRIGGER words_inserted ON projects_project;
DROP TRIGGER words_updated ON projects_project;
DROP TRIGGER words_deleted ON projects_project;
DROP TRIGGER words_of_projects ON enterprises_enterprise;
DROP TRIGGER words_of_projects ON enterprises_user;
DROP TRIGGER names_inserted ON projects_milestone;
DROP TRIGGER names_updated ON projects_milestone;
DROP FUNCTION projects_words_inserted();
DROP FUNCTION projects_words_changed();
DROP FUNCTION projects_words_enterprise();
DROP FUNCTION projects_words_person();
DROP FUNCTION projects_milestone_names_inserted();
DROP FUNCTION projects_milestone_names_updated();
DROP FUNCTION projects_refresh_words(bigint[]);
"""


class Migration(migrations.Migration):

    dependencies = [("enterprises", "0005_search_words"), ("projects", "0012_tallies")]

    operations = [
        migrations.CreateModel(
            name="MilestoneName",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=120)),
                ("words", models.TextField()),
            ],
            options={
                "default_permissions": (),
                "indexes": [
                    models.Index(fields=["name"], name="milestonename_by_name"),
                    GinIndex(
                        enterprises.search.BigramsOf("words"), gin_pending_list_limit=1024, name="milestonename_grams"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ProjectWords",
            fields=[
                ("code", models.TextField(db_collation="C")),
                ("words", models.TextField()),
                (
                    "project",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="projects.project",
                    ),
                ),
                ("people", models.TextField()),
            ],
            options={
                "abstract": False,
                "default_permissions": (),
                "indexes": [
                    models.Index(fields=["code"], name="projectwords_by_code"),
                    GinIndex(
                        enterprises.search.BigramsOf("words"), gin_pending_list_limit=1024, name="projectwords_grams"
                    ),
                    GinIndex(
                        enterprises.search.BigramsOf("people"), gin_pending_list_limit=1024, name="projectwords_people"
                    ),
                ],
            },
        ),
        migrations.AddIndex(
            model_name="milestone", index=models.Index(fields=["name"], name="milestone_by_name")
        ),
        migrations.RunSQL(TRIGGERS, NO_TRIGGERS),
    ]

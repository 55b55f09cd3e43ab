"""Words by which units and party organisations are found, and the functions of the database that cut them.

The functions are the only place where a text is folded and cut for an index; the questions are folded and cut the
same way by `enterprises.search`.
"""

import django.db.models.deletion
from django.contrib.postgres.indexes import GinIndex
from django.db import migrations, models

import enterprises.search

FUNCTIONS = r"""
-- Han characters and the first letter of each one's usual reading, for the initials of names.
CREATE TABLE portal_pinyin (han text COLLATE "C" PRIMARY KEY, initial text NOT NULL);

-- Full-width signs as plain ones, ASCII letters small.
CREATE FUNCTION portal_fold(given text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN lower(normalize(given, NFKC) COLLATE "C");

-- Every two characters that stand side by side: the pairs from the first one on and those from the second one on. Some
-- entries besides, of ends and line breaks, are asked for by nobody. An expression, because it is computed for every row
-- that is written: 5 µs for a project, where an aggregate over positions takes 27.
CREATE FUNCTION portal_bigrams(words text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
RETURN string_to_array(
    regexp_replace(words, '(..)', E'\\1\x01', 'g') || E'\x01' || regexp_replace(substr(words, 2), '(..)', E'\\1\x01', 'g'),
    E'\x01'
);

-- The first letters of pinyin syllables parted by spaces (the sort key of a name): words are read as words there.
CREATE FUNCTION portal_initials_of_syllables(sort_key text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS $$
    SELECT string_agg(left(syllable, 1), '' ORDER BY n)
    FROM string_to_table(sort_key, ' ') WITH ORDINALITY AS parts (syllable, n)
$$;

-- The first letters of a text, character by character; what is no Han character stays.
CREATE FUNCTION portal_initials(given text) RETURNS text LANGUAGE sql STABLE STRICT AS $$
    SELECT string_agg(coalesce((SELECT initial FROM portal_pinyin WHERE han = sign COLLATE "C"), sign), '' ORDER BY n)
    FROM string_to_table(given, NULL) WITH ORDINALITY AS signs (sign, n)
$$;

-- "张某某 13800000000" → "张某某": who is looked for by name is not found by digits of a telephone.
CREATE FUNCTION portal_person(given text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
RETURN btrim(regexp_replace(normalize(given, NFKC), '(电话|手机)?[:：]?\s*[(]?[+0-9][0-9 -]{4,}[)]?', '', 'g'), ' ,;、，；:：');
"""

NO_FUNCTIONS = """
DROP FUNCTION portal_person(text);
DROP FUNCTION portal_initials(text);
DROP FUNCTION portal_initials_of_syllables(text);
DROP FUNCTION portal_bigrams(text);
DROP FUNCTION portal_fold(text);
DROP TABLE portal_pinyin;
"""

# The lock comes before the reading: of two that change what one row's words are made of, the later one reads what
# the first has written.
TRIGGERS = r"""
CREATE FUNCTION enterprises_refresh_words(ids bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM enterprises_enterprisewords WHERE enterprise_id = ANY (ids) ORDER BY enterprise_id FOR UPDATE;
    INSERT INTO enterprises_enterprisewords AS kept (enterprise_id, code, words)
    SELECT e.id, portal_fold(e.code), portal_fold(concat_ws(E'\n',
        e.code, e.name, nullif(e.short_name, ''), nullif(e.credit_code, ''),
        portal_initials_of_syllables(coalesce(nullif(e.sort_key, ''), e.name)),
        portal_initials(portal_fold(nullif(e.short_name, ''))),
        (SELECT string_agg(a.name, E'\n' ORDER BY a.id) FROM enterprises_enterprisealias a WHERE a.enterprise_id = e.id)))
    FROM enterprises_enterprise e WHERE e.id = ANY (ids) ORDER BY e.id
    ON CONFLICT (enterprise_id) DO UPDATE SET code = EXCLUDED.code, words = EXCLUDED.words
        WHERE (kept.code, kept.words) IS DISTINCT FROM (EXCLUDED.code, EXCLUDED.words);
END $$;

CREATE FUNCTION enterprises_words_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM enterprises_refresh_words((SELECT array_agg(id) FROM new_rows));
    RETURN NULL;
END $$;
CREATE TRIGGER words_inserted AFTER INSERT ON enterprises_enterprise
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION enterprises_words_inserted();

CREATE FUNCTION enterprises_words_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM enterprises_enterprisewords WHERE enterprise_id = OLD.id;
    ELSE
        PERFORM enterprises_refresh_words(ARRAY[NEW.id]);
        IF (OLD.name, OLD.short_name) IS DISTINCT FROM (NEW.name, NEW.short_name) THEN
            PERFORM enterprises_refresh_branch_words(
                ARRAY(SELECT id FROM enterprises_partybranch WHERE enterprise_id = NEW.id));
        END IF;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER words_updated AFTER UPDATE OF code, name, short_name, credit_code, sort_key ON enterprises_enterprise
    FOR EACH ROW WHEN ((OLD.code, OLD.name, OLD.short_name, OLD.credit_code, OLD.sort_key)
        IS DISTINCT FROM (NEW.code, NEW.name, NEW.short_name, NEW.credit_code, NEW.sort_key))
    EXECUTE FUNCTION enterprises_words_changed();
CREATE TRIGGER words_deleted AFTER DELETE ON enterprises_enterprise
    FOR EACH ROW EXECUTE FUNCTION enterprises_words_changed();

CREATE FUNCTION enterprises_words_alias() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        PERFORM enterprises_refresh_words(ARRAY[OLD.enterprise_id]);
    END IF;
    IF TG_OP = 'INSERT' OR TG_OP = 'UPDATE' AND NEW.enterprise_id <> OLD.enterprise_id THEN
        PERFORM enterprises_refresh_words(ARRAY[NEW.enterprise_id]);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER words_of_alias AFTER INSERT OR UPDATE OR DELETE ON enterprises_enterprisealias
    FOR EACH ROW EXECUTE FUNCTION enterprises_words_alias();

CREATE FUNCTION enterprises_refresh_branch_words(ids bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM enterprises_partybranchwords WHERE branch_id = ANY (ids) ORDER BY branch_id FOR UPDATE;
    INSERT INTO enterprises_partybranchwords AS kept (branch_id, code, words)
    SELECT b.id, portal_fold(b.code), portal_fold(concat_ws(E'\n',
        b.code, b.name, portal_initials(portal_fold(b.name)),
        nullif(b.secretary, ''), portal_initials(portal_fold(nullif(b.secretary, ''))),
        e.name, nullif(e.short_name, '')))
    FROM enterprises_partybranch b JOIN enterprises_enterprise e ON e.id = b.enterprise_id WHERE b.id = ANY (ids) ORDER BY b.id
    ON CONFLICT (branch_id) DO UPDATE SET code = EXCLUDED.code, words = EXCLUDED.words
        WHERE (kept.code, kept.words) IS DISTINCT FROM (EXCLUDED.code, EXCLUDED.words);
END $$;

CREATE FUNCTION enterprises_branch_words_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM enterprises_refresh_branch_words((SELECT array_agg(id) FROM new_rows));
    RETURN NULL;
END $$;
CREATE TRIGGER words_inserted AFTER INSERT ON enterprises_partybranch
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION enterprises_branch_words_inserted();

CREATE FUNCTION enterprises_branch_words_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM enterprises_partybranchwords WHERE branch_id = OLD.id;
    ELSE
        PERFORM enterprises_refresh_branch_words(ARRAY[NEW.id]);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER words_updated AFTER UPDATE OF code, name, secretary, enterprise_id ON enterprises_partybranch
    FOR EACH ROW WHEN ((OLD.code, OLD.name, OLD.secretary, OLD.enterprise_id)
        IS DISTINCT FROM (NEW.code, NEW.name, NEW.secretary, NEW.enterprise_id))
    EXECUTE FUNCTION enterprises_branch_words_changed();
CREATE TRIGGER words_deleted AFTER DELETE ON enterprises_partybranch
    FOR EACH ROW EXECUTE FUNCTION enterprises_branch_words_changed();

SELECT enterprises_refresh_words((SELECT array_agg(id) FROM enterprises_enterprise));
SELECT enterprises_refresh_branch_words((SELECT array_agg(id) FROM enterprises_partybranch));
"""

NO_TRIGGERS = """
DROP TRIGGER words_inserted ON enterprises_enterprise;
DROP TRIGGER words_updated ON enterprises_enterprise;
DROP TRIGGER words_deleted ON enterprises_enterprise;
DROP TRIGGER words_of_alias ON enterprises_enterprisealias;
DROP TRIGGER words_inserted ON enterprises_partybranch;
DROP TRIGGER words_updated ON enterprises_partybranch;
DROP TRIGGER words_deleted ON enterprises_partybranch;
DROP FUNCTION enterprises_words_inserted();
DROP FUNCTION enterprises_words_changed();
DROP FUNCTION enterprises_words_alias();
DROP FUNCTION enterprises_branch_words_inserted();
DROP FUNCTION enterprises_branch_words_changed();
DROP FUNCTION enterprises_refresh_words(bigint[]);
DROP FUNCTION enterprises_refresh_branch_words(bigint[]);
"""


def fill_pinyin(apps, schema_editor):
    rows = []
    for number in range(0x4E00, 0xA000):
        letter = enterprises.search.initial(chr(number))
        if letter.isascii():
            rows.append((chr(number), letter))
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO portal_pinyin SELECT * FROM unnest(%s::text[], %s::text[])",
            [[han for han, _letter in rows], [letter for _han, letter in rows]],
        )


def words_of(name, to, field):
    return migrations.CreateModel(
        name=name,
        fields=[
            ("code", models.TextField(db_collation="C")),
            ("words", models.TextField()),
            (
                field,
                models.OneToOneField(
                    db_constraint=False,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    primary_key=True,
                    related_name="+",
                    serialize=False,
                    to=to,
                ),
            ),
        ],
        options={
            "abstract": False,
            "default_permissions": (),
            "indexes": [
                models.Index(fields=["code"], name=f"{name.lower()}_by_code"),
                GinIndex(
                    enterprises.search.BigramsOf("words"), gin_pending_list_limit=1024, name=f"{name.lower()}_grams"
                ),
            ],
        },
    )


class Migration(migrations.Migration):

    dependencies = [("enterprises", "0004_exports_and_layouts")]

    operations = [
        migrations.RunSQL(FUNCTIONS, NO_FUNCTIONS),
        migrations.RunPython(fill_pinyin, migrations.RunPython.noop),
        words_of("EnterpriseWords", "enterprises.enterprise", "enterprise"),
        words_of("PartyBranchWords", "enterprises.partybranch", "branch"),
        migrations.RunSQL(TRIGGERS, NO_TRIGGERS),
    ]

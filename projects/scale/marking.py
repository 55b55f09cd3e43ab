"""Whether a database may be filled with benchmark data: only one that says so itself.

A name that ends with `_bench`, or the comment that `manage.py seed_scale --mark-this-database`
leaves. A portal in use has neither, so no slip of a shell history can fill it.
"""

from __future__ import annotations

from django.db import connection

from projects.models import Project

SUFFIX = "_bench"
COMMENT = "benchmark"


class NotForBenchmarks(Exception):
    """The database must not be filled; the message says what to do, in both languages."""


def is_marked() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_database(), shobj_description(oid, 'pg_database')"
            " FROM pg_database WHERE datname = current_database()"
        )
        name, comment = cursor.fetchone()
    return bool(name.endswith(SUFFIX) or comment == COMMENT)


def require_mark() -> None:
    """
    Raises:
        NotForBenchmarks: the database is not marked.
    """
    if is_marked():
        return
    name = _database_name()
    raise NotForBenchmarks(
        f"数据库 {name} 未标记为基准测试库，未写入任何数据。请使用名称以 {SUFFIX} 结尾的数据库，"
        "或在空库中先运行 manage.py seed_scale --mark-this-database。\n"
        f"The database {name} is not marked as a benchmark's; nothing was written. Use a database whose name "
        f"ends with {SUFFIX}, or run manage.py seed_scale --mark-this-database in an empty one first."
    )


def mark() -> str:
    """Mark this database; returns its name.

    Raises:
        NotForBenchmarks: it holds projects, so it is somebody's portal.
    """
    name = _database_name()
    if Project.objects.exists() and not is_marked():
        raise NotForBenchmarks(
            f"数据库 {name} 中已有项目，不能标记为基准测试库。\n"
            f"The database {name} holds projects; it cannot be marked as a benchmark's."
        )
    with connection.cursor() as cursor:
        cursor.execute(f"COMMENT ON DATABASE {connection.ops.quote_name(name)} IS %s", [COMMENT])
    return name


def _database_name() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_database()")
        return str(cursor.fetchone()[0])

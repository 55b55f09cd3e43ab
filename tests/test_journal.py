"""The journal: no road leaves no entry, none holds a secret, none can be changed."""

from __future__ import annotations

import datetime

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction

from enterprises.checks import OWN_APPS
from enterprises.journal_scope import entries_q
from enterprises.models import JournalArchive, JournalExport, ListExport, SignIn, User
from enterprises.models.search import EnterpriseWords, PartyBranchWords
from journal.context import acting
from journal.reading import history_of, latest
from journal.tracking import event_model_of, event_models
from notices.models import Message, Notice
from projects.models import (
    DailyTally,
    Escalation,
    LedgerImport,
    LedgerPart,
    LedgerRow,
    LightPolicyVersion,
    LightSpan,
    PatrolRun,
    Project,
    Reminder,
    SetAside,
    Tally,
    TallyMark,
    UnitInTree,
)
from projects.models.search import MilestoneName, ProjectWords, WordsDue
from tests import factories

pytestmark = pytest.mark.django_db

#: Tables that are their own record of what the portal itself did; nothing in them is a person's change.
RECORDS = {
    *(PatrolRun, SetAside, JournalArchive, JournalExport, SignIn),
    *(LightSpan, LightPolicyVersion, Escalation, Reminder, Notice, Message),
    *(LedgerImport, LedgerPart, LedgerRow, ListExport),
    # Counted and gathered by triggers from rows that are watched themselves.
    *(Tally, DailyTally, TallyMark, UnitInTree),
    *(EnterpriseWords, PartyBranchWords, ProjectWords, MilestoneName, WordsDue),
}


def test_every_business_table_is_watched() -> None:
    watched = {model.pgh_tracked_model for model in event_models()}
    own = {
        model
        for model in apps.get_models()
        if model._meta.app_label in OWN_APPS and not hasattr(model, "pgh_tracked_model")
    }
    assert own - watched == RECORDS


def test_update_bulk_and_raw_sql_leave_entries_with_the_actor() -> None:
    reader = factories.user("staff", factories.sasac("甲"))
    project = factories.project(reader.memberships.get().unit)
    with acting(by="某人", why="更正", source="command"):
        Project.objects.filter(pk=project.pk).update(place="一")
        with connection.cursor() as cursor:
            cursor.execute("UPDATE projects_project SET place = '二' WHERE id = %s", [project.pk])
    newest, before, made = history_of([project], reader)
    assert (newest.by, newest.why) == ("某人", "更正")
    assert [(c.before, c.after) for c in newest.changes] == [("一", "二")]
    assert [(c.before, c.after) for c in before.changes] == [("", "一")]
    assert made.action == "insert"


def test_a_deletion_stays_in_the_journal() -> None:
    reader = factories.user("audit", factories.sasac())
    project = factories.project(reader.memberships.get().unit, name="消失的项目")
    factories.milestone(project, name="消失的节点")
    stranger = factories.user("audit", factories.sasac("别处"))
    project.delete()

    def gone(who: User) -> set[str]:
        page = latest(reader=who, allowed=lambda table: entries_q(table, who), size=50)
        return {e.name for e in page.entries if e.action == "delete"}

    assert gone(reader) == {"消失的项目", "消失的节点"}
    assert gone(stranger) == set()
    assert gone(factories.user("staff", reader.memberships.get().unit)) == set()


def test_a_password_never_reaches_the_journal() -> None:
    user = factories.user()
    event_model = event_model_of(User)
    assert event_model is not None
    assert not {"password", "last_login"} & {f.name for f in event_model._meta.get_fields()}
    user.set_password("another password 1")
    user.save()
    changes = history_of([user], user)[0].changes
    assert [c.label for c in changes] == ["密码设定时间"], "that it was changed is kept, what it is never"


@pytest.mark.parametrize("verb", ["UPDATE {} SET pgh_label = 'x'", "DELETE FROM {}"])
def test_nobody_changes_the_journal_not_even_by_raw_sql(verb: str) -> None:
    factories.sasac()
    for model in event_models():
        if not model._base_manager.exists():
            continue
        with (
            connection.cursor() as cursor,
            pytest.raises(DatabaseError, match="Cannot"),
            transaction.atomic(),
        ):
            cursor.execute(verb.format(model._meta.db_table))


def test_what_the_portal_derives_is_no_change_of_a_person(today: datetime.date) -> None:
    project = factories.project(factories.sasac())
    event_model = event_model_of(Project)
    assert event_model is not None
    Project.objects.filter(pk=project.pk).update(
        light="red", light_reason={"rule": "overdue"}, actual_percent=50
    )
    assert event_model._base_manager.filter(pgh_obj_id=project.pk).count() == 1

"""On what a form of a draft was opened, where `enterprises.edits` alone cannot know it.

- A form may be opened before there is a draft. What it shows is what the draft opens with, and that is the
  draft's first entry in the journal: whoever changes the draft afterwards is told apart from the opening.
- A save may arrive although its answer is lost on the way, which is common on a building site. The page
  then holds an old version. Every page has an id, kept with the entries (`journal.context.from_page`);
  where all that happened since came from this very page, nothing stands against the save.
"""

from __future__ import annotations

import re
import uuid
from typing import Any

from django.core import signing
from django.db import models
from django.http import HttpRequest

from enterprises.edit_tokens import VERSION, Token
from enterprises.models import User
from journal.tracking import event_model_of
from journal.versions import events_since, versions_of
from projects.models import ExtensionShift

#: Name of the hidden input with the id of the page.
PAGE = "_page"
_PAGE_ID = re.compile(r"[0-9a-f]{32}")


def page_of_request(request: HttpRequest) -> str:
    """The id of the page that was sent, or of the page that is being made."""
    sent = request.POST.get(PAGE, "")
    return sent if _PAGE_ID.fullmatch(sent) else uuid.uuid4().hex


def unopened(request: HttpRequest, model: type[models.Model], subject: models.Model, number: int) -> str:
    """The version of a form that is opened before there is a draft: of which round of which subject."""
    return signing.dumps([subject.pk, number], salt=_salt(request, model))


def recognise(
    request: HttpRequest, draft: Any, subject: models.Model, page: str, form_class: type[Any]
) -> None:
    """Put the version into `request.POST` on which the page really stands, before `Edit` reads it."""
    model = type(draft)
    token = Token.read(request, model, draft.pk)
    if token is not None and token.first is not None:
        return  # choices made on the conflict page
    if token is not None:
        opened = token.versions.get("", {}).get(draft.pk)
    elif _was_unopened(request, model, subject, draft.round):
        opened = 0
    else:
        return
    if opened is None:
        return
    events = events_since(model, {draft.pk: opened})[draft.pk]
    if not events:
        return
    own = all(_is_of(event, page, request.user) for event in events[1:])
    version = events[-1].pgh_id if own else events[0].pgh_id
    if token is None or own:
        offered = {"": list(form_class.base_fields)}
        data = request.POST.copy()
        data[VERSION] = Token({"": {draft.pk: version}}, {}, offered).signed(request, model, draft.pk)
        request.POST = data  # type: ignore[assignment]


def token_of(request: HttpRequest, draft: Any, form_class: type[Any]) -> str:
    """The version of a page that has just saved `draft` and is shown again with what was typed."""
    model = type(draft)
    versions = versions_of(model._base_manager.filter(pk=draft.pk))
    return Token({"": versions}, {}, {"": list(form_class.base_fields)}).signed(request, model, draft.pk)


def stamp_of(draft: Any | None) -> tuple[int, str]:
    """The version of a draft in the open, 0 for none, and the page that made it ("" unknown)."""
    if draft is None or draft.pk is None:
        return 0, ""
    version = versions_of(type(draft)._base_manager.filter(pk=draft.pk)).get(draft.pk, 0)
    events = events_since(type(draft), {draft.pk: version})[draft.pk] if version else []
    return version, (events[-1].pgh_context or {}).get("page", "") if events else ""


def handed_in_from(rows: Any, page: str, user: User) -> Any | None:
    """The round that this very page has handed in already, whatever became of it since.

    A form arrives again after a lost answer or a second click. By then a reviewer may have decided, and the
    next round would open with the same text: without this look it would be handed in as a round of its own.

    Args:
        rows: the rounds of one subject that the person may see.
    """
    latest = list(rows.order_by("-round")[:3])
    events: Any = event_model_of(rows.model)
    handed_in = events._base_manager.filter(pgh_obj_id__in=[row.pk for row in latest], state="submitted")
    found = {event.pgh_obj_id for event in handed_in if _is_of(event, page, user)}
    return next((row for row in latest if row.pk in found), None)


def own_shifts(request_id: int, milestone_ids: list[int], page: str, user: User) -> set[int]:
    """Those milestones whose place in an extension request was last changed from this very page."""
    latest: dict[int, Any] = {}
    events: Any = event_model_of(ExtensionShift)
    rows = events._base_manager.filter(request_id=request_id, milestone_id__in=milestone_ids)
    for event in rows.order_by("pgh_id"):
        latest[event.milestone_id] = event
    return {pk for pk, event in latest.items() if _is_of(event, page, user)}


def _is_of(event: Any, page: str, user: Any) -> bool:
    context = event.pgh_context or {}
    return context.get("page") == page and context.get("user") == user.pk


def _was_unopened(
    request: HttpRequest, model: type[models.Model], subject: models.Model, number: int
) -> bool:
    try:
        found = signing.loads(request.POST.get(VERSION, ""), salt=_salt(request, model))
    except signing.BadSignature:
        return False
    return bool(found == [subject.pk, number])


def _salt(request: Any, model: type[models.Model]) -> str:
    return f"draft:{request.user.pk}:{model._meta.label_lower}"

"""People at work while processes die: officers and reviewers, a thread each, over HTTP.

Someone whose connection breaks does what people do: tries the same thing again once the portal is back.
"""

from __future__ import annotations

import datetime
import hashlib
import io
import itertools
import random
import threading
from collections.abc import Callable
from typing import Any

from django.db import connections
from PIL import Image

from projects.models import Evidence, ExtensionRequest, Milestone, ProgressReport
from projects.states import OPEN_MILESTONE_STATES
from tools.chaos_browser import BROKEN, Answer, Browser, Form
from tools.chaos_ledger import Kind, Ledger, Sent, Stopwatch


class Interrupted(Exception):
    """The portal went away in the middle; the round is over for this client."""


class Photos:
    """Pictures of which no two are the same file; one in four is larger than what is kept in memory."""

    def __init__(self) -> None:
        self._numbers = itertools.count()
        self._small, self._large = _noise((900, 675)), _noise((2400, 1800))

    def next(self) -> bytes:
        number = next(self._numbers)
        body = self._large if number % 4 == 3 else self._small
        mark = f"photo {number} {random.random()}".encode()
        return body[:2] + b"\xff\xfe" + (len(mark) + 2).to_bytes(2, "big") + mark + body[2:]


def _noise(size: tuple[int, int]) -> bytes:
    out = io.BytesIO()
    Image.effect_noise(size, 80).convert("RGB").save(out, "JPEG", quality=85)
    return out.getvalue()


class Client:
    """One person. `work` runs in a thread for one round; what was interrupted is tried again in the next."""

    def __init__(self, browser: Browser, ledger: Ledger, today: datetime.date) -> None:
        self.browser, self.ledger, self.today = browser, ledger, today
        self.random = random.Random(browser.user.pk)
        self._again: Callable[[], None] | None = None

    def work(self, until: threading.Event) -> None:
        try:
            while not until.is_set():
                if self._again is not None:
                    again, self._again = self._again, None
                    again()
                self.do()
        except (Interrupted, *BROKEN, ConnectionRefusedError, TimeoutError):
            return  # reading the page to be filled in; nothing was sent yet
        finally:
            connections.close_all()

    def do(self) -> None:
        raise NotImplementedError

    def send(
        self, entry: Sent, request: Callable[[], Answer], is_success: Callable[[Answer], bool]
    ) -> Answer | None:
        """Send what changes something, enter what became of it, and remember to repeat it if it broke.

        Returns:
            The answer if it was one of success.

        Raises:
            Interrupted: there was none.
        """

        def again() -> None:
            repeated = Sent(entry.kind, entry.count, entry.halves, entry.lasting, told=entry.told)
            self.send(repeated, request, is_success)

        self.ledger.begin(entry)
        try:
            with Stopwatch() as watch:
                answer = request()
        except BROKEN:
            entry.outcome, self._again = "broken", again
            raise Interrupted from None
        except ConnectionRefusedError:
            entry.outcome, self._again = "unsent", again
            raise Interrupted from None
        entry.seconds = watch.seconds
        success = is_success(answer)
        entry.outcome = "answered" if success else "error" if answer.status >= 500 else "refused"
        if not success:
            entry.told += f" [{answer.status}]"
        return answer if success else None


class Officer(Client):
    """Uploads photos, saves and hands in reports, files extensions."""

    def __init__(
        self, browser: Browser, ledger: Ledger, today: datetime.date, own: list[int], photos: Photos
    ) -> None:
        super().__init__(browser, ledger, today)
        self.own, self.photos = own, photos
        self._numbers = itertools.count(1)

    def do(self) -> None:
        milestone = Milestone.objects.get(pk=self.random.choice(self.own))
        if milestone.state not in OPEN_MILESTONE_STATES:
            return
        if self.random.random() < 0.35:
            if not ExtensionRequest.objects.waiting().filter(milestone=milestone).exists():
                self._extension(milestone)
        elif not ProgressReport.objects.waiting().filter(milestone=milestone).exists():
            self._report(milestone)

    def _report(self, milestone: Milestone) -> None:
        form = f"/projects/milestone/{milestone.pk}/report/"
        for _photo in range(self.random.choice((0, 1, 1, 2))):
            self._upload("progressreport", milestone.pk)
        if self.random.random() < 0.3:
            self._send_form(Kind.SAVE, form, ProgressReport, "done", "_save", percent="40")
        claimed = {"claimed_on": self.today.isoformat()} if self.random.random() < 0.2 else {}
        percent = str(self.random.randrange(1, 99))
        self._send_form(Kind.SUBMIT, form, ProgressReport, "done", "_submit", percent=percent, **claimed)

    def _extension(self, milestone: Milestone) -> None:
        assert milestone.due_on is not None
        to_on = milestone.due_on + datetime.timedelta(days=self.random.randrange(1, 4))
        values = {"to_on": to_on.isoformat(), "reason_class": "site"}
        later = Milestone.objects.filter(project=milestone.project_id, due_on__gte=milestone.due_on)
        later = later.filter(state__in=OPEN_MILESTONE_STATES).exclude(pk=milestone.pk)
        if self.random.random() < 0.4:
            values |= {f"shift-{pk}": "on" for pk in later.values_list("pk", flat=True)[:3]}
        if self.random.random() < 0.3:
            self._upload("extensionrequest", milestone.pk)
        form = f"/projects/milestone/{milestone.pk}/extension/"
        self._send_form(Kind.EXTENSION, form, ExtensionRequest, "reason", "_submit", **values)

    def _upload(self, kind: str, milestone_id: int) -> None:
        body = self.photos.next()
        sha256 = hashlib.sha256(body).hexdigest()
        entry = Sent(
            Kind.UPLOAD, lambda: Evidence.objects.filter(sha256=sha256).count(), told=f"{kind} {sha256[:8]}"
        )
        address = f"/projects/evidence/add/{kind}/{milestone_id}/"
        self.send(
            entry,
            lambda: self.browser.upload(address, [("stage", "during")], "现场.jpg", body),
            lambda answer: answer.status == 200,
        )

    def _send_form(self, kind: Kind, address: str, model: Any, text: str, button: str, **values: str) -> None:
        """Open the form, fill it in with a text that occurs once, send it; now and then twice."""
        page = self.browser.get(address)
        if page.status != 200 or f'name="{button}"' not in page.text:
            return  # somebody decided or handed in meanwhile
        mark = f"{self.browser.user.username} {kind} {next(self._numbers)} #"
        fields = Form(page.text, having=button).filled(**{text: mark, button: "1"}, **values)

        def count() -> int:
            rows = model.objects.filter(**{text: mark})
            return int((rows if kind is Kind.SAVE else rows.exclude(state="draft")).count())

        entry = Sent(kind, count, lasting=kind is not Kind.SAVE, told=mark)
        done = self.send(
            entry, lambda: self.browser.post(address, fields), lambda answer: answer.status == 302
        )
        if done and self.random.random() < 0.15:
            repeated = Sent(kind, count, lasting=entry.lasting, told=mark)
            self.send(repeated, lambda: self.browser.post(address, fields), lambda a: a.status == 302)


class Reviewer(Client):
    """Decides reports and extension requests one by one."""

    def do(self) -> None:
        kind, model, actions = self.random.choice(
            (
                (Kind.ACCEPT, ProgressReport, ("accept", "accept", "return")),
                (Kind.APPROVE, ExtensionRequest, ("approve", "approve", "return", "reject")),
            )
        )
        waiting = list(model.objects.waiting().values_list("pk", flat=True))
        if not waiting:
            self.browser.get("/review/")
            return
        pk, action = self.random.choice(waiting), self.random.choice(actions)
        mark = f"{self.browser.user.username} {action} {pk}"
        entry = Sent(kind, lambda: model.objects.filter(pk=pk, comment=mark).count(), told=mark)
        self.send(
            entry,
            lambda: self.browser.post(
                f"/projects/{model._meta.model_name}/{pk}/step/{action}/", [("comment", mark)]
            ),
            lambda answer: answer.status == 302,
        )


class BulkReviewer(Client):
    """Ticks what the desk offers and accepts it at once."""

    def do(self) -> None:
        page = self.browser.get("/review/?kind=progressreport")
        try:
            Form(page.text, having="report")
        except LookupError:
            return
        offered = _ticks(page.text)
        ticked = self.random.sample(offered, min(len(offered), self.random.randrange(2, 30)))
        mark = f"{self.browser.user.username} together {self.random.random()}"
        fields = [("report", str(pk)) for pk in ticked] + [("comment", mark)]
        rows = ProgressReport.objects.filter(pk__in=ticked)

        def halves() -> str:
            done = rows.filter(comment=mark, state="accepted").count()
            left = rows.filter(state="submitted").count()
            return f"{done} of {len(ticked)} accepted, {left} left over" if done and left else ""

        told_accepted: set[int] = set()

        def success(answer: Answer) -> bool:
            accepted = _accepted(answer.text) if answer.status == 200 else []
            told_accepted.update(accepted)
            return bool(accepted)  # others may have decided all of them meanwhile

        def count() -> int:
            done = set(rows.filter(comment=mark, state="accepted").values_list("pk", flat=True))
            return int(bool(done) and told_accepted <= done)

        entry = Sent(Kind.BULK, count, halves, told=mark)
        self.send(entry, lambda: self.browser.post("/review/", fields), success)


def _ticks(page: str) -> list[int]:
    parts = page.split('name="report" value="')[1:]
    return [int(part.split('"', 1)[0]) for part in parts]


def _accepted(page: str) -> list[int]:
    """The reports that the page says were accepted."""
    if 'class="outcomes"' not in page:
        return []
    section = page.split('class="outcomes"', 1)[1].split("</section>", 1)[0]
    items = [item for item in section.split("<li>")[1:] if 'class="why"' not in item]
    return [int(item.split("/projects/progressreport/", 1)[1].split("/", 1)[0]) for item in items]

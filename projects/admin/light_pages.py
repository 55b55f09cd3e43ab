"""Why a light shows, and the rules of a programme with what other rules would change."""

from __future__ import annotations

import datetime
from collections import Counter
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from enterprises.models import User
from enterprises.scoped_admin import person
from enterprises.scoping import may
from journal.context import because
from projects.lights import RULES, Light, LightPolicy, Rule, reason_text
from projects.models import LightPolicyVersion, Milestone, Programme, Project
from projects.periods import DAY, Cycle
from projects.services.light_facts import facts_of, shares
from projects.services.light_history import DayLight, by_day, by_period, last_periods, red_days_in_a_row
from projects.services.policies import (
    LONGEST_WINDOW,
    NAMED,
    Preview,
    faults,
    makers_known_to,
    preview,
    set_policy,
)
from projects.services.refusals import Refused

DAYS_SHOWN = 90
PERIODS_SHOWN = 12
LIGHTS = (Light.RED, Light.YELLOW, Light.GREEN, Light.BLUE, Light.GREY)
#: Height of a day's bar, so that the lights differ by shape as well as by colour.
_HEIGHTS = {"red": 30, "yellow": 22, "green": 14, "blue": 10, "grey": 6, "": 2}


# -- why a light shows --------------------------------------------------------------------------------


@dataclass(frozen=True)
class AskedRule:
    """A rule as the page lists it. `state`: "fits", "passed" over, "unasked" or "off"."""

    words: str
    light: str
    word: str
    state: str


@dataclass(frozen=True)
class Bar:
    """One day of the strip, in the SVG's own units."""

    x: int
    y: int
    height: int
    tone: str
    title: str


def why_page(request: HttpRequest, model_admin: Any, project: Project) -> HttpResponse:
    """Render the page; the caller has found `project` through the wall."""
    today, user = timezone.localdate(), person(request)
    programme = project.programme
    as_of = programme.last_day_counted(today)
    milestones = list(Milestone.objects.visible_to(user).filter(project=project))
    for milestone in milestones:
        milestone.project = project
    facts = facts_of(project, milestones, as_of)
    days = by_day(project, as_of - DAY * (DAYS_SHOWN - 1), as_of)
    periods = last_periods(as_of, programme.reporting_cycle, PERIODS_SHOWN)
    counted = Counter(day.light for day in days if day.light)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _why_title(project.light),
        "opts": model_admin.opts,
        "project": project,
        "archived": bool(programme.archived_on),
        "in_force": programme.in_force(today),
        "facts": facts.shown(),
        "shares": shares(project, milestones, as_of),
        "rules": _rules(project, programme.light_policy),
        "version": LightPolicyVersion.objects.visible_to(user)
        .filter(programme=programme, number=programme.policy_number)
        .first(),
        "strip": _strip(days, as_of),
        "strip_width": DAYS_SHOWN * 8,
        "first": days[0].day,
        "last": as_of,
        "counted": [(light.value, light.label, counted[light.value]) for light in LIGHTS if counted[light]],
        "unknown": sum(1 for day in days if not day.light),
        "periods": [row for row in reversed(by_period(project, periods, as_of)) if row.worst],
        "red_days": red_days_in_a_row([project.pk], as_of).get(project.pk, 0),
    }
    return TemplateResponse(request, "projects/light_why.html", context)


def _why_title(light: str) -> str:
    return {
        "red": _("Why the light is red"),
        "yellow": _("Why the light is yellow"),
        "green": _("Why the light is green"),
        "blue": _("Why the light is blue"),
        "grey": _("Why the light is grey"),
    }.get(light, _("Not judged yet"))


def _rules(project: Project, policy: LightPolicy) -> list[AskedRule]:
    """The rules in their order, up to the one by which the stored light was found, and those after it."""
    name = project.light_reason.get("rule")
    found = [n for n, rule in enumerate(RULES) if (rule.name, rule.light) == (name, project.light)]
    fitted = found[0] if found else None
    rows = []
    for number, rule in enumerate(RULES):
        if not rule.is_asked(policy) and number != fitted:
            state = "off"
        elif fitted is None:
            state = ""
        else:
            state = "passed" if number < fitted else "fits" if number == fitted else "unasked"
        rows.append(AskedRule(rule_text(rule, policy), rule.light.value, str(rule.light.label), state))
    return rows


def rule_text(rule: Rule, policy: LightPolicy) -> str:
    """What a rule asks, with the programme's thresholds."""
    red = rule.light == Light.RED
    texts = {
        "closed_out": _("The project is closed out"),
        "terminated": _("The project is terminated"),
        "suspended": _("The project is suspended"),
        "overdue": _("At least one milestone is overdue"),
        "project_overdue": _("The project's own date has passed"),
        "behind": (
            _("More than %(points)d points behind plan") % {"points": policy.red_gap}
            if red
            else _("At least %(points)d points behind plan") % {"points": policy.yellow_gap}
        ),
        "extension": _("An extension, filed in time, awaits its decision"),
        "due_soon": _("A milestone is due today or within %(days)d days") % {"days": policy.warning_days},
        "made_up": _("Was red in this period and made up since"),
        "not_started": _("Nothing was begun, and nothing is due"),
        "no_date": _("Under way, and no milestone has a date"),
        "on_plan": _("None of these: on plan, or behind within tolerance"),
    }
    return texts[rule.name]


def _strip(days: list[DayLight], as_of: datetime.date) -> list[Bar]:
    bars = []
    for number, day in enumerate(days):
        tone = "red" if day.was_red else day.light
        word = str(Light(day.light).label) if day.light else _("not judged")
        title = f"{day.day:%Y-%m-%d} · {word}"
        if day.light:
            title += f" · {reason_text(day.reason, min(day.day, as_of))}"
        if day.was_red and day.light != Light.RED:
            title += " · " + _("was red earlier that day")
        height = _HEIGHTS[tone]
        bars.append(Bar(number * 8, 30 - height, height, tone or "none", title))
    return bars


# -- the rules of a programme -------------------------------------------------------------------------


def _points(label: Any, least: int) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        min_value=least,
        max_value=100,
        widget=forms.NumberInput(attrs={"class": "vIntegerField", "inputmode": "numeric"}),
    )


class PolicyForm(forms.Form):
    """The five values of a policy. What overlaps is refused here as in the service, at the field."""

    warning_days = forms.IntegerField(
        label=gettext_lazy("warning window (days)"),
        min_value=0,
        max_value=LONGEST_WINDOW,
        widget=forms.NumberInput(attrs={"class": "vIntegerField", "inputmode": "numeric"}),
    )
    yellow_gap = _points(gettext_lazy("yellow from (points behind)"), 1)
    red_gap = _points(gettext_lazy("red above (points behind)"), 0)
    red_fades = forms.BooleanField(
        label=gettext_lazy("a made-up red fades to yellow"),
        required=False,
        help_text=gettext_lazy(
            "Until the reporting period ends, a project that was red in it is yellow at best."
        ),
    )
    cycle = forms.ChoiceField(label=gettext_lazy("reporting cycle"), choices=Cycle.choices)
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        required=False,
        max_length=300,
        widget=forms.Textarea(attrs={"class": "vTextarea", "rows": 3, "maxlength": 300}),
    )
    seen = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**31 - 1)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not self.errors:
            for name, words in faults(self.policy).items():
                self.add_error(name, words)
        return given

    @property
    def policy(self) -> LightPolicy:
        given = self.cleaned_data
        return LightPolicy(
            given["warning_days"], given["yellow_gap"], given["red_gap"], given["red_fades"], given["cycle"]
        )


def rules_page(request: HttpRequest, model_admin: Any, programme: Programme) -> HttpResponse:
    """Show, try ("_try") or save ("_save") the rules; the caller has found `programme` through the wall."""
    user, today = person(request), timezone.localdate()
    can_change = may(user, "change", programme) and not programme.archived_on
    if request.method != "POST" or not can_change:
        return _rules_answer(request, model_admin, programme, _form_of(programme) if can_change else None)
    form = PolicyForm(request.POST)
    if not form.is_valid():
        error = _("Nothing was saved; see the notes at the fields.")
        return _rules_answer(request, model_admin, programme, form, error=error)
    if "_save" not in request.POST:
        tried = preview(programme=programme, policy=form.policy, as_of=today, reader=user)
        return _rules_answer(request, model_admin, programme, form, tried=tried)
    try:
        with because(form.cleaned_data["reason"]):
            programme = set_policy(
                programme_id=programme.pk,
                policy=form.policy,
                actor=user,
                reason=form.cleaned_data["reason"],
                as_of=today,
                seen_number=form.cleaned_data["seen"],
            )
    except Refused as refused:
        # What was typed stays; the version that was missed is shown now, so pressing again saves over it.
        programme.refresh_from_db()
        again = PolicyForm({**request.POST.dict(), "seen": programme.policy_number})
        again.is_valid()
        return _rules_answer(request, model_admin, programme, again, error=str(refused), status=409)
    words = _("Version %(n)d of the rules is in force; all lights of the programme follow it.")
    model_admin.message_user(request, words % {"n": programme.policy_number})
    return HttpResponseRedirect(reverse("admin:projects_programme_lights", args=[programme.pk]))


def _form_of(programme: Programme) -> PolicyForm:
    policy = programme.light_policy
    return PolicyForm(initial={**vars(policy), "seen": programme.policy_number})


def _rules_answer(
    request: HttpRequest,
    model_admin: Any,
    programme: Programme,
    form: PolicyForm | None,
    *,
    tried: Preview | None = None,
    error: str = "",
    status: int = 200,
) -> HttpResponse:
    versions = _versions(programme, person(request))
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("Light rules"),
        "opts": model_admin.opts,
        "programme": programme,
        "in_force": programme.in_force(timezone.localdate()),
        "form": form,
        "error": error,
        "versions": versions,
        "next_number": programme.policy_number + 1,
        "rules": [
            AskedRule(rule_text(rule, programme.light_policy), rule.light.value, str(rule.light.label), "")
            for rule in RULES
            if rule.is_asked(programme.light_policy)
        ],
        "tried": tried,
        "is_same": tried is not None and form is not None and form.policy == programme.light_policy,
        "matrix": _matrix(tried) if tried else None,
        "named": NAMED,
    }
    return TemplateResponse(request, "projects/light_rules.html", context, status=status)


def _versions(programme: Programme, user: User) -> list[LightPolicyVersion]:
    """Newest first. Who set one is named only to those who may see that account."""
    rows = list(LightPolicyVersion.objects.visible_to(user).filter(programme=programme).order_by("-number"))
    known = makers_known_to(user, rows)
    for row in rows:
        row.maker = known.get(row.made_by_id or 0)  # type: ignore[attr-defined]
    return rows


def _matrix(tried: Preview) -> dict[str, Any]:
    """From (rows) → to (columns); only lights that occur."""
    order = [*(light.value for light in LIGHTS), ""]
    words = {**{light.value: str(light.label) for light in LIGHTS}, "": _("Not judged")}
    rows = [light for light in order if any(was == light for was, _to in tried.counts)]
    columns = [light for light in order if any(to == light for _was, to in tried.counts)]
    return {
        "columns": [
            (light, words[light], sum(tried.counts.get((w, light), 0) for w in rows)) for light in columns
        ],
        "rows": [
            (
                light or "grey",
                words[light],
                [(tried.counts.get((light, to), 0), to != light) for to in columns],
                sum(tried.counts.get((light, to), 0) for to in columns),
            )
            for light in rows
        ],
    }

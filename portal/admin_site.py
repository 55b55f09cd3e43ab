"""Our admin site: who gets in, what the navigation offers, and the pages that belong to no model."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class LoginForm(AdminAuthenticationForm):
    """Says apart what a person can mend: a wrong password, and a membership that has run out."""

    error_messages = {
        **AdminAuthenticationForm.error_messages,
        "invalid_login": _(
            "The account or the password is not right. Mind capital letters; after several failures the account is locked for a while."
        ),
        "inactive": _("This account has been closed. Ask your security administrator."),
        "no_membership": _(
            "The password is right, but no membership of this account is in force today. Ask your security administrator to extend it."
        ),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Longer than any account: refused here, before it is written down as a failed attempt.
        self.fields["username"].validators.append(MaxLengthValidator(60))

    def confirm_login_allowed(self, user: Any) -> None:
        if not user.is_active:
            raise ValidationError(self.error_messages["inactive"], code="inactive")
        if not user.grants:
            raise ValidationError(self.error_messages["no_membership"], code="no_membership")


class PortalAdminSite(admin.AdminSite):
    site_header = _("Livelihood Project Portal")
    site_title = _("Livelihood Project Portal")
    index_title = _("Home")
    login_form = LoginForm
    enable_nav_sidebar = False
    empty_value_display = "—"

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        from django.contrib.auth.models import Group  # apps are being loaded when this module is

        # django.contrib.auth registers its groups by itself; here rights come from memberships only.
        models = model_or_iterable if isinstance(model_or_iterable, Iterable) else [model_or_iterable]
        super().register([model for model in models if model is not Group], admin_class, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        return request.user.is_active and request.user.is_staff

    def get_urls(self) -> list[Any]:
        # `r/<content type>/<id>/` would answer for any object of any model.
        stock = [url for url in super().get_urls() if getattr(url, "name", "") != "view_on_site"]
        desk = path("review/", self.admin_view(self.review_view), name="review")
        patrol = path("patrol/", self.admin_view(self.patrol_view), name="patrol")
        liaison = path("liaison/", self.admin_view(self.liaison_view), name="liaison")
        sheets = path("liaison/brief/", self.admin_view(self.liaison_brief_view), name="liaison_brief")
        search = path("search/", self.admin_view(self.search_view), name="search")
        return [
            search,
            desk,
            patrol,
            liaison,
            sheets,
            path("design/", self.admin_view(self.design_view), name="design"),
            *self._cockpit_urls(),
            *self._wall_urls(),
            *self._inbox_urls(),
            *self._journal_urls(),
            *stock,
        ]

    def _cockpit_urls(self) -> list[Any]:
        from projects.admin import (  # they read models; apps are being loaded here
            cockpit_files,
            cockpit_page,
            screen_page,
        )

        pages = (
            ("", cockpit_page.cockpit_page, "cockpit"),
            ("screen/", screen_page.screen_page, "cockpit_screen"),
            ("file/<slug:form>/", cockpit_files.cockpit_file, "cockpit_file"),
        )
        return [
            path(f"cockpit/{route}", self.admin_view(partial(answer, self)), name=name)
            for route, answer, name in pages
        ]

    def _wall_urls(self) -> list[Any]:
        from projects.admin import wall_files, wall_page  # they read models; apps are being loaded here

        pages = (("", wall_page.wall_page, "wall"), ("file/", wall_files.wall_file, "wall_file"))
        return [
            path(f"wall/{route}", self.admin_view(partial(answer, self)), name=name)
            for route, answer, name in pages
        ]

    def _inbox_urls(self) -> list[Any]:
        from notices.admin import inbox, own_settings  # they read models; apps are being loaded here

        pages = (
            ("", inbox.inbox_page, "inbox"),
            ("<int:notice_id>/", inbox.open_notice, "inbox_notice"),
            ("settings/", own_settings.own_settings_page, "inbox_settings"),
            ("settings/try/", own_settings.try_own_address, "inbox_try"),
        )
        return [
            path(f"inbox/{route}", self.admin_view(partial(answer, self)), name=name)
            for route, answer, name in pages
        ]

    def review_view(self, request: HttpRequest) -> HttpResponse:
        from projects.admin.review_desk import review_desk  # it reads models; apps are being loaded here

        return review_desk(self, request)

    def liaison_view(self, request: HttpRequest) -> HttpResponse:
        from projects.admin.liaison import liaison_page  # it reads models; apps are being loaded here

        return liaison_page(self, request)

    def liaison_brief_view(self, request: HttpRequest) -> HttpResponse:
        from projects.admin.liaison import liaison_brief  # it reads models; apps are being loaded here

        return liaison_brief(self, request)

    def search_view(self, request: HttpRequest) -> HttpResponse:
        from portal.search_page import search_response  # it reads models; apps are being loaded here

        return search_response(self, request)

    def design_view(self, request: HttpRequest) -> HttpResponse:
        from portal.design_page import design_page  # it reads models; apps are being loaded here

        return design_page(self, request)

    def patrol_view(self, request: HttpRequest) -> HttpResponse:
        from portal.patrol_page import patrol_response  # it reads models; apps are being loaded here

        return patrol_response(self, request)

    def _journal_urls(self) -> list[Any]:
        from portal import journal_page, journal_records_page  # they read models; apps are being loaded here

        pages = (
            ("", journal_page.journal_response, "journal"),
            ("export/", journal_page.export_response, "journal_export"),
            ("sign-ins/", journal_records_page.sign_ins_response, "journal_sign_ins"),
            ("exports/", journal_records_page.exports_response, "journal_exports"),
            ("archives/", journal_records_page.archives_response, "journal_archives"),
            ("archives/<int:number>/", journal_records_page.archive_file_response, "journal_archive"),
        )
        return [
            path(f"journal/{route}", self.admin_view(partial(answer, self)), name=name)
            for route, answer, name in pages
        ]

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        from portal.autocomplete import ScopedAutocomplete

        return ScopedAutocomplete.as_view(admin_site=self)(request)  # type: ignore[return-value]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        from enterprises.scoped_admin import person
        from portal.home import home_for

        home = home_for(person(request), timezone.localdate())
        context = {
            **self.each_context(request),
            "title": self.index_title,
            "home": home,
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/index.html", context)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        return []  # put together anew for every page by the stock site, and shown on none: `portal.context` navigates

    def app_index(self, request: HttpRequest, app_label: str, extra_context: Any = None) -> Any:
        raise Http404  # the navigation is the index; a second one by app would only repeat it

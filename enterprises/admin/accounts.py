"""Accounts and memberships: the security administrator's pages."""

from __future__ import annotations

from typing import Any, ClassVar

from axes.utils import reset
from django.contrib import admin
from django.contrib.auth.forms import AdminUserCreationForm, SetPasswordForm
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from enterprises.admin.resources import ExportsRegister, UserResource
from enterprises.models import Membership, User
from enterprises.scoped_admin import ScopedInline, ScopedModelAdmin, person
from enterprises.scoping import may


class MembershipInForceFilter(admin.SimpleListFilter):
    title = gettext_lazy("membership")
    parameter_name = "membership"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("held", gettext_lazy("in force")), ("none", gettext_lazy("none in force"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        held = Membership.objects.in_force(timezone.localdate()).values("user_id")
        match self.value():
            case "held":
                return queryset.filter(pk__in=held)
            case "none":
                return queryset.exclude(pk__in=held)
        return queryset


class NewAccountForm(AdminUserCreationForm):
    usable_password = None  # type: ignore[assignment]  # every account of the portal logs in by password

    class Meta:
        model = User
        fields = ("username", "name", "phone", "email")
        field_classes: dict[str, Any] = {}


class MembershipInline(ScopedInline):
    model = Membership
    fk_name = "user"
    autocomplete_fields = ("unit", "acting_for")
    fields = ("role", "unit", "valid_from", "valid_until", "acting_for", "note")


@admin.register(User)
class UserAdmin(ExportsRegister, ScopedModelAdmin):
    resource_class = UserResource
    list_display = ("username", "name", "phone", "role_names", "is_active", "last_login")
    columns_in_file: ClassVar[Any] = {"role_names": ("roles",), "last_login": ()}
    list_filter = ("is_active", MembershipInForceFilter)
    search_fields = ("username", "name")
    search_help_text = gettext_lazy("Account or name")
    inlines = (MembershipInline,)
    readonly_fields = ("last_login", "is_demo")
    fieldsets = (
        (None, {"fields": ("username", "name", "phone", "email", "is_active")}),
        (gettext_lazy("Log-in"), {"fields": ("last_login", "is_demo")}),
    )
    add_fieldsets = ((None, {"fields": ("username", "name", "phone", "email", "password1", "password2")}),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return (
            super()
            .get_queryset(request)
            .prefetch_related(
                # Roles at units that the reader does not see are not named. Under a name of their own: the
                # wall asks `memberships` for all of them, and must not be shown the filtered ones.
                Prefetch(
                    "memberships",
                    Membership.objects.visible_to(request.user).select_related("unit"),
                    to_attr="shown_memberships",
                )
            )
        )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return super().get_fieldsets(request, obj) if obj else self.add_fieldsets

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = NewAccountForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        # Nobody grants a role to themselves, on this page either.
        return self.inlines if obj and obj.pk != request.user.pk else ()

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        own = [
            path("<int:object_id>/password/", view(self.password_view), name="enterprises_user_password"),
            path("<int:object_id>/unlock/", view(self.unlock_view), name="enterprises_user_unlock"),
        ]
        return own + super().get_urls()

    def password_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """A new password for somebody who forgot theirs; one's own is changed with the old one."""
        user = self.get_object(request, str(object_id))
        if user is None or not self.has_change_permission(request, user):
            return self.missing(request, object_id)
        if user.pk == person(request).pk:
            return HttpResponseRedirect(reverse("admin:password_change"))
        form = SetPasswordForm(user, request.POST or None)
        if request.method == "POST" and form.is_valid():
            form.save()
            reset(username=user.username)
            self.message_user(
                request, _("“%(name)s” has a new password; hand it over in person.") % {"name": user}
            )
            return HttpResponseRedirect(reverse("admin:enterprises_user_change", args=[user.pk]))
        context = {
            **self.admin_site.each_context(request),
            "title": _("New password for %(name)s") % {"name": user},
            "opts": self.opts,
            "form": form,
            "account": user,
        }
        return TemplateResponse(request, "admin/enterprises/user/password.html", context)

    def unlock_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Let somebody try again who was locked out after wrong passwords."""
        user = self.get_object(request, str(object_id))
        if user is None or not may(person(request), "unlock", user):
            return self.missing(request, object_id)
        if request.method == "POST":
            reset(username=user.username)
            user.unlocked_at = timezone.now()
            user.save(update_fields=["unlocked_at"])
            self.message_user(request, _("“%(name)s” can try to log in again.") % {"name": user})
        return HttpResponseRedirect(reverse("admin:enterprises_user_change", args=[user.pk]))

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> HttpResponse:
        """On to the account's page: without a membership nobody gets in with it."""
        self.message_user(request, _("The account is open. Next: give it a membership below."))
        return HttpResponseRedirect(reverse("admin:enterprises_user_change", args=[obj.pk]))

    @admin.display(description=gettext_lazy("memberships"))
    def role_names(self, obj: User) -> str:
        held = obj.shown_memberships  # type: ignore[attr-defined]
        return "；".join(f"{m.get_role_display()} · {m.unit}" for m in held) or _("none")


@admin.register(Membership)
class MembershipAdmin(ScopedModelAdmin):
    list_display = ("user", "role", "unit", "valid_from", "valid_until", "note")
    list_filter = ("role",)
    search_fields = ("user__username", "user__name", "unit__name", "unit__short_name")
    search_help_text = gettext_lazy("Account, name or unit")
    autocomplete_fields = ("user", "unit", "acting_for")
    initial_from_link = ("user", "unit")
    fields = ("user", "role", "unit", "valid_from", "valid_until", "acting_for", "note")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("user", "unit")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if request.user.pk in (obj.user_id, form.initial.get("user")):
            # Otherwise the keeper of accounts could become anybody, and nobody would have agreed.
            raise PermissionDenied(
                _("Nobody grants a role to themselves; ask another security administrator.")
            )
        super().save_model(request, obj, form, change)

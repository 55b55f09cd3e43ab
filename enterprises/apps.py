from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class EnterprisesConfig(AppConfig):
    name = "enterprises"
    verbose_name = _("Registers")

    def ready(self) -> None:
        from enterprises import checks  # noqa: F401  (registers the system checks of the wall)

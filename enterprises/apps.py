from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class EnterprisesConfig(AppConfig):
    name = "enterprises"
    verbose_name = _("Registers")

    def ready(self) -> None:
        from enterprises import checks, sign_ins  # noqa: F401  (checks: registers those of the wall)

        sign_ins.connect()

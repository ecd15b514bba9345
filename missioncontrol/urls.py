from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path, re_path

from missioncontrol.api.application import api
from missioncontrol.api.problems import nothing_beside

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("missioncontrol.console.urls")),
    path("", include("missioncontrol.console.account_urls")),
    path("api/v1/", api.urls),
    re_path("^api(?:/|$)", nothing_beside),
    path("log/", include("missioncontrol.api.log_files")),
]

handler403 = "missioncontrol.console.views.errors.not_allowed"
handler404 = "missioncontrol.console.views.errors.not_found"
handler500 = "missioncontrol.console.views.errors.fault"

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from missioncontrol.api.application import api

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("missioncontrol.console.urls")),
    path("", include("missioncontrol.console.account_urls")),
    path("api/v1/", api.urls),
    path("log/", include("missioncontrol.api.log_files")),
]

handler403 = "missioncontrol.console.views.errors.not_allowed"
handler404 = "missioncontrol.console.views.errors.not_found"
handler500 = "missioncontrol.console.views.errors.fault"

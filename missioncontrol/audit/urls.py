from __future__ import annotations

from django.urls import path, re_path

from missioncontrol.audit import views

app_name = "log"

urlpatterns = [
    path("checkpoint", views.checkpoint, name="checkpoint"),
    re_path(r"^(?P<path>tile/.+)$", views.tile, name="tile"),
    re_path(r"^keys/(?P<key_id>[0-9a-f]{8})$", views.announcement, name="announcement"),
]

"""Addresses of the pages that belong to no feature."""

from django.urls import path

from duecourse.app.ui import views

app_name = "ui"
urlpatterns = [
    path("", views.home, name="home"),
    path("health", views.health, name="health"),
]

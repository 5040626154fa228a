"""Addresses of the audit."""

from django.urls import path

from duecourse.app.audit import views

app_name = "audit"
urlpatterns = [path("", views.events, name="events")]

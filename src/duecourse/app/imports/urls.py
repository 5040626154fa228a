"""Addresses of the screens about imports."""

from django.urls import path

from duecourse.app.imports import views

app_name = "imports"
urlpatterns = [
    path("", views.imports, name="imports"),
    path("new/", views.new, name="new"),
    path("<int:pk>/", views.show, name="show"),
    path("<int:pk>/load/", views.load, name="load"),
    path("<int:pk>/discard/", views.give_up, name="discard"),
]

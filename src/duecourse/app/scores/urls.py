"""Addresses of the screens of predictions."""

from django.urls import path

from duecourse.app.scores import views

app_name = "scores"
urlpatterns = [
    path("<slug:code>/predictions/", views.predictions, name="predictions"),
    path("<slug:code>/predictions/again/", views.again, name="again"),
]

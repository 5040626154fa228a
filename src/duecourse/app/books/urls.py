"""Addresses of the screens about the books."""

from django.urls import path

from duecourse.app.books import views

app_name = "books"
urlpatterns = [
    path("", views.entities, name="entities"),
    path("open/", views.open_entity, name="open"),
    path("loads/<int:pk>/undo/", views.undo, name="undo"),
    path("<slug:code>/", views.entity, name="entity"),
    path("<slug:code>/invoices/", views.invoices, name="invoices"),
]

"""Addresses of the screens about people."""

from django.urls import path

from duecourse.app.accounts import views

app_name = "accounts"
urlpatterns = [
    path("members/", views.members, name="members"),
    path("members/invite/", views.invite, name="invite"),
    path("members/<int:pk>/", views.member, name="member"),
    path("members/<int:pk>/deactivate/", views.deactivate, name="deactivate"),
    path("members/<int:pk>/reactivate/", views.reactivate, name="reactivate"),
    path("roles/<int:pk>/revoke/", views.revoke, name="revoke"),
    path("invitations/<int:pk>/withdraw/", views.withdraw, name="withdraw"),
    path("join/<str:secret>/", views.join, name="join"),
]

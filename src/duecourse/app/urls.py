"""Every address of the application; each feature brings its own."""

from django.urls import include, path

urlpatterns = [
    path("", include("duecourse.app.ui.urls")),
    path("account/", include("allauth.urls")),
    path("", include("duecourse.app.accounts.urls")),
    path("jobs/", include("duecourse.app.jobs.urls")),
    path("audit/", include("duecourse.app.audit.urls")),
    path("imports/", include("duecourse.app.imports.urls")),
    path("entities/", include("duecourse.app.books.urls")),
    path("entities/", include("duecourse.app.scores.urls")),
]

handler400 = "duecourse.app.ui.views.bad_request"
handler403 = "duecourse.app.ui.views.not_allowed"
handler404 = "duecourse.app.ui.views.not_found"
handler500 = "duecourse.app.ui.views.failure"

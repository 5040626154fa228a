"""The application's settings for tests: no file of an installation is read, no network, a quick password hash."""

import os
import tempfile
from pathlib import Path

for name in [name for name in os.environ if name.startswith("DUECOURSE_") and name != "DUECOURSE_TEST_DATABASE_URL"]:
    del os.environ[name]
os.environ["DUECOURSE_SECRET_KEY"] = "only-for-tests-" + "x" * 40
os.environ["DUECOURSE_DATA_DIR"] = str(Path(tempfile.gettempdir()) / "duecourse-tests-write-nothing-here")
os.environ["DUECOURSE_LOG_LEVEL"] = "WARNING"
os.environ["DUECOURSE_DATABASE_URL"] = os.environ.get("DUECOURSE_TEST_DATABASE_URL", "")

from duecourse.app.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
MIDDLEWARE = [name for name in MIDDLEWARE if "whitenoise" not in name]  # noqa: F405 - no files are laid out
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

"""Whether there is a browser for tests: Debian's Chromium, or the one that TEST_CHROMIUM names."""

import os
import shutil

CHROMIUM = os.environ.get("TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
NO_BROWSER = "there is none; apt-get install chromium, or set TEST_CHROMIUM to one"

"""Web pages, rendered here: one design for all products; plain HTML first, htmx and a little script on top.

A feature adds pages by a ``pages.py`` beside its ``routes.py``, and a ``templates`` folder. CONTRIBUTING.md says how.
"""

from servicekit.pages.forms import Form as Form
from servicekit.pages.page import CurrentPage as CurrentPage
from servicekit.pages.page import Page as Page
from servicekit.pages.site import NavItem as NavItem
from servicekit.pages.site import Site as Site

"""What Invoice shows: its pages, where they are found, and what follows what."""

from servicekit.pages import NavItem, Site

from invoice_service.home import pages as home
from invoice_service.imports import pages as imports

SITE = Site(
    product="Invoice",
    home="/home",
    navigation=[NavItem("Home", "/home")],
    routers=[home.router, imports.router],
)

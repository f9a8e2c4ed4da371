"""What Invoice shows: its pages, where they are found, and what follows what."""

from servicekit.pages import NavItem, Site

from invoice_service.customers import pages as customers
from invoice_service.home import pages as home
from invoice_service.home import queries as books
from invoice_service.imports import pages as imports
from invoice_service.merging import pages as merging
from invoice_service.statements import pages as statements

SITE = Site(
    product="Invoice",
    home="/home",
    navigation=[NavItem("Home", "/home"), NavItem("Customers", "/customers")],
    search="/customers",
    routers=[home.router, merging.router, customers.router, statements.router, imports.router],
    topics={"books": books.stamp, "customers": customers.stamp_of_list, "customer": customers.stamp_of_one},
    panels={"customer": [statements.panel_of_customer, statements.panel_of_documents, merging.panel_of_customer]},
)

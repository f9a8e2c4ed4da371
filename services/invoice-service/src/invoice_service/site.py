"""What Invoice shows: its pages, where they are found, and what follows what."""

from servicekit.pages import NavItem, Site

from invoice_service.customers import pages as customers
from invoice_service.estimates import pages as estimates
from invoice_service.home import pages as home
from invoice_service.home import queries as books
from invoice_service.imports import pages as imports
from invoice_service.invoices import pages as invoices
from invoice_service.items import pages as items
from invoice_service.merging import pages as merging
from invoice_service.organizations import choosing_pages as choosing
from invoice_service.organizations import pages as organizations
from invoice_service.organizations.chosen import chosen_name
from invoice_service.payments import pages as payments
from invoice_service.sending import pages as sending
from invoice_service.statements import pages as statements

SITE = Site(
    product="Invoice",
    home="/home",
    navigation=[
        NavItem("Home", "/home"),
        NavItem("Customers", "/customers", also=["/imports", "/connection"]),
        NavItem("Estimates", "/estimates"),
        NavItem("Invoices", "/invoices"),
        NavItem("Payments", "/payments"),
        NavItem("Items", "/items"),
    ],
    setup=[
        NavItem("Organization", "/settings"),
        NavItem("Organizations", "/organizations"),
        NavItem("Users", "/users", role="admin"),
        NavItem("API tokens", "/api-tokens"),
    ],
    search="/customers",
    numbers=frozenset(
        ["quantity", "rate", "discount_percentage", "tax_percentage", "discount_amount", "adjustment", "amount"]
    ),
    place=chosen_name,
    routers=[
        home.router,
        merging.router,
        customers.router,
        statements.router,
        imports.router,
        estimates.router,
        invoices.router,
        payments.router,
        sending.router,
        items.router,
        organizations.router,
        choosing.router,
    ],
    topics={
        "books": books.stamp,
        "customers": customers.stamp_of_list,
        "customer": customers.stamp_of_one,
        "estimates": estimates.stamp_of_list,
        "estimate": estimates.stamp_of_one,
        "invoices": invoices.stamp_of_list,
        "invoice": invoices.stamp_of_one,
        "payments": payments.stamp_of_list,
        "invoice-payments": payments.stamp_of_invoice,
        "items": items.stamp_of_list,
        "deliveries": sending.stamp_of_document,
    },
    panels={
        "customer": [statements.panel_of_customer, statements.panel_of_documents, merging.panel_of_customer],
        "estimate": [sending.panel_of_document],
        "invoice": [payments.panel_of_invoice, sending.panel_of_document],
    },
)

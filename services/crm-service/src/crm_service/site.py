"""What the CRM shows: its pages, where they are found, and what follows what."""

from servicekit.pages import NavItem, Site

from crm_service.accounts import pages as accounts
from crm_service.contacts import pages as contacts
from crm_service.deletion import pages as deletion

SITE = Site(
    product="CRM",
    home="/accounts",
    navigation=[NavItem("Accounts", "/accounts")],
    search="/accounts",
    routers=[accounts.router, contacts.router, deletion.router],
    topics={
        "accounts": accounts.stamp_of_list,
        "account": accounts.stamp_of_one,
        "account-contacts": contacts.stamp_of_account,
    },
    panels={"account": [contacts.panel_of_account]},
)

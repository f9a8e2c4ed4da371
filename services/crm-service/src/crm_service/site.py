"""What the CRM shows: its pages, where they are found, and what follows what."""

from servicekit.pages import NavItem, Site

from crm_service.accounts import pages as accounts
from crm_service.contacts import pages as contacts
from crm_service.deletion import pages as deletion
from crm_service.documents import document_pages
from crm_service.documents import pages as documents
from crm_service.workflow_runs import pages as workflow_runs

SITE = Site(
    product="CRM",
    home="/accounts",
    navigation=[NavItem("Accounts", "/accounts")],
    search="/accounts",
    routers=[accounts.router, contacts.router, deletion.router, documents.router, workflow_runs.router],
    topics={
        "accounts": accounts.stamp_of_list,
        "account": accounts.stamp_of_one,
        "account-contacts": contacts.stamp_of_account,
        "documents": documents.stamp_of_record,
        "document": document_pages.stamp_of_one,
        "workflow-runs": workflow_runs.stamp_of_potential,
    },
    panels={
        "account": [contacts.panel_of_account, documents.panel_of("account")],
        "contact": [documents.panel_of("contact")],
        "potential": [documents.panel_of("potential"), workflow_runs.panel_of_potential],
    },
)

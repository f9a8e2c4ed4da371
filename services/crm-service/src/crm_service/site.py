"""What the CRM shows: its pages, where they are found, and what follows what."""

from servicekit.pages import NavItem, Site

from crm_service.accounts import pages as accounts
from crm_service.contacts import pages as contacts
from crm_service.deletion import pages as deletion
from crm_service.documents import document_pages
from crm_service.documents import pages as documents
from crm_service.home import pages as home
from crm_service.potentials import board
from crm_service.potentials import pages as potentials
from crm_service.setup import pages as setup
from crm_service.stages import pages as stages
from crm_service.workflow_runs import pages as workflow_runs
from crm_service.zsc_keys import pages as zsc_keys

SITE = Site(
    product="CRM",
    home="/home",
    navigation=[
        NavItem("Home", "/home"),
        NavItem("Accounts", "/accounts"),
        NavItem("Contacts", "/contacts"),
        NavItem("Potentials", "/potentials"),
    ],
    setup=[
        NavItem("Workflow", "/workflow"),
        NavItem("Stages", "/stages"),
        NavItem("ZSC keys", "/zsc-keys"),
        NavItem("Connection", "/connection"),
        NavItem("Users", "/users", role="admin"),
        NavItem("API tokens", "/api-tokens"),
    ],
    search="/accounts",
    numbers=frozenset(
        ["quantity", "rate", "discount_percentage", "tax_percentage", "discount_amount", "adjustment", "amount"]
    ),
    routers=[
        home.router,
        accounts.router,
        contacts.router,
        board.router,
        potentials.router,
        documents.router,
        workflow_runs.router,
        deletion.router,
        stages.router,
        zsc_keys.router,
        setup.router,
    ],
    topics={
        "accounts": accounts.stamp_of_list,
        "account": accounts.stamp_of_one,
        "contacts": contacts.stamp_of_list,
        "contact": contacts.stamp_of_one,
        "account-contacts": contacts.stamp_of_account,
        "potentials": potentials.stamp_of_list,
        "potential": potentials.stamp_of_one,
        "account-potentials": potentials.stamp_of_account,
        "contact-potentials": potentials.stamp_of_contact,
        "documents": documents.stamp_of_record,
        "document": document_pages.stamp_of_one,
        "workflow-runs": workflow_runs.stamp_of_potential,
    },
    panels={
        "account": [contacts.panel_of_account, potentials.panel_of_account, documents.panel_of("account")],
        "contact": [potentials.panel_of_contact, documents.panel_of("contact")],
        "potential": [documents.panel_of("potential"), workflow_runs.panel_of_potential],
    },
)

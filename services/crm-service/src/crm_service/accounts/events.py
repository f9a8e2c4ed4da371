"""What the CRM tells of its accounts."""

from contracts.accounts import AccountCreated, AccountDeleted, AccountSnapshot, AccountUpdated
from contracts.values import Address

from crm_service.accounts.models import Account


def snapshot(account: Account) -> AccountSnapshot:
    """The account as it is now."""
    return AccountSnapshot(
        id=account.id,
        version=account.version,
        deleted=account.deleted,
        account_name=account.account_name,
        phone=account.phone,
        fax=account.fax,
        website=account.website,
        description=account.description,
        billing_address=Address(**account.billing_address),
        shipping_address=Address(**account.shipping_address),
    )


def created(account: Account) -> AccountCreated:
    """It is new."""
    return AccountCreated(data=snapshot(account))


def updated(account: Account) -> AccountUpdated:
    """It says something else now."""
    return AccountUpdated(data=snapshot(account))


def deleted(account: Account) -> AccountDeleted:
    """It is gone; the snapshot is what it last said."""
    return AccountDeleted(data=snapshot(account))

"""What the CRM tells of its contacts."""

from contracts.contacts import ContactCreated, ContactDeleted, ContactSnapshot, ContactUpdated

from crm_service.contacts.models import Contact


def snapshot(contact: Contact) -> ContactSnapshot:
    """The contact as it is now."""
    return ContactSnapshot(
        id=contact.id,
        version=contact.version,
        deleted=contact.deleted,
        salutation=contact.salutation,
        first_name=contact.first_name,
        last_name=contact.last_name,
        email=contact.email,
        phone=contact.phone,
        mobile=contact.mobile,
        account_id=contact.account_id,
    )


def created(contact: Contact) -> ContactCreated:
    """It is new."""
    return ContactCreated(data=snapshot(contact))


def updated(contact: Contact) -> ContactUpdated:
    """It says something else now, or has gained, lost or changed its account."""
    return ContactUpdated(data=snapshot(contact))


def deleted(contact: Contact) -> ContactDeleted:
    """It is gone; the snapshot is what it last said."""
    return ContactDeleted(data=snapshot(contact))

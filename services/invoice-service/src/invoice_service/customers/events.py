"""What is told of customers."""

from contracts.customers import (
    ContactPersonSnapshot,
    CustomerCreated,
    CustomerDeleted,
    CustomerSnapshot,
    CustomerUpdated,
)

from invoice_service.customers.queries import WholeCustomer


def created(whole: WholeCustomer) -> CustomerCreated:
    """A customer is new."""
    return CustomerCreated(data=snapshot(whole))


def updated(whole: WholeCustomer) -> CustomerUpdated:
    """A customer, its persons or its CRM links changed."""
    return CustomerUpdated(data=snapshot(whole))


def deleted(whole: WholeCustomer) -> CustomerDeleted:
    """A customer is gone; ``whole`` is how it was last."""
    last = snapshot(whole)
    return CustomerDeleted(data=last.model_copy(update={"deleted": True, "version": last.version + 1}))


def snapshot(whole: WholeCustomer) -> CustomerSnapshot:
    """The customer as others see it."""
    customer = whole.customer
    primary_id = whole.primary_id
    return CustomerSnapshot(
        id=customer.id,
        version=customer.version,
        organization_id=customer.organization_id,
        customer_name=customer.customer_name,
        phone=customer.phone,
        fax=customer.fax,
        billing_address=customer.billing_address,
        shipping_address=customer.shipping_address,
        currency_code=customer.currency_code,
        status="active" if customer.status == "active" else "inactive",
        source="crm" if customer.source == "crm" else "manual",
        contact_persons=tuple(
            ContactPersonSnapshot(
                id=person.id,
                salutation=person.salutation,
                first_name=person.first_name,
                last_name=person.last_name,
                email=person.email,
                phone=person.phone,
                mobile=person.mobile,
                is_primary=person.id == primary_id,
                crm_contact_id=link.record_id if (link := whole.imported_persons.get(person.id)) else None,
            )
            for person in whole.persons
        ),
        crm_links=whole.crm_links,
        own_contact_ids=whole.own_contact_ids,
    )

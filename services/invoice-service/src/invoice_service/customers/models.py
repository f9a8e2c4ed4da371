"""Customers, their contact persons, and the links to the CRM records they came from."""

from datetime import datetime

from contracts.values import Address
from servicekit.db import new_id, utc_now
from servicekit.errors import Conflict
from sqlalchemy import Boolean, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from invoice_service.base import Base, Versioned


class CustomerInactive(Conflict):
    code = "customer_inactive"


class CustomerIsImported(Conflict):
    """S28: an imported customer is not deleted here."""

    code = "customer_is_imported"


class CustomerHasTransactions(Conflict):
    code = "customer_has_transactions"


class Customer(Versioned, Base):
    """Whom documents are made for.

    ``transaction_count`` is the number of documents and payments that refer to it; whoever makes or deletes one counts
    it in the same transaction, and with the lock that this takes no customer goes away underneath a new document.
    ``chosen_primary_id`` is the contact person whom someone in Invoice made the primary one.
    """

    __tablename__ = "customers"
    __table_args__ = (
        Index("ix_customers_organization", "organization_id", "id"),
        Index("ix_customers_status", "organization_id", "status", "id"),
    )

    organization_id: Mapped[str] = mapped_column(String(36), ForeignKey("organizations.id"))
    customer_name: Mapped[str] = mapped_column(String(255))
    phone: Mapped[str] = mapped_column(String(50), default="")
    fax: Mapped[str] = mapped_column(String(50), default="")
    billing_address: Mapped[Address] = mapped_column(default=Address())
    shipping_address: Mapped[Address] = mapped_column(default=Address())
    currency_code: Mapped[str] = mapped_column(String(3))
    payment_terms: Mapped[int | None]
    notes: Mapped[str] = mapped_column(Text, default="")
    status: Mapped[str] = mapped_column(String(16), default="active")
    source: Mapped[str] = mapped_column(String(16), default="manual")
    transaction_count: Mapped[int] = mapped_column(default=0)
    chosen_primary_id: Mapped[str | None] = mapped_column(String(36))

    @property
    def has_transactions(self) -> bool:
        """Whether a document or a payment refers to it."""
        return self.transaction_count > 0

    def check_usable(self) -> None:
        """Raise `CustomerInactive` if no new document may be made for it."""
        if self.status != "active":
            raise CustomerInactive(
                f"customer {self.customer_name!r} is inactive; choose another one, or make it active again",
                customer_id=self.id,
            )

    def check_deletable(self, *, imported: bool) -> None:
        """Raise `CustomerIsImported` or `CustomerHasTransactions`; ``imported``: a live CRM record stands behind it."""
        if imported:
            raise CustomerIsImported(
                "this customer came from the CRM: delete it there and import again, or merge it into another customer",
                customer_id=self.id,
            )
        if self.has_transactions:
            raise CustomerHasTransactions(
                f"{self.transaction_count} documents or payments refer to this customer; make it inactive instead",
                customer_id=self.id,
            )


class ContactPerson(Base):
    """A person at a customer. Who came from the CRM has a link that points here."""

    __tablename__ = "contact_persons"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    customer_id: Mapped[str] = mapped_column(String(36), ForeignKey("customers.id"), index=True)
    salutation: Mapped[str] = mapped_column(String(255), default="")
    first_name: Mapped[str] = mapped_column(String(255), default="")
    last_name: Mapped[str] = mapped_column(String(255), default="")
    email: Mapped[str] = mapped_column(String(254), default="")
    phone: Mapped[str] = mapped_column(String(50), default="")
    mobile: Mapped[str] = mapped_column(String(50), default="")

    @property
    def full_name(self) -> str:
        """Salutation and names, as on a letter."""
        return " ".join(part for part in (self.salutation, self.first_name, self.last_name) if part)


class CrmLink(Base):
    """What a CRM record is in Invoice, and its version applied last.

    ``deleted``: a tombstone; it stays, so that a late older event cannot bring the record back. ``customer_id``: the
    customer the record is at; of a tombstone the one to bring back. Of contacts: ``contact_person_id``, the person;
    ``account_id``, the account it belongs to in the CRM; ``own_customer_id``, the customer that it has, or had, for
    itself alone (S24). Ids of what is gone may stand here: there are no foreign keys, on purpose.
    """

    __tablename__ = "crm_links"
    __table_args__ = (
        Index("ix_crm_links_customer", "customer_id"),
        Index("ix_crm_links_own_customer", "own_customer_id"),
        Index("ix_crm_links_contact_person", "contact_person_id"),
        Index("ix_crm_links_account", "organization_id", "account_id"),
    )

    organization_id: Mapped[str] = mapped_column(String(36), ForeignKey("organizations.id"), primary_key=True)
    record_type: Mapped[str] = mapped_column(String(16), primary_key=True)
    record_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    version: Mapped[int]
    deleted: Mapped[bool] = mapped_column(Boolean)
    customer_id: Mapped[str | None] = mapped_column(String(36))
    contact_person_id: Mapped[str | None] = mapped_column(String(36))
    own_customer_id: Mapped[str | None] = mapped_column(String(36))
    account_id: Mapped[str | None] = mapped_column(String(64))
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)

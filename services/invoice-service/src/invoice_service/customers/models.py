"""Customers, their contact persons, and the links to the CRM records they came from."""

from datetime import datetime

from contracts.customers import ImportedCustomer
from contracts.values import Address
from servicekit.db import new_id, utc_now
from servicekit.errors import Conflict
from sqlalchemy import JSON, Boolean, Dialect, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from invoice_service.base import Base, Versioned
from invoice_service.customers.likeness import KINDS


class ChangedMeanwhile(Conflict):
    """The record went to another customer between two looks at it, by a merge, or someone is changing it right now."""

    code = "changed_meanwhile"


class CustomerAlreadyMerged(Conflict):
    code = "customer_already_merged"


class CustomerCurrencyInUse(Conflict):
    code = "customer_currency_in_use"


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
    ``chosen_primary_id`` is the contact person whom someone in Invoice made the primary one. ``merged_into``: of one
    that was merged the customer that stayed, over any chain of merges (S29); its row is kept so that its id leads
    there. The keys are what likely duplicates are found by (`duplicates`).
    """

    __tablename__ = "customers"
    __table_args__ = (
        Index("ix_customers_organization", "organization_id", "id"),
        Index("ix_customers_status", "organization_id", "status", "id"),
        Index("ix_customers_updated", "organization_id", "updated_at"),
        Index("ix_customers_merged_into", "merged_into"),
        *(
            Index(
                f"ix_customers_{kind}_key",
                "organization_id",
                f"{kind}_key",
                sqlite_where=text(f"{kind}_key IS NOT NULL"),
                postgresql_where=text(f"{kind}_key IS NOT NULL"),
            )
            for kind in KINDS
        ),
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
    merged_into: Mapped[str | None] = mapped_column(String(36))
    name_key: Mapped[str | None] = mapped_column(String(200))
    phone_key: Mapped[str | None] = mapped_column(String(200))
    address_key: Mapped[str | None] = mapped_column(String(200))

    @property
    def has_transactions(self) -> bool:
        """Whether a document or a payment refers to it."""
        return self.transaction_count > 0

    def check_currency(self, currency_code: str) -> None:
        """Raise `CustomerCurrencyInUse` if it would get another currency than its documents and payments have."""
        if currency_code != self.currency_code and self.has_transactions:
            raise CustomerCurrencyInUse(
                f"customer {self.customer_name!r} has documents or payments, so its currency stays "
                f"{self.currency_code}; a document may have another one",
                customer_id=self.id,
            )

    def refuse_use(self) -> Conflict | None:
        """Why no new document may be made for it; None if one may."""
        if self.status == "active":
            return None
        return CustomerInactive(
            f"customer {self.customer_name!r} is inactive; choose another one, or make it active again",
            customer_id=self.id,
        )

    def refuse_delete(self, *, imported: bool) -> Conflict | None:
        """Why it may not be deleted; None if it may. ``imported``: a live CRM record stands behind it (S28)."""
        if imported:
            return CustomerIsImported(
                "this customer came from the CRM: delete it there and import again, or merge it into another customer",
                customer_id=self.id,
            )
        if self.has_transactions:
            return CustomerHasTransactions(
                f"{self.transaction_count} documents or payments refer to this customer; make it inactive instead",
                customer_id=self.id,
            )
        return None


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


class ImportedCustomerJson(TypeDecorator[ImportedCustomer]):
    """The fields of a customer that flow from the CRM, stored as JSON."""

    impl = JSON(none_as_null=True)
    cache_ok = True

    def process_bind_param(self, value: ImportedCustomer | None, dialect: Dialect) -> dict[str, object] | None:
        return None if value is None else value.model_dump()

    def process_result_value(self, value: dict[str, object] | None, dialect: Dialect) -> ImportedCustomer | None:
        return None if value is None else ImportedCustomer.model_validate(value)


class CrmLink(Base):
    """What a CRM record is in Invoice, and its version applied last.

    ``deleted``: a tombstone; it stays, so that a late older event cannot bring the record back. ``customer_id``: the
    customer the record is at; of a tombstone the one to bring back. Of contacts: ``contact_person_id``, the person;
    ``account_id``, the account it belongs to in the CRM; ``own_customer_id``, the customer that it has, or had, for
    itself alone (S24); ``stands_alone``, whether it is there now. Ids of what is gone may stand here: there are no
    foreign keys, on purpose.

    Where several records have their home at one customer, as after merging (S29): ``rank``, whose fields count first,
    the lowest; ``fields``, what the record says of the customer, for when its turn comes.
    """

    __tablename__ = "crm_links"
    __table_args__ = (
        Index("ix_crm_links_customer", "customer_id"),
        Index("ix_crm_links_own_customer", "own_customer_id"),
        Index("ix_crm_links_contact_person", "contact_person_id"),
        # Not by organization first: without statistics PostgreSQL would take it in the place of the primary key.
        Index("ix_crm_links_account_id", "account_id"),
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
    stands_alone: Mapped[bool] = mapped_column(Boolean)
    rank: Mapped[int] = mapped_column(server_default="0")
    fields: Mapped[ImportedCustomer | None] = mapped_column(ImportedCustomerJson)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)


class DuplicatePair(Base):
    """Two customers that are likely the same (S29), the older one first, and the keys that they share, or ""."""

    __tablename__ = "duplicate_pairs"
    __table_args__ = (
        Index("ix_duplicate_pairs_organization", "organization_id", "second_id", "first_id"),
        Index("ix_duplicate_pairs_first", "first_id"),
    )

    second_id: Mapped[str] = mapped_column(String(36), ForeignKey("customers.id", ondelete="CASCADE"), primary_key=True)
    first_id: Mapped[str] = mapped_column(String(36), ForeignKey("customers.id", ondelete="CASCADE"), primary_key=True)
    organization_id: Mapped[str] = mapped_column(String(36), ForeignKey("organizations.id"))
    name_key: Mapped[str] = mapped_column(String(200))
    phone_key: Mapped[str] = mapped_column(String(200))
    address_key: Mapped[str] = mapped_column(String(200))

"""What the planner of CRM records works on: frozen values, without a database."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from contracts.customers import CrmRecordType, ImportedContactPerson, ImportedCustomer


class Key(NamedTuple):
    """Names a CRM record."""

    record_type: CrmRecordType
    record_id: str


@dataclass(frozen=True, slots=True)
class Record:
    """One CRM record at one version, as sync sends it (`contracts.customers.CrmRecord`).

    ``refusal``: why it cannot be applied whatever the state, if so. ``set_back_from``: the newer version that it
    may take the place of.
    """

    key: Key
    version: int
    deleted: bool = False
    account_id: str | None = None
    customer: ImportedCustomer | None = None
    contact_person: ImportedContactPerson | None = None
    correlation_id: str | None = None
    refusal: str | None = None
    set_back_from: int | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """What a CRM record is in Invoice; see `models.CrmLink`.

    ``contact_person_id`` stays known while the person is gone: who comes back is the same person.
    """

    key: Key
    version: int
    deleted: bool = False
    customer_id: str | None = None
    contact_person_id: str | None = None
    own_customer_id: str | None = None
    account_id: str | None = None
    stands_alone: bool = False
    rank: int = 0
    fields: ImportedCustomer | None = None

    @property
    def home(self) -> str | None:
        """The customer that exists because of this record while it lives: perhaps one that is gone."""
        return self.customer_id if self.key.record_type == "account" else self.own_customer_id

    @property
    def upholds(self) -> str | None:
        """Its home, if it is needed there now: as an account, or as a contact that stands alone."""
        if self.deleted or (self.key.record_type == "contact" and not self.stands_alone):
            return None
        return self.home

    def is_news(self, version: int, set_back_from: int | None, *, reapply: bool) -> bool:
        """Whether a version of the record is to be applied. An older one is only where it is said to take the place of
        the version that is here: it may be a live change that whoever asks has not heard of yet."""
        if version > self.version:
            return True
        return reapply and (version == self.version or set_back_from == self.version)

    def at_home(self, customer_id: str) -> "Link":
        """The link with another customer for home."""
        if self.key.record_type == "account":
            return replace(self, customer_id=customer_id)
        at_home = self.stands_alone or (self.deleted and self.customer_id is not None)
        return replace(self, own_customer_id=customer_id, customer_id=customer_id if at_home else self.customer_id)


@dataclass(frozen=True, slots=True)
class KnownCustomer:
    """``imported``: made from a CRM record; only such a one goes away with its records."""

    id: str
    fields: ImportedCustomer
    active: bool = True
    has_transactions: bool = False
    imported: bool = True


@dataclass(frozen=True, slots=True)
class KnownPerson:
    id: str
    customer_id: str
    fields: ImportedContactPerson


@dataclass(frozen=True, slots=True)
class State:
    """All that a command may touch.

    ``links``: of its records and of the accounts they name; of contacts that wait for a restored account of the
    command; and every one that has its home where one of these is or has its home, that customer gone or not.
    ``customers``: those that the links but the last ones name. ``persons``: those that the contacts' links name.
    ``names``: of the customers that only records are at which say nothing new, and whose links alone are here.
    ``departed``: of the links' homes those that went with their records, and come back as the customers they were.
    ``departed_persons``: what the persons were who went with the customer of an account that is restored.
    """

    links: Mapping[Key, Link] = field(default_factory=dict)
    customers: Mapping[str, KnownCustomer] = field(default_factory=dict)
    persons: Mapping[str, KnownPerson] = field(default_factory=dict)
    departed: Set[str] = frozenset()
    names: Mapping[str, str] = field(default_factory=dict)
    departed_persons: Mapping[str, ImportedContactPerson] = field(default_factory=dict)

"""What an import would do, page by page, without doing it: exactly what it then does (decided without a database)."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import pytest
from contracts.customers import CrmRecordKey, CrmRecordResult, FieldChange
from hypothesis import given, settings
from hypothesis import strategies as st
from invoice_service.customers.crm_preview import Asked, preview
from invoice_service.customers.crm_state import Key, Record
from invoice_service.plans.room import CustomerRoom

from tests.crm_books import Books, account, contact, doings, run


@dataclass
class DryRun:
    """Asks as sync does: page after page, with what is missing looked up in the CRM."""

    books: Books
    crm: dict[Key, Record]
    cap: int | None = None
    reapply: bool = False
    refused: set[Key] = field(default_factory=set)
    places_taken: int = 0
    times_asked: int = 0

    def page(self, records: Sequence[Record], *, held: bool = False) -> tuple[CrmRecordResult, ...]:
        """What the page would do."""
        earlier: dict[Key, Record] = {}
        refused: set[Key] = set()
        gone: set[Key] = set()
        for _ in range(20):
            self.times_asked += 1
            deleted = [Record(key, 1, deleted=True) for key in sorted(gone)]
            before = [earlier[key] for key in sorted(earlier)]
            asked = Asked(records, before, refused, self.reapply, after_all=held, gone=deleted)
            answer = preview(self.books.loaded(asked.all), asked, room(self.books, self.cap, self.places_taken))
            for one in answer.missing:
                key = Key(one.record_type, one.record_id)
                if key in self.crm and key not in self.refused:
                    earlier[key] = self.crm[key]
                elif held and key not in self.crm and key < records[0].key:
                    gone.add(key)
                else:
                    refused.add(key)
            if not answer.missing:
                self.places_taken += answer.places_taken
                self.refused |= {
                    one.key for one, result in zip(records, answer.results, strict=True) if _not_applied(one, result)
                }
                return answer.results
        raise AssertionError("it asks for more and more")


def _not_applied(record: Record, result: CrmRecordResult) -> bool:
    kept = result.outcome == "unchanged" and (result.known_version or 0) > record.version
    return kept or result.outcome in ("failed", "account_missing")


def room(books: Books, cap: int | None, places_taken: int = 0) -> CustomerRoom | None:
    return None if cap is None else CustomerRoom("Starter", cap, len(books.customers) + places_taken)


def pages(records: Sequence[Record], data: st.DataObject) -> Iterator[Sequence[Record]]:
    """As the CRM's feeds give them: accounts, then contacts, each in the order of their ids."""
    for _, feed in itertools.groupby(sorted(records, key=lambda one: one.key), lambda one: one.key.record_type):
        left = list(feed)
        while left:
            size = data.draw(st.integers(1, 3))
            yield left[:size]
            left = left[size:]


def told(results: Sequence[CrmRecordResult], books: Books) -> list[CrmRecordResult]:
    """Results as they can be told before: new customers have no id yet."""
    return [
        one if one.customer_id in books.customers or one.customer_id in books.departed else _nameless(one)
        for one in results
    ]


def _nameless(result: CrmRecordResult) -> CrmRecordResult:
    return result.model_copy(update={"customer_id": None})


@settings(max_examples=600, deadline=None)
@given(doings=doings, data=st.data())
def test_s30_a_dry_run_tells_exactly_what_the_import_then_does(
    doings: list[dict[str, object]], data: st.DataObject
) -> None:
    crm, books, _ = run(doings, data, merging=True, wholly=False)
    reapply = data.draw(st.booleans())
    records = {}
    for key, record in crm.newest.items():
        version = data.draw(st.integers(1, record.version)) if reapply else record.version
        refusal = "too long" if data.draw(st.integers(0, 9)) == 0 else None
        link = books.links.get(key)
        set_back_from = link.version if link is not None and data.draw(st.booleans()) else None
        records[key] = replace(record, version=version, refusal=refusal, set_back_from=set_back_from)
    cap = data.draw(st.none() | st.integers(0, 4))
    unmapped = set(data.draw(st.lists(st.sampled_from([*records]), max_size=1)))
    lost = set(data.draw(st.lists(st.sampled_from([*records]), max_size=3))) if reapply else set()
    held = [books.links[key] for key in lost if key in books.links and not books.links[key].deleted]
    for key in lost:
        del records[key]
    importing = books.copy()
    dry_run = DryRun(books, records, cap, reapply, unmapped)

    for page in pages([record for key, record in records.items() if key not in unmapped], data):
        expected = dry_run.page(page)
        assert told(importing.results(page, room(importing, cap), reapply=reapply), books) == told(expected, books)
    # What the CRM does not have is deleted, after all that it has.
    for page in pages([Record(link.key, link.version + 1, deleted=True) for link in held], data):
        expected = dry_run.page(page, held=True)
        assert told(importing.results(page, room(importing, cap), reapply=reapply), books) == told(expected, books)

    assert dry_run.places_taken == len(importing.customers) - len(books.customers)


class TestAskingForWhatIsMissing:
    def test_a_page_of_accounts_needs_nothing_and_one_of_contacts_their_accounts(self) -> None:
        books = Books()
        records = [*(account(id_) for id_ in "abz"), contact("c", at="a"), contact("d"), contact("e", at="z")]
        books.apply(*records)
        dry_run = DryRun(books, {one.key: replace(one, version=2) for one in records})

        dry_run.page(records[:2])
        dry_run.page(records[2:3])
        assert dry_run.times_asked == 2
        asked = Asked(records[3:])
        answer = preview(books.loaded(asked.all), asked, None)

        assert answer.results == ()
        assert [one.record_id for one in answer.missing] == ["a", "z"]

    def test_s29_of_merged_records_it_needs_those_that_come_before(self) -> None:
        books = Books()
        books.apply(*(account(id_) for id_ in "abe"))
        kept, *gone = (books.links[Key("account", id_)].customer_id or "" for id_ in "abe")
        for id_ in gone:
            books.merge(id_, kept)
        asked = Asked([account("b", 2, name="B")])

        assert [one.record_id for one in preview(books.loaded(asked.all), asked, None).missing] == ["a"]

        (alone,) = preview(books.loaded(asked.all), replace(asked, refused={Key("account", "a")}), None).results
        assert alone.outcome == "unchanged"
        asked = replace(asked, earlier=[account("a", 2, deleted=True)])
        (after,) = preview(books.loaded(asked.all), asked, None).results
        assert (after.outcome, after.customer_name) == ("updated", "B")

    def test_s25_of_a_contact_that_waits_for_its_account_it_needs_the_account(self) -> None:
        books = Books()
        books.apply(account("a", 2, deleted=True))
        books.apply(contact("c", at="a"))
        assert books.shown() == [("Person c", ["Person c"])]
        dry_run = DryRun(books, {Key("account", "a"): account("a", 3)})

        (result,) = dry_run.page([contact("c", 2)])

        assert result.outcome == "updated"
        assert ("contact_person.customer", "Company a", "Person c") in [
            (one.field, one.before, one.after) for one in result.changes
        ]

    def test_s25_not_those_that_just_wait_for_the_same_account(self) -> None:
        books = Books()
        books.apply(account("a"), *(contact(id_, at="a") for id_ in "cdef"))
        books.apply(account("a", 2, deleted=True), contact("g", at="a"), contact("h", at="a"))
        ids = {link.key.record_id: link.own_customer_id or "" for link in books.links.values()}
        books.merge(ids["h"], ids["g"])
        asked = Asked([contact("h", 2, at="a")], earlier=[account("a", 3)])

        assert preview(books.loaded(asked.all), asked, None).missing == (
            CrmRecordKey(record_type="contact", record_id="g"),
        )


class TestChanges:
    """What a record changes is told field by field."""

    def changes(self, books: Books, *records: Record) -> list[tuple[str, str | None, str | None]]:
        asked = Asked(records)
        (*_, last) = preview(books.loaded(asked.all), asked, None).results
        return [(one.field, one.before, one.after) for one in last.changes]

    def test_a_new_account(self) -> None:
        assert self.changes(Books(), account("a")) == [
            ("customer.customer_name", None, "Company a"),
            ("customer.status", None, "active"),
        ]

    def test_a_field_of_an_account_and_a_part_of_its_address(self) -> None:
        books = Books()
        books.apply(account("a"))
        (customer,) = books.customers.values()
        address = customer.fields.billing_address.model_copy(update={"city": "Köln"})
        moved = customer.fields.model_copy(update={"billing_address": address, "phone": "1"})

        assert self.changes(books, replace(account("a", 2), customer=moved)) == [
            ("customer.phone", None, "1"),
            ("customer.billing_address.city", None, "Köln"),
        ]

    def test_s24_a_contact_that_stands_alone_and_s22_then_at_an_account(self) -> None:
        books = Books()
        assert self.changes(books, contact("c")) == [
            ("customer.customer_name", None, "Person c"),
            ("customer.status", None, "active"),
            ("contact_person.last_name", None, "Person c"),
            ("contact_person.customer", None, "Person c"),
        ]
        books.apply(contact("c"))
        assert self.changes(books, account("a"), contact("c", 2, at="a", name="C")) == [
            ("customer.customer_name", "Person c", None),
            ("customer.status", "active", None),
            ("contact_person.last_name", "Person c", "C"),
            ("contact_person.customer", "Person c", "Company a"),
        ]

    @pytest.mark.parametrize("with_transactions", [True, False])
    def test_s28_a_deleted_one(self, with_transactions: bool) -> None:
        books = Books()
        books.apply(account("a"))
        if with_transactions:
            books.transact()
        gone = [("customer.customer_name", "Company a", None), ("customer.status", "active", None)]
        assert self.changes(books, account("a", 2, deleted=True)) == (
            [("customer.status", "active", "inactive")] if with_transactions else gone
        )

    def test_nothing_is_told_of_a_record_that_changes_nothing(self) -> None:
        books = Books()
        books.apply(account("a"))
        assert self.changes(books, account("a", 2)) == []
        assert FieldChange(field="customer.phone").before is None

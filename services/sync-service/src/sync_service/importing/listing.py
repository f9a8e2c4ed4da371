"""What a run tells of a page: counts, failures, and changes record by record. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from contracts.customers import CrmRecord, CrmRecordResult, RecordOutcome

from sync_service.importing.reading import Read
from sync_service.runs.models import Case, Difference, RunKind
from sync_service.runs.records import Change, Failure

ACCOUNT_MISSING = (
    "its account is not in Invoice, and could not be imported; see whether that one failed too, then retry"
)


@dataclass
class Listed:
    """``with_contacts``: accounts that one of the contacts is at."""

    outcomes: Counter[RecordOutcome] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    with_contacts: set[str] = field(default_factory=set)


def listed(
    done: Sequence[tuple[Read, CrmRecordResult]], broken: Sequence[Failure], *, kind: RunKind, held: bool
) -> Listed:
    """What to tell of these records and their results. ``held``: the CRM does not have them, Invoice does."""
    told = Listed(failures=[*broken])
    told.outcomes["failed"] += len(broken)
    for read, result in done:
        record = read.record
        told.outcomes[result.outcome] += 1
        if (case := case_of(record, result)) == "account_with_contacts" and record.account_id is not None:
            told.with_contacts.add(record.account_id)
        match result.outcome:
            case "account_missing":
                told.failures.append(Failure(record.record_type, record.record_id, read.name, ACCOUNT_MISSING))
            case "failed":
                reason = result.reason or "refused by Invoice"
                told.failures.append(Failure(record.record_type, record.record_id, read.name, reason))
            case "unchanged":
                pass
            case _:
                why = difference(record, result, held=held) if kind in ("check", "mend") else None
                told.changes.append(_change(read, result, case, why))
    return told


def case_of(record: CrmRecord, result: CrmRecordResult) -> Case | None:
    """Which of the three cases the record is (S22-S24), as far as it tells by itself; None for a deleted one."""
    if record.deleted:
        return None
    if record.record_type == "account":
        return "account"  # until one of its contacts is seen
    if result.stands_alone or record.account_id is None:
        return "contact"
    return "account_with_contacts"


def difference(record: CrmRecord, result: CrmRecordResult, *, held: bool) -> Difference:
    """Why Invoice does not show what the CRM has."""
    if held:
        return "not_in_crm"
    if result.known_version is None:
        return "missing_in_invoice"
    if result.known_version == record.version:
        return "edited_in_invoice"
    return "update_not_arrived" if result.known_version < record.version else "crm_set_back"


def _change(read: Read, result: CrmRecordResult, case: Case | None, why: Difference | None) -> Change:
    return Change(
        record_type=result.record_type,
        record_id=result.record_id,
        name=read.name or result.customer_name or "",
        case=case,
        outcome=result.outcome,
        known_version=result.known_version,
        version=read.record.version,
        customer_name=result.customer_name,
        fields=result.changes,
        difference=why,
    )

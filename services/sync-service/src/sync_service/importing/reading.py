"""The CRM's snapshots read as records to import; one that is broken fails by itself."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from contracts.accounts import AccountSnapshot
from contracts.contacts import ContactSnapshot
from contracts.customers import CrmRecord, CrmRecordKey, CrmRecordType
from pydantic import ValidationError

from sync_service.mapping import CrmSnapshot, Unmappable, name_of, to_crm_record
from sync_service.runs.models import Position
from sync_service.runs.records import Failure

_SNAPSHOTS: dict[CrmRecordType, type[CrmSnapshot]] = {"account": AccountSnapshot, "contact": ContactSnapshot}


@dataclass(frozen=True)
class Read:
    """A record to import, and what people call it."""

    record: CrmRecord
    name: str

    @property
    def key(self) -> CrmRecordKey:
        """Names the record."""
        return key_of(self.record)


@dataclass(frozen=True)
class Portion:
    """A page of a run: what was read, what of it is broken, and where to go on. ``then``: None after the last."""

    reads: Sequence[Read]
    then: Position | None
    broken: Sequence[Failure] = field(default=())

    @property
    def count(self) -> int:
        """How many records were read."""
        return len(self.reads) + len(self.broken)


def key_of(record: CrmRecord) -> CrmRecordKey:
    """What names this record."""
    return CrmRecordKey(record_type=record.record_type, record_id=record.record_id)


def read(record_type: CrmRecordType, item: Any, *, correlation_id: str | None) -> Read | Failure:
    """The record that ``item`` is a snapshot of; or why it cannot be imported."""
    try:
        snapshot = _SNAPSHOTS[record_type].model_validate(item)
        return Read(to_crm_record(snapshot, correlation_id=correlation_id), name_of(snapshot))
    except (Unmappable, ValidationError) as error:
        said = item if isinstance(item, dict) else {}
        name = said.get("account_name") or said.get("last_name") or ""
        return Failure(record_type, str(said.get("id") or ""), name[:255] if isinstance(name, str) else "", _why(error))


def read_all(
    record_type: CrmRecordType, items: Sequence[Any], *, correlation_id: str | None
) -> tuple[list[Read], list[Failure]]:
    """The records that are well, and the failures. One that comes twice counts at its highest version."""
    found = [read(record_type, item, correlation_id=correlation_id) for item in items]
    reads: dict[str, Read] = {}
    for one in found:
        if isinstance(one, Read):
            known = reads.get(one.record.record_id)
            if known is None or one.record.version > known.record.version:
                reads[one.record.record_id] = one
    return list(reads.values()), [one for one in found if isinstance(one, Failure)]


def _why(error: Unmappable | ValidationError) -> str:
    if isinstance(error, Unmappable):
        return str(error)
    fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in fault["loc"]) or "the record"
    return f"not a record as the CRM describes it: {where}: {fault['msg']}"

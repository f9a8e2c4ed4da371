"""What all of the service's tables have in common."""

from datetime import datetime
from typing import Any

from contracts.values import Address
from servicekit.db import UtcDateTime, new_id, utc_now
from sqlalchemy import JSON, Dialect, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator


class AddressJson(TypeDecorator[Address]):
    """A postal address, stored as JSON."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: Address | None, dialect: Dialect) -> dict[str, str] | None:
        return None if value is None else value.model_dump()

    def process_result_value(self, value: dict[str, str] | None, dialect: Dialect) -> Address | None:
        return None if value is None else Address.model_validate(value)


class Base(DeclarativeBase):
    type_annotation_map = {datetime: UtcDateTime, Address: AddressJson}  # noqa: RUF012


class Versioned:
    """A record with an id, and a version that counts its changes from 1 on."""

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)

    def change(self, **values: Any) -> list[str]:
        """Set the attributes that differ from ``values`` and give their names; if there are any, the version rises."""
        changed = [name for name, value in values.items() if getattr(self, name) != value]
        for name in changed:
            setattr(self, name, values[name])
        if changed:
            self.touch()
        return changed

    def touch(self) -> None:
        """Count a change."""
        self.version += 1
        self.updated_at = utc_now()

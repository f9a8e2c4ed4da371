"""The form of ZSC keys in requests and answers."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, StringConstraints
from servicekit.fields import Body, Line

from crm_service.zsc_keys.models import ZscKey


class NewZscKey(Body):
    name: Line = ""


class ZscKeyOut(BaseModel):
    """``email``: its owner's. ``last_used_at``: when it was shown last, to within some minutes; null: never."""

    id: str
    name: str
    prefix: str
    email: str
    created_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None

    @classmethod
    def of(cls, key: ZscKey, email: str) -> "ZscKeyOut":
        """The key as it is told of."""
        return cls(
            id=key.id,
            name=key.name,
            prefix=key.prefix,
            email=email,
            created_at=key.created_at,
            revoked_at=key.revoked_at,
            last_used_at=key.last_used_at,
        )


class ZscKeyCreated(ZscKeyOut):
    key: str


Secret = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000)]


class ZscKeyCheck(Body):
    email: Secret
    zsc_key: Secret


class ZscKeyVerified(BaseModel):
    zsc_key_id: str
    email: str

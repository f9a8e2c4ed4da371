"""Listing ZSC keys."""

from typing import Any

from servicekit.auth import Principal
from servicekit.identity.models import User
from servicekit.pagination import PageRequest, fetch_page
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm_service.zsc_keys.models import ZscKey


async def page(session: AsyncSession, principal: Principal, page: PageRequest) -> tuple[list[Any], str | None]:
    """One page of (key, its owner's e-mail), newest first: one's own, or as an administrator all."""
    statement = select(ZscKey, User.email).join(User, User.id == ZscKey.user_id)
    if principal.role != "admin":
        statement = statement.where(ZscKey.user_id == principal.id)
    return await fetch_page(session, statement, keys=[ZscKey.id], page=page, key_of=lambda row: [row[0].id])

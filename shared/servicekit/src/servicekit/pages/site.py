"""What a product shows: its name, where its navigation leads, its pages."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncSession

from servicekit.auth import Role

if TYPE_CHECKING:
    from servicekit.pages.page import Page

NO_PAGES = ("/v1", "/health", "/static", "/metrics", "/openapi.json", "/docs", "/redoc")
"""First parts of the paths that are no pages: they know neither cookies nor HTML errors."""
SIGN_IN = "/sign-in"
OPEN_PAGES = frozenset({SIGN_IN})
"""What one sees without being signed in."""

Stamp = Callable[[AsyncSession, str], Awaitable[str]]
"""Takes what follows the colon of a topic; gives a text that is another one after each change. One cheap statement."""
Panel = Callable[["Page", AsyncSession, str], Awaitable[str]]
"""Takes the page, a session that reads, and a record's id; gives a part of that record's page."""


@dataclass(frozen=True)
class NavItem:
    """A place in the navigation. ``role``: the least one must be to see it; ``also``: other paths that are of it."""

    title: str
    path: str
    role: Role = "viewer"
    also: Sequence[str] = ()

    def has(self, path: str) -> bool:
        """Whether the page at ``path`` is of this place."""
        return any(path == own or path.startswith(own + "/") for own in (self.path, *self.also))


@dataclass(frozen=True)
class Site:
    """A product's pages.

    ``home``: where one begins. ``setup``: the pages of the set-up, which are tabs of each other. ``search``: the page
    that the search box at the top asks, as ``?q=``. ``place``: gives what stands beside the product's name, such as the
    organization that its pages are about; empty for nothing. ``topics``: what regions of pages can follow
    (``accounts`` or ``account:<id>``, by its first part). ``numbers``: the last parts of the names of fields that are
    decimal numbers; everyone types and sees these as their locale writes them. ``panels``: kind of record → what other
    features show on its page, in order.
    """

    product: str
    home: str
    navigation: Sequence[NavItem]
    routers: Sequence[APIRouter]
    setup: Sequence[NavItem] = ()
    search: str | None = None
    numbers: frozenset[str] = frozenset()
    place: Callable[["Page"], str] = lambda _: ""
    topics: Mapping[str, Stamp] = field(default_factory=dict)
    panels: Mapping[str, Sequence[Panel]] = field(default_factory=dict)


def is_page(path: str) -> bool:
    """Whether this path is one of a page."""
    return not any(path == first or path.startswith(first + "/") for first in NO_PAGES)

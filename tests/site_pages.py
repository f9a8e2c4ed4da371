"""Every page of a product, and where each is found for some records: those who count and measure leave none out."""

import re
from collections.abc import Iterator, Mapping

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from servicekit.pages.site import is_page

NO_PAGES_OF_THEIR_OWN = {"/", "/live"}
"""The one leads to another page; the other goes on for as long as someone reads."""

NARROWED = {
    "/accounts": "?q={word}",
    "/contacts": "?q={word}",
    "/potentials": "?q={word}",
    "/accounts/choices": "?q={word}",
    "/contacts/choices": "?q={word}",
    "/customers": "?q={word}",
    "/items": "?q={word}",
    "/estimates": "?q={word}",
    "/invoices": "?q={word}",
    "/payments": "?customer_id={customers}",
    "/estimates/new": "?customer_id={customers}",
    "/invoices/new": "?customer_id={customers}",
    "/customers/{customer_id}/merge": "?into={duplicates}",
}
"""Pages that show something else with a query."""


def pages_of(app: FastAPI) -> list[str]:
    """The paths of the pages that one can ask ``app`` for, as its routers have them."""
    paths = [one.path for one in iter_route_contexts(app.routes) if one.path and "GET" in (one.methods or ())]
    return [path for path in dict.fromkeys(paths) if is_page(path) and path not in NO_PAGES_OF_THEIR_OWN]


def addresses(path: str, records: Mapping[str, str]) -> Iterator[str]:
    """Where the page at ``path`` is found for these ``records``: what stands before an id in it → the id.

    Raises `KeyError` for a page of a kind of records that are not among them.
    """
    if "{kinds}" in path:
        for kind in ("estimates", "invoices"):
            yield from addresses(path.replace("{kinds}", kind), records)
        return
    filled = re.sub(r"(\w+)/\{\w+\}", lambda found: f"{found[1]}/{records[found[1]]}", path)
    yield filled
    if path in NARROWED:
        yield filled + NARROWED[path].format(**records)

"""Routes of several routers together, made once for all apps of a process: reading their signatures takes long."""

from collections.abc import Sequence

from fastapi import APIRouter
from fastapi.params import Depends
from starlette.routing import BaseRoute

_made: dict[tuple[int, ...], tuple[Sequence[object], list[BaseRoute]]] = {}


def routes_of(
    routers: Sequence[APIRouter], dependencies: Sequence[Depends] = (), *, in_schema: bool = True
) -> list[BaseRoute]:
    """The routes of ``routers``, each of them with ``dependencies``; ``in_schema``: whether the API document has them.

    The routers should be those of modules: whatever is asked for here is kept.
    """
    key = (*map(id, (*routers, *dependencies)), in_schema)  # they cannot be hashed; kept below, they keep their ids
    if key not in _made:
        together = APIRouter()
        for router in routers:
            together.include_router(router, dependencies=dependencies, include_in_schema=in_schema)
        _made[key] = ((*routers, *dependencies), together.routes)
    return _made[key][1]

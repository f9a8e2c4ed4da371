"""A CRM that makes its accounts up, and an Invoice that only counts them, in one process: ``others.py PORT RECORDS``.

They answer as fast as Python can, and keep nothing: what grows in an import over them is sync's own.
"""

import sys
from collections.abc import Callable, Coroutine
from typing import Any

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

ORGANIZATION = {"id": "org-1", "name": "Bench", "is_default": True}
BERLIN = {"street": "Obere Str. 57", "city": "Berlin", "zip": "12209", "country": "Germany"}


def json(value: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, media_type="application/json")


def create(records: int) -> Starlette:
    async def verify(_: Request) -> Response:
        return json({"zsc_key_id": "key-1", "email": "ada@crm.test"})

    async def counts(_: Request) -> Response:
        return json({"accounts": records, "contacts": 0})

    async def accounts(request: Request) -> Response:
        start = int(request.query_params.get("cursor") or 0)
        end = min(start + int(request.query_params["limit"]), records)
        items = [
            {"id": f"a{number:08}", "version": 1, "deleted": False, "account_name": f"Company {number}"}
            | {"phone": "030-1", "fax": "", "billing_address": BERLIN, "shipping_address": BERLIN}
            for number in range(start, end)
        ]
        return json({"items": items, "next_cursor": str(end) if end < records else None})

    async def contacts(_: Request) -> Response:
        return json({"items": [], "next_cursor": None})

    async def organizations(_: Request) -> Response:
        return json({"items": [ORGANIZATION], "next_cursor": None})

    async def apply(request: Request) -> Response:
        sent = orjson.loads(await request.body())["records"]
        named = ("record_type", "record_id")
        return json({"results": [{name: one[name] for name in named} | {"outcome": "created"} for one in sent]})

    routes: list[tuple[str, str, Callable[[Request], Coroutine[Any, Any, Response]]]] = [
        ("POST", "/v1/zsc-keys/verify", verify),
        ("GET", "/v1/export/counts", counts),
        ("GET", "/v1/export/accounts", accounts),
        ("GET", "/v1/export/contacts", contacts),
        ("GET", "/v1/organizations", organizations),
        ("PUT", "/v1/crm/customers", apply),
    ]
    return Starlette(routes=[Route(path, answer, methods=[method]) for method, path, answer in routes])


if __name__ == "__main__":
    uvicorn.run(create(int(sys.argv[2])), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")

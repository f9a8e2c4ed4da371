"""Requests nobody thought of, made from a service's own OpenAPI document, and whether the answers keep to it.

No operation is named here: what a service gains is tried from then on. So that requests come further than "there is no
such customer", most of the ids in them are those of records that are there.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from random import Random
from typing import Any
from urllib.parse import urlsplit

import httpx
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import SearchStrategy, randoms
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
NARROWING = {"x-organization-id", "if-match", "if-none-match", "idempotency-key"}
"""Headers with which nearly every made-up request would be refused before anything else is looked at."""

Json = dict[str, Any]
Ids = dict[str, list[str]]


def operations_of(document: Json) -> list[Any]:
    """Everything that can be asked of the service."""
    schema = schemathesis.openapi.from_dict(document)
    schema.config.generation.with_security_parameters = False  # who asks is the client's business
    return [result.ok() for result in schema.get_all_operations()]


def list_paths(document: Json) -> dict[str, str]:
    """What one of its records is called ("customer") → the path of a list, for all lists that need no id."""
    paths = [path for path, operations in document["paths"].items() if "get" in operations and path.count("/") == 2]
    return {_singular(path.rpartition("/")[2]): path for path in paths if path.startswith("/v1/")}


def _singular(noun: str) -> str:
    return f"{noun.removesuffix('ies')}y" if noun.endswith("ies") else noun.removesuffix("s")


class Fuzzer:
    """Asks ``client``'s service; to be used from a thread beside the event loop that the service runs in.

    ``examples``: how many requests as the document wants them are made of an operation; half as many that break it.
    """

    def __init__(self, client: httpx.AsyncClient, loop: asyncio.AbstractEventLoop, *, examples: int) -> None:
        self._client = client
        self._loop = loop
        self._examples = examples
        self.statuses: Counter[int] = Counter()

    def try_out(self, operation: Any, ids: Ids) -> list[str]:
        """What is wrong with the answers: for each kind of fault the first request that brought it to light."""
        faults: dict[str, str] = {}
        self._ask(operation.as_strategy(generation_mode=GenerationMode.POSITIVE), self._examples, ids, faults)
        if operation.body or list(operation.iter_parameters()):
            cases = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)
            with suppress(Unsatisfiable):  # where any text will do, nothing breaks the document
                self._ask(cases, max(1, self._examples // 2), ids, faults)
        return list(faults.values())

    def _ask(self, cases: SearchStrategy[Case], examples: int, ids: Ids, faults: dict[str, str]) -> None:
        # What a request does depends on those before it, so that nothing can be made smaller by asking again.
        @settings(
            max_examples=examples,
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],
        )
        @given(case=cases, luck=randoms())
        def ask(case: Case, luck: Random) -> None:
            make_likely(case, ids, luck)
            answer = self.send(case)
            self.statuses[answer.status_code] += 1
            try:
                case.validate_response(answer, checks=CHECKS)
            except FailureGroup as group:
                for fault in group.exceptions:
                    faults.setdefault(fault.title, _told(case, answer, fault))

        ask()

    def send(self, case: Case) -> httpx.Response:
        """What the service answers."""
        made = requests.Request(**case.as_transport_kwargs(base_url=str(self._client.base_url))).prepare()
        parts = urlsplit(str(made.url))
        request = self._client.build_request(
            str(made.method),
            parts._replace(scheme="", netloc="").geturl(),
            content=made.body,
            headers={name: value for name, value in made.headers.items() if name.lower() != "content-length"},
        )
        return asyncio.run_coroutine_threadsafe(self._client.send(request), self._loop).result(60)


def make_likely(case: Case, ids: Ids, luck: Random) -> None:
    """Put ids of records into the request, and leave out what would have it refused early; now and then do neither."""
    if luck.random() < 0.1:
        return
    for name in [name for name in case.headers or {} if name.lower() in NARROWING]:
        del case.headers[name]
    collection = ""
    for segment in case.path.split("/"):
        name = segment.strip("{}")
        if segment.startswith("{") and (known := ids.get(_singular(collection))) and name in case.path_parameters:
            case.path_parameters[name] = luck.choice(known)
        collection = segment
    for container in (case.query, *_objects(case.body)):
        for name in container:
            noun = {"into": "customer"}.get(name, name.removesuffix("_id"))
            if (known := ids.get(noun)) and (name != noun or name == "into"):
                container[name] = luck.choice(known)


def _objects(body: Any) -> Iterator[Json]:
    if isinstance(body, dict):
        yield body
        for value in body.values():
            yield from _objects(value)
    elif isinstance(body, list):
        for value in body:
            yield from _objects(value)


def _told(case: Case, answer: httpx.Response, fault: Failure) -> str:
    request = answer.request
    return (
        f"{fault.title}: {fault.message}\n"
        f"{request.method} {request.url.raw_path.decode()} {request.content[:1500].decode(errors='replace')}\n"
        f"→ {answer.status_code} {answer.text[:1500]}"
    )

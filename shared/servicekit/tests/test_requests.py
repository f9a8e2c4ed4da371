"""What every route of every service can rely on: commit before the answer, errors, pages, versions, repeated POSTs."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

import httpx
import pytest
from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field
from servicekit import idempotency, search
from servicekit.auth import Admin, AuthMiddleware, Member, Tokens
from servicekit.db import Database
from servicekit.errors import UnexpectedErrorMiddleware, install
from servicekit.etags import IfMatch, check_version, set_etag
from servicekit.fields import Body, Name
from servicekit.idempotency import Idempotent
from servicekit.limits import BodyLimitMiddleware
from servicekit.pagination import Page, PageQuery, decode_cursor, encode_cursor, fetch_page
from servicekit.sessions import ReadSession, WriteSession
from servicekit.telemetry import Metrics, TelemetryMiddleware, traceparent
from sqlalchemy import Column, ForeignKey, Integer, MetaData, String, Table, insert, select, update

metadata = MetaData()
owners = Table("owners", metadata, Column("id", Integer, primary_key=True))
things = Table(
    "things",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(255), nullable=False),
    Column("version", Integer, nullable=False),
    # Checked only at commit: a write that looks good until then.
    Column("owner_id", ForeignKey("owners.id", deferrable=True, initially="DEFERRED")),
)

SECRET = "s" * 32


class ThingBody(Body):
    name: Name
    count: Annotated[int, Field(ge=0)] = 0


def build(database: Database) -> FastAPI:
    app = FastAPI()
    app.state.service = SimpleNamespace(database=database)
    install(app)
    app.state.made = 0

    @app.post("/v1/things", status_code=201)
    async def create(body: ThingBody, session: WriteSession, once: Idempotent) -> Response:
        async def make() -> Response:
            app.state.made += 1
            result = await session.execute(insert(things).values(name=body.name, version=1).returning(things.c.id))
            thing_id = result.scalar_one()
            await asyncio.sleep(0.02)
            return JSONResponse({"id": thing_id}, 201, headers={"Location": f"/v1/things/{thing_id}", "ETag": '"1"'})

        return await once.once(session, make)

    @app.post("/v1/orphans", status_code=201)
    async def create_orphan(session: WriteSession) -> dict[str, str]:
        await session.execute(insert(things).values(name="orphan", version=1, owner_id=404))
        return {"status": "made"}

    @app.get("/v1/things")
    async def index(session: ReadSession, page: PageQuery) -> Page[dict[str, Any]]:
        rows, cursor = await fetch_page(
            session, select(things.c.id, things.c.name), keys=[things.c.id], page=page, key_of=lambda row: [row.id]
        )
        return Page(items=[{"id": row.id, "name": row.name} for row in rows], next_cursor=cursor)

    @app.patch("/v1/things/{thing_id}")
    async def edit(
        thing_id: int, body: ThingBody, session: WriteSession, expected: IfMatch, response: Response
    ) -> dict[str, Any]:
        found = (await session.execute(select(things).where(things.c.id == thing_id).with_for_update())).one()
        check_version(expected, found.version)
        await session.execute(
            update(things).where(things.c.id == thing_id).values(name=body.name, version=found.version + 1)
        )
        set_etag(response, found.version + 1)
        return {"name": body.name}

    @app.get("/v1/crash")
    async def crash() -> None:
        raise RuntimeError("the secret of the house")

    @app.get("/v1/trace")
    async def trace() -> dict[str, str | None]:
        return {"traceparent": traceparent.get()}

    @app.get("/v1/members")
    async def members(principal: Member) -> dict[str, str]:
        return {"name": principal.name}

    @app.get("/v1/admins")
    async def admins(principal: Admin) -> dict[str, str]:
        return {"name": principal.name}

    tokens = Tokens(SECRET, "crm")

    async def authenticate(token: str) -> Any:
        return tokens.verify(token)

    app.add_middleware(UnexpectedErrorMiddleware)
    app.add_middleware(BodyLimitMiddleware)
    app.add_middleware(AuthMiddleware, authenticate=authenticate, metrics_token=None)
    app.add_middleware(TelemetryMiddleware, service="crm", metrics=Metrics())
    return app


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    made = Database(f"sqlite:///{tmp_path / 'things.sqlite3'}")
    async with made.engine.begin() as connection:
        for tables in (metadata, idempotency.metadata, search.metadata):
            await connection.run_sync(tables.create_all)
    yield made
    await made.close()


@pytest.fixture
async def app(database: Database) -> FastAPI:
    return build(database)


def bearer(role: Any = "member", service: str = "crm", secret: str = SECRET) -> dict[str, str]:
    token = Tokens(secret, service).for_person(user_id="1", email="a@b.test", role=role)
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://crm.test", headers=bearer()) as made:
        yield made


async def count(database: Database) -> int:
    async with database.reading() as session:
        return len((await session.execute(select(things.c.id))).all())


class TestSessions:
    async def test_a_commit_that_fails_never_answers_success(
        self, client: httpx.AsyncClient, database: Database
    ) -> None:
        answer = await client.post("/v1/orphans")
        assert answer.status_code == 500
        assert await count(database) == 0

    async def test_two_read_modify_writes_at_once_lose_no_update(self, database: Database) -> None:
        async with database.transaction() as session:
            await session.execute(insert(things).values(id=1, name="counter", version=0))

        async def count_up() -> None:
            async with database.transaction() as session:
                version = (await session.execute(select(things.c.version).where(things.c.id == 1))).scalar_one()
                await asyncio.sleep(0)
                await session.execute(update(things).where(things.c.id == 1).values(version=version + 1))

        await asyncio.gather(*(count_up() for _ in range(50)))
        async with database.reading() as session:
            assert (await session.execute(select(things.c.version))).scalar_one() == 50

    async def test_reading_does_not_wait_for_a_writer(self, database: Database) -> None:
        async with database.transaction() as session:
            await session.execute(insert(things).values(name="not yet", version=1))
            async with asyncio.timeout(2):
                assert await count(database) == 0


class TestErrors:
    async def test_a_fault_of_ours_tells_nothing_of_the_inside(self, client: httpx.AsyncClient) -> None:
        answer = await client.get("/v1/crash", headers={"X-Correlation-Id": "my-request"})
        assert answer.status_code == 500
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == "internal_error"
        assert answer.json()["correlation_id"] == "my-request" == answer.headers["x-correlation-id"]
        assert "secret of the house" not in answer.text

    async def test_every_wrong_field_is_named(self, client: httpx.AsyncClient) -> None:
        answer = await client.post("/v1/things", json={"name": " ", "count": -1, "colour": "red"})
        assert answer.status_code == 422
        assert {error["field"] for error in answer.json()["errors"]} == {"name", "count", "colour"}

    @pytest.mark.parametrize("name", ["a\x00b", "two\nlines", "x" * 256, "\ud800"])
    async def test_text_that_no_database_or_document_can_hold_is_refused(
        self, client: httpx.AsyncClient, database: Database, name: str
    ) -> None:
        import json

        body = json.dumps({"name": name})
        answer = await client.post("/v1/things", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code in (400, 422)
        assert await count(database) == 0

    async def test_malformed_json_is_said_to_be_that(self, client: httpx.AsyncClient) -> None:
        answer = await client.post("/v1/things", content=b"{oops", headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed_json")

    async def test_an_unknown_path_and_method_are_problems_too(self, client: httpx.AsyncClient) -> None:
        for answer in (await client.get("/v1/nothing"), await client.put("/v1/things")):
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["status"] == answer.status_code in (404, 405)

    async def test_a_body_past_the_limit_is_refused_declared_or_not(self, client: httpx.AsyncClient) -> None:
        async def drip() -> AsyncIterator[bytes]:
            for _ in range(5):
                yield b"x" * 1024 * 1024

        headers = {"Content-Type": "application/json"}
        declared = await client.post("/v1/things", content=b"x" * 5 * 1024 * 1024, headers=headers)
        dripped = await client.post("/v1/things", content=drip(), headers=headers)
        assert declared.status_code == dripped.status_code == 413
        assert declared.json()["code"] == "too_large"


class TestSigningIn:
    @pytest.mark.parametrize(
        "headers",
        [
            {"Authorization": ""},
            {"Authorization": "Basic YTpi"},
            {"Authorization": "Bearer nonsense"},
            bearer(service="invoice"),
            bearer(secret="t" * 32),
        ],
        ids=["nothing", "basic", "nonsense", "another service's", "another secret"],
    )
    async def test_without_a_good_token_nothing_is_answered(
        self, client: httpx.AsyncClient, headers: dict[str, str]
    ) -> None:
        for path in ("/v1/things", "/v1/nothing", "/metrics"):
            answer = await client.get(path, headers=headers)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == "Bearer"

    async def test_a_role_that_does_not_suffice_is_refused(self, client: httpx.AsyncClient) -> None:
        assert (await client.get("/v1/members", headers=bearer("viewer"))).status_code == 403
        assert (await client.get("/v1/admins", headers=bearer("member"))).status_code == 403
        assert (await client.get("/v1/admins", headers=bearer("admin"))).status_code == 200

    async def test_what_a_caller_says_of_tracing_goes_on_only_if_it_is_well_formed(
        self, client: httpx.AsyncClient
    ) -> None:
        good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        for sent, taken in ((good.encode(), good), (b"\xe9", None), (b"x" * 5000, None)):
            seen = await client.get("/v1/trace", headers=[(b"traceparent", sent), (b"X-Correlation-Id", b"a b\xe9")])
            assert seen.json()["traceparent"] == taken
            assert seen.headers["x-correlation-id"].isascii()

    async def test_a_nul_in_the_address_is_refused(self, client: httpx.AsyncClient) -> None:
        for path in ("/v1/things?q=%00", "/v1/things/%00"):
            assert (await client.get(path)).status_code == 400


class TestRepeatedPosts:
    async def test_one_key_makes_one_thing_even_at_once(
        self, client: httpx.AsyncClient, database: Database, app: FastAPI
    ) -> None:
        headers = {"Idempotency-Key": "k1"}
        answers = await asyncio.gather(
            *(client.post("/v1/things", json={"name": "one"}, headers=headers) for _ in range(5))
        )
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.text for answer in answers}) == 1
        assert len({answer.headers["location"] for answer in answers}) == 1
        assert app.state.made == await count(database) == 1

    async def test_a_key_used_for_something_else_is_refused(
        self, client: httpx.AsyncClient, database: Database
    ) -> None:
        headers = {"Idempotency-Key": "k2"}
        await client.post("/v1/things", json={"name": "one"}, headers=headers)
        answer = await client.post("/v1/things", json={"name": "two"}, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_reused")
        assert await count(database) == 1

    async def test_a_refused_request_may_be_mended_and_sent_under_its_key(self, client: httpx.AsyncClient) -> None:
        headers = {"Idempotency-Key": "k3"}
        assert (await client.post("/v1/things", json={"name": ""}, headers=headers)).status_code == 422
        assert (await client.post("/v1/things", json={"name": "good"}, headers=headers)).status_code == 201


class TestVersions:
    async def test_of_two_edits_with_one_etag_the_second_is_told(self, client: httpx.AsyncClient) -> None:
        made = await client.post("/v1/things", json={"name": "one"})
        path, seen = made.headers["location"], {"If-Match": made.headers["etag"]}
        first = await client.patch(path, json={"name": "two"}, headers=seen)
        second = await client.patch(path, json={"name": "three"}, headers=seen)
        assert (first.status_code, first.headers["etag"]) == (200, '"2"')
        assert (second.status_code, second.json()["code"]) == (412, "version_conflict")
        assert second.json()["current_version"] == 2
        assert (await client.patch(path, json={"name": "x"}, headers={"If-Match": "soon"})).status_code == 400
        assert (await client.patch(path, json={"name": "x"}, headers={"If-Match": "*"})).status_code == 200


class TestPages:
    async def test_pages_together_are_the_list(self, client: httpx.AsyncClient, database: Database) -> None:
        async with database.transaction() as session:
            await session.execute(insert(things), [{"name": f"n{number}", "version": 1} for number in range(25)])
        seen: list[int] = []
        cursor: str | None = ""
        while cursor is not None:
            params = {"limit": "10"} | ({"cursor": cursor} if cursor else {})
            page = (await client.get("/v1/things", params=params)).json()
            seen += [item["id"] for item in page["items"]]
            cursor = page["next_cursor"]
        assert seen == list(range(25, 0, -1))

    @pytest.mark.parametrize("cursor", ["x", "W10", "%%%", encode_cursor(["a"]), encode_cursor([1, 2]), "bnVsbA", "ü"])
    async def test_a_cursor_made_up_by_hand_is_refused(self, client: httpx.AsyncClient, cursor: str) -> None:
        answer = await client.get("/v1/things", params={"cursor": cursor})
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_cursor")

    @pytest.mark.parametrize("limit", ["0", "-1", "201", "many"])
    async def test_no_list_is_without_bounds(self, client: httpx.AsyncClient, limit: str) -> None:
        assert (await client.get("/v1/things", params={"limit": limit})).status_code == 422

    @given(
        st.lists(
            st.one_of(
                st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])),
                st.integers(-(2**63), 2**63 - 1),
            ),
            min_size=1,
            max_size=3,
        )
    )
    def test_a_cursor_gives_its_keys_back(self, keys: list[str | int]) -> None:
        assert decode_cursor(encode_cursor(keys)) == tuple(keys)


class TestSearch:
    async def found(self, database: Database, query: str) -> list[str]:
        async with database.reading() as session:
            statement = select(things.c.name).where(search.matches("thing", things.c.name, query)).order_by(things.c.id)
            return list((await session.execute(statement)).scalars())

    async def test_beginnings_of_words_find_whatever_case_and_accents(self, database: Database) -> None:
        names = ["Alfreds Futterkiste", "Ana Trujillo Emparedados y helados", "Königlich Essen", "Ελληνικά Τρόφιμα"]
        async with database.transaction() as session:
            await session.execute(insert(things), [{"name": name, "version": 1} for name in names])
            await search.index(session, "thing", {name: [name] for name in names}, new=True)
        assert await self.found(database, "alf fut") == [names[0]]
        assert await self.found(database, "KONIG") == [names[2]]
        assert await self.found(database, "ελλ τρο") == [names[3]]
        assert await self.found(database, "a") == [names[0], names[1]]
        assert await self.found(database, "a z") == []
        async with database.transaction() as session:
            await search.index(session, "thing", {names[0]: ["Renamed"], names[1]: []})
        assert await self.found(database, "alf") == []
        assert await self.found(database, "ren") == [names[0]]
        assert await self.found(database, "ana") == []

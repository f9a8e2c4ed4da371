"""In the embedded mode e-mails become files in the data directory."""

import asyncio
from pathlib import Path

import httpx
from embedded.runner import running
from embedded.settings import EmbeddedSettings
from pydantic import SecretStr

from tests.mail_server import parsed

PASSWORD = "a password of this test"


async def test_a_sent_estimate_is_a_message_file_beside_the_databases(tmp_path: Path) -> None:
    settings = EmbeddedSettings(
        _env_file=None,  # type: ignore[call-arg]
        data_dir=tmp_path / "data",
        base_port=0,
        admin_email="admin@northwind.example",
        admin_password=SecretStr(PASSWORD),
    )
    async with running(settings) as services, httpx.AsyncClient(base_url=services.urls["invoice"]) as client:
        signed_in = await client.post("/v1/tokens", json={"email": settings.admin_email, "password": PASSWORD})
        client.headers["Authorization"] = f"Bearer {signed_in.json()['access_token']}"
        customer = (await client.post("/v1/customers", json={"customer_name": "Alfreds Futterkiste"})).json()
        draft = {"customer_id": customer["id"], "line_items": [{"name": "Consulting", "rate": "19.90"}]}
        estimate = (await client.post("/v1/estimates", json=draft)).json()

        sent = await client.post(f"/v1/estimates/{estimate['id']}/send", json={"to": ["maria@alfreds.example"]})

        assert sent.status_code == 202, sent.text
        async with asyncio.timeout(20):
            while (await client.get(sent.headers["location"])).json()["status"] != "sent":
                await asyncio.sleep(0.02)
    (file,) = (tmp_path / "data" / "mail").iterdir()
    assert parsed(file.read_bytes())["To"] == "maria@alfreds.example"

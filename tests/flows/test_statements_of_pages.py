"""No page of the two products asks the database more often because there is more to show, whichever page it is."""

import base64
import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.servers import SERVICES
from tests.site_pages import addresses, pages_of
from tests.stack import user_with
from tests.statements import counted

FORM = pytest.mark.parametrize("stack", ["embedded"], indirect=True)
"""What is only about the form of pages is the same on both set-ups."""

MOST = 18
MOST_OF = {"/customers/{customer_id}/merge": 40}
"""A merge is carried out to be shown, and taken back."""

LINE = {"name": "Chai", "quantity": "2", "rate": "18", "tax_percentage": "19"}


class Books:
    """Records of every kind, most of them about one account, its contact and their potential, and who they are in
    Invoice."""

    def __init__(self, company: Any) -> None:
        self.company = company
        self.stack, self.crm, self.invoice = company.stack, company.crm, company.invoice
        self.ids: dict[str, str] = {"word": "chai"}
        self.paid = ""
        self.documents = self.grown = 0

    async def begin(self) -> None:
        company = self.company
        await company.activate_workflow()
        account = await company.account("Chai House")
        contact = await company.contact("Chai", account_id=account["id"], email="maria@alfreds.example")
        potential = await company.potential("Chai", account_id=account["id"], contact_id=contact["id"])
        await company.connect()
        customer = await self.get(f"customers/{(await company.customer_of(account))['id']}")
        self.ids |= {"accounts": account["id"], "contacts": contact["id"], "potentials": potential["id"]}
        self.ids |= {"customers": customer["id"], "persons": customer["contact_persons"][0]["id"]}
        self.ids["items"] = (await self.make("items", name="Chai", rate="18"))["id"]
        self.ids["estimates"] = (await self.make("estimates", customer_id=customer["id"], line_items=[LINE]))["id"]
        self.ids["invoices"], self.paid = await self.sent_invoice(), await self.sent_invoice()
        [organization] = (await self.get("organizations"))["items"]
        picture = io.BytesIO()
        Image.new("RGB", (40, 20), "navy").save(picture, "PNG")
        logo = f"data:image/png;base64,{base64.b64encode(picture.getvalue()).decode()}"
        await self.change(f"organizations/{organization['id']}", logo=logo)

    async def grow(self, more: int) -> None:
        """So much more of every kind."""
        for _ in range(more):
            self.grown += 1
            await self._one_more(str(self.grown))
        for kind in ("estimates", "invoices"):
            await self.change(f"{kind}/{self.ids[kind]}", line_items=[LINE] * 10 * more)
        check = (await self.company.sync.post("/v1/checks", json={})).raise_for_status().json()
        self.ids["imports"] = check["id"]

        async def all_come() -> bool:
            potential = f"/v1/potentials/{self.ids['potentials']}"
            documents = (await self.crm.get(f"{potential}/documents")).raise_for_status().json()
            runs = (await self.crm.get(f"{potential}/workflow-runs")).raise_for_status().json()["items"]
            run = (await self.company.sync.get(f"/v1/imports/{check['id']}")).raise_for_status().json()
            come = len(documents["estimates"]) + len(documents["invoices"]) >= self.documents
            return come and run["status"] == "completed" and all(run["outcome"] != "waiting" for run in runs)

        await self.stack.eventually(all_come)

    async def _one_more(self, name: str) -> None:
        company, main = self.company, self.ids
        account = await company.account(f"Chai {name}")
        await company.contact(f"Chai {name}", account_id=main["accounts"])
        await company.potential(f"Chai {name}", account_id=main["accounts"], contact_id=main["contacts"])
        await company.make("zsc-keys")
        for stage in ("Closed Won", "Closed Lost"):
            await company.change(f"potentials/{main['potentials']}", stage=stage)
        imported = await company.customer_of(account)
        await self.change(f"customers/{imported['id']}", phone="changed by hand")
        await self.make("items", name=f"Chai {name}", rate="18")
        await self.make("organizations", name=f"Chai {name}", currency_code="EUR")
        twins = [await self.make("customers", customer_name=f"Chai twin {name}") for _ in range(3)]
        main["duplicates"] = twins[0]["id"]
        await self.make(f"customers/{twins[1]['id']}/merge", status=200, into=main["customers"])
        await self.document("estimates")
        await self.sent_invoice()
        await self.make(f"invoices/{self.paid}/payments", amount="1")
        for kind in ("estimates", "invoices"):
            await self.make(f"{kind}/{main[kind]}/send", status=202, to=["maria@alfreds.example"])
        for product, client in (("crm", self.crm), ("invoice", self.invoice)):
            await client.post("/v1/api-tokens", json={"name": name})
            async with self.stack.database(product).transaction() as session:
                await user_with(session, f"{name}@{product}.test", "member")

    async def make(self, path: str, *, status: int = 201, **fields: Any) -> Any:
        """A new record of Invoice's."""
        answer = await self.invoice.post(f"/v1/{path}", json=fields)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def change(self, path: str, **fields: Any) -> None:
        answer = await self.invoice.patch(f"/v1/{path}", json=fields)
        assert answer.status_code == 200, answer.text

    async def get(self, path: str) -> Any:
        return (await self.invoice.get(f"/v1/{path}")).raise_for_status().json()

    async def document(self, kind: str) -> str:
        """A new one of the account, the contact and the potential."""
        whose = {"crm_account_id": self.ids["accounts"], "crm_contact_id": self.ids["contacts"]}
        made = await self.make(kind, **whose, crm_potential_id=self.ids["potentials"], line_items=[LINE])
        self.documents += 1
        return str(made["id"])

    async def sent_invoice(self) -> str:
        id_ = await self.document("invoices")
        await self.make(f"invoices/{id_}/status/sent", status=200)
        return id_

    async def statements(self) -> dict[tuple[str, str, int], int]:
        """Product, page, which of its addresses → how many statements it takes, of all services together."""
        databases = [self.stack.database(service) for service in SERVICES]
        found = {}
        for product in ("crm", "invoice"):
            admin, nobody = await self.stack.visitor(product), self.stack.anonymous(product)
            users = (await (await self.stack.person(product)).get("/v1/users")).json()["items"]
            records = self.ids | {"users": users[0]["id"]}
            for path in pages_of(self.stack.apps[product]):
                asked = [*addresses(path, records), *addresses(path, records | {"invoices": self.paid})]
                for number, address in enumerate(dict.fromkeys(asked)):
                    with counted(*databases) as statements:
                        answer = await (nobody if path == "/sign-in" else admin.client).get(address)
                    assert answer.status_code == 200, f"{address}: {answer.text}"
                    found[product, path, number] = len(statements)
        return found


@FORM
async def test_no_page_takes_more_statements_with_many_records_than_with_few(company: Any, tmp_path: Path) -> None:
    await company.stack.stop("invoice")
    await company.stack.start("invoice", mail_dir=tmp_path)
    books = Books(company)
    await books.begin()
    await books.grow(1)
    few = await books.statements()
    await books.grow(3)
    many = await books.statements()
    assert {page: (few[page], count) for page, count in many.items() if count != few[page]} == {}
    assert {page: count for page, count in many.items() if count > MOST_OF.get(page[1], MOST)} == {}

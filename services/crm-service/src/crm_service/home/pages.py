"""The first page."""

from collections.abc import Sequence
from decimal import Decimal

from fastapi import APIRouter
from servicekit.auth import Viewer
from servicekit.pages import CurrentPage
from servicekit.sessions import ReadSession
from starlette.responses import Response

from crm_service import records
from crm_service.accounts.models import Account
from crm_service.contacts.models import Contact
from crm_service.potentials import queries as potentials
from crm_service.potentials.models import Potential
from crm_service.stages import queries as stages

RECENT = 10

router = APIRouter()


@router.get("/home")
async def show_home(page: CurrentPage, session: ReadSession, _: Viewer) -> Response:
    stamps = await page.follow(session, "accounts", "contacts", "potentials")
    pipeline = await stages.pipeline(session)
    sums = await potentials.sums(session, Potential.status == "open")
    recent = [
        *((each, "Account", each.account_name) for each in await records.changed_last(session, Account, RECENT)),
        *((each, "Contact", each.full_name) for each in await records.changed_last(session, Contact, RECENT)),
        *((each, "Potential", each.potential_name) for each in await records.changed_last(session, Potential, RECENT)),
    ]
    return page.render(
        "home/home.html",
        stages=[
            (stage, [each for each in sums if each.stage_id == stage.id])
            for stage in pipeline.stages
            if stage.status == "open"
        ],
        count=sum(each.count for each in sums),
        totals=_totals(sums),
        recent=sorted(recent, key=lambda each: each[0].updated_at, reverse=True)[:RECENT],
        stamps=stamps,
    )


def _totals(sums: Sequence[potentials.Sum]) -> dict[str, Decimal]:
    """By currency, the amounts of all stages together."""
    totals: dict[str, Decimal] = {}
    for each in sums:
        if each.amount is not None:
            totals[each.currency_code] = totals.get(each.currency_code, Decimal(0)) + each.amount
    return dict(sorted(totals.items()))

"""Refusals and faults as calm pages: what happened, what to do, never a stack trace."""

from datetime import datetime

from starlette.responses import Response

from servicekit.errors import Problem
from servicekit.pages.csrf import FromElsewhere
from servicekit.pages.page import Page

TITLES = {
    401: "Please sign in again",
    403: "You may not do this",
    404: "There is nothing here",
    405: "There is nothing here",
    409: "Not possible right now",
    412: "Changed by someone else meanwhile",
    413: "That is too large",
    422: "Something is not right",
    429: "Please wait a moment",
    500: "Something went wrong on our side",
    503: "Not available right now",
}
_NO_PAGE = "The address may be mistyped, or what was here is gone."


def problem_page(page: Page, problem: Problem) -> Response:
    """The page that tells of ``problem``; where a part of a page asked, a notice that leaves the page as it is."""
    title = TITLES.get(problem.status, "That did not work")
    if isinstance(problem, FromElsewhere):
        title = "Please load the page again"
    detail = _NO_PAGE if problem.code in {"not_found", "method_not_allowed"} else problem.detail
    if problem.status == 500:
        detail = "It was not your doing, and we know of it. Try again in a moment."
    if (deleted_at := problem.extra.get("deleted_at")) is not None:
        day = page.formats.day(datetime.fromisoformat(deleted_at).date())
        title, detail = "This was deleted", f"It was deleted on {day}."
    detail = detail[:1].upper() + detail[1:] + ("" if detail.endswith((".", "!", "?")) else ".")
    template = "problem_notice.html" if page.by_htmx else "problem.html"
    response = page.render(template, status=problem.status, title=title, detail=detail, problem=problem)
    response.headers.update(problem.headers)
    if page.by_htmx:
        # "global": found even if what has asked was exchanged meanwhile.
        response.headers.update({"HX-Retarget": "global #toasts", "HX-Reswap": "beforeend", "HX-Reselect": ".toast"})
    return response

"""What a page's route works with: who is looking, what they sent, and the ways to answer."""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import orjson
from fastapi import Depends, Request
from markupsafe import Markup
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import HTMLResponse, Response

from servicekit.auth import RANK, Principal, Role
from servicekit.db import new_id
from servicekit.errors import BadRequest, Unauthorized
from servicekit.pages.cookies import Cookies
from servicekit.pages.csrf import FIELD, Signer, form_of
from servicekit.pages.formats import Formats, formats_for
from servicekit.pages.forms import Form
from servicekit.pages.once import FIELD as FORM_KEY
from servicekit.pages.once import Once
from servicekit.pages.rendering import templates_of
from servicekit.pages.site import SIGN_IN, Site

if TYPE_CHECKING:
    from servicekit.identity.sign_ins import Visitor
    from servicekit.service import Service


def in_ascii(path: str) -> str:
    """A path with its query as headers can bear it: letters beyond ASCII percent-encoded, all else as it is."""
    return quote(path, safe="".join(map(chr, range(0x21, 0x7F))))


class Page:
    """One request for a page."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.service: Service = request.app.state.service
        self.site: Site = request.app.state.site
        self.visitor: Visitor | None = getattr(request.state, "visitor", None)
        self.cookies = Cookies(request, self.service.name, self.service.settings.secure_cookies)
        self._package: str = request.app.state.package
        self._signer: Signer = request.app.state.signer

    @property
    def principal(self) -> Principal:
        """Who is looking. Raises `Unauthorized` on a page that needs no sign-in."""
        if self.visitor is None:
            raise Unauthorized("sign in first")
        return self.visitor.principal

    def may(self, role: Role) -> bool:
        """Whether who is looking has at least this role: what they may not do is not offered."""
        return self.visitor is not None and RANK[self.visitor.principal.role] >= RANK[role]

    @cached_property
    def formats(self) -> Formats:
        """How this person writes dates, money and numbers."""
        return formats_for(self.request.headers.get("accept-language", ""))

    @property
    def path(self) -> str:
        """The path of this page, without its query."""
        return self.request.url.path

    @property
    def url(self) -> str:
        """The path of this page, with its query."""
        query = self.request.url.query
        return f"{self.path}?{query}" if query else self.path

    def url_with(self, **changes: str | None) -> str:
        """This page with another query: these parameters set, or taken out by None."""
        query = {**self.request.query_params, **changes}
        pairs = [f"{quote(name)}={quote(value, safe='')}" for name, value in query.items() if value is not None]
        return f"{self.path}?{'&'.join(pairs)}" if pairs else self.path

    @property
    def by_htmx(self) -> bool:
        """Whether a part of a page asks, and not the browser itself."""
        return "hx-request" in self.request.headers

    @property
    def csrf_token(self) -> str:
        """What requests of this browser must bear to change something."""
        return self._signer.sign("csrf", self.bound_to)

    @property
    def bound_to(self) -> str:
        """What tokens are bound to: the person, so that forms outlive their signing in again; before, the visit."""
        if self.visitor is not None and self.path != SIGN_IN:
            return f"user {self.visitor.principal.id}"
        return self.cookies["visit"] or self.cookies.visit or ""

    @property
    def csrf(self) -> Markup:
        """The hidden fields of every form: the token, and the key by which it is carried out once (see `once`)."""
        field = Markup('<input type="hidden" name="{}" value="{}">')
        return field.format(FIELD, self.csrf_token) + field.format(FORM_KEY, new_id())

    async def once(self, session: AsyncSession, *, leave: bool = False) -> Once:
        """Take the key of the form that was sent, in the transaction of what it does.

        ``leave``: its page is left afterwards, though a script sends it and it is no pop-up.
        """
        scope = hashlib.sha256(f"form\n{self.principal.id}\n{self.path}".encode()).hexdigest()
        taken = Once(session, scope, self.go if leave else self.done)
        await taken.take(await form_of(self.request))
        return taken

    async def form(self) -> Form:
        """What was sent; numbers in it are read as this person writes them."""
        sent = await form_of(self.request)
        if any(isinstance(text, str) and "\0" in text for _, text in sent.multi_items()):
            raise BadRequest("a field has a character that no text can have (U+0000); take it out and send it again")
        form = Form.sent(sent)
        numbers = {name for name in form.typed if name.rpartition(".")[2] in self.site.numbers}
        read = {name: self.formats.read(form[name]) for name in numbers}
        return replace(form, typed={**form.typed, **read}).written_for(self.formats, self.site.numbers)

    def render(self, template: str, *, status: int = 200, **context: Any) -> Response:
        """The answer: this template as a page."""
        said = None if self.by_htmx else self._said()  # a part of a page has no place for it
        response = HTMLResponse(self.part(template, said=said, **context), status)
        if said is not None:
            self.cookies.drop(response, "said")
        return response

    def part(self, template: str, **context: Any) -> Markup:
        """A template as a part of a page; it knows ``page`` and ``fmt`` besides ``context``."""
        found = templates_of(self._package).get_template(template)
        if isinstance(form := context.get("form"), Form):
            context["form"] = form.written_for(self.formats, self.site.numbers)
        return Markup(found.render(page=self, fmt=self.formats, **context))  # noqa: S704 (escaped by the template)

    def go(self, path: str, *, said: str | None = None, undo: str | None = None) -> Response:
        """The answer to a form that was carried out: go to ``path``, where ``said`` is shown.

        ``undo``: the path to post to, with nothing in it, for taking it back.
        """
        if self.by_htmx:
            response = Response(status_code=200, headers={"HX-Redirect": in_ascii(path)})
        else:
            response = Response(status_code=303, headers={"Location": in_ascii(path)})
        if said is not None:
            self._say(response, {"text": said, "undo": undo})
        return response

    @property
    def frame(self) -> str:
        """For pages that may stand in a pop-up: ``{% extends page.frame %}`` is the layout, or nothing around it."""
        return "popup.html" if self.by_htmx else "layout.html"

    def done(self, path: str, *, said: str) -> Response:
        """The answer to a form that was carried out, and that may have stood in a pop-up: then that closes, and what
        lies under it is brought up to date; otherwise go to ``path``."""
        if not self.by_htmx:
            return self.go(path, said=said)
        told = json.dumps({"done": {"said": said}})  # in ASCII alone, as headers must be
        return Response(status_code=204, headers={"HX-Trigger": told})

    async def follow(self, session: AsyncSession, *topics: str) -> str:
        """The stamps of ``topics``, for `ui.live`: the region is fetched again once one of them changes.

        Reads one statement a topic, in the session that reads what the region shows.
        """
        return " ".join([f"{topic}={await self.stamp(session, topic)}" for topic in topics])

    async def stamp(self, session: AsyncSession, topic: str) -> str:
        """The stamp of one topic as it is now. Raises `KeyError` for one that the site does not have."""
        kind, _, argument = topic.partition(":")
        return quote(await self.site.topics[kind](session, argument))

    async def panels(self, session: AsyncSession, kind: str, record_id: str) -> list[Markup]:
        """What other features show on a record's page."""
        return [Markup(await panel(self, session, record_id)) for panel in self.site.panels.get(kind, ())]  # noqa: S704

    def _say(self, response: Response, said: Mapping[str, Any]) -> None:
        text = base64.urlsafe_b64encode(orjson.dumps(said)).decode()
        self.cookies.keep(response, "said", f"{text}.{self._signer.sign('said', text)}", seconds=60)

    def _said(self) -> Mapping[str, Any] | None:
        text, _, signature = (self.cookies["said"] or "").partition(".")
        if not text or not self._signer.verify("said", text, signature):
            return None
        try:
            said: Mapping[str, Any] = orjson.loads(base64.urlsafe_b64decode(text))
        except (binascii.Error, ValueError):
            return None
        return said


async def _this_page(request: Request) -> Page:
    return Page(request)


CurrentPage = Annotated[Page, Depends(_this_page)]
"""The page that is asked for."""

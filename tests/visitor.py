"""A browser without a window: asks for pages, fills in forms, sends them as a browser would."""

import html
import re
from html.parser import HTMLParser
from typing import Any

import httpx


class Visitor:
    """Someone who looks at pages. ``client`` has their cookies."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def get(self, path: str, *, status: int = 200, **headers: str) -> "Sheet":
        """A page."""
        response = await self.client.get(path, headers=headers)
        assert response.status_code == status, response.text
        return Sheet(response)

    async def submit(self, page: "str | Sheet", action: str | None = None, /, **fields: Any) -> "Sheet":
        """Fill in the form of ``page`` (or of its path) with ``fields`` and send it; gives the answer, not followed.

        ``action``: which form, by where it is sent to; the first one in the page's content otherwise. What the form
        shows already is sent along; None takes a field out. Names with points are written with ``__``.
        """
        sheet = await self.get(page) if isinstance(page, str) else page
        form = next(
            form for form in sheet.forms if form.action == action or (not action and form.action != "/sign-out")
        )
        sent = form.fields | {name.replace("__", "."): value for name, value in fields.items()}
        return await self.post(form.action, {name: value for name, value in sent.items() if value is not None})

    async def post(self, path: str, fields: dict[str, str], **headers: str) -> "Sheet":
        """Send exactly these fields."""
        sent = {"Sec-Fetch-Site": "same-origin", **headers}
        return Sheet(await self.client.post(path, data=fields, headers=sent))

    async def follow(self, answer: "Sheet") -> "Sheet":
        """Where the answer leads."""
        assert answer.response.status_code == 303, answer.response.text
        return await self.get(answer.response.headers["location"])


class Form:
    """A form as it stands on a page."""

    def __init__(self, action: str) -> None:
        self.action = action
        self.fields: dict[str, str] = {}


class Sheet:
    """A page as it was answered: its status, its words, its forms."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.status = response.status_code
        self.html = response.text
        parser = _Parser()
        parser.feed(response.text)
        self.forms = parser.forms
        self.text = re.sub(r"\s+", " ", " ".join(parser.words)).strip()

    @property
    def leads_to(self) -> str | None:
        """The path that a redirect leads to."""
        return self.response.headers.get("location")

    def link(self, words: str) -> str:
        """Where the link with these words leads."""
        found = re.search(rf'<a [^>]*href="([^"]*)"[^>]*>[^<]*(?:<svg.*?</svg>)?\s*{re.escape(words)}', self.html, re.S)
        assert found, f"no link {words!r}"
        return html.unescape(found.group(1))

    def error(self, field: str) -> str | None:
        """The reason at a field, to which the field itself refers."""
        found = re.search(rf'<p class="error" id="f-{re.escape(field)}-error">(.*?)</p>', self.html)
        if found is None:
            return None
        assert re.search(rf'id="f-{re.escape(field)}"[^>]*aria-invalid="true"[^>]*aria-describedby="f-', self.html)
        return html.unescape(found.group(1))


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.words: list[str] = []
        self._form: Form | None = None
        self._within: tuple[str, str] | None = None
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag in {"script", "style"}:
            self._hidden += 1
        if tag == "form" and values.get("method") == "post":
            self._form = Form(values["action"])
            self.forms.append(self._form)
        elif self._form is not None and "name" in values and not {"form", "disabled"} & set(values):
            name = values["name"]
            if tag == "input" and (values.get("type") != "checkbox" or "checked" in values):
                self._form.fields[name] = values.get("value", "")
            elif tag in {"textarea", "select"}:
                self._within = (tag, name)
                self._form.fields[name] = ""
        if tag == "option" and self._form and self._within and "selected" in values:
            self._form.fields[self._within[1]] = values.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag in {"script", "style"}:
            self._hidden -= 1
        if tag == "form":
            self._form = None
        if self._within is not None and self._within[0] == tag:
            self._within = None

    def handle_data(self, data: str) -> None:
        if self._within is not None and self._within[0] == "textarea" and self._form is not None:
            self._form.fields[self._within[1]] += data.removeprefix("\n")
        elif not self._hidden:
            self.words.append(data)

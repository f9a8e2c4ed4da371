"""Style sheets, scripts and pictures of pages: served by this process, under names that change with the content.

So browsers keep them for a year, and never have an old one. Nothing comes from anywhere else.
"""

import gzip
import hashlib
import importlib.util
import mimetypes
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

PREFIX = "/static/pages"
OWN = Path(__file__).parent / "static"


@dataclass(frozen=True)
class Asset:
    """A file to serve; ``packed``: the same in gzip."""

    content: bytes
    packed: bytes
    media_type: str


class Assets:
    """The files of these folders, by their names; each name may be there once."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self._paths: dict[str, str] = {}
        self._assets: dict[str, Asset] = {}
        for file in _files(folders):
            content = file.read_bytes()
            digest = hashlib.sha256(content).hexdigest()[:12]
            served = f"{file.stem}.{digest}{file.suffix}"
            if file.name in self._paths:
                raise ValueError(f"{file}: another file of pages has this name")
            self._paths[file.name] = f"{PREFIX}/{served}"
            media_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
            self._assets[served] = Asset(content, gzip.compress(content, mtime=0), media_type)

    def path(self, name: str) -> str:
        """Where a file is served. Raises `KeyError` if there is none of this name."""
        return self._paths[name]

    async def serve(self, request: Request) -> Response:
        """The route."""
        asset = self._assets.get(request.path_params["name"])
        if asset is None:
            return PlainTextResponse("there is no such file (any more); load the page again", 404)
        headers = {
            "Cache-Control": "public, max-age=31536000, immutable",
            "Vary": "Accept-Encoding",
            "X-Content-Type-Options": "nosniff",
        }
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(asset.packed, headers=headers | {"Content-Encoding": "gzip"}, media_type=asset.media_type)
        return Response(asset.content, headers=headers, media_type=asset.media_type)


def _files(folders: Iterable[Path]) -> Iterable[Path]:
    yield _htmx()
    for folder in folders:
        if folder.is_dir():
            yield from sorted(file for file in folder.iterdir() if file.is_file())


def _htmx() -> Path:
    # The package is made for Django; its files are all we want, so it is found and never imported.
    spec = importlib.util.find_spec("js_lib_htmx")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("js_lib_htmx: install django-js-lib-htmx")
    return Path(spec.origin).parent / "static/htmx/htmx.min.js"


@cache
def assets_of(package: str) -> Assets:
    """The assets of the pages that ``package`` has, with those that all share."""
    return Assets([OWN, package_folder(package) / "static"])


def package_folder(package: str) -> Path:
    """Where a package's files are."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(package)
    return Path(spec.origin).parent

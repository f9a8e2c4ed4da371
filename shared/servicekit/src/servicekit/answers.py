"""Answers of routes that show one record: its JSON and its ETag."""

from fastapi import Response
from pydantic import BaseModel


def answer(record: BaseModel, version: int, *, created_at_path: str | None = None) -> Response:
    """``record`` as JSON with its ETag: 200, or 201 with a Location if it was created at ``created_at_path``.

    Written as it is, once: FastAPI would validate again what we made ourselves.
    """
    headers = {"ETag": f'"{version}"'}
    if created_at_path is not None:
        headers["Location"] = created_at_path
    return Response(
        record.model_dump_json(),
        status_code=200 if created_at_path is None else 201,
        headers=headers,
        media_type="application/json",
    )

"""Invoice's answers as the CRM's own: the paths of documents are the same here and there."""

import httpx
from fastapi import Response

_HANDED_ON = ("ETag", "Location", "Idempotency-Replayed")


def as_answered(answer: httpx.Response) -> Response:
    """The same status and JSON, byte for byte, with the headers that a caller goes by."""
    headers = {name: answer.headers[name] for name in _HANDED_ON if name in answer.headers}
    return Response(answer.content, answer.status_code, headers=headers, media_type="application/json")

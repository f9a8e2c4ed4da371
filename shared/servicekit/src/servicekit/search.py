"""Finding records by the beginnings of their words, with an index, on both databases.

"alf fut" finds "Alfreds Futterkiste". A search reads an index range per word, never the table.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Column, ColumnElement, MetaData, String, Table, and_, delete, false, insert, select
from sqlalchemy.dialects.postgresql import VARCHAR
from sqlalchemy.ext.asyncio import AsyncSession

metadata = MetaData()

# The "C" collation makes a range of strings the same on PostgreSQL as on SQLite.
_Word = String(64).with_variant(VARCHAR(64, collation="C"), "postgresql")

search_words = Table(
    "search_words",
    metadata,
    Column("kind", String(32), primary_key=True),
    Column("word", _Word, primary_key=True),
    Column("record_id", String(36), primary_key=True, index=True),
)

_WORDS = re.compile(r"\w+")
_MOST_WORDS = 50


def words_of(texts: Iterable[str]) -> set[str]:
    """The words of ``texts`` as they are indexed: without case and accents, 64 characters and 50 words at most."""
    bare = " ".join(texts)
    if not bare.isascii():
        # Twice: a letter may be a capital only once it is decomposed, and decompose once more in small.
        decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", bare).casefold())
        bare = "".join(char for char in decomposed if not unicodedata.combining(char))
    bare = bare.casefold()
    return set(list(dict.fromkeys(word[:64] for word in _WORDS.findall(bare)))[:_MOST_WORDS])


async def index(session: AsyncSession, kind: str, texts: Mapping[str, Sequence[str]], *, new: bool = False) -> None:
    """Index records under ``kind``: record id → its texts; no texts takes the record out.

    ``new``: none of them was indexed before, which saves a statement.
    """
    ids = list(texts)
    if not new:
        for start in range(0, len(ids), 1000):
            await session.execute(delete(search_words).where(search_words.c.record_id.in_(ids[start : start + 1000])))
    rows = [
        {"kind": kind, "word": word, "record_id": record_id}
        for record_id, its_texts in texts.items()
        for word in words_of(its_texts)
    ]
    if rows:
        await session.execute(insert(search_words), rows)


def matches(kind: str, record_id: ColumnElement[str], query: str) -> ColumnElement[bool]:
    """A condition: the record has, for every word of ``query``, a word that begins with it; never, if it has none."""
    conditions = []
    for word in sorted(words_of([query]), key=len, reverse=True)[:5]:
        found = search_words.alias()
        # Not EXISTS: SQLite would run it for each record of the table.
        conditions.append(
            record_id.in_(
                select(found.c.record_id).where(
                    found.c.kind == kind, found.c.word >= word, found.c.word < word + "\U0010ffff"
                )
            )
        )
    return and_(*conditions) if conditions else false()

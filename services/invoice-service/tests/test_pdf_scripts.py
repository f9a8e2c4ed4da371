"""Any script in a PDF: what was typed is what a reader copies out, and what no font has is said.

pypdf reads every text back, on every machine. Where poppler's ``pdftotext`` is installed, it reads every letter too; in
their order within one direction, while on a line of two it moves spaces, marks and words.
"""

import shutil
import subprocess
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invoice_service.pdf import PrintableDocument, PrintableLine, bidi, render, warnings
from invoice_service.pdf.shaping import SANS_ONLY
from invoice_service.pdf.text import clean
from invoice_service.pdf.typefaces import SANS, has_glyph
from pypdf import PdfReader

ALPHABETS = {
    "latin": "abcdefgzABCßéåøŁğșĐẵ",
    "greek": "αβγδεζηθωΑΒΣάέύώϊ",
    "cyrillic": "абвгдежяАБЁёЩыїєљ",
    "arabic": "ابتثجحخدذرزسشصضطظعغفقكلمنهويىةءآأؤئپچژگ",
    "hebrew": "אבגדהוזחטיךכלםמןנסעףפץצקרשת",
    "thai": "กขคฆงจฉชซญฐดตถทธนบปผฝพฟภมยรลวศสหอฮ",
    "devanagari": "अआइकखगघचजटडतदनपबमयरलवशसह",
    "chinese": "的一是不了人我在有他这中大来上国发票金额总计請求書國",
    "japanese": "あいうえおかきくけこアイウエオカキクケコ請求書日本語",
    "korean": "가나다라마바사아자차카타파하견적서청구합계금액",
}
WORDS = "abc Ωμ абв سلام علیکم שלום עולם สวัสดี नमस्ते 発票 가나 123 12.50 (x) A-1".split()
SENTENCES = (
    "السلام عليكم ورحمة الله لا إله",
    "مُحَمَّد",
    "می‌خواهم",
    "הַשָּׁלוֹם עֲלֵיכֶם",
    "สวัสดีครับ น้ำดื่ม ที่นี่",
    "हिन्दी में चालान कि क्षत्रिय",
    "ậ q̇ x́",
    "請求書です。「カタカナ」、ひらがな。",
    "한국어 송장 12번",
    "→ ✓ ★ ≤ ∞ ₹ € ™ 㐂",
    "فاتورة رقم 123 من شركة ABC Ltd لعام 2026",
    "Invoice for שלום עולם 12 items",
    "שלום (ABC) 12.50 עולם",
    "نهاية 04/03/2026 هاتف 123-456-789",
    "नमस्ते A 你好 שלום مرحبا สวัสดี 안녕 Ёлка Ω",
)
# pypdf turns such digits round by itself.
ARABIC_DIGITS = (
    "هاتف ١٢٣-٤٥٦",
    "شماره ۱۲۳۴-۵۶ فاکتور",
    "التاريخ ٢٠٢٦/٠٣/٠٤ نهاية",
    "المبلغ ١٢٬٣٤٥٫٦٧",
)
POPPLER = pytest.mark.skipif(not shutil.which("pdftotext"), reason="poppler-utils is not installed; pypdf reads above")


def a_line(name: str) -> PrintableLine:
    zero = Decimal(0)
    return PrintableLine(name=name, quantity=zero, rate=zero, item_total=zero)


def a_document(lines: Sequence[str], language: str = "en-US") -> PrintableDocument:
    zero = Decimal(0)
    return PrintableDocument(
        kind="invoice",
        number="INV-1",
        date=date(2026, 3, 4),
        currency_code="EUR",
        minor_unit=2,
        organization_name="Northwind",
        customer_name="Berglund",
        lines=tuple(map(a_line, lines)),
        sub_total=zero,
        discount_total=zero,
        total=zero,
        language=language,
    )


def read_back(document: PrintableDocument) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(render(document))).pages)


def poppler_reads(document: PrintableDocument) -> str:
    """What ``pdftotext`` reads, without its own marks of directions."""
    ran = subprocess.run(["pdftotext", "-", "-"], input=render(document), capture_output=True, check=True)
    return "".join(char for char in ran.stdout.decode() if char not in "\u202a\u202b\u202c\u200e\u200f")


def letters(text: str) -> Counter[str]:
    """How often each character stands there, but for spaces."""
    return Counter("".join(text.split()))


def words_of(alphabet: str) -> st.SearchStrategy[str]:
    return st.lists(st.text(alphabet, min_size=1, max_size=6), min_size=1, max_size=3).map(" ".join)


class TestReadingBack:
    @given(st.data())
    @settings(max_examples=15, deadline=None)
    def test_words_of_every_script_in_one_document(self, data: st.DataObject) -> None:
        typed = [data.draw(words_of(alphabet), label=name) for name, alphabet in ALPHABETS.items()]
        text = read_back(a_document(typed, data.draw(st.sampled_from(["en-US", "ar-EG", "ja"]))))
        for line in typed:
            assert unicodedata.normalize("NFC", line) in text

    @given(st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join), min_size=1, max_size=8))
    @settings(max_examples=15, deadline=None)
    def test_words_of_every_script_on_one_line(self, lines: list[str]) -> None:
        text = read_back(a_document(lines))
        for line in lines:
            assert line in text

    @pytest.mark.parametrize("sentence", SENTENCES)
    @pytest.mark.parametrize("language", ["en-US", "he-IL"])
    def test_sentences_with_marks_ligatures_and_two_directions(self, sentence: str, language: str) -> None:
        assert unicodedata.normalize("NFC", sentence) in read_back(a_document([sentence], language))

    def test_a_character_without_a_glyph_is_read_back_too(self) -> None:
        assert "smile 😀 here" in read_back(a_document(["smile 😀 here"]))

    @POPPLER
    @pytest.mark.parametrize(
        ("language", "sentences"),
        [("en-US", SENTENCES[:9]), ("ar-EG", SENTENCES[:3])],
    )
    def test_poppler_reads_the_same_within_one_direction(self, language: str, sentences: Sequence[str]) -> None:
        text = poppler_reads(a_document(sentences, language))
        for sentence in sentences:
            assert unicodedata.normalize("NFC", sentence) in text

    @POPPLER
    @pytest.mark.parametrize("language", ["en-US", "ar-EG"])
    def test_poppler_reads_numbers_in_arabic_and_persian_digits(self, language: str) -> None:
        text = poppler_reads(a_document(ARABIC_DIGITS, language))
        for number in ("١٢٣-٤٥٦", "۱۲۳۴-۵۶", "٢٠٢٦/٠٣/٠٤", "١٢٬٣٤٥٫٦٧"):
            assert number in text

    @POPPLER
    @pytest.mark.parametrize("language", ["en-US", "he-IL"])
    def test_poppler_reads_every_letter_of_two_directions(self, language: str) -> None:
        without = letters(poppler_reads(a_document(["."], language)))
        for sentence in (*SENTENCES, *ARABIC_DIGITS):
            read = letters(poppler_reads(a_document([f"{sentence}."], language)))
            assert read - without == letters(unicodedata.normalize("NFC", sentence))

    def test_text_without_spaces_is_broken_into_lines_and_none_of_it_lost(self) -> None:
        for word in (
            "京都府宇治産の茶葉を使用した緑茶です。",
            "รายละเอียดสินค้าภาษาไทยยาวมาก",
            "שלוםעולם",
            "مرحبابالعالم",
        ):
            text = "".join(read_back(a_document([word * 20])).split())
            assert text.count(word) >= 20 - (0 if word[0] == "京" else 8)
            assert sum(map(text.count, set(word))) >= 20 * len(word)


class TestNothingTypedBreaksIt:
    @given(st.text(max_size=60), st.sampled_from(["en-US", "ar", "th", "zh-Hant", "xx-nonsense"]))
    @settings(max_examples=60, deadline=None)
    def test_any_text_in_any_language(self, text: str, language: str) -> None:
        document = a_document([text], language)
        assert render(document) == render(document)
        warnings(document)

    @given(
        st.text("aΩЁسשןกำ้เकि्発가1 .(-\u0301\u064e\u05b7\u200d\u200c\ufe0f😀→", min_size=1, max_size=120),
        st.sampled_from(["en-US", "ar"]),
    )
    @settings(max_examples=80, deadline=None)
    def test_marks_and_joiners_in_any_place(self, text: str, language: str) -> None:
        assert render(a_document([text], language)).startswith(b"%PDF-")

    def test_joiners_alone(self) -> None:
        for text in ("\u200d", "a \u200d b", "ש \u200c\ufe0f", "ก\ufe0f \u200d"):
            render(a_document([text]))


class TestWarnings:
    def test_name_the_field_the_character_and_its_code_point(self) -> None:
        assert warnings(a_document(["tea", "smile 😀"])) == (
            "line 2, name: no font has 😀 (U+1F600); \ufffd is printed instead.",
        )

    def test_are_silent_about_what_every_font_together_has(self) -> None:
        assert warnings(a_document([*SENTENCES, *ALPHABETS.values(), "a\u0300\u200d\ufe0f\u202e\x07"])) == ()

    def test_latin_greek_and_cyrillic_need_no_look_into_a_font(self) -> None:
        quick = (
            char for char in map(chr, range(0x20, 0x2300)) if SANS_ONLY.fullmatch(char) and clean(f"a{char}b") != "ab"
        )
        assert [char for char in quick if not has_glyph(SANS, char)] == []

    @pytest.mark.parametrize(("char", "code"), [("\ue000", "U+E000"), ("\u0378", "U+0378"), ("\U000f0000", "U+F0000")])
    def test_name_characters_for_private_use_and_of_no_unicode(self, char: str, code: str) -> None:
        assert warnings(a_document([f"tea {char}"])) == (
            f"line 1, name: no font has {char} ({code}); \ufffd is printed instead.",
        )
        for typed in (f"tea {char}", f"שלום {char} עולם"):
            assert typed in read_back(a_document([typed]))

    def test_name_every_text_that_is_cut(self) -> None:
        long = "word " * 200
        document = replace(
            a_document(["tea"]), organization_name=long, organization_address=(long,), organization_details=("a",) * 7,
            customer_name=long, attention=long, billing_address=("a",) * 9, number=long, reference_number=long,
            adjustment=Decimal(1), adjustment_description=long, lines=(replace(a_line("tea"), unit="unit " * 9),),
        )  # fmt: skip
        cut = [sentence.split(":")[0] for sentence in warnings(document)]
        assert cut == [
            "organization_name", "organization_address", "organization_details", "customer_name", "attention",
            "billing_address", "number", "reference_number", "line 1, unit", "adjustment_description",
        ]  # fmt: skip
        assert read_back(document).count("…") >= len(cut)

    def test_what_just_fits_is_neither_cut_nor_named(self) -> None:
        document = replace(
            a_document([]), organization_address=tuple("abcdefgh"), billing_address=("", *"stuvwxyz"),
            adjustment=Decimal(1), adjustment_description="d" * 60, lines=(replace(a_line("tea"), unit="u" * 40),),
        )  # fmt: skip
        assert warnings(document) == ()
        assert "…" not in read_back(document)

    def test_of_very_many_the_first_are_named(self) -> None:
        said = warnings(a_document(["\U00012000"] * 1_000))
        assert len(said) == 21
        assert said[-1] == "Further texts are not printed as they were typed."


class TestDirections:
    @pytest.mark.parametrize(
        ("typed", "shown"),
        [
            ("abc אבג", "abc גבא"),
            ("אבג abc", "abc גבא"),
            ("אבג 12.5 דהו", "והד 12.5 גבא"),
            ("אבג (abc) דהו", "והד (abc) גבא"),
            ("abc (אבג 12) def", "abc (12 גבא) def"),
            ("ا 123-456", "123-456 ا"),
            ("ا 04/03/2026 ب", "ب 04/03/2026 ا"),
            ("ا ١٢٣-٤٥٦", "١٢٣-٤٥٦ ا"),
            ("ا ۱۲-۳۴ ب", "ب ۱۲-۳۴ ا"),
            ("ا ٢٠٢٦/٠٣/٠٤ ب", "ب ٢٠٢٦/٠٣/٠٤ ا"),
            ("א\u200dב", "ב\u200dא"),
        ],
    )
    def test_as_they_stand_on_the_sheet(self, typed: str, shown: str) -> None:
        levels = bidi.levels(typed)
        assert levels is not None
        mirrored = str.maketrans("()", ")(")
        parts = [
            typed[start:end][::-1].translate(mirrored) if rtl else typed[start:end]
            for start, end, rtl in bidi.visual(levels)
        ]
        assert "".join(parts) == shown

    @given(st.text("abאבا ,.1-(", min_size=1, max_size=30))
    def test_every_character_is_shown_once(self, text: str) -> None:
        levels = bidi.levels(text)
        if levels is not None:
            shown = [place for start, end, _ in bidi.visual(levels) for place in range(start, end)]
            assert sorted(shown) == list(range(len(text)))

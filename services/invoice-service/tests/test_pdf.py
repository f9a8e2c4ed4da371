"""The PDF of an estimate or invoice (S11): what a reader finds in it, and what nothing typed can do to it."""

import hashlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from decimal import Decimal
from io import BytesIO

import pytest
from invoice_service.pdf import EDITION, Mark, PrintableDocument, PrintableLine, PrintableTax, render
from invoice_service.pdf.text import clean, one_line
from pypdf import PdfReader
from pypdf.generic import IndirectObject, StreamObject

D = Decimal
HEADER = ("ITEM", "QTY", "RATE", "AMOUNT")


def a_line(**changes: object) -> PrintableLine:
    line = PrintableLine(
        name="Chang", description="24 – 12 oz bottles", quantity=D(2), rate=D(50), item_total=D("90.00")
    )
    return replace(line, **{"discount_percentage": D(10), "tax_percentage": D(19), **changes})  # type: ignore[arg-type]


def a_document(**changes: object) -> PrintableDocument:
    document = PrintableDocument(
        kind="estimate",
        number="EST-000042",
        date=date(2026, 3, 4),
        end_date=date(2026, 4, 3),
        reference_number="Spring 2026",
        organization_name="Northwind Traders",
        organization_address=("4110 Old Redmond Rd.", "Redmond, WA 98052", "USA"),
        customer_name="Berglunds snabbköp",
        attention="Christina Berglund",
        billing_address=("Berguvsvägen 8", "S-958 22 Luleå", "Sweden"),
        currency_code="EUR",
        minor_unit=2,
        lines=(a_line(),),
        sub_total=D("12345.60"),
        discount_total=D("1234.56"),
        taxes=(PrintableTax(tax_percentage=D("19.00"), taxable=D("11111.04"), tax=D("2111.10")),),
        total=D("13222.14"),
        notes="Thank you.",
        terms="30 days net.",
        mark=Mark.ACCEPTED,
    )
    return replace(document, **changes)  # type: ignore[arg-type]


def pages(pdf: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(BytesIO(pdf)).pages]


def text_of(document: PrintableDocument) -> str:
    return "\n".join(pages(render(document)))


class TestWhatTheReaderFinds:
    def test_s11_everything_the_document_says_is_there(self) -> None:
        text = text_of(a_document())
        for expected in (
            "ESTIMATE", "EST-000042", "Mar 4, 2026", "Expiry date", "Apr 3, 2026", "Reference", "Spring 2026",
            "ACCEPTED", "Northwind Traders", "Redmond, WA 98052", "Berglunds snabbköp", "Attn. Christina Berglund",
            "S-958 22 Luleå", "Chang", "24 – 12 oz bottles", "50.00", "10%", "19%", "90.00", "12,345.60", "−1,234.56",
            "Tax 19% on 11,111.04", "2,111.10", "€13,222.14", "Thank you.", "30 days net.", "Page 1 of 1",
        ):  # fmt: skip
            assert expected in text

    @pytest.mark.parametrize("name", ["Žluťoučký kůň", "Ελληνική Εταιρεία", "Ёлка и Щука", "Đặng Văn Ổ", "Işık Ğ"])
    def test_names_in_latin_greek_and_cyrillic(self, name: str) -> None:
        assert name in text_of(a_document(customer_name=name))

    def test_a_decomposed_name_is_composed(self) -> None:
        assert "snabbköp" in text_of(a_document(customer_name="snabbko\u0308p"))

    def test_yen_have_no_decimals_and_dinars_three(self) -> None:
        yen = a_document(currency_code="JPY", minor_unit=0, lines=(a_line(item_total=D(90)),), total=D(13222))
        assert "¥13,222\n" in text_of(yen)
        assert "KWD\xa01.250" in text_of(a_document(currency_code="KWD", minor_unit=3, total=D("1.250")))

    def test_what_says_nothing_is_left_out(self) -> None:
        bare = a_document(
            lines=(a_line(discount_percentage=D(0), tax_percentage=D(0)),),
            discount_total=D(0),
            taxes=(PrintableTax(tax_percentage=D(0), taxable=D(1), tax=D(0)),),
            end_date=None,
            reference_number="",
            attention="",
            notes="",
            terms="",
            mark=None,
        )
        text = text_of(bare)
        for absent in (
            "DISC.",
            "TAX",
            "Tax 0",
            "Discount",
            "Expiry",
            "Reference",
            "Attn",
            "NOTES",
            "TERMS",
            "ACCEPTED",
        ):
            assert absent not in text

    def test_a_document_without_lines_has_the_header_and_the_total(self) -> None:
        text = text_of(a_document(lines=()))
        assert "AMOUNT" in text
        assert "€13,222.14" in text

    def test_title_and_author_are_in_the_files_properties(self) -> None:
        properties = PdfReader(BytesIO(render(a_document()))).metadata
        assert properties is not None
        assert (properties.title, properties.author) == ("Estimate EST-000042", "Northwind Traders")


class TestSeveralPages:
    def test_two_hundred_lines_repeat_the_header_and_number_the_pages(self) -> None:
        lines = tuple(a_line(name=f"Article {number}.") for number in range(1, 201))
        found = pages(render(a_document(lines=lines)))
        assert len(found) > 4
        for number, page in enumerate(found, start=1):
            assert f"Page {number} of {len(found)}" in page
            assert "Northwind Traders" in page
            if "Article" in page:
                assert all(heading in page for heading in HEADER)
        assert [f"Article {number}." in "".join(found) for number in range(1, 201)] == [True] * 200

    @pytest.mark.parametrize("count", range(8, 26))
    def test_the_totals_are_never_divided(self, count: int) -> None:
        found = pages(render(a_document(lines=(a_line(),) * count)))
        (page,) = [page for page in found if "Sub-total" in page]
        assert "Tax 19% on" in page
        assert "€13,222.14" in page


class TestTheSameDocumentGivesTheSameBytes:
    def test_twice_and_beside_others(self) -> None:
        first = render(a_document())
        assert render(a_document(customer_name="Ёлка")) != first
        assert render(a_document()) == first

    def test_in_another_process_and_another_time_zone(self) -> None:
        program = (
            "import hashlib, datetime, decimal, invoice_service.pdf as pdf\n"
            "zero = decimal.Decimal(0)\n"
            "names = 'Ω', 'مرحبا 12', 'שָׁלוֹם', 'สวัสดี', 'हिन्दी', '請求書', '→ 😀'\n"
            "lines = [pdf.PrintableLine(name=name, quantity=zero, rate=zero, item_total=zero) for name in names]\n"
            "document = pdf.PrintableDocument(kind='invoice', number='INV-1', lines=tuple(lines),"
            " date=datetime.date(2026, 1, 2), currency_code='EUR', minor_unit=2,"
            " organization_name='Ö', customer_name='Ω', sub_total=zero, discount_total=zero, total=zero)\n"
            "print(hashlib.sha256(pdf.render(document)).hexdigest())"
        )
        digests = set()
        for zone, seed in (("UTC", "1"), ("Asia/Tokyo", "2")):
            environment = {"TZ": zone, "PYTHONHASHSEED": seed, "PYTHONUTF8": "1"}
            ran = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=True)
            digests.add(ran.stdout)
        assert len(digests) == 1

    def test_other_bytes_are_another_edition(self) -> None:
        """When this fails: raise EDITION, or callers go on being told that what they have is still the same."""
        reader = PdfReader(BytesIO(render(a_document(customer_name="مؤسسة 請求書", attention="שלום हिन्दी สวัสดี"))))
        drawn = hashlib.sha256()
        for number in range(1, int(reader.trailer["/Size"])):  # type: ignore[arg-type]
            # Unpacked: another zlib packs the same otherwise.
            found = IndirectObject(number, 0, reader).get_object()
            written = BytesIO()
            if isinstance(found, StreamObject):
                written.write(found.get_data())
            elif found is not None:
                found.write_to_stream(written)
            drawn.update(written.getvalue())
        assert (EDITION, drawn.hexdigest()[:16]) == (1, "d771654eb01ac333")

    def test_in_several_threads_at_once(self) -> None:
        documents = [
            a_document(customer_name=name) for name in ("Berglund", "Ёлка", "شركة النيل", "株式会社", "สวัสดี")
        ] * 3
        alone = [render(document) for document in documents]
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(render, documents)) == alone


class TestNothingTypedCanBreakIt:
    def test_markup_is_printed_as_typed(self) -> None:
        hostile = "<b>A</b> & <img src='file:///etc/passwd'/> &amp; <unclosed"
        text = text_of(
            a_document(notes=hostile, terms=hostile, lines=(a_line(name=hostile, description=hostile),), taxes=())
        )
        flat = " ".join(text.split())
        assert flat.count("<b>A</b> & <img") == 4
        assert flat.count("&amp;") == 4

    @pytest.mark.parametrize("text", ["\x00\x07\x1b\x7f", "\ud800", "\ufeff\u202e", "\ufffe\U000e0001", "漢字 שלום 😀"])
    def test_any_character_goes_in_any_field(self, text: str) -> None:
        typed = f"Be{text}fore"
        line = a_line(name=typed, description=typed)
        document = a_document(
            number=typed, reference_number=typed, organization_name=typed, organization_address=(typed,),
            customer_name=typed, attention=typed, billing_address=(typed,), currency_code=text,
            lines=(line,), notes=typed, terms=typed,
        )  # fmt: skip
        assert len(pages(render(document))) == 1

    @pytest.mark.parametrize("text", ["y" * 10_000, "word " * 2_000, "z\n" * 3_000, "\n" * 10_000, "&<>" * 3_000])
    def test_a_text_of_any_length_goes_in_any_field(self, text: str) -> None:
        document = a_document(
            number=text, reference_number=text, organization_name=text, organization_address=(text,) * 50,
            customer_name=text, attention=text, billing_address=(text,) * 50, currency_code=text,
            lines=(a_line(name=text, description=text),), notes=text, terms=text,
        )  # fmt: skip
        found = pages(render(document))
        assert f"Page {len(found)} of {len(found)}" in found[-1]

    def test_a_long_name_is_printed_in_full(self) -> None:
        text = text_of(a_document(lines=(a_line(name="y" * 10_000),), notes="", terms=""))
        assert text.count("y") >= 10_000

    def test_the_widest_numbers_leave_room_for_the_text(self) -> None:
        widest = a_line(
            quantity=D("999999999.999999"), rate=D("999999999.999999"), item_total=D("9999999999999.99"),
            discount_percentage=D("99.999999"), tax_percentage=D("99.999999"),
        )  # fmt: skip
        text = text_of(a_document(lines=(widest,), total=D("9999999999999.99"), sub_total=D("9999999999999.99")))
        assert text.count("9,999,999,999,999.99") == 3
        assert "Chang" in text


class TestFonts:
    def test_every_font_is_embedded_regular_and_bold(self) -> None:
        names = set()
        for page in PdfReader(BytesIO(render(a_document(lines=(a_line(),) * 60)))).pages:
            for reference in page["/Resources"]["/Font"].values():  # type: ignore[index]
                font = reference.get_object()["/DescendantFonts"][0].get_object()
                assert "/FontFile2" in font["/FontDescriptor"]
                names.add(font["/BaseFont"].split("+")[1])
        assert names == {"NotoSans-Regular", "NotoSans-Bold"}

    def test_importing_opens_no_font(self) -> None:
        program = (
            "import sys, invoice_service.pdf; from invoice_service.pdf.typefaces import typeface; "
            "sys.exit(typeface.cache_info().currsize or 'fontpkg' in sys.modules)"
        )
        assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0

    def test_a_document_in_latin_opens_noto_sans_alone(self) -> None:
        program = (
            "import sys, datetime, decimal, invoice_service.pdf as pdf; zero = decimal.Decimal(0)\n"
            "from invoice_service.pdf.typefaces import typeface\n"
            "document = pdf.PrintableDocument(kind='invoice', number='INV-1', lines=(),"
            " date=datetime.date(2026, 1, 2), currency_code='EUR', minor_unit=2,"
            " organization_name='Ö', customer_name='Ω', sub_total=zero, discount_total=zero, total=zero)\n"
            "pdf.render(document); pdf.warnings(document); sys.exit(typeface.cache_info().currsize != 2)"
        )
        assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0

    def test_the_document_is_a_value_of_the_standard_library_alone(self) -> None:
        from invoice_service.pdf import document as module

        source = module.__file__
        with open(source, encoding="utf-8") as file:
            imported = {line.split()[1] for line in file if line.startswith(("import ", "from "))}
        assert imported == {"dataclasses", "datetime", "decimal", "enum", "typing"}


class TestText:
    @pytest.mark.parametrize(
        ("typed", "expected"),
        [
            ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
            ("a\tb\x00c\x1b", "a bc"),
            ("\u202e12\u202c", "12"),
            ("  e\u0301\ud800 ", "é"),
            ("می\u200cخواهم", "می\u200cخواهم"),
            ("a\n\n\n\n\nb", "a\n\nb"),
        ],
    )
    def test_is_cleaned(self, typed: str, expected: str) -> None:
        assert clean(typed) == expected

    def test_one_line_is_cut_with_an_ellipsis(self) -> None:
        assert one_line("one\ntwo  three", 8) == "one two…"
        assert one_line("12345678", 8) == "12345678"

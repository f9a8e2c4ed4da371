"""Draws the pictures of this folder: sample documents as PDFs, and their pages as PNGs.

    .venv/bin/python docs/pictures/make.py

Needs `pdftoppm` (Debian: poppler-utils).
"""

import subprocess
from datetime import date
from decimal import Decimal
from io import BytesIO
from pathlib import Path

from invoice_service.pdf import Mark, PrintableDocument, PrintableLine, PrintableTax, render
from PIL import Image, ImageDraw

FOLDER = Path(__file__).parent
DOTS_PER_INCH = 96
GAP = 12

Goods = tuple[str, str, str, str, str]
ENGLISH: list[Goods] = [
    ("Chai", "10 boxes x 20 bags, first flush", "39", "18.00", "boxes"),
    ("Chang", "24 – 12 oz bottles", "17", "19.00", ""),
    ("Aniseed syrup", "12 – 550 ml bottles", "13", "10.00", ""),
    ("Grandma's boysenberry spread", "", "120", "2.50", "jars"),
    ("Ikura", "12 – 200 ml jars, delivered cold and within a day of the order", "31", "31.00", ""),
    ("Delivery", "By courier", "1", "24.90", ""),
]
ARABIC: list[Goods] = [
    ("شاي أسود", "علبة 24 كيسًا من شركة Lipton، صنف أول", "3", "150", "علبة"),
    ("قهوة عربية محمصة", "تحميص متوسط، مطحونة", "2", "320", "كجم"),
    ("خدمات استشارية", "ساعات عمل شهر مارس 2026", "10", "450", "ساعة"),
    ("Hosting (annual)", "Web server, 4 GB", "1", "2400", ""),
]
JAPANESE: list[Goods] = [
    ("緑茶「玉露」", "京都府宇治産の最高級茶葉を使用した、香り高い緑茶です。", "3", "4800", "箱"),
    ("抹茶セット", "茶碗、茶筅、抹茶四十グラム。贈り物にも適しています。", "2", "12000", "組"),
    ("龙井茶", "产自杭州的明前龙井，香气清雅，滋味甘醇。", "5", "3500", "盒"),
    ("유자차", "고흥산 유자로 만든 수제 유자차입니다.", "4", "1800", "병"),
    ("ชาไทย", "ชาไทยรสเข้มข้นจากภาคเหนือ", "6", "950", "ถุง"),
]


def a_document(goods: list[Goods], tax: str, minor_unit: int, texts: dict[str, object]) -> PrintableDocument:
    """An invoice over the goods, in which the sums are right."""
    cent = Decimal(1).scaleb(-minor_unit)
    lines = tuple(
        PrintableLine(
            name=name,
            description=description,
            quantity=Decimal(quantity),
            unit=unit,
            rate=Decimal(rate),
            item_total=Decimal(quantity) * Decimal(rate),
            tax_percentage=Decimal(tax),
        )
        for name, description, quantity, rate, unit in goods
    )
    sub_total = sum((line.item_total for line in lines), Decimal(0))
    taxed = sum(((line.item_total * Decimal(tax) / 100).quantize(cent) for line in lines), Decimal(0))
    paid = (sub_total / 4).quantize(cent)
    return PrintableDocument(
        kind="invoice",
        number="INV-000042",
        date=date(2026, 3, 4),
        end_date=date(2026, 4, 3),
        minor_unit=minor_unit,
        lines=lines,
        sub_total=sub_total,
        discount_total=Decimal(0),
        taxes=(PrintableTax(tax_percentage=Decimal(tax), taxable=sub_total, tax=taxed),),
        total=sub_total + taxed,
        amount_paid=paid,
        balance=sub_total + taxed - paid,
        mark=Mark.PARTIALLY_PAID,
        **texts,  # type: ignore[arg-type]
    )


def a_logo() -> bytes:
    picture = Image.new("RGBA", (420, 180), (0, 0, 0, 0))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((0, 0, 180, 180), fill=(31, 92, 122))
    draw.polygon([(90, 24), (120, 120), (90, 98), (60, 120)], fill="white")
    for row, length in enumerate((420, 370, 400)):
        draw.rounded_rectangle((214, 36 + 44 * row, length, 60 + 44 * row), 12, fill=(31, 92, 122))
    target = BytesIO()
    picture.save(target, "PNG")
    return target.getvalue()


NORTHWIND: dict[str, object] = {
    "currency_code": "EUR",
    "organization_name": "Northwind Traders",
    "organization_address": ("4110 Old Redmond Rd.", "Redmond, WA 98052", "USA"),
    "organization_details": ("VAT no. EU372001234", "billing@northwind.example"),
    "customer_name": "Berglunds snabbköp",
    "attention": "Christina Berglund",
    "billing_address": ("Berguvsvägen 8", "S-958 22 Luleå", "Sweden"),
    "reference_number": "Spring order",
    "notes": "Thank you for your order.",
    "terms": "Payable within 30 days without deduction.",
}
NILE: dict[str, object] = {
    "language": "ar-EG",
    "currency_code": "EGP",
    "organization_name": "شركة النيل للتجارة",
    "organization_address": ("12 شارع التحرير", "القاهرة 11511", "مصر"),
    "organization_details": ("الرقم الضريبي 123-456-789", "billing@nile.example"),
    "customer_name": "مؤسسة الأمل",
    "attention": "أحمد محمود",
    "billing_address": ("شارع 9، المعادي", "القاهرة"),
    "reference_number": "طلب ABC-17",
    "notes": "شكرًا لتعاملكم معنا. يُرجى الدفع خلال 30 يومًا.",
    "terms": "هذه فاتورة إلكترونية (نسخة 2) صادرة وفق القانون.",
}
HIKARI: dict[str, object] = {
    "language": "ja-JP",
    "currency_code": "JPY",
    "organization_name": "株式会社ひかり商事",
    "organization_address": ("〒100-0005", "東京都千代田区丸の内1丁目9番1号"),
    "organization_details": ("登録番号 T1234567890123",),
    "customer_name": "さくら電機株式会社 御中",
    "attention": "山田 太郎 様",
    "billing_address": ("〒530-0001", "大阪府大阪市北区梅田3-1-3"),
    "reference_number": "注文 2026-17",
    "notes": "いつもお世話になっております。下記の通りご請求申し上げます。",
    "terms": "お支払いは請求書発行日より30日以内にお願いいたします。振込手数料はお客様のご負担とさせていただきます。",
}


def pages_of(document: PrintableDocument, dots_per_inch: int) -> list[Image.Image]:
    """The pages of the PDF, drawn by poppler."""
    command = ["pdftoppm", "-r", str(dots_per_inch), "-"]
    drawn = BytesIO(subprocess.run(command, input=render(document), capture_output=True, check=True).stdout)  # noqa: S603
    pages = []
    while drawn.tell() < len(drawn.getbuffer()):
        # pdftoppm writes its pages one after the other: "P6", width and height, 255, three bytes a dot.
        assert drawn.readline().strip() == b"P6"
        width, height = map(int, drawn.readline().split())
        drawn.readline()
        pages.append(Image.frombytes("RGB", (width, height), drawn.read(3 * width * height)))
    return pages


def beside(pages: list[Image.Image]) -> Image.Image:
    """Pages side by side on grey, as on a table."""
    width, height = pages[0].size
    table = Image.new("RGB", (len(pages) * (width + GAP) + GAP, height + 2 * GAP), (214, 218, 223))
    for place, page in enumerate(pages):
        table.paste(page, (GAP + place * (width + GAP), GAP))
    return table


def save(picture: Image.Image, name: str) -> None:
    picture.quantize(64).save(FOLDER / f"{name}.png", optimize=True)


def main() -> None:
    with_logo = {**NORTHWIND, "logo": a_logo()}
    save(beside(pages_of(a_document(ENGLISH, "19", 2, with_logo), DOTS_PER_INCH)), "one-page")
    save(beside(pages_of(a_document(ENGLISH * 12, "19", 2, with_logo), 48)), "five-pages")
    save(beside(pages_of(a_document(ARABIC, "14", 2, {**NILE, "logo": a_logo()}), DOTS_PER_INCH)), "right-to-left")
    save(beside(pages_of(a_document(JAPANESE, "10", 0, HIKARI), DOTS_PER_INCH)), "cjk")


if __name__ == "__main__":
    main()

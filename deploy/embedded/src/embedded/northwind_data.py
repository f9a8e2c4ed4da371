"""The Northwind company's customers and orders, as accounts, contacts and potentials. Pure: files in, values out."""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from importlib.resources import files

CENT = Decimal("0.01")


@dataclass(frozen=True)
class Company:
    """One customer of Northwind's. ``account`` and ``contact`` are rows of the CRM's CSV import."""

    key: str
    account: dict[str, str]
    contact: dict[str, str]


@dataclass(frozen=True)
class Order:
    """One order as a deal. ``status``: what is to become of it (open, won, lost); ``amount`` in US dollars."""

    name: str
    company: str
    amount: Decimal
    closing_date: str
    status: str


@dataclass(frozen=True)
class Northwind:
    """All of it."""

    companies: tuple[Company, ...]
    orders: tuple[Order, ...]

    def orders_by_status(self) -> Counter[str]:
        """How many orders are open, won and lost."""
        return Counter(order.status for order in self.orders)

    def amounts_by_status(self) -> dict[str, Decimal]:
        """The sum of the amounts of the open, won and lost ones."""
        sums: dict[str, Decimal] = defaultdict(Decimal)
        for order in self.orders:
            sums[order.status] += order.amount
        return dict(sums)


def load(orders: int) -> Northwind:
    """Read the copy that is in this package, with so many of its orders from all of its years."""
    totals: dict[str, Decimal] = defaultdict(Decimal)
    for line in _rows("order_details.csv"):
        gross = Decimal(line["unitPrice"]) * int(line["quantity"])
        totals[line["orderID"]] += gross * (1 - Decimal(line["discount"]))
    rows = list(_rows("orders.csv"))
    taken = [rows[number * len(rows) // orders] for number in range(orders)] if orders < len(rows) else rows
    deals = tuple(_order(row, totals[row["orderID"]]) for row in taken)
    return Northwind(tuple(_company(row) for row in _rows("customers.csv")), deals)


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = (files("embedded") / "northwind" / name).read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        yield {key: "" if value == "NULL" else value for key, value in row.items()}


def _company(row: dict[str, str]) -> Company:
    first_name, _, last_name = row["contactName"].partition(" ")
    address = {
        "street": row["address"],
        "city": row["city"],
        "state": row["region"],
        "zip": row["postalCode"],
        "country": row["country"],
    }
    account = {"account_name": row["companyName"], "phone": row["phone"], "fax": row["fax"]}
    account |= {f"billing_address.{part}": value for part, value in address.items()}
    account |= {f"shipping_address.{part}": value for part, value in address.items()}
    contact = {"first_name": first_name, "last_name": last_name or first_name, "phone": row["phone"]}
    return Company(row["customerID"], account, contact)


def _order(row: dict[str, str], total: Decimal) -> Order:
    shipped, required = row["shippedDate"][:10], row["requiredDate"][:10]
    # Shipped in time: the deal was kept. ISO dates compare as text.
    status = "open" if not shipped else "won" if shipped <= required else "lost"
    return Order(
        name=f"Order {row['orderID']}",
        company=row["customerID"],
        amount=total.quantize(CENT, ROUND_HALF_UP),
        closing_date=shipped or required,
        status=status,
    )

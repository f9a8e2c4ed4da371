"""Where the bars of a plot stand: two for each month, on a scale of round numbers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from invoice_service.home.queries import Month

HEIGHT, TOP, BOTTOM, LEFT = 220, 12, 28, 72
_LINES = 4
_ROUND = ("1", "1.5", "2", "2.5", "3", "4", "5", "7.5", "10")


@dataclass(frozen=True)
class Bar:
    """A bar of the month; ``kind``: invoiced or received."""

    kind: str
    month: Month
    amount: Decimal
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Plot:
    """``lines``: the heights of the scale with their values; ``labels``: the middle of each month."""

    width: int
    height: int
    left: int
    bars: Sequence[Bar]
    lines: Sequence[tuple[float, Decimal]]
    labels: Sequence[tuple[float, Month]]

    @property
    def base(self) -> int:
        """Where the bars stand."""
        return self.height - BOTTOM


def plot(months: Sequence[Month], width: int) -> Plot:
    """The plot of these months, so wide."""
    step = _step(max((max(month.invoiced, month.received) for month in months), default=Decimal(0)))
    top = step * _LINES
    room = HEIGHT - TOP - BOTTOM

    def high(amount: Decimal) -> float:
        return round(float(max(amount, Decimal(0)) / top) * room, 2)

    each = (width - LEFT) / max(len(months), 1)
    bar = round(min(each * 0.36, 22), 2)
    bars, labels = [], []
    for number, month in enumerate(months):
        middle = round(LEFT + each * (number + 0.5), 2)
        labels.append((middle, month))
        pair = (("invoiced", month.invoiced, middle - bar - 1), ("received", month.received, middle + 1))
        for kind, amount, x in pair:
            height = high(amount)
            bars.append(Bar(kind, month, amount, round(x, 2), round(HEIGHT - BOTTOM - height, 2), bar, height))
    lines = [(round(HEIGHT - BOTTOM - high(step * number), 2), step * number) for number in range(_LINES + 1)]
    return Plot(width, HEIGHT, LEFT, bars, lines, labels)


def _step(most: Decimal) -> Decimal:
    """The round number of which `_LINES` reach ``most``."""
    if most <= 0:
        return Decimal(1)
    wanted = most / _LINES
    power = Decimal(10) ** math.floor(wanted.log10())
    return next(
        power * each
        for each in map(Decimal, ("1", "1.5", "2", "2.5", "3", "4", "5", "7.5", "10"))
        if power * each >= wanted
    )

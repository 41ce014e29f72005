"""Parts of a drawing: escaped SVG elements, scales with their ticks, and points kept apart."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup


def element(tag: str, *children: Markup | str, **attributes: object) -> Markup:
    """An SVG element. Text is escaped; ``class_`` becomes ``class`` and ``stroke_width`` becomes ``stroke-width``."""
    named = Markup("").join(
        Markup(' {}="{}"').format(name.rstrip("_").replace("_", "-"), _value(value))
        for name, value in attributes.items()
        if value is not None
    )
    inner = Markup("").join(children)
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(tag), named, inner)  # noqa: S704  tags are ours, never data


def _value(value: object) -> object:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else value


def picture(label: str, width: float, height: float, *children: Markup) -> Markup:
    """A whole drawing that scales to its box and says in words what it shows."""
    return element(
        "svg",
        *children,
        role="img",
        aria_label=label,
        viewBox=f"0 0 {width:g} {height:g}",
        class_="plot",
    )


@dataclass(frozen=True, slots=True)
class Scale:
    """A value's place along an axis from ``start`` to ``end``, in drawing units."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """Where the value lies; beyond the axis if it is outside the range."""
        low, high, at = (
            (math.log(x) for x in (self.low, self.high, value)) if self.log else (self.low, self.high, value)
        )
        return self.start + (self.end - self.start) * (at - low) / (high - low)


def nice_ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round values that span the range, evenly spaced, at most about ``most`` of them."""
    if high <= low:
        low, high = low - (abs(low) * 0.1 or 0.1), high + (abs(high) * 0.1 or 0.1)
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(step * index, 10) for index in range(first, last + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 times the powers of ten within the range; only the powers where it is wide."""
    factors = (1, 2, 5) if high / low < 2_000 else (1,)
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [factor * 10.0**decade for decade in decades for factor in factors]
    return [tick for tick in ticks if low * 0.999 <= tick <= high * 1.001]


def spread(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """The places, in order, moved as little as it takes to stand at least ``gap`` apart and between low and high.

    Least squares under an order, by pooling adjacent violators: neighbours that are too close share their mean.
    """
    pools: list[tuple[float, int]] = []
    for index, place in enumerate(places):
        total, size = place - gap * index, 1
        while pools and pools[-1][0] / pools[-1][1] > total / size:
            before = pools.pop()
            total, size = total + before[0], size + before[1]
        pools.append((total, size))
    levels = [total / size for total, size in pools for _ in range(size)]
    last = high - gap * (len(places) - 1)
    return [min(max(level, low), last) + gap * index for index, level in enumerate(levels)]

"""Printed numbers: a figure exactly as an article prints it, and the values it may stand for."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from html import unescape
from numbers import Rational

from rederive.printed.interval import Interval
from rederive.printed.rounding import RoundingRule, preimage, units_of

OPERATORS = ("=", "<", ">", "≤", "≥", "over", "±")
"""The operators a printed number may carry; ``over`` is the word, ``±`` a half-width."""

_SIGNS = str.maketrans(
    dict.fromkeys("–—−‐‑‒―", "-")
    | dict.fromkeys("∼〜", "~")
    | dict.fromkeys("·∙⋅", ".")
    | dict.fromkeys("≦⩽", "≤")
    | dict.fromkeys("≧⩾", "≥")
    | {"×": "x", "∓": "±"}
)
_SUPERSCRIPTS = str.maketrans("⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "+-0123456789")
_FIGURE = r"-?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)"
_NUMBER = re.compile(
    rf"^(?:(?P<label>[A-Za-z][A-Za-z .-]*?)\s*)??"
    rf"(?P<operator>=|:|<|>|≤|≥|±|over\b)?\s*(?P<figure>{_FIGURE})\s*(?P<percent>%|per ?cent\b)?$"
)
_RANGE = re.compile(
    r"^(?:(?:\d+\s*%\s*)?[A-Za-z][A-Za-z .,:]*[\s(\[])?"
    rf"(?P<low>{_FIGURE})\s*(?P<percent>%)?\s*(?:-|~|to\b|,\s|;)"
    rf"\s*(?P<high>{_FIGURE})\s*(?P<also>%)?$"
)
_WITH_SPREAD = re.compile(
    r"^(?P<center>[^±(\[]+?)\s*(?:±\s*(?P<pm>[^()]+)|[(\[]\s*(?:±\s*)?(?P<paren>[^()]+?)\s*[)\]]\s*(?P<percent>%)?"
    r"|[,;]?\s+(?P<named>(?:SD|SEM?|s\.d\.|s\.e\.)[^()]+))$",
    re.IGNORECASE,
)
_SPREAD_NAME = re.compile(r"^(SD|SE|SEM|s\.d\.|s\.e\.)\s*[:=]?\s*(?=[\d.])", re.IGNORECASE)
_THOUSANDS = re.compile(r"(?<![\d.,])[1-9]\d{0,2}(?:[, ]\d{3})+(?![\d,])")
_POWER_OF_TEN = re.compile(
    r"(?<![\w.])(?:(\d*\.?\d+)(?:[eE]|\s*x\s*10\s*\^?\s*(?=[-+\d]))|10\^)([-+]?\d+)(?![\d.])"
)
_NOT_SIGNIFICANT = re.compile(r"^(?:p\s*=\s*)?(?:n\.?\s*s\.?|not significant)$", re.IGNORECASE)

P_VALUE_DOMAIN = Interval(Fraction(0), Fraction(1))
"""The values that a p value can take."""


@dataclass(frozen=True, slots=True)
class PrintedNumber:
    """A figure as printed.

    Parameters
    ----------
    text : str
        The figure, without its operator; a minus sign is a plain hyphen. Trailing zeros count.
    operator : str
        One of :data:`OPERATORS`.
    label : str
        What stands before the operator (``n`` in ``n = 28``), or empty.
    percent : bool
        Whether a percent sign follows.

    Raises
    ------
    ValueError
        If the text is no plain decimal figure or the operator is unknown.
    """

    text: str
    operator: str = "="
    label: str = ""
    percent: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.text, str):
            raise ValueError(f"found {self.text!r}, allowed is text as printed: {str(self.text)!r}")
        text = self.text.translate(_SIGNS)
        if not re.fullmatch(_FIGURE, text):
            raise ValueError(
                f"not a printed figure: {self.text!r} (allowed: digits, point, hyphen)"
            )
        object.__setattr__(self, "text", text)
        if self.operator not in OPERATORS:
            allowed = " ".join(OPERATORS)
            raise ValueError(f"unknown operator: {self.operator!r} (allowed: {allowed})")

    @property
    def value(self) -> Fraction:
        """The figure as an exact rational number."""
        return _exact(self.text)

    @property
    def decimals(self) -> int:
        """Digits printed after the point."""
        return len(self.text.partition(".")[2])

    @property
    def unit(self) -> Fraction:
        """The value of one step in the last printed digit."""
        return Fraction(1, 10**self.decimals)

    def interval(
        self, rule: RoundingRule = RoundingRule.EITHER, domain: Interval | None = None
    ) -> Interval:
        """Return the exact set of values that would be printed this way.

        Parameters
        ----------
        rule : RoundingRule
            How the figure was rounded; the default leaves halves open.
        domain : Interval, optional
            Values the quantity can take at all, for example 0 to 1 for a p value.

        Raises
        ------
        ValueError
            If no value of the domain would be printed this way.
        """
        return _interval(self, rule, domain)

    def otherwise_rounded(self) -> dict[str, Interval]:
        """Return the values printed this way by habits that articles do not state, by name."""
        if self.operator not in ("=", "±"):
            return {}
        up = Interval(self.value - self.unit, self.value, low_closed=False)
        return {
            "rounded up": up,
            "digits cut off": preimage(self.value, self.decimals, RoundingRule.TRUNCATE),
        }

    def prints(self, value: Rational, rule: RoundingRule = RoundingRule.EITHER) -> bool:
        """Return whether an exact value may have been printed as this figure."""
        return value in self.interval(rule)

    def __str__(self) -> str:
        return self.with_text(self.text)

    def with_text(self, text: str) -> str:
        """Return another figure written with the same label, operator and percent sign."""
        sign = "%" if self.percent else ""
        if self.label:
            return f"{self.label} {self.operator} {text}{sign}"
        space = " " if self.operator in ("over", "±") else ""
        operator = "" if self.operator == "=" else self.operator
        return f"{operator}{space}{text}{sign}"


@lru_cache(maxsize=4096)
def _exact(text: str) -> Fraction:
    return Fraction(Decimal(text))


@lru_cache(maxsize=4096)
def _interval(number: PrintedNumber, rule: RoundingRule, domain: Interval | None) -> Interval:
    value, closed = number.value, number.operator in ("≤", "≥")
    if number.operator in ("<", "≤"):
        stated = Interval(None, value, False, closed)
    elif number.operator in (">", "over", "≥"):
        stated = Interval(value, None, closed, False)
    else:
        stated = preimage(value, number.decimals, rule)
    inside = stated if domain is None else stated.intersect(domain)
    if inside is None:
        raise ValueError(f"{number} lies outside the possible values {domain}")
    return inside


def format_fixed(value: Rational, decimals: int, rule: RoundingRule = RoundingRule.HALF_UP) -> str:
    """Return a value as a figure with a fixed number of decimals, its halves decided by a rule.

    The value is exact; convert a float with ``Fraction(x)``. A minus sign is a plain hyphen; a
    value that rounds to zero has none.
    """
    return f"{Decimal(f'{units_of(value, decimals, rule)}e-{decimals}'):f}"


def outward(low: float, high: float, decimals: int) -> tuple[str, str]:
    """Return the ends of a range with some decimals, rounded away from its middle.

    An end within a millionth of a millionth of a figure is taken as that figure.
    """
    unit = Fraction(1, 10**decimals)
    slack = Fraction(1, 10**12)
    below = math.floor((Fraction(low) + slack) / unit) * unit
    above = math.ceil((Fraction(high) - slack) / unit) * unit
    return format_fixed(below, decimals), format_fixed(above, decimals)


def format_like(value: Rational, model: PrintedNumber) -> str:
    """Return a value printed in the manner of another figure, operator included.

    A value that satisfies the model's inequality is printed as the model itself
    (0.00003 beside ``<0.0001``); any other is printed to the model's decimals.
    """
    if model.operator not in ("=", "±"):
        if value in model.interval():
            return str(model)
        return format_fixed(value, model.decimals) + ("%" if model.percent else "")
    text = format_fixed(value, model.decimals)
    if model.text.lstrip("-").startswith("."):
        text = re.sub(r"^(-?)0\.", r"\1.", text)
    return model.with_text(text)


def plain(text: str) -> str:
    """Return a printed text in plain characters: its signs, spaces and powers of ten in ASCII.

    Read are every dash and minus sign, raised points, full-width and narrow characters, thousands
    separated by commas or narrow spaces, ``4.2 × 10⁻⁵`` and ``1e-10``, a leading plus, and marks of
    footnotes after the figure. What is no number comes back as it is, but for its characters.

    Examples
    --------
    >>> plain("−5·3"), plain("4.2 × 10⁻⁵"), plain("+1,234*")
    ('-5.3', '0.000042', '1234')
    """
    text = re.sub(
        r"10\s*([⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", lambda m: "10^" + m[1].translate(_SUPERSCRIPTS), text.strip()
    )
    # Any other raised number is the mark of a footnote.
    text = re.sub(r"(?<=[\d%)\]])\s*[¹²³⁰⁴-⁹①-⑳ᵃ-ᶻ]+", "", text)
    # A raised point is a decimal point (0·10–0·25) unless a raised exponent follows.
    text = re.sub(r"[·∙⋅]\s*(?=10\^)", "x", text)
    text = unicodedata.normalize("NFKC", unescape(text)).translate(_SIGNS)
    text = re.sub(r"=\s*(?=[<>≤≥])", "", text)
    text = text.replace("<=", "≤").replace(">=", "≥").replace("+/-", "±").replace("+-", "±")
    text = re.sub(r"(?<=[\d%)\]])\s*[*†‡§¶#]+$", "", text)
    text = _THOUSANDS.sub(lambda match: re.sub(r"[, ]", "", match[0]), text)
    text = re.sub(r"(?<![\w.+])\+(?=\.?\d)", "", text)
    return _POWER_OF_TEN.sub(_without_power, text)


def _without_power(match: re.Match[str]) -> str:
    """Return a figure with a power of ten as a plain one, its last digit in the same place."""
    figure = Decimal(match[1] or "1").scaleb(int(match[2]))
    exponent = figure.as_tuple().exponent
    # 1.2 x 10^3 is known to hundreds only, which a plain figure cannot show.
    return f"{figure:f}" if isinstance(exponent, int) and exponent <= 0 else match[0]


def parse(text: str) -> PrintedNumber:
    """Read one printed number.

    Parameters
    ----------
    text : str
        Such as ``–5.3``, ``<0.0001``, ``23.3%``, ``n = 28``, ``p < 0.0001``, ``over 70%``, in any
        of the characters of :func:`plain`; ``ns`` is read as ``≥0.05``.

    Returns
    -------
    PrintedNumber
        Its text keeps every printed digit; dashes become a plain hyphen.

    Raises
    ------
    ValueError
        If the text is not one printed number.

    Examples
    --------
    >>> parse("p-value < 0.05"), str(parse("16.7 %"))
    (PrintedNumber(text='0.05', operator='<', label='p-value', percent=False), '16.7%')
    """
    if not isinstance(text, str):
        raise ValueError(f"found {text!r}, allowed is the printed text, such as {str(text)!r}")
    found = plain(text)
    if _NOT_SIGNIFICANT.match(found):
        return PrintedNumber("0.05", "≥")
    match = _NUMBER.match(found)
    if match is None:
        mended = re.sub(r"^- +(?=[\d.])|\.$", lambda m: m[0].strip(" ."), found)
        mended = re.sub(r"(?<=\d),(?=\d)", ".", mended)
        hint = f"; did you mean {mended!r}?" if _NUMBER.match(mended) else ""
        hint = "; of two figures: parse_with_spread" if _WITH_SPREAD.match(found) else hint
        raise ValueError(
            f"not a printed number: {text!r} (such as -5.3, <0.0001, 23.3%, n = 28{hint})"
        )
    operator = (match["operator"] or "=").replace(":", "=")
    label = (match["label"] or "").strip()
    if label and not match["operator"]:
        raise ValueError(f"not a printed number: {text!r} (an operator must follow {label!r})")
    return PrintedNumber(match["figure"], operator, label, bool(match["percent"]))


def parse_range(text: str) -> tuple[PrintedNumber, PrintedNumber]:
    """Read a printed range such as ``3–24``, ``28%–97.5%``, ``(3 to 5)``.

    Raises
    ------
    ValueError
        If the text is no range, or its ends are in the wrong order.

    Examples
    --------
    >>> [str(end) for end in parse_range("28–97.5 %")]
    ['28%', '97.5%']
    """
    match = _RANGE.match(plain(text).strip("()[] "))
    if match is None:
        mended = re.sub(r"(?<=\d),(?=\d)", ".", text)
        hint = f"; did you mean {mended!r}?" if _RANGE.match(plain(mended)) else ""
        raise ValueError(f"not a printed range: {text!r} (such as 3–24{hint})")
    percent = bool(match["percent"] or match["also"])
    low = PrintedNumber(match["low"], percent=percent)
    high = PrintedNumber(match["high"], percent=percent)
    if low.value > high.value:
        raise ValueError(f"the range {text!r} runs downwards")
    return low, high


def parse_with_spread(text: str) -> tuple[PrintedNumber, PrintedNumber]:
    """Read a figure and what stands beside it: ``29.6 ± 7.2``, ``46.6 (SD 12.3)``, ``5 (16.7 %)``.

    The name of a spread (SD, SE) becomes its label.

    Raises
    ------
    ValueError
        If the text has another form.

    Examples
    --------
    >>> [str(figure) for figure in parse_with_spread("5 (<1 %)")]
    ['5', '<1%']
    """
    match = _WITH_SPREAD.match(plain(text))
    if match is None:
        raise ValueError(f"not a figure with its spread: {text!r} (such as 46.6 (12.3))")
    beside = match["pm"] or match["paren"] or match["named"]
    name = _SPREAD_NAME.match(beside)
    spread = parse(_SPREAD_NAME.sub("", beside) + (match["percent"] or ""))
    if name is not None:
        spread = replace(spread, label=name[1].upper().replace(".", ""))
    return parse(match["center"]), spread


def require_figure(name: str, number: PrintedNumber, least: Fraction | None = None) -> None:
    """Refuse an inequality, and what :func:`require_printed` refuses."""
    require_printed(name, number, least)
    if number.operator not in ("=", "±"):
        raise ValueError(f"{name}: found {number}, allowed are figures without < or >")


def require_printed(name: str, number: PrintedNumber, least: Fraction | None = None) -> None:
    """Refuse a plain number or text, whose printed form is not known, or too small a figure."""
    if not isinstance(number, PrintedNumber):
        text = str(number)
        raise ValueError(f"{name}: found {number!r}, allowed is a printed figure: parse({text!r})")
    if least is not None and number.value < least:
        raise ValueError(f"{name}: found {number}, allowed are figures from {least}")


def require_sd(sd: PrintedNumber) -> None:
    """Refuse a negative SD, a standard error, and what :func:`require_printed` refuses."""
    require_printed("sd", sd, Fraction(0))
    if sd.label.replace(".", "").upper() in ("SE", "SEM"):
        raise ValueError(f"sd: found {sd}, allowed is an SD: SE × √n")


def written(value: Rational) -> str:
    """Return an exact number as a decimal if it has an end, else as a fraction."""
    text = format_fixed(value, 6).rstrip("0").rstrip(".")
    return text if Fraction(text) == value else str(value)


def readings(number: PrintedNumber, *neighbours: PrintedNumber) -> tuple[PrintedNumber, ...]:
    """Return the readings of a figure that is printed with fewer decimals than its neighbours.

    The figure as printed comes first; then, if a neighbour has more decimals, the figure read with
    as many (``-8`` beside ``8.3``: ``-8`` and ``-8.0``).
    """
    most = max([number.decimals, *(other.decimals for other in neighbours)])
    if most == number.decimals or number.operator != "=":
        return (number,)
    return (number, replace(number, text=format_fixed(number.value, most)))

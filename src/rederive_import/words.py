"""What single words and cells mean: names of columns, times, dates, numbers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

DAYS = {"days": 1.0, "weeks": 7.0, "months": 30.4375, "years": 365.25}
"""Days of each unit of time; a month is a twelfth of a year of 365.25 days."""

PATIENT = frozenset(
    """patient|patients|pt|pt id|pt no|patient name|initials|participant|participant id|patient id
    |patientid|patient no|patient number|id|pid|pat|pat id|pat nr
    |patnr|patienten id|patientennummer|subject|subject id|subjid|usubjid|record id|study id
    |studyid|case|name|hosp no|hospital no|hospital number|hospital id|mrn|unit number|case no
    |case number|patient code|pseudonym|kürzel|fallnummer|fall nr""".replace("\n    ", "").split(
        "|"
    )
)
TIME = frozenset(
    """time|month|months|visit|visits|visit month|timepoint|time point|event|redcap event name
    |event name|week|weeks|day|days|year|years|date|visit date|visitdate|date of visit|monat|monate
    |woche|tag|zeitpunkt|visite|besuch|termin|untersuchung|datum|besuchsdatum
    |untersuchungsdatum|exam date|assessment date|visite am|besuch am|untersucht am|date seen
    |clinic date|date of clinic|date of assessment""".replace("\n    ", "").split("|")
)
FIRST = frozenset(
    """first infusion|date of first infusion|first infusion date|first dose|date of first dose
    |first dose date|first treatment|start date|start of treatment|treatment start|therapy start
    |infusion start|baseline date|erste infusion|therapiebeginn|datum erste infusion
    |datum der ersten infusion|date 1st infusion|1st infusion|infusion first date
    |date of start|start""".replace("\n    ", "").split("|")
)
TOTALS = {"mean", "average", "median", "sd", "sum", "total", "count", "n", "mittelwert", "summe"}
"""First cells of rows below a table that are no patients."""

MEASURE = {"measure", "test", "parameter", "variable", "outcome", "testcd", "messgröße", "item"}
VALUE = {"value", "result", "score value", "wert", "ergebnis", "messwert", "aval"}
"""Names of columns, as `plain` has them."""

MISSING = frozenset(
    """na|n/a|n.a.|nan|.|-|--|?|missing|unknown|null|none|nd|n.d.|k.a.|k. a.|unk|not done
    |#n/a|#div/0!|fehlt|unbekannt|not known|not recorded|nr|n.e.|n.b.""".replace(
        "\n    ", ""
    ).split("|")
)
MISSING_CODES = {"-1", "-8", "-9", "-88", "-99", "-999", "-9999"}
MISSING_CODES |= {"77", "88", "99", "888", "999", "9999"}
"""What often means that a value is unknown, as a word and as a number."""

YES = ("1", "yes", "y", "true", "ja", "j", "oui", "si", "x", "+", "pos", "positive")
NO = ("0", "no", "n", "false", "nein", "non", "-", "neg", "negative")

_UNITS = {
    "days": ("d", "day", "days", "tag", "tage"),
    "weeks": ("w", "wk", "wks", "week", "weeks", "woche", "wochen"),
    "months": ("m", "mo", "mon", "month", "months", "monat", "monate", "mths", "mth"),
    "years": ("y", "yr", "year", "years", "jahr", "jahre"),
}
UNIT_WORDS = {word for words in _UNITS.values() for word in words} | {"bl", "baseline"}

_START = ("baseline", "bl", "base", "pre", "start", "basis")
_EXCEL = date(1899, 12, 30)
_NAMED_MONTH = ("%d %b %Y", "%d %B %Y", "%b %d %Y", "%B %d %Y", "%d %b %y")


def plain(text: object) -> str:
    """Return a name in small letters and single blanks, without what stands in brackets."""
    bare = re.sub(r"[\(\[].*?[\)\]]", " ", unicodedata.normalize("NFC", str(text))).lower()
    return " ".join(re.findall(r"[^\W_]+", bare))


def header_words(text: str) -> str:
    """Return a header as `plain` has it; 6/12 and 2/52 are six months and two weeks."""
    for twelfths, unit in (("12", "months"), ("52", "weeks")):
        text = re.sub(rf"\b(\d+)/{twelfths}\b", rf"\1 {unit}", text)
    return plain(text)


def unit_of(text: str) -> str:
    """Return the unit of time that is named in a header, or nothing."""
    words = plain(re.sub(r"[\(\[\)\]]", " ", text)).split()
    found = {unit for unit, names in _UNITS.items() for word in words if word in names and word[1:]}
    return found.pop() if len(found) == 1 else ""


def time_of(text: str) -> tuple[Decimal, str] | None:
    """Return number and unit of a time in words, such as ``month_6_arm_1``; no unit if not said.

    Baseline is month 0.
    """
    bare = re.sub(r"(\barm \d+|\bfollow up|\bfu|\bvisit)$", "", plain(text)).strip()
    bare = re.sub(r"^(visit|visite|event|time|t|after|fu|follow up)\b ?(?=\d)", "", bare)
    if bare in _START:
        return Decimal(0), "months"
    for pattern in (r"(?P<unit>[a-zäöü]+) ?(?P<n>\d+)", r"(?P<n>\d+) ?(?P<unit>[a-zäöü]*)"):
        found = re.fullmatch(pattern, bare)
        units = [u for u, names in _UNITS.items() if found and found["unit"] in names]
        if found and (units or not found["unit"]):
            return Decimal(found["n"]), units[0] if units else ""
    return None


def months_of(days: float) -> int:
    """Return days as whole months of 30.4375 days, the nearest; a half goes to the later one."""
    half = Decimal(str(days)) / Decimal(str(DAYS["months"])) + Decimal("0.5")
    return int(half.to_integral_value(rounding="ROUND_FLOOR"))


def number_of(text: str) -> tuple[str, str] | None:
    """Return a number with a decimal point, and what was changed for that; None if it is none."""
    bare = text.translate(str.maketrans("–−‐‑", "----", "\xa0"))
    change = "minus sign" if bare.strip("\xa0") != text and "\xa0" not in text else ""
    if re.fullmatch(r"[+-]?\d+,\d+", bare):
        bare, change = bare.replace(",", "."), "decimal comma read as a point"
    if not re.fullmatch(r"[+-]?\d+(\.\d*)?([eE][+-]?\d{1,3})?", bare):
        return None
    return bare, change


def date_of(text: str, order: str = "") -> tuple[date, str] | str:
    """Return a date and what was done for that, or what speaks against it.

    Parameters
    ----------
    text : str
        The cell.
    order : str
        ``dmy`` or ``mdy``, where day and month stand with a stroke or hyphen between them.
    """
    bare = re.sub(r"[ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?Z?$", "", text.strip())
    try:
        if found := re.fullmatch(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})", bare):
            return date(*map(int, found.groups())), ""
        if found := re.fullmatch(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})", bare):
            first, second, year = int(found[1]), int(found[3]), int(found[4])
            if found[2] != "." and not order:
                return "order"
            if found[2] != "." and order == "mdy":
                first, second = second, first
            short = len(found[4]) == 2
            century = (2000 if year < 50 else 1900) if short else 0
            change = "year with two digits" if short else ""
            return date(century + year, second, first), change
        if re.fullmatch(r"\d{5}(\.\d+)?", bare) and 20000 < float(bare) < 60000:
            days = timedelta(days=int(float(bare)))
            return _EXCEL + days, "Excel's serial number of a date"
        for form in _NAMED_MONTH:
            try:
                return datetime.strptime(re.sub(r"[-.,/ ]+", " ", bare), form).date(), ""
            except ValueError:
                continue
    except ValueError:
        return "a day that exists"
    return "a date with day, month and year"


def is_date(cell: object) -> bool:
    """Whether a cell is a date, in whichever order."""
    return isinstance(cell, date) or isinstance(date_of(str(cell), "dmy"), tuple)


def order_of(texts: Iterable[str]) -> tuple[str, list[str]]:
    """Return the order of day and month that dates settle, and those that speak for another.

    The order is empty where every date can be read in both.
    """
    votes: dict[str, list[str]] = {"dmy": [], "mdy": []}
    for text in texts:
        found = re.match(r"(\d{1,2})([-/])(\d{1,2})\2\d{2,4}", text.strip())
        if found and int(found[1]) > 12:
            votes["dmy"].append(text)
        elif found and int(found[3]) > 12:
            votes["mdy"].append(text)
    if votes["dmy"] and votes["mdy"]:
        return "", [votes["dmy"][0], votes["mdy"][0]]
    return next((order for order, found in votes.items() if found), ""), []


def nearest_step(text: str, step: Decimal | None) -> str:
    """Return the multiple of a step next to a number, or nothing if it is none or is huge."""
    found = number_of(text)
    if found is None or not step or abs(Decimal(found[0])) > 1_000_000:
        return ""
    steps = int((Decimal(found[0]) / step).to_integral_value(rounding=ROUND_HALF_UP))
    return f"{steps * step:f}"

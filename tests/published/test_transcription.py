"""The registry of printed numbers against itself and against the text of the article.

The checks of the tables against themselves always run. The comparison with the article needs
its text, which is not part of the project: set ``REDERIVE_ARTICLE_TEXT`` to a plain-text file of
the article. ``places.csv`` names where each paragraph and each table row begins in that text,
``exclusions.csv`` lists every number of the text that is not a printed result, and why.
"""

from __future__ import annotations

import csv
import difflib
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
PUBLISHED = HERE.parents[1] / "data" / "published"
TEXT_VARIABLE = "REDERIVE_ARTICLE_TEXT"

Row = dict[str, str]

NUMBER_COLUMNS = [
    "id", "section", "place", "group", "variable", "timepoint", "statistic", "printed",
    "operator", "value", "decimals", "unit", "n", "n_stated", "same_as", "note",
]  # fmt: skip
CLAIM_COLUMNS = [
    "id", "section", "place", "group", "variable", "timepoint", "kind", "expected", "statement",
    "same_as", "note",
]  # fmt: skip
FILE_ORDER = [
    "abstract", "methods", "results", "table1", "table2", "figure1", "discussion", "appendix1",
    "appendix2",
]  # fmt: skip
MENTION_ORDER = [
    "abstract", "methods", "table1", "table2", "figure1", "results", "discussion", "appendix1",
    "appendix2",
]  # fmt: skip
TABLES = {"table1", "table2"}
COMPARATORS = ["relaxin", "D-pen", "collagen", "MMF"]
GROUPS = {"", "IVIG", *COMPARATORS}
TIMEPOINTS = {"", "baseline", "m6", "m12", "m18", "m24"}
STATISTICS = {
    "n", "count", "percent", "mean", "sd", "p", "or", "ci_low", "ci_high", "min", "max", "alpha",
    "threshold", "month", "other",
}  # fmt: skip
PLUS_MINUS = "\N{PLUS-MINUS SIGN}"
AT_MOST = "\N{LESS-THAN OR EQUAL TO}"
AT_LEAST = "\N{GREATER-THAN OR EQUAL TO}"
OPERATORS = {"=", "<", ">", AT_MOST, AT_LEAST, "over", PLUS_MINUS}
UNITS = {
    "", "patients", "percent", "percent_predicted", "points", "score", "years", "months", "weeks",
    "days", "cycles", "mmHg", "g/kg/mo", "g/day", "year", "trials", "studies", "groups",
    "treatments",
}  # fmt: skip
SIGNIFICANCE_KINDS = {
    "asterisk": "significant",
    "significant": "significant",
    "no_asterisk": "not_significant",
    "not_significant": "not_significant",
    "comparable": "not_significant",
    "none_differ": "not_significant",
    "none_predict": "not_significant",
}
OTHER_KINDS = {
    "borderline": {"true"},
    "unchanged": {"true", "not_significant"},
    "majority": {"true"},
    "large_share": {"true"},
    "ordering": {"true"},
    "direction": {"true"},
    "decreasing": {"true"},
    "normalised": {"true"},
    "none": {"true"},
    "same_conclusion": {"true"},
}


def read_table(path: Path) -> list[Row]:
    """Read a CSV file with a header as one dictionary per row."""
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


NUMBERS = read_table(PUBLISHED / "numbers.csv")
CLAIMS = read_table(PUBLISHED / "claims.csv")
PLACES = read_table(HERE / "places.csv")
EXCLUSIONS = read_table(HERE / "exclusions.csv")


# --- reading numbers out of running text ---------------------------------------------------------

_UNITS_IN_WORDS = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
]  # fmt: skip
_TENS_IN_WORDS = [
    "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
]  # fmt: skip
_DASH = "\N{EN DASH}\N{MINUS SIGN}"
_TOKEN = re.compile(
    rf"(?P<sign>(?<!\w)[{_DASH}])?(?P<digits>(?:\d{{1,3}}(?:,\d{{3}})+(?!\d)|\d+)(?:\.\d+)?)"
    rf"|\b(?:(?P<tens>{'|'.join(_TENS_IN_WORDS)})(?:-(?P<units>{'|'.join(_UNITS_IN_WORDS[1:10])}))?"
    rf"|(?P<small>{'|'.join(_UNITS_IN_WORDS)}))\b",
    re.IGNORECASE,
)
_OPERATOR_IN_WORDS = [
    (re.compile(r"\bat least(?: an?)?\s*$", re.IGNORECASE), AT_LEAST),
    (re.compile(r"\bup to\s*$", re.IGNORECASE), AT_MOST),
    (re.compile(r"\bover\s*$", re.IGNORECASE), "over"),
]


@dataclass(frozen=True)
class Token:
    """One number found in a text."""

    printed: str
    operator: str
    word: str
    start: int
    end: int
    percent: bool
    starred: bool


def normalise(text: str) -> str:
    """Undo line-end hyphenation of words and make every run of white space one space."""
    joined = re.sub(r"(?<=[a-z])-[ \t]*\n\s*(?=[a-z])", "", text)
    return re.sub(r"\s+", " ", joined).strip()


def tokens(text: str) -> Iterator[Token]:
    """Yield every number of a normalised text, in digits or in words, in order."""
    for match in _TOKEN.finditer(text):
        if match["digits"]:
            sign = "-" if match["sign"] else ""
            printed, word = sign + match["digits"].replace(",", ""), ""
        elif match["tens"]:
            tens = 10 * (_TENS_IN_WORDS.index(match["tens"].lower()) + 2)
            units = _UNITS_IN_WORDS.index(match["units"].lower()) if match["units"] else 0
            printed, word = str(tens + units), match[0]
        else:
            printed, word = str(_UNITS_IN_WORDS.index(match["small"].lower())), match[0]
        before, after = text[: match.start()].rstrip(), text[match.end() :]
        operator = "="
        if before and before[-1] in f"<>{AT_MOST}{AT_LEAST}{PLUS_MINUS}":
            operator = before[-1]
        else:
            for pattern, symbol in _OPERATOR_IN_WORDS:
                if pattern.search(before):
                    operator = symbol
        yield Token(
            printed=printed,
            operator=operator,
            word=word,
            start=match.start(),
            end=match.end(),
            percent=after.startswith("%"),
            starred=re.match(r"\)?\*", after) is not None,
        )


@dataclass(frozen=True)
class Segment:
    """A stretch of the text that belongs to one paragraph or one table row."""

    section: str
    place: str
    start: int
    end: int


def segments(text: str, places: Sequence[Mapping[str, str]]) -> list[Segment]:
    """Cut a normalised text at the markers, each searched for after the one before it.

    Raises
    ------
    ValueError
        If a marker does not follow, or if text with numbers stands before the first marker.
    """
    starts: list[int] = []
    position = 0
    for number, place in enumerate(places, start=2):
        found = text.find(place["marker"], position)
        if found < 0:
            raise ValueError(
                f"places.csv row {number}: the words {place['marker']!r} do not follow "
                f"position {position} of the text"
            )
        starts.append(found)
        position = found + len(place["marker"])
    if starts and next(tokens(text[: starts[0]]), None) is not None:
        raise ValueError("the text has numbers before the first marker of places.csv")
    ends = [*starts[1:], len(text)]
    return [
        Segment(place["section"], place["place"], start, end)
        for place, start, end in zip(places, starts, ends, strict=True)
    ]


def base_place(row: Mapping[str, str]) -> str:
    """Return the paragraph, or the row of a table without its column."""
    return row["place"].split(" | ")[0]


def placed_tokens(
    text: str, places: Sequence[Mapping[str, str]], exclusions: Sequence[Mapping[str, str]]
) -> tuple[list[tuple[Segment, Token]], list[str]]:
    """Return the numbers that are left after the exclusions, and what is wrong with those."""
    used: Counter[int] = Counter()
    problems: list[str] = []
    kept: list[tuple[Segment, Token]] = []
    contexts = [
        [found.span() for found in re.finditer(re.escape(rule["context"]), text)]
        for rule in exclusions
    ]
    for segment in segments(text, places):
        for token in tokens(text[segment.start : segment.end]):
            start, end = token.start + segment.start, token.end + segment.start
            matching = [
                index
                for index, rule in enumerate(exclusions)
                if rule["section"] == segment.section
                and rule["token"] == token.printed
                and any(left <= start and end <= right for left, right in contexts[index])
            ]
            if len(matching) > 1:
                problems.append(f"exclusions.csv: several rows fit {token.printed!r}: {matching}")
            if matching:
                used.update(matching)
            else:
                kept.append((segment, token))
    problems += [
        f"exclusions.csv row {index + 2}: {rule['token']!r} in {rule['context']!r} was met "
        f"{used[index]} times, allowed is exactly {rule['times']}"
        for index, rule in enumerate(exclusions)
        if used[index] != int(rule["times"])
    ]
    return kept, problems


def describe_token(token: Token) -> str:
    """Write a number of the text the way a registry row is written."""
    return f"{token.operator} {token.printed}" + (f" ({token.word})" if token.word else "")


def describe_row(row: Mapping[str, str]) -> str:
    """Write a registry row the way a number of the text is written."""
    operator = row["operator"]
    if row["statistic"] == "sd" and row["note"].startswith(f"printed after a {PLUS_MINUS} sign"):
        operator = PLUS_MINUS
    word = re.match(r"printed as the word ([\w-]+)", row["note"])
    return f"{operator} {row['printed']}" + (f" ({word[1]})" if word else "")


def difference(where: str, article: Sequence[str], registry: Sequence[str]) -> list[str]:
    """Return a readable difference of two sequences, empty if they are equal."""
    if list(article) == list(registry):
        return []
    lines = difflib.unified_diff(article, registry, "article", "registry", n=3, lineterm="")
    return [f"{where}:", *(f"    {line}" for line in lines)]


def section_mismatches(
    numbers: Sequence[Mapping[str, str]], kept: Sequence[tuple[Segment, Token]], section: str
) -> list[str]:
    """Compare the ordered numbers of one section in the text and in the registry."""
    return difference(
        section,
        [describe_token(token) for segment, token in kept if segment.section == section],
        [describe_row(row) for row in numbers if row["section"] == section],
    )


def place_mismatches(
    numbers: Sequence[Mapping[str, str]],
    kept: Sequence[tuple[Segment, Token]],
    places: Sequence[Mapping[str, str]],
) -> list[str]:
    """Compare the ordered numbers of every paragraph and table row."""
    known = dict.fromkeys((place["section"], place["place"]) for place in places)
    article: dict[tuple[str, str], list[str]] = {key: [] for key in known}
    registry: dict[tuple[str, str], list[str]] = {key: [] for key in known}
    problems: list[str] = []
    for segment, token in kept:
        article[segment.section, segment.place].append(describe_token(token))
    for row in numbers:
        key = (row["section"], base_place(row))
        if key in registry:
            registry[key].append(describe_row(row))
        else:
            problems.append(f"{row['id']}: no place {key[1]!r} in section {key[0]!r}")
    for key in known:
        problems += difference(" / ".join(key), article[key], registry[key])
    return problems


# --- the tables against themselves ---------------------------------------------------------------


def slug(*parts: str) -> str:
    """Join the non-empty parts to an id."""
    return "-".join(part.lower().replace("_", "-") for part in parts if part)


def expected_ids(rows: Sequence[Row], last: str) -> list[str]:
    """Derive the ids of a table from its columns; later rows of the same name are numbered."""
    seen: Counter[str] = Counter()
    ids = []
    for row in rows:
        base = slug(row["section"], row["variable"], row["group"], row["timepoint"], row[last])
        seen[base] += 1
        ids.append(base if seen[base] == 1 else f"{base}-{seen[base]}")
    return ids


def mention_rank(rows: Sequence[Row]) -> dict[str, tuple[int, int]]:
    """Rank the ids by the order in which a section counts as the first mention."""
    return {
        row["id"]: (MENTION_ORDER.index(row["section"]), index) for index, row in enumerate(rows)
    }


def test_columns_are_the_documented_ones() -> None:
    assert list(NUMBERS[0]) == NUMBER_COLUMNS
    assert list(CLAIMS[0]) == CLAIM_COLUMNS


@pytest.mark.parametrize("name", ["numbers.csv", "claims.csv"])
def test_files_are_plain(name: str) -> None:
    content = (PUBLISHED / name).read_bytes()
    assert b"\r" not in content
    assert content.endswith(b"\n")
    assert not content.startswith(b"\xef\xbb\xbf")
    cells = [cell for row in read_table(PUBLISHED / name) for cell in row.values()]
    assert [cell for cell in cells if cell != cell.strip()] == []


@pytest.mark.parametrize(
    ("rows", "last"), [(NUMBERS, "statistic"), (CLAIMS, "kind")], ids=["numbers", "claims"]
)
def test_ids_follow_from_the_columns(rows: list[Row], last: str) -> None:
    assert [row["id"] for row in rows] == expected_ids(rows, last)


@pytest.mark.parametrize("rows", [NUMBERS, CLAIMS], ids=["numbers", "claims"])
def test_sections_stand_in_order(rows: list[Row]) -> None:
    positions = [FILE_ORDER.index(row["section"]) for row in rows]
    assert positions == sorted(positions)


@pytest.mark.parametrize(
    ("column", "allowed"),
    [
        ("group", GROUPS),
        ("timepoint", TIMEPOINTS),
        ("statistic", STATISTICS),
        ("operator", OPERATORS),
        ("unit", UNITS),
        ("n_stated", {"", "true", "false"}),
    ],
)
def test_words_of_numbers_are_in_the_vocabulary(column: str, allowed: set[str]) -> None:
    assert {row["id"]: row[column] for row in NUMBERS if row[column] not in allowed} == {}


def test_words_of_claims_are_in_the_vocabulary() -> None:
    wrong = []
    for row in CLAIMS:
        kind = row["kind"]
        allowed = (
            {SIGNIFICANCE_KINDS[kind]} if kind in SIGNIFICANCE_KINDS else OTHER_KINDS.get(kind)
        )
        if allowed is None or row["expected"] not in allowed:
            wrong.append((row["id"], kind, row["expected"]))
        if row["group"] not in GROUPS or row["timepoint"] not in TIMEPOINTS:
            wrong.append((row["id"], row["group"], row["timepoint"]))
        if not row["statement"]:
            wrong.append((row["id"], "statement", ""))
    assert wrong == []


def test_documented_variables_are_the_used_ones() -> None:
    readme = (PUBLISHED / "README.md").read_text(encoding="utf-8")
    chapter = readme.split("## Variables", 1)[1].split("\n## ", 1)[0]
    documented: Counter[str] = Counter()
    for line in chapter.splitlines():
        if line.startswith("| `"):
            documented.update(re.findall(r"`(\w+)`", line.split("|")[1]))
    assert [name for name, times in documented.items() if times > 1] == []
    used = {row["variable"] for row in NUMBERS} | {row["variable"] for row in CLAIMS}
    assert set(documented) == used


def test_values_are_what_is_printed() -> None:
    wrong = [
        row["id"]
        for row in NUMBERS
        if not re.fullmatch(r"-?\d+(\.\d+)?", row["printed"])
        or Decimal(row["value"]) != Decimal(row["printed"])
        or row["decimals"] != str(len(row["printed"].partition(".")[2]))
    ]
    assert wrong == []


def test_sample_sizes_are_whole_and_marked() -> None:
    wrong = []
    for row in NUMBERS:
        size, stated = row["n"], row["n_stated"]
        needless = row["statistic"] in {"month", "threshold", "alpha", "other"}
        if (needless and (size or stated)) or (size and not re.fullmatch(r"[1-9]\d*", size)):
            wrong.append((row["id"], size, stated))
        if (size and not stated) or (stated == "true" and not size):
            wrong.append((row["id"], size, stated))
        if row["statistic"] == "n" and (size, stated) != (row["printed"], "true"):
            wrong.append((row["id"], size, stated))
        if row["statistic"] == "count" and size and int(row["value"]) > int(size):
            wrong.append((row["id"], size, stated))
    assert wrong == []


def test_time_points_agree_with_target_months() -> None:
    months = [row for row in NUMBERS if row["statistic"] == "month"]
    assert months
    assert [row["id"] for row in months if row["timepoint"] != f"m{row['printed']}"] == []
    assert [row["id"] for row in months if row["same_as"]] == []


def test_number_links_point_to_the_first_mention() -> None:
    by_id = {row["id"]: row for row in NUMBERS}
    rank = mention_rank(NUMBERS)
    quantity = ["variable", "group", "timepoint", "statistic", "unit"]
    wrong = []
    for row in NUMBERS:
        if not row["same_as"]:
            continue
        first = by_id.get(row["same_as"])
        if (
            first is None
            or first["same_as"]
            or rank[first["id"]] >= rank[row["id"]]
            or any(first[column] != row[column] for column in quantity)
        ):
            wrong.append((row["id"], row["same_as"]))
    assert wrong == []


def test_no_repeated_number_is_left_unlinked() -> None:
    """Rows of one quantity share a first mention unless they state different patients."""
    first: dict[tuple[str, ...], dict[str, str]] = {}
    wrong = []
    for row in sorted(NUMBERS, key=lambda row: MENTION_ORDER.index(row["section"])):
        if row["statistic"] == "month" or row["same_as"]:
            continue
        key = tuple(row[column] for column in ("variable", "group", "timepoint", "statistic"))
        sizes = first.setdefault(key, {})
        if sizes and (row["n_stated"] != "true" or row["n"] in sizes):
            wrong.append((row["id"], sizes))
        sizes[row["n"]] = row["id"]
    assert wrong == []


def test_claim_links_point_to_the_first_mention() -> None:
    by_id = {row["id"]: row for row in CLAIMS}
    rank = mention_rank(CLAIMS)
    wrong = []
    for row in CLAIMS:
        if not row["same_as"]:
            continue
        first = by_id.get(row["same_as"])
        if (
            first is None
            or first["same_as"]
            or rank[first["id"]] >= rank[row["id"]]
            or any(first[c] != row[c] for c in ("variable", "group", "timepoint", "expected"))
        ):
            wrong.append((row["id"], row["same_as"]))
    assert wrong == []


def test_table_columns_agree_with_the_groups() -> None:
    wrong = []
    for row in NUMBERS:
        if row["section"] not in TABLES:
            continue
        _, _, column = row["place"].partition(" | ")
        expected = {"": {"", "IVIG"}, "row label": {"IVIG"}}.get(column, {column})
        if row["group"] not in expected or (not column and "footnote" not in row["place"]):
            wrong.append((row["id"], row["place"]))
    assert wrong == []


def test_every_comparator_cell_has_one_claim_on_its_asterisk() -> None:
    cells = {
        (row["place"], row["variable"], row["group"], row["timepoint"])
        for row in NUMBERS
        if row["section"] == "table1" and row["group"] in COMPARATORS
        if row["variable"] != "cohort_size"
    }
    marks = [
        (row["place"], row["variable"], row["group"], row["timepoint"])
        for row in CLAIMS
        if row["section"] == "table1"
    ]
    assert sorted(marks) == sorted(cells)


@pytest.mark.parametrize("rows", [PLACES, EXCLUSIONS], ids=["places", "exclusions"])
def test_quotations_are_short(rows: list[Row]) -> None:
    column = "marker" if "marker" in rows[0] else "context"
    assert [row[column] for row in rows if not 1 <= len(row[column].split()) <= 4] == []
    assert [row for row in rows if not all(row.values())] == []


# --- the reader of numbers -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a change of (\N{EN DASH}5.3 \N{PLUS-MINUS SIGN} 7.9)", ["= -5.3", f"{PLUS_MINUS} 7.9"]),
        ("the range was 3\N{EN DASH}24, p < 0.0001", ["= 3", "= 24", "< 0.0001"]),
        ("at least a 3-month pause, up to 1,250 U", [f"{AT_LEAST} 3", f"{AT_MOST} 1250"]),
        ("Twenty-one of us and ten, none alone", ["= 21 (Twenty-one)", "= 10 (ten)"]),
        ("over 70% in 12-\nmonth visits over time", ["over 70", "= 12"]),
        ("as shown8,9 by NCT012 and Scl70.", ["= 8", "= 9", "= 012", "= 70"]),
    ],
)
def test_numbers_are_read(text: str, expected: list[str]) -> None:
    assert [describe_token(token) for token in tokens(normalise(text))] == expected


def test_words_are_joined_over_line_ends() -> None:
    assert normalise("signifi-\ncantly  longer 12-\nmonth") == "significantly longer 12- month"


def test_stars_and_percent_signs_are_seen() -> None:
    found = list(tokens("9.5 (4.1)* 21.0* 80% 3.3"))
    assert [token.starred for token in found] == [False, True, True, False, False]
    assert [token.percent for token in found] == [False, False, False, True, False]


TOY_TEXT = "START Ten mice1 weighed 20.5 (2.5) g. END At least 3 of 10 gained over 50%."
TOY_PLACES = [
    {"section": "results", "place": "paragraph 1", "marker": "START"},
    {"section": "results", "place": "paragraph 2", "marker": "END"},
]
TOY_EXCLUSIONS = [{"section": "results", "token": "1", "context": "mice1", "times": "1"}]


def toy_rows() -> list[Row]:
    """Return the registry that belongs to the toy text."""
    printed = [
        ("paragraph 1", "=", "10", "printed as the word Ten"),
        ("paragraph 1", "=", "20.5", ""),
        ("paragraph 1", "=", "2.5", ""),
        ("paragraph 2", AT_LEAST, "3", "operator in words: at least"),
        ("paragraph 2", "=", "10", ""),
        ("paragraph 2", "over", "50", "operator in words: over"),
    ]
    return [
        {
            "id": str(index), "section": "results", "place": place, "statistic": "other",
            "operator": operator, "printed": figure, "note": note,
        }
        for index, (place, operator, figure, note) in enumerate(printed)
    ]  # fmt: skip


def toy_mismatches(rows: Sequence[Row], exclusions: Sequence[Row], text: str) -> list[str]:
    """Return everything that the comparison says about a toy registry."""
    kept, problems = placed_tokens(text, TOY_PLACES, exclusions)
    problems += section_mismatches(rows, kept, "results")
    return problems + place_mismatches(rows, kept, TOY_PLACES)


def test_a_true_transcription_passes() -> None:
    assert toy_mismatches(toy_rows(), TOY_EXCLUSIONS, TOY_TEXT) == []


@pytest.mark.parametrize("fault", ["drop", "digit", "swap", "operator", "move", "word", "extra"])
def test_a_faulty_transcription_is_found(fault: str) -> None:
    rows = toy_rows()
    if fault == "drop":
        del rows[2]
    elif fault == "digit":
        rows[1]["printed"] = "20.6"
    elif fault == "swap":
        rows[1], rows[2] = rows[2], rows[1]
    elif fault == "operator":
        rows[5]["operator"] = "="
    elif fault == "move":
        rows[3]["place"] = "paragraph 1"
    elif fault == "word":
        rows[0]["note"] = ""
    else:
        rows.append(rows[-1])
    assert toy_mismatches(rows, TOY_EXCLUSIONS, TOY_TEXT) != []


def test_exclusions_are_used_as_often_as_they_say() -> None:
    twice = [{**TOY_EXCLUSIONS[0], "times": "2"}]
    assert any("met 1 times" in line for line in toy_mismatches(toy_rows(), twice, TOY_TEXT))
    assert toy_mismatches(toy_rows(), [], TOY_TEXT) != []


def test_a_missing_marker_is_named() -> None:
    with pytest.raises(ValueError, match=r"places\.csv row 3: the words 'END'"):
        segments("START only", TOY_PLACES)


# --- the registry against the article ------------------------------------------------------------


@pytest.fixture(scope="session")
def article() -> str:
    """Return the article's text, or skip when the machine does not have it."""
    name = os.environ.get(TEXT_VARIABLE)
    if not name:
        pytest.skip(
            f"the article's text is not part of the project; set {TEXT_VARIABLE} to the path of "
            "a plain-text file of it to compare the registry with it"
        )
    path = Path(name)
    assert path.is_file(), f"{TEXT_VARIABLE} names {name!r}, which is not a file"
    return normalise(path.read_text(encoding="utf-8"))


def test_every_exclusion_is_used(article: str) -> None:
    _, problems = placed_tokens(article, PLACES, EXCLUSIONS)
    assert problems == []


@pytest.mark.parametrize("section", ["front", "introduction", *FILE_ORDER])
def test_section_holds_the_same_numbers_in_order(article: str, section: str) -> None:
    kept, _ = placed_tokens(article, PLACES, EXCLUSIONS)
    problems = section_mismatches(NUMBERS, kept, section)
    assert not problems, "\n".join(problems)


def test_every_number_stands_at_its_place(article: str) -> None:
    kept, _ = placed_tokens(article, PLACES, EXCLUSIONS)
    problems = place_mismatches(NUMBERS, kept, PLACES)
    assert not problems, "\n".join(problems)


def aligned(article: str) -> list[tuple[Row, Token]]:
    """Pair every row with its number in the text."""
    kept, _ = placed_tokens(article, PLACES, EXCLUSIONS)
    pairs: list[tuple[Row, Token]] = []
    for section in FILE_ORDER:
        rows = [row for row in NUMBERS if row["section"] == section]
        found = [token for segment, token in kept if segment.section == section]
        assert len(rows) == len(found), (
            f"{section}: {len(rows)} rows, {len(found)} numbers in the text; the comparison by "
            "section shows which"
        )
        pairs.extend(zip(rows, found, strict=True))
    return pairs


def test_percent_signs_belong_to_percentages(article: str) -> None:
    wrong = []
    for row, token in aligned(article):
        if token.percent and not row["unit"].startswith("percent"):
            wrong.append(row["id"])
        in_text = row["section"] not in TABLES
        if in_text and row["unit"] == "percent" and not token.percent:
            wrong.append(row["id"])
    assert wrong == []


def test_asterisks_of_table_1_are_the_claimed_ones(article: str) -> None:
    cells: dict[str, bool] = {}
    for row, token in aligned(article):
        if row["section"] == "table1" and row["group"] in COMPARATORS:
            cells[row["place"]] = cells.get(row["place"], False) or token.starred
    claimed = {
        row["place"]: row["kind"] == "asterisk" for row in CLAIMS if row["section"] == "table1"
    }
    headers = {place for place in cells if base_place({"place": place}) == "header"}
    assert {place: star for place, star in cells.items() if place not in headers} == claimed


def test_numbers_of_the_ivig_column_carry_no_asterisk(article: str) -> None:
    starred = [
        row["id"]
        for row, token in aligned(article)
        if token.starred and not (row["section"] == "table1" and row["group"] in COMPARATORS)
    ]
    assert starred == []

"""A quiz as a page, for Moodle, as GIFT, as QTI 1.2 and on paper.

All texts of a quiz are plain; none is trusted where it is written as markup.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from pathlib import Path
from xml.etree import ElementTree

from rederive.printed.files import zipped
from rederive_teach.lesson import CHAPTERS, find_file
from rederive_teach.quiz import SENTENCE, Question, Quiz, read_quiz

_SCRIPT = Path(__file__).with_name("quiz.js").read_text(encoding="utf-8")


def page(quiz: Quiz) -> str:
    """Return a quiz for a page: native form elements; without a script, answers in details."""
    asked = "".join(_fieldset(quiz.chapter, each) for each in quiz.questions)
    return (
        f'<section class="quizzes" aria-label="{escape(quiz.title)}"><p>{escape(SENTENCE)}</p>'
        f"{asked}<script>{_SCRIPT}</script></section>"
    )


@dataclass(frozen=True)
class QuizPage:
    """The quiz of a chapter, as a notebook shows it."""

    chapter: str

    def _repr_html_(self) -> str:
        return page(read_quiz(find_file(CHAPTERS, f"quizzes/{self.chapter}.yaml")))


def _fieldset(chapter: str, question: Question) -> str:
    name = f"{chapter}-{question.id}"
    data = f'data-id="{escape(question.id)}"'
    if question.options:
        fields = "".join(
            f'<p><label><input type="radio" name="{escape(name)}"> {escape(each.text)}</label></p>'
            for each in question.options
        )
        said = "".join(
            f"<li>{'Right' if each.right else 'Not yet'}. {escape(each.feedback)}</li>"
            for each in question.options
        )
        answers = f"<ol>{said}</ol>"
    else:
        unit = escape(question.unit)
        fields = (
            f'<p><label>Your answer: <input type="text" inputmode="decimal" size="10" '
            f'name="{escape(name)}" autocomplete="off"> {unit}</label></p>'
        )
        hint, asked = escape(question.feedback), escape(question.asked)
        data += f' data-number="{asked}" data-tolerance="{question.tolerance:.12g}"'
        data += f' data-hint="{hint}"'
        answers = f"<p>{asked} {unit}. {hint}</p>"
    return (
        f'<fieldset class="quiz" {data}><legend>{escape(question.stem)} '
        f"<small>({escape(question.mark)})</small></legend>{fields}"
        f"<details><summary>Answers</summary>{answers}</details></fieldset>"
    )


def _child(
    parent: ElementTree.Element, tag: str, text: str = "", **attributes: str
) -> ElementTree.Element:
    made = ElementTree.SubElement(parent, tag, attributes)
    made.text = text or None
    return made


def _texts(
    parent: ElementTree.Element, tag: str, text: str, **attributes: str
) -> ElementTree.Element:
    made = _child(parent, tag, **attributes)
    _child(made, "text", text)
    return made


def _serialised(root: ElementTree.Element) -> bytes:
    ElementTree.indent(root)
    written: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def moodle(quiz: Quiz) -> bytes:
    """Return a quiz as Moodle XML, its questions in a category of the chapter's name."""
    root = ElementTree.Element("quiz")
    _texts(_child(root, "question", type="category"), "category", f"$course$/{quiz.chapter}")
    for each in quiz.questions:
        kind = "multichoice" if each.options else "numerical"
        question = _child(root, "question", type=kind)
        _texts(question, "name", f"{each.id} {each.misconception}")
        _texts(question, "questiontext", each.text, format="plain_text")
        _texts(question, "generalfeedback", f"Rests on: {each.mark}.", format="plain_text")
        if each.options:
            for tag, value in (("single", "true"), ("shuffleanswers", "1")):
                _child(question, tag, value)
        else:
            answer = _texts(question, "answer", each.asked, fraction="100")
            _child(answer, "tolerance", f"{each.tolerance:.12g}")
            _texts(answer, "feedback", "Right.", format="plain_text")
            other = _texts(question, "answer", "*", fraction="0")
            _texts(other, "feedback", each.feedback, format="plain_text")
        for option in each.options:
            value = "100" if option.right else "0"
            answer = _texts(question, "answer", option.text, fraction=value, format="plain_text")
            _texts(answer, "feedback", option.feedback, format="plain_text")
    return _serialised(root)


def gift(quiz: Quiz) -> bytes:
    """Return a quiz as GIFT."""
    made = [f"$CATEGORY: {quiz.chapter}"]
    for each in quiz.questions:
        if each.options:
            answers = [
                f"{'=' if option.right else '~'}{_gift(option.text)}#{_gift(option.feedback)}"
                for option in each.options
            ]
            opening = "{"
        else:
            answers = [f"={each.asked}:{each.tolerance:.12g}#Right.", f"~#{_gift(each.feedback)}"]
            opening = "{#"
        general = f"####{_gift(f'Rests on: {each.mark}.')}"
        name = _gift(f"{each.id} {each.misconception}")
        made.append("\n".join([f"::{name}::{_gift(each.text)}{opening}", *answers, general, "}"]))
    return ("\n\n".join(made) + "\n").encode()


def _gift(text: str) -> str:
    return re.sub(r"([\\~=#{}:])", r"\\\1", " ".join(text.split()))


def qti(quiz: Quiz) -> bytes:
    """Return a quiz as a QTI 1.2 package: a zip with a manifest and one assessment."""
    root = ElementTree.Element(
        "questestinterop", xmlns="http://www.imsglobal.org/xsd/ims_qtiasiv1p2"
    )
    assessment = _child(root, "assessment", ident=quiz.chapter, title=quiz.title)
    section = _child(assessment, "section", ident="root_section")
    for each in quiz.questions:
        _item(section, quiz.chapter, each)
    manifest = ElementTree.Element(
        "manifest",
        identifier=f"{quiz.chapter}-manifest",
        xmlns="http://www.imsglobal.org/xsd/imscp_v1p1",
    )
    _child(manifest, "organizations")
    resource = _child(
        _child(manifest, "resources"),
        "resource",
        identifier=quiz.chapter,
        type="imsqti_xmlv1p2",
        href=f"{quiz.chapter}.xml",
    )
    _child(resource, "file", href=f"{quiz.chapter}.xml")
    return zipped(
        {"imsmanifest.xml": _serialised(manifest), f"{quiz.chapter}.xml": _serialised(root)}
    )


def _material(parent: ElementTree.Element, text: str) -> None:
    _child(_child(parent, "material"), "mattext", text, texttype="text/plain")


def _item(section: ElementTree.Element, chapter: str, question: Question) -> None:
    item = _child(section, "item", ident=f"{chapter}-{question.id}", title=question.id)
    kind = "multiple_choice_question" if question.options else "numerical_question"
    field = _child(_child(_child(item, "itemmetadata"), "qtimetadata"), "qtimetadatafield")
    _child(field, "fieldlabel", "question_type")
    _child(field, "fieldentry", kind)
    presentation = _child(item, "presentation")
    _material(presentation, question.text)
    tag = "response_lid" if question.options else "response_str"
    asked = _child(presentation, tag, ident="response1", rcardinality="Single")
    processing = _child(item, "resprocessing")
    outcomes = _child(processing, "outcomes")
    _child(outcomes, "decvar", maxvalue="100", minvalue="0", varname="SCORE", vartype="Decimal")
    options = {f"o{at}": option for at, option in enumerate(question.options, start=1)}
    if options:
        choices = _child(asked, "render_choice")
        for name, option in options.items():
            _material(_child(choices, "response_label", ident=name), option.text)
            met = _condition(processing, f"{name}_fb")
            _child(met, "varequal", name, respident="response1")
        right = next(name for name, option in options.items() if option.right)
        _child(_condition(processing), "varequal", right, respident="response1")
    else:
        _child(_child(asked, "render_fib", fibtype="Decimal"), "response_label", ident="answer1")
        within = _child(_condition(processing), "and")
        for tag, sign in (("vargte", -1), ("varlte", 1)):
            limit = question.number + sign * (question.tolerance + 1e-9)
            _child(within, tag, f"{limit:.12g}", respident="response1")
        _child(_condition(processing, "wrong"), "other")
    said = {f"{name}_fb": option.feedback for name, option in options.items()}
    for name, text in (said or {"wrong": question.feedback}).items():
        _material(_child(_child(item, "itemfeedback", ident=name), "flow_mat"), text)


def _condition(processing: ElementTree.Element, feedback: str = "") -> ElementTree.Element:
    """Add a condition, for its caller to fill, that shows a feedback or, without one, scores."""
    met = _child(processing, "respcondition", **{"continue": "Yes" if feedback else "No"})
    condition = _child(met, "conditionvar")
    if feedback:
        _child(met, "displayfeedback", feedbacktype="Response", linkrefid=feedback)
    else:
        _child(met, "setvar", "100", action="Set", varname="SCORE")
    return condition


def paper(quiz: Quiz) -> str:
    """Return a quiz to print: the questions, and the key on a page of its own."""
    asked, key = [], []
    for each in quiz.questions:
        boxes = "".join(f"<li>{escape(option.text)}</li>" for option in each.options)
        room = f"<ol type='a'>{boxes}</ol>" if boxes else f"<p>…………… {escape(each.unit)}</p>"
        asked.append(f"<li><p>{escape(each.stem)} <i>({escape(each.mark)})</i></p>{room}</li>")
        right = next((at for at, option in enumerate(each.options) if option.right), None)
        answer = f"{each.asked} {each.unit}" if right is None else "abcdefgh"[right]
        why = each.feedback if right is None else each.options[right].feedback
        key.append(f"<li><b>{escape(answer)}</b> {escape(why)}</li>")
    return printed_page(
        quiz.title,
        f"<p>{escape(SENTENCE)}</p><ol>{''.join(asked)}</ol>"
        f"<h1 class='new'>Key: {escape(quiz.title)}</h1><ol>{''.join(key)}</ol>",
    )


def printed_page(title: str, body: str) -> str:
    """Return a page for A4 or Letter in black and white; `body` is markup, `title` is not."""
    style = (
        "@page{margin:15mm}body{font:10.5pt/1.35 sans-serif;max-width:180mm;margin:auto;color:#000}"
        "h1{font-size:15pt}h2{font-size:12pt}.new{break-before:page}"
        "li,tr,h2,h3{break-inside:avoid}h2,h3{break-after:avoid}ol ol li{margin:0}"
        "table{border-collapse:collapse;font-size:9pt;margin:1em 0}"
        "th,td{border:.5pt solid #000;padding:1pt 6pt;text-align:left}"
        ".dataframe td,.dataframe th{text-align:right}.admonition{border:.5pt solid;padding:0 6pt}"
    )
    return (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{escape(title)}</title>"
        f"<style>{style}</style></head><body><h1>{escape(title)}</h1>{body}</body></html>\n"
    )


FORMATS: dict[str, tuple[str, Callable[[Quiz], bytes]]] = {
    "page": (".html", lambda quiz: printed_page(quiz.title, page(quiz)).encode()),
    "moodle": (".xml", moodle),
    "gift": (".gift.txt", gift),
    "qti": (".qti.zip", qti),
    "paper": (".paper.html", lambda quiz: paper(quiz).encode()),
}
"""Ending of the file, and writer, of each format."""

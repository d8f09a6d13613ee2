"""What is wrong with the description of a study, all of it at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StudyProblem:
    """One thing that is wrong in one place of a description.

    Parameters
    ----------
    file : str
        Name of the file.
    line : int
        Line, from 1.
    place : str
        Keys that lead there, such as ``measures.grip.n.week6``.
    found, allowed, hint : str
        What stands there, what may stand there, and what was probably meant.
    """

    file: str
    line: int
    place: str
    found: str
    allowed: str
    hint: str = ""

    def __str__(self) -> str:
        where = f"{self.file}, line {self.line}" + (f", {self.place}" if self.place else "")
        meant = f" (did you mean {self.hint}?)" if self.hint else ""
        return f"{where}: found {self.found}, allowed: {self.allowed}{meant}"


class StudyError(ValueError):
    """A description that cannot be used.

    Attributes
    ----------
    problems : tuple of StudyProblem
        Everything that is wrong, in the order of the file.
    """

    def __init__(self, problems: Iterable[StudyProblem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line))
        super().__init__("\n".join(str(problem) for problem in self.problems))

"""Exercises of the chapter on responders."""

from __future__ import annotations

from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from rederive_teach.changes import change
from rederive_teach.lesson import Cohort, Exercise


def responders(cohort: Cohort, month: int, threshold: int) -> int:
    """Return how many fell by a number of points or more."""
    return int((change(cohort, month) <= -threshold).sum())


def mean_of(cohort: Cohort, month: int, threshold: int) -> float:
    """Return the mean change of those who fell by a number of points or more."""
    own = change(cohort, month)
    return float(own[own <= -threshold].mean())


def false_response(error: float, cut: float = 4.5) -> float:
    """Return how probable it is that two scores with this error SD differ by a fall of `cut`."""
    return float(stats.norm.cdf(-cut / (error * 2**0.5)))


def limit(upper: int, count: int = 16, number: int = 29, method: str = "wilson") -> float:
    """Return a limit of the 95 % interval of a share, in percent."""
    return float(100 * proportion_confint(count, number, method=method)[upper])


def _share(id: str, upper: int) -> Exercise:
    return Exercise(
        id,
        "printed",
        lambda cohort: limit(upper),
        1,
        "%",
        {
            "That is the plain normal interval (Wald). What does Wilson's do differently?": (
                lambda c: limit(upper, method="normal")
            ),
            "That is the exact interval (Clopper and Pearson), which is wider than it need be; the "
            "task asks for Wilson's. Why is it shorter?": lambda c: limit(upper, method="beta"),
            "How many patients were seen at 6 months?": lambda c: limit(upper, number=30),
            "That is for 12 months. Which visit has 16 of 29?": lambda c: limit(upper, 15, 25),
            "That is the other limit. Which one is asked for?": lambda c: limit(1 - upper),
            "Is that a share of 1 or a percentage?": lambda c: limit(upper) / 100,
        },
        low=0,
        high=100,
    )


EXERCISES = (
    Exercise(
        "6.1a",
        "choice",
        lambda cohort: responders(cohort, 12, 6),
        None,
        "patients",
        {
            "Is 'at least 6' the same as 'more than 6'?": lambda c: responders(c, 12, 7),
            "That is the article's threshold, 5 points. What does the task ask for?": lambda c: (
                responders(c, 12, 5)
            ),
            "That is for 6 months. Which visit is asked for?": lambda c: responders(c, 6, 6),
            "How many were seen at 12 months, or how many responded?": lambda c: len(change(c, 12)),
            "Is the change later less earlier, or the other way?": lambda c: int(
                (change(c, 12) >= 6).sum()
            ),
        },
        low=0,
        high=200,
    ),
    Exercise(
        "6.1b",
        "choice",
        lambda cohort: mean_of(cohort, 12, 6),
        2,
        "points",
        {
            "That is the mean change of everybody who was seen. Of whom is it asked?": lambda c: (
                float(change(c, 12).mean())
            ),
            "These are the responders by 5 points. What does the task ask for?": lambda c: mean_of(
                c, 12, 5
            ),
            "These are the responders at 6 months. Which visit is asked for?": lambda c: mean_of(
                c, 6, 6
            ),
            "'At least 6' or 'more than 6'?": lambda c: mean_of(c, 12, 7),
            "Is a fall a positive or a negative change here?": lambda c: -mean_of(c, 12, 6),
        },
        individual=True,
        low=-51,
        high=51,
    ),
    Exercise(
        "6.2",
        "added",
        lambda cohort: false_response(3.0),
        3,
        "",
        {
            "Is there error in one of the two scores only?": lambda c: float(
                stats.norm.cdf(-4.5 / 3)
            ),
            "Scores are whole numbers. From where on does the normal curve round to a fall of 5?": (
                lambda c: false_response(3.0, 5)
            ),
            "A fall of 5 counts as a response. Where does the area begin?": lambda c: (
                false_response(3.0, 5.5)
            ),
            "Does a rise of 5 points count as a response?": lambda c: 2 * false_response(3.0),
            "Is 3 the variance of the error or its SD?": lambda c: false_response(3.0**0.5),
            "That is for an error SD of 4.6. What is it here?": lambda c: false_response(4.6),
        },
        low=0,
        high=1,
    ),
    _share("6.3a", 0),
    _share("6.3b", 1),
)

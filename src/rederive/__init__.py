"""Re-derive the printed numbers of an article from one another.

The package knows printed numbers, statistical tests and books of notebooks. It knows no
particular article: figures, conditions and treatments come in as data.

What a notebook needs can be imported from here.

Examples
--------
A printed figure stands for all values that would be printed so; how they were rounded can be given.

>>> from rederive import RoundingRule, parse
>>> str(parse("-5.3").interval())
'[-5.35, -5.25]'
>>> str(parse("-5.3").interval(RoundingRule.TRUNCATE))
'(-5.4, -5.3]'

A test from mean, SD and n reaches a range of p, and a verdict on the printed one.

>>> from rederive import Summary, paired_t, two_sample_t
>>> treated = Summary(parse("12.4"), parse("4.1"), 20)
>>> control = Summary(parse("15.2"), parse("5.0"), 22)
>>> result = two_sample_t(treated, control, parse("0.06"))
>>> round(result.main.low, 4), round(result.main.high, 4), str(result.verdict)
(0.0454, 0.0672, 'same')
>>> paired_t(Summary(parse("-2.1"), parse("3.9"), 20), parse("0.03")).inside
True

Where n is not printed, it can be solved for.

>>> from rederive import Comparison, solve_n
>>> solved = solve_n(treated, [Comparison("control", control, (parse("0.06"),))])
>>> solved[0].convention, solved[0].sizes["control"]
('Student t (pooled variance)', (16, 17, 18, 19, 20, 21, 22))

Can whole-number data have this mean, and which count is this percentage?

>>> from rederive import grim, percent_to_count
>>> grim(parse("5.19"), 28).inside
False
>>> percent_to_count(parse("23.3"), 30).remark
'attainable counts of 30: 7'

A statistic, its degrees of freedom and p.

>>> from rederive import check_statistic
>>> str(check_statistic("t", parse("1.90"), parse("28"), parse("0.03")).classification)
'decision error'

An odds ratio with its margins is a table of counts.

>>> from rederive import PrintedOddsRatio, compatible_tables
>>> odds = PrintedOddsRatio(parse("0.17"), parse("0.028"), parse("0.997"))
>>> [table.cells for table in compatible_tables(odds, 25, [15], range(5, 11))]
[(3, 6, 12, 4)]

Patients with dated visits are held against a codebook, and visits counted in windows.

>>> from pathlib import Path
>>> from rederive import Codebook, Windows, read_cohort
>>> folder = Path("data/cohorts")
>>> cohort = read_cohort(folder / "synthetic-teaching", Codebook.load(folder / "codebook.csv"))
>>> scores = cohort.measured("haq_di", Windows(baseline_window=12, targets=(12,), tolerance=6))
>>> scores.count().to_dict()
{'baseline': 28, 'm12': 27}
"""

from typing import TYPE_CHECKING

from rederive.lazy import lazily

if TYPE_CHECKING:
    from rederive.consistency import check_statistic, grim
    from rederive.printed import RoundingRule, parse
    from rederive.recompute import (
        Comparison,
        PrintedOddsRatio,
        Summary,
        compatible_tables,
        paired_t,
        percent_to_count,
        solve_n,
        two_sample_t,
    )
    from rederive.retrospective import Codebook, Windows, read_cohort

lazily(__name__)

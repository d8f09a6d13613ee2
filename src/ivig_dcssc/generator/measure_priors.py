"""What is thought likely of each further measure before the printed figures.

The article prints no scale for most of them, so each gets plausible ends of our own choice; a scale
that the registry states goes before ours. The priors say what such patients usually show: they have
the right order of magnitude and a realistic spread, and leave the rest to the printed figures.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from rederive.printed.registry import VariableRow
from rederive.recompute.summaries import Scale
from rederive.reconstruct.block import Component, Prior


@dataclass(frozen=True, slots=True)
class Plausible:
    """Ends and step of a measure, and a prior of one patient's values.

    Parameters
    ----------
    minimum, maximum, step : str
        Our choice, for what the registry leaves open.
    prior : Prior
        One mean and SD for each time point.
    reason : str
        Why these ends, in words.
    """

    minimum: str
    maximum: str
    step: str
    prior: Prior
    reason: str

    def scale(self, variable: VariableRow) -> Scale:
        """Return the scale: the narrower of the registry's ends and ours, the registry's step."""
        ends = (Fraction(self.minimum), Fraction(self.maximum))
        low = ends[0] if variable.minimum is None else max(ends[0], variable.minimum)
        high = ends[1] if variable.maximum is None else min(ends[1], variable.maximum)
        return Scale(low, high, variable.step or Fraction(self.step))


def _kinds(name: str, *components: Component) -> Prior:
    return Prior(name, components)


PLAUSIBLE = {
    "age": Plausible(
        "18",
        "85",
        "1",
        _kinds("age", Component(1.0, (48.0,), (12.0,))),
        "adults in whole years",
    ),
    "disease_duration": Plausible(
        "2",
        "120",
        "1",
        _kinds(
            "disease duration",
            Component(0.7, (15.0,), (8.0,)),
            Component(0.3, (42.0,), (22.0,)),
        ),
        "early diffuse disease in whole months; a few patients with longer disease",
    ),
    "treatment": Plausible(
        "0",
        "40",
        "1",
        _kinds(
            "cycles and months of treatment",
            Component(0.6, (6.0, 6.5), (1.6, 2.4), 0.5),
            Component(0.3, (10.0, 11.5), (3.0, 4.0), 0.7),
            Component(0.1, (19.0, 22.0), (4.0, 6.0), 0.8),
        ),
        "whole cycles and months; most patients have a round of about six monthly cycles",
    ),
    "cpk": Plausible(
        "20",
        "4000",
        "1",
        _kinds(
            "creatine phosphokinase",
            Component(0.7, (95.0,), (45.0,)),
            Component(0.25, (380.0,), (180.0,)),
            Component(0.05, (1500.0,), (600.0,)),
        ),
        "whole U/L; most patients within normal limits, those with myositis far above",
    ),
    "rvsp": Plausible(
        "15",
        "80",
        "1",
        _kinds("RVSP", Component(0.9, (31.0,), (6.0,)), Component(0.1, (42.0,), (8.0,))),
        "whole mmHg, as echocardiography reports it",
    ),
    "haq_di": Plausible(
        "0",
        "3",
        "0.125",
        _kinds("HAQ-DI", Component(1.0, (1.2, 1.2), (0.7, 0.7), 0.8)),
        "the mean of eight categories",
    ),
    "patient_rating": Plausible(
        "0",
        "3",
        "0.01",
        _kinds("patient's rating", Component(1.0, (1.5, 1.3), (0.8, 0.8), 0.5)),
        "a visual analogue scale read to 0.01",
    ),
    "fvc": Plausible(
        "30",
        "140",
        "1",
        _kinds("FVC", Component(1.0, (84.0, 84.0), (18.0, 18.0), 0.85)),
        "whole percent of the predicted value, within what lung function tests show",
    ),
    "dlco": Plausible(
        "20",
        "150",
        "1",
        _kinds("DLCO", Component(1.0, (76.0, 76.0), (20.0, 20.0), 0.7)),
        "whole percent of the predicted value, within what lung function tests show",
    ),
}
"""By block: one for each measure, and one for cycles and length of treatment together."""

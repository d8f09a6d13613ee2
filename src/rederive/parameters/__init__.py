"""Parameters of a book's notebooks: typed once, checked wherever they come in."""

from __future__ import annotations

from rederive.parameters.given import (
    check_taken,
    not_taken,
    open_parameters,
    parse_assignments,
    read_parameter_file,
    read_yaml,
)
from rederive.parameters.notebooks import (
    cells_run,
    check_injected,
    notebook_parameters,
    takers,
)
from rederive.parameters.types import (
    Faults,
    Form,
    Parameter,
    ParameterError,
    ParameterSet,
    Rule,
    Value,
)

__all__ = [
    "Faults",
    "Form",
    "Parameter",
    "ParameterError",
    "ParameterSet",
    "Rule",
    "Value",
    "cells_run",
    "check_injected",
    "check_taken",
    "not_taken",
    "notebook_parameters",
    "open_parameters",
    "parse_assignments",
    "read_parameter_file",
    "read_yaml",
    "takers",
]

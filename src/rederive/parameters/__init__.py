"""Parameters of a book's notebooks: typed once, checked wherever they come in."""

from __future__ import annotations

from rederive.parameters.cells import (
    assigned_names,
    cells_run,
    check_injected,
    not_taken,
    notebook_parameters,
    takers,
)
from rederive.parameters.given import (
    open_parameters,
    parse_assignments,
    read_parameter_file,
    resolve,
)
from rederive.parameters.types import (
    Form,
    Parameter,
    ParameterError,
    ParameterSet,
    Rule,
    Value,
)

__all__ = [
    "Form",
    "Parameter",
    "ParameterError",
    "ParameterSet",
    "Rule",
    "Value",
    "assigned_names",
    "cells_run",
    "check_injected",
    "not_taken",
    "notebook_parameters",
    "open_parameters",
    "parse_assignments",
    "read_parameter_file",
    "resolve",
    "takers",
]

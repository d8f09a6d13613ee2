"""The papermill engine that forks.

Papermill imports this module while it is itself imported, so nothing is imported here.
"""

from __future__ import annotations

from typing import Any


class ForkEngine:
    """Papermill's engine ``rederive-fork``."""

    @classmethod
    def execute_notebook(cls, nb: Any, kernel_name: str, **settings: Any) -> Any:
        """Execute a notebook; as papermill's engines.

        Parameters
        ----------
        nb : NotebookNode
            The notebook.
        kernel_name : str
            Name of the kernel.
        **settings
            Those of papermill and of `ManagedForkEngine.execute_managed_notebook`.

        Returns
        -------
        NotebookNode
            The executed notebook.
        """
        from rederive.execution.fork.managed import ManagedForkEngine

        return ManagedForkEngine.execute_notebook(nb, kernel_name, **settings)

    @classmethod
    def nb_kernel_name(cls, nb: Any, name: str | None = None) -> Any:
        """Return the name of the notebook's kernel; as papermill's engines."""
        from rederive.execution.fork.managed import ManagedForkEngine

        return ManagedForkEngine.nb_kernel_name(nb, name)

    @classmethod
    def nb_language(cls, nb: Any, language: str | None = None) -> Any:
        """Return the notebook's language; as papermill's engines."""
        from rederive.execution.fork.managed import ManagedForkEngine

        return ManagedForkEngine.nb_language(nb, language)

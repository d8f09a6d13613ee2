"""The public address of the sources: one setting, from which buttons and links follow."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from rederive.printed.errors import ConfigurationError


class Repository(NamedTuple):
    """An address ``https://host/owner/name`` and the branch that links point to."""

    url: str
    branch: str


def repository_of(settings: Mapping[str, Any]) -> Repository | None:
    """Return the repository's address, or None where none is set.

    Of the settings in ``_config.yml``, ``repository.url`` and ``repository.branch`` count; the
    variables ``REDERIVE_REPOSITORY_URL`` and ``REDERIVE_REPOSITORY_BRANCH`` come first. Another
    form than ``https://host/owner/name`` is a ``ConfigurationError``.
    """
    given = settings.get("repository") or {}
    if not isinstance(given, Mapping):
        raise ConfigurationError("_config.yml: repository: expected a mapping with url and branch")
    url, branch = (
        (os.environ.get(f"REDERIVE_REPOSITORY_{name.upper()}") or given.get(name) or "").strip()
        for name in ("url", "branch")
    )
    if not url:
        return None
    trimmed = url.rstrip("/").removesuffix(".git")
    if not re.fullmatch(r"https://[\w.-]+(:\d+)?/[\w.-]+/[\w.-]+", trimmed):
        raise ConfigurationError(
            f"repository url: found {url!r}, expected the form https://host/owner/name, "
            "or nothing for a book without launch and edit buttons"
        )
    return Repository(trimmed, branch or "main")


def theme_options_for(repository: Repository | None) -> dict[str, Any]:
    """Return the theme options that depend on the repository's address.

    Without one every button that needs it is off, and there is no launch provider.
    """
    url, branch = repository or ("", "")
    options: dict[str, Any] = {
        "repository_url": url,
        "use_repository_button": bool(url),
        "use_edit_page_button": bool(url),
        "use_issues_button": "github" in url or "gitlab" in url,
    }
    if url:
        return {**options, "repository_branch": branch}
    return {**options, "launch_buttons": {}}

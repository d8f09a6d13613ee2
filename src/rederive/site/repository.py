"""The public address of the sources: one setting, from which buttons and links follow."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from rederive.printed.errors import ConfigurationError


def theme_options_for(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the theme options that depend on the repository's address.

    Of the settings in ``_config.yml``, ``repository.url`` and ``repository.branch`` count; the
    variables ``REDERIVE_REPOSITORY_URL`` and ``REDERIVE_REPOSITORY_BRANCH`` come first. Without an
    address every button that needs it is off, and there is no launch provider. Another form than
    ``https://host/owner/name`` is a ``ConfigurationError``.
    """
    given = settings.get("repository") or {}
    if not isinstance(given, Mapping):
        raise ConfigurationError("_config.yml: repository: expected a mapping with url and branch")
    url, branch = (
        (os.environ.get(f"REDERIVE_REPOSITORY_{name.upper()}") or given.get(name) or "").strip()
        for name in ("url", "branch")
    )
    trimmed = url.rstrip("/").removesuffix(".git")
    if url and not re.fullmatch(r"https://[\w.-]+(:\d+)?/[\w.-]+/[\w.-]+", trimmed):
        raise ConfigurationError(
            f"repository url: found {url!r}, expected the form https://host/owner/name, "
            "or nothing for a book without launch and edit buttons"
        )
    return {
        "repository_url": trimmed,
        "use_repository_button": bool(url),
        "use_edit_page_button": bool(url),
        "use_issues_button": "github" in url or "gitlab" in url,
        **({"repository_branch": branch or "main"} if url else {"launch_buttons": {}}),
    }

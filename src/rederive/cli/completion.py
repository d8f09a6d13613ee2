"""The command that prints a shell's completion script."""

from __future__ import annotations

import os
import shlex
from typing import Any

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    add_completion_class,
    shell_complete,
    split_arg_string,
)

PROGRAM = "rederive"
VARIABLE = "_REDERIVE_COMPLETE"
SHELLS = ("bash", "zsh", "fish")

_TAKE = "COMPREPLY+=($value)"


@add_completion_class
class AssigningBash(BashComplete):
    """Completion in bash, for which ``name=value`` are three words.

    They are put together before completion; what the line has already is left out of the answer.
    """

    # No blank after a name that waits for its value.
    source_template = BashComplete.source_template.replace(
        _TAKE, f"{_TAKE}\n            [[ $value == *= ]] && compopt -o nospace"
    )

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the cursor, and the one at it."""
        position = int(os.environ["COMP_CWORD"])
        words = split_arg_string(os.environ["COMP_WORDS"])
        words = [*words, ""] if len(words) <= position else words[: position + 1]
        joined: list[str] = []
        for word in words[1:]:
            if joined and (word == "=" or joined[-1].endswith("=")):
                joined[-1] += word
            else:
                joined.append(word)
        incomplete = joined.pop() if joined else ""
        return joined, incomplete

    def format_completion(self, item: CompletionItem[Any]) -> str:
        """Return an item as bash takes it: of an assignment with a value, the value alone."""
        _, sign, value = str(item.value).partition("=")
        return f"{item.type},{shlex.quote(value) if sign and value else item.value}"


_PLACES = """\b
Where to put it:
  rederive completion bash > ~/.local/share/bash-completion/completions/rederive
  rederive completion zsh > ~/.zfunc/_rederive
    (in ~/.zshrc: fpath+=~/.zfunc; autoload -Uz compinit && compinit)
  rederive completion fish > ~/.config/fish/completions/rederive.fish
"""


@click.command("completion", epilog=_PLACES)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion_command(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a SHELL."""
    shell_complete(ctx.find_root().command, {}, PROGRAM, VARIABLE, f"{shell}_source")

"""Messages to tokens and back, by a model's own chat template and tokenizer."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from understudy.teacher.channel import RequestFailed

Messages = Sequence[Mapping[str, str]]

_PROBE = "who speaks here"


class ChatPrompts:
    """Writes chat messages as a model was trained to read them.

    A text cannot speak as somebody else: where it holds a token by which the model tells messages apart, that is read
    as plain characters.

    Args:
        tokenizer: A tokenizer of transformers, with a chat template.
    """

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer

    def encode(self, messages: Messages) -> list[int]:
        """The tokens of a conversation, up to where the model is to go on.

        Raises:
            RequestFailed: The template does not take these messages.
        """
        try:
            return self._encode(self._fitted(messages))
        except Exception as error:  # a template is a program of its own, and may raise anything
            raise RequestFailed(f"the chat template does not take the messages ({error})", refused=True) from error

    def text(self, tokens: Sequence[int]) -> str:
        """What the tokens say, without those that only structure a conversation."""
        return str(self.tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False))

    def piece(self, token: int, before: int | None) -> str:
        """What one token adds to a text.

        Args:
            token: The token.
            before: The one before it, since some tokenizers drop the space before a token that stands alone.
        """
        if before is not None:
            start, both = self._plain([before]), self._plain([before, token])
            if both.startswith(start):
                return both[len(start) :]
        return self._plain([token])

    def _plain(self, tokens: Sequence[int]) -> str:
        return str(self.tokenizer.decode(tokens, clean_up_tokenization_spaces=False))

    def _encode(self, messages: Messages) -> list[int]:
        encoded = self.tokenizer.apply_chat_template(
            messages,
            add_generation_prompt=True,
            sanitize_control_tokens=True,
            enable_thinking=False,  # heard by models that would think aloud before they answer
            return_dict=True,
            tokenizer_kwargs={"verbose": False},
        )
        tokens: list[int] = encoded["input_ids"]
        return tokens

    def _fitted(self, messages: Messages) -> list[dict[str, str]]:
        """The messages as any template takes them: a system role only where it has one, and no role twice in a row.

        So a system message stands in front of the first user message where the template knows no system role.
        """
        fitted: list[dict[str, str]] = []
        for message in messages:
            role, content = message["role"], message["content"]
            if role == "system" and not self._takes_system:
                role = "user"
            if fitted and fitted[-1]["role"] == role:
                fitted[-1]["content"] += f"\n\n{content}"
            else:
                fitted.append({"role": role, "content": content})
        return fitted

    @cached_property
    def _takes_system(self) -> bool:
        """Whether the template writes a system message down, rather than refusing or dropping it."""
        probe = [{"role": "system", "content": _PROBE}, {"role": "user", "content": "?"}]
        try:
            return _PROBE in self.tokenizer.apply_chat_template(probe, tokenize=False)
        except Exception:  # noqa: BLE001 - as above; what else is wrong with it comes to light in use
            return False

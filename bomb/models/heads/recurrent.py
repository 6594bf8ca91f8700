"""Policy heads of RoboVLMs over the features of several moments: an LSTM, or a small GPT-2.

Moments come first to last and are padded at the end; neither head looks ahead, so padding changes nothing.
"""

from typing import Any

from torch import Tensor, nn

from bomb.models.heads.outputs import SIZES, Outputs
from core.errors import OptionError


class LSTMDecoder(Outputs):
    """An LSTM over moments, float[B, H, d].

    Args:
        inputs: width of the features.
        chunk, dims, flows: as ``Outputs`` takes them.
        hidden, layers: of the LSTM; the public ones are 1024 and 4.
        sizes: of the hidden layers of the outputs.
    """

    def __init__(
        self,
        inputs: int,
        *,
        chunk: int,
        dims: int,
        hidden: int = 1024,
        layers: int = 4,
        sizes: tuple[int, ...] = SIZES,
        flows: bool = False,
    ):
        super().__init__(hidden, chunk=chunk, dims=dims, sizes=sizes, flows=flows)
        self.rnn = nn.LSTM(inputs, hidden, layers, batch_first=True)

    def trunk(self, x: Tensor) -> Tensor:
        """Features of every moment, float[B, H, hidden]."""
        return self.rnn(x)[0]

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.answer(self.trunk(x))


class GPTDecoder(Outputs):
    """A small GPT-2 over moments, float[B, H, d].

    Args:
        inputs: width of the features.
        chunk, dims, flows: as ``Outputs`` takes them.
        window: moments at most.
        hidden, layers, heads: of GPT-2.
        sizes: of the hidden layers of the outputs.

    Raises:
        OptionError: if the heads do not divide the width.
    """

    def __init__(
        self,
        inputs: int,
        *,
        chunk: int,
        dims: int,
        window: int,
        hidden: int = 1024,
        layers: int = 8,
        heads: int = 8,
        sizes: tuple[int, ...] = SIZES,
        flows: bool = False,
    ):
        from transformers import GPT2Config, GPT2Model

        super().__init__(hidden, chunk=chunk, dims=dims, sizes=sizes, flows=flows)
        if hidden % heads:
            raise OptionError(f"hidden must be a multiple of {heads} heads, got {hidden}")
        self.fc = nn.Linear(inputs, hidden)
        config: Any = GPT2Config(
            vocab_size=1, n_positions=window, n_embd=hidden, n_layer=layers, n_head=heads,
            resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, bos_token_id=0, eos_token_id=0,
        )  # fmt: skip
        self.gpt = GPT2Model(config)
        del self.gpt.wte  # features come instead of words

    def trunk(self, x: Tensor) -> Tensor:
        """Features of every moment, float[B, H, hidden]."""
        return self.gpt(inputs_embeds=self.fc(x), use_cache=False).last_hidden_state

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.answer(self.trunk(x))

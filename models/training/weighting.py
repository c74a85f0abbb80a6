"""How the losses of several tasks become one (Wu et al., arXiv 2102.03229, after PASE+).

 fixed        the weights of config.py
 equal        all the same
 uncertainty  learned: 0.5 exp(-s) L + 0.5 s for each task (Kendall et al., arXiv 1705.07115); at its best exp(s) = L
 dwa          tasks that fell least in the last two spans count most (dynamic weight average, Liu et al., arXiv 1803.10704)

PASE+'s released code computed its adaptive weights and summed the losses without them; here the sum is what is weighted.
"""
import torch
from torch import nn

KINDS = ("fixed", "equal", "uncertainty", "dwa")
SPAN = 50  # steps whose mean loss is compared by dwa
TEMPERATURE = 2.0
BOUND = 6.0  # |s| at most: a loss of zero would have no end


class Weighting(nn.Module):
    """One loss of many. `priors` are the weights of config.py: how much a task matters at all, 0 switches it off."""

    def __init__(self, kind: str, priors: dict[str, float]):
        super().__init__()
        if kind not in KINDS:
            raise ValueError(f"no weighting “{kind}”: one of {', '.join(KINDS)}")
        self.kind, self.priors = kind, {k: v for k, v in priors.items() if v > 0}
        self.names = list(self.priors)
        self.log_variance = nn.Parameter(torch.zeros(len(self.names)), requires_grad=kind == "uncertainty")
        # sums of the current span, means of the last two
        self.register_buffer("now", torch.zeros(len(self.names)))
        self.register_buffer("count", torch.zeros(()))
        self.register_buffer("spans", torch.zeros(()))
        self.register_buffer("before", torch.zeros(2, len(self.names)))

    def weights(self) -> torch.Tensor:
        """What each loss is multiplied by, in the order of `names`; without uncertainty's own half."""
        like = self.log_variance
        if self.kind == "fixed":
            return torch.tensor([self.priors[k] for k in self.names], device=like.device)
        if self.kind == "uncertainty":
            return 0.5 * torch.exp(-like.clamp(-BOUND, BOUND))
        if self.kind == "dwa" and self.spans >= 2:
            fell = self.before[1] / self.before[0].clamp(min=1e-8)
            return len(self.names) * torch.softmax(fell / TEMPERATURE, 0)
        return torch.ones(len(self.names), device=like.device)

    def forward(self, losses: dict[str, torch.Tensor]) -> torch.Tensor:
        """The weighted sum. In training, dwa takes note of the losses."""
        values = torch.stack([losses[name] for name in self.names])
        total = (self.weights() * values).sum()
        if self.kind == "uncertainty":
            total = total + 0.5 * self.log_variance.clamp(-BOUND, BOUND).sum()
        if self.kind == "dwa" and self.training:
            self.note(values.detach())
        return total

    @torch.no_grad()
    def note(self, values: torch.Tensor) -> None:
        self.now += values
        self.count += 1
        if self.count >= SPAN:
            self.before = torch.stack([self.before[1], self.now / self.count])
            self.spans += 1
            self.now, self.count = torch.zeros_like(self.now), torch.zeros_like(self.count)

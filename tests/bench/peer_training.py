"""Steps per second of the prototype network's training step in PyTorch eager on one thread; prints one number."""
import json
import sys
import time

import torch
import torch.nn.functional as F

spec = json.loads(sys.argv[1])
torch.set_num_threads(1)
torch.manual_seed(1)
n, d, c, m, b = spec["windows"], spec["dim"], spec["classes"], spec["prototypes"], spec["batch"]
x, y = torch.randn(n, d), torch.arange(n) % c
own = torch.arange(c * m) // m
prototypes = torch.nn.Parameter(torch.randn(c * m, d))
linear = torch.nn.Linear(c * m, c)
parameters = [prototypes, *linear.parameters()]
optimiser = torch.optim.Adam(parameters, lr=0.03, weight_decay=1e-5)
schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.03, total_steps=spec["steps"] + 1)


def step() -> None:
    """One update: lambda * CE(logits / tau) + (1 - lambda) * L_p, distances as means over the dimensions."""
    rows = torch.randint(n, (b,))
    z, label = x[rows], y[rows]
    distance = ((z**2).sum(1, keepdim=True) - 2 * z @ prototypes.T + (prototypes**2).sum(1)) / d
    logits = linear(torch.exp(-distance))
    same = label[:, None] == own[None, :]
    nearest = distance.masked_fill(~same, float("inf")).amin(0)
    loss = 0.25 * F.cross_entropy(logits / 0.1, label) + 0.75 * nearest[nearest.isfinite()].mean()
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    schedule.step()


for _ in range(50):
    step()
start, steps = time.perf_counter(), spec["steps"] - 50
for _ in range(steps):
    step()
print(steps / (time.perf_counter() - start))

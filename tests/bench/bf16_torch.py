"""PyTorch's bfloat16 product on the shapes of bench_bf16, one thread: a table in Markdown. Told of more threads than it is
given, its mm returns garbage: each product is compared with float32."""
import time

import torch

SHAPES = [(288, 384, 64), (64009, 128, 128), (16129, 256, 256), (1024, 728, 728), (256, 1536, 2048), (196, 1024, 256),
          (49, 2048, 512), (3136, 576, 64), (197, 768, 2304), (197, 3072, 768)]

torch.set_num_threads(1)
torch.manual_seed(1)
print(f"torch {torch.__version__}\n\n| rows, depth, columns | float32 | bf16 |\n| --- | --- | --- |")
for m, k, n in SHAPES:
    a, b = torch.rand(m, k) - 0.5, torch.rand(k, n) - 0.5
    rates = []
    for kind in (torch.float32, torch.bfloat16):
        x, y = a.to(kind), b.to(kind)
        got = torch.mm(x, y).float()
        error = ((got - a @ b).norm() / (a @ b).norm()).item()
        assert error < 0.01, f"{m}, {k}, {n} in {kind}: relative error {error}"
        best, end = 1e9, time.process_time() + 0.4
        while time.process_time() < end:
            start = time.process_time()
            torch.mm(x, y)
            best = min(best, time.process_time() - start)
        rates.append(2e-9 * m * k * n / best)
    print(f"| {m}, {k}, {n} | {rates[0]:.0f} | {rates[1]:.0f} |")

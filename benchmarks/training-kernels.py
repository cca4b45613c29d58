"""What benchmarks/training-kernels.ts measures, with PyTorch: python3 benchmarks/training-kernels.py"""
import torch
import torch.nn.functional as F

device = "cuda"
torch.backends.cuda.matmul.allow_tf32 = False
warm = torch.randn(4096, 4096, device=device)


def warm_up():
    for _ in range(400):
        warm @ warm
    torch.cuda.synchronize()


def measure(name, moved, run, repetitions=30, capture=True):
    for _ in range(3):
        run()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph() if capture else None
    go = run
    if capture:
        # As a recorded step: without the time that Python takes.
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            run()
        torch.cuda.current_stream().wait_stream(side)
        with torch.cuda.graph(graph):
            run()
        go = graph.replay
    start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    start.record()
    for _ in range(repetitions):
        go()
    end.record()
    torch.cuda.synchronize()
    t = start.elapsed_time(end) / repetitions
    print(f"{name:44} {t:8.3f} ms {moved / 1e6 / t:6.0f} GB/s", flush=True)


print(torch.__version__, torch.cuda.get_device_name())
warm_up()
activations = [(112, 64), (56, 64), (56, 256), (28, 128), (28, 512), (14, 256), (14, 1024), (7, 512), (7, 2048)]
for size, channels in activations:
    x = torch.randn(32, channels, size, size, device=device).to(memory_format=torch.channels_last)
    n = x.numel() * 4
    measure(f"sum over all but channels {size} {channels}", n, lambda: x.sum((0, 2, 3)))
    bn = torch.nn.BatchNorm2d(channels).to(device)
    residual, dy = torch.randn_like(x), torch.randn_like(x)
    measure(f"batch norm, relu {size} {channels}", 3 * n, lambda: F.relu(bn(x)))
    xr, rr = x.clone().requires_grad_(), residual.clone().requires_grad_()
    parameters = [bn.weight, bn.bias]

    def both():
        y = F.relu(bn(xr))
        torch.autograd.grad(y, [xr, *parameters], dy)

    def both_residual():
        y = F.relu(bn(xr) + rr)
        torch.autograd.grad(y, [xr, rr, *parameters], dy)

    measure(f"forward, gradient of relu {size} {channels}", 8 * n, both)
    measure(f"forward, gradient of residual, relu {size} {channels}", 12 * n, both_residual)
    xc = x.contiguous(memory_format=torch.contiguous_format)
    xcr, dyc = xc.clone().requires_grad_(), dy.contiguous(memory_format=torch.contiguous_format)

    def both_nchw():
        torch.autograd.grad(F.relu(bn(xcr)), [xcr, *parameters], dyc)

    measure(f"  the same, NCHW, relu {size} {channels}", 8 * n, both_nchw)

x = torch.randn(6_400_000, device=device)
measure("mean of 6.4 M", 4 * x.numel(), lambda: x.mean())
x = torch.randn(32, 256, 56, 56, device=device).to(memory_format=torch.channels_last)
y = torch.randn_like(x)
n = x.numel() * 4
measure("add", 3 * n, lambda: x + y)
measure("relu", 2 * n, lambda: F.relu(x))
x = torch.randn(32, 64, 112, 112, device=device).to(memory_format=torch.channels_last).requires_grad_()
with torch.no_grad():
    measure("max pool", 5 * x.numel(), lambda: F.max_pool2d(x, 3, 2, 1))
y = F.max_pool2d(x, 3, 2, 1)
dy = torch.randn_like(y)
measure("max pool, gradient alone", 5 * x.numel(), lambda: torch.autograd.grad(y, x, dy, retain_graph=True), capture=False)

shapes = [(64, 3, 7, 7)]
channels = 64
for stage, count in enumerate([3, 4, 6, 3]):
    width = 64 * 2**stage
    for i in range(count):
        shapes += [(width, channels, 1, 1), (width, width, 3, 3), (width * 4, width, 1, 1)]
        if i == 0:
            shapes.append((width * 4, channels, 1, 1))
        channels = width * 4
shapes += [(s[0],) for s in list(shapes) for _ in range(2)] + [(257, 2048), (257,)]
parameters = [torch.randn(s, device=device, requires_grad=True) for s in shapes]
for p in parameters:
    p.grad = torch.randn_like(p)
n = 4 * sum(p.numel() for p in parameters)
warm_up()
for name, options in [("adam", {}), ("adam fused", {"fused": True}), ("adam foreach", {"foreach": True})]:
    optimizer = torch.optim.Adam(parameters, 1e-3, **options)
    measure(f"{name}, {len(parameters)} variables", 7 * n, optimizer.step, capture=False)

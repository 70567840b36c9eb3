"""The tables of docs/scale.md."""

from capacity.figures import BYTES, HOURS, NUMBER, figures_of, shown, table
from capacity.model import PART_ROWS, core_s, feature_bytes, gpu_s, gpus_kept_up, needs
from capacity.rates import GPU_SOURCE, NETWORKS, TYPICAL, Assumptions, Rates

SIZES = (10**6, 10**8, 10**10)
_NAMES = [shown(size, NUMBER) for size in SIZES]


def blocks(rates: Rates, assumed: Assumptions) -> dict[str, str]:
    """Markdown for each pair of marks in the document."""
    return {
        "verdict": _verdict(rates, assumed),
        "needs": _needs(rates, assumed),
        "networks": _networks(rates, assumed),
        "inputs": _inputs(rates, assumed),
    }


def _verdict(rates: Rates, assumed: Assumptions) -> str:
    limited = sorted(needs(TYPICAL, rates, assumed), key=lambda need: need.most)
    lines = []
    for size, name in zip(SIZES, _NAMES, strict=True):
        out = [f"{need.name} ({shown(need.most, NUMBER)})" for need in limited if need.most < size]
        said = (
            f"{out[0]} first; then {'; '.join(out[1:])}"
            if out
            else f"nothing gives out; {limited[0].name} would be first"
        )
        lines.append(f"- **{name} images:** {said}.")
    most = shown(gpus_kept_up(TYPICAL, rates, assumed), NUMBER)
    lines.append(
        f"- **However many, by Ray through an object store:** one driver fetches parts as fast as {most} GPUs make them."
    )
    return "\n".join(lines)


def _needs(rates: Rates, assumed: Assumptions) -> str:
    rows = [
        [
            need.name,
            *(shown(need.of(size), need.unit) for size in SIZES),
            shown(need.limit, need.unit),
            shown(need.most, NUMBER),
            need.remedy,
        ]
        for need in needs(TYPICAL, rates, assumed)
    ]
    return table([TYPICAL.name, *_NAMES, "limit", "gives out at", "what would help"], rows)


def _networks(rates: Rates, assumed: Assumptions) -> str:
    rows = []
    for network in NETWORKS:
        seconds = (gpu_s(network, rates, assumed), core_s(network, rates, assumed))
        hours = [shown(size * each / 3600, HOURS) for each in seconds for size in SIZES]
        rows.append([network.name, *hours, *(shown(size * feature_bytes(network), BYTES) for size in SIZES)])
    head = [f"{what}, {size}" for what in ("GPU-hours", "core-hours, no GPU", "features") for size in _NAMES]
    return table(["network", *head], rows)


def _inputs(rates: Rates, assumed: Assumptions) -> str:
    rows = [[label, shown(value, unit), source or "measured"] for label, unit, value, source in figures_of(rates)]
    on_a_gpu = "; ".join(f"{one.name} {one.gpu_images_per_s:,.0f}" for one in NETWORKS)
    rows.append(["forward passes on a GPU, images/s", on_a_gpu, GPU_SOURCE])
    rows += [[label, shown(value, unit), source or "**assumed**"] for label, unit, value, source in figures_of(assumed)]
    rows.append(["rows of a part", shown(PART_ROWS, NUMBER), "the default of `extract.part_rows`"])
    return f"Measured on {rates.date}, one core of {rates.machine}.\n\n" + table(["input", "value", "from"], rows)

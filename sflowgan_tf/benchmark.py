"""Measures what things cost on this machine: seconds, memory, operations, and where they go."""

import argparse
import sys
from itertools import groupby
from pathlib import Path

from sflowgan_tf.utils import cli

_PURPOSES = {
    "step": "Measures an update of a training.",
    "inference": "Measures how scenes are painted, with fresh networks.",
    "training": "Measures updates with batches of records, and how long they wait for these.",
    "film": "Measures how fast a trained model's films are made, beside the network alone.",
    "pipeline": "Measures how fast the batches of a training come.",
    "minicity": "Measures how fast minicity draws itself.",
    "prepare": "Measures how fast raw frames of minicity become records, beside their decoding.",
    "flow": "Measures the differentiable flow, alone and with its gradient, beside OpenCV's.",
    "evaluate": "Measures `evaluate`'s groups without painting, and distances of 3,000 frames.",
}
_EXAMPLES = {
    "step": "step --config minicity --sizes 256x128 --batches 1,2 --profile",
    "inference": "inference --config minicity --sizes 256x128,512x256 --json inference.json",
    "training": "training --data datasets/minicity --batches 4",
    "film": "film --sizes 256x128 --model minicity",
    "pipeline": "pipeline --data datasets/minicity --batches 4 --against pytorch --torch PYTHON",
    "minicity": "minicity --sizes 512x256",
    "prepare": "prepare --sizes 512x256 --raw 2048x1024",
    "flow": "flow --sizes 512x256 --batches 1",
    "evaluate": "evaluate --data datasets/minicity",
}
_NETWORKS, _RECORDS = ("step", "training", "inference"), ("training", "pipeline", "evaluate")
_PHASES, _RIVALS = ("step", "training", "pipeline"), ("step", "inference", "pipeline")
_BATCHES = ("step", "training", "inference", "pipeline", "flow")
_RAW = "2048x1024"  # of Cityscapes
_GROWING_SIZES, _GROWING_BATCHES = "256x128,512x256,768x384,1024x512", "1,2,4"


def flags(workload: str = "") -> argparse.ArgumentParser:
    """What `benchmark WORKLOAD` takes; without one, what all have in common."""
    parser = cli.parser(
        "benchmark",
        _PURPOSES.get(
            workload,
            "Measures what things cost on this machine. `benchmark WORKLOAD --help` says what more "
            "each takes.",
        ),
        _EXAMPLES.get(workload, _EXAMPLES["step"]),
    )
    add = parser.add_argument
    add("workload", choices=[workload] if workload else [*_PURPOSES], help="what is measured")
    add("--dataset", default="minicity", metavar="NAME", help="finds configs/NAME.yaml; minicity")
    add("--config", type=Path, metavar="FILE", help="another YAML file, or the name of one")
    add("--sizes", metavar="WxH,...", help=f"of the frames; {_GROWING_SIZES}")
    if workload in _BATCHES:
        add("--batches", metavar="N,...", help=f"examples at once; {_GROWING_BATCHES}")
    add("--repeats", type=cli.positive, default=10, metavar="N", help="that are timed; 10")
    add("--seed", type=cli.natural, default=0, metavar="N", help="of what is drawn; 0")
    add("--json", type=Path, metavar="FILE", help="for all figures, also while it goes on")
    if workload in _NETWORKS:
        add("--classes", metavar="C", help="class table, or a number; the dataset's")
        add("--profile", action="store_true", help="which operations the time goes to")
    if workload in _RIVALS:
        add("--against", choices=["pytorch"], help="the same work there, taking turns: see docs")
        add("--torch", metavar="PYTHON", help="for --against: that has PyTorch; this one")
    if workload in _PHASES:
        add("--phase", choices=["edges", "dned", "video"], help="the last one that is configured")
    if workload == "film":
        add("--model", default="minicity", metavar="NAME", help="a run, or exported; minicity")
    if workload == "prepare":
        add("--raw", default=_RAW, metavar="WxH", help=f"of the raw frames; {_RAW}")
    if workload == "step":
        add("--peer", metavar="WxH", help="the work of pix2pixHD's own figures: see docs")
    if workload in _RECORDS:
        add("--data", type=Path, metavar="DIR", help="records; streets of minicity by default")
    add("overrides", nargs="*", metavar="key=value", help="settings, as config.py names them")
    return parser


def work(parsed: argparse.Namespace) -> None:
    """Measures a row after the other, then prints the tables."""
    from sflowgan_tf.benchmarking import machine, plan, report
    from sflowgan_tf.benchmarking.figures import Row
    from sflowgan_tf.utils.errors import Failure, UserError

    # what not every workload takes
    peer, data, against, torch, batches, classes, phase, profile, raw, model = (
        getattr(parsed, name, None)
        for name in (
            *("peer", "data", "against", "torch", "batches"),
            *("classes", "phase", "profile", "raw", "model"),
        )
    )
    if torch and not against:
        raise UserError("--torch: is there for --against pytorch; leave it out, or add that")
    for flag in ("config", "sizes", "batches", "classes", "phase"):
        if peer and getattr(parsed, flag, None):
            raise UserError(f"--{flag}: is fixed with --peer; leave one of the two out")
    if data and parsed.sizes:
        raise UserError("--sizes: the records of --data have their own; leave one of the two out")
    planned = plan.Plan(
        workloads=("step", "inference") if peer else [parsed.workload],
        dataset=parsed.dataset,
        file=plan.PEER_CONFIG if peer else parsed.config,
        overrides=parsed.overrides,
        sizes=[peer] if peer else (parsed.sizes or _GROWING_SIZES).split(","),
        batches=[1] if peer else _numbers(batches or _GROWING_BATCHES),
        repeats=parsed.repeats,
        classes=plan.PEER_CLASSES if peer else classes or "",
        phase=phase or "",
        data=data,
        torch=(torch or sys.executable) if against else None,
        profile=bool(profile),
        seed=parsed.seed,
        raw=raw or _RAW,
        model=model or "",
    )

    def keep(rows: list[Row]) -> None:
        if parsed.json:
            more = plan.peer_figures(rows) if peer else {}
            report.write(parsed.json, rows, parsed.command, more)

    note = machine.busy()
    rows = planned.measure(keep)
    for workload, group in groupby(rows, lambda row: row.task.workload):
        of_workload = [*group]
        print(f"{workload}\n")
        print("\n".join(report.table(of_workload)))
        for row in of_workload:
            if row.profile:
                print(f"\n{row.task.title}")
                print("\n".join(report.profile_tables(row.profile)))
    if note:
        print(f"Note: {note}")
    if parsed.json:
        print(f"Figures: {parsed.json}")
    failed = [row.failure for row in rows if row.failure]
    if failed:
        raise Failure(f"{len(failed)} of {len(rows)} rows could not be measured: {failed[0]}")


def _numbers(text: str) -> list[int]:
    """The batches of a flag.

    Raises:
        UserError: they are none.
    """
    from sflowgan_tf.utils.errors import UserError

    parts = text.split(",")
    if not all(part.isdecimal() and int(part) for part in parts):
        raise UserError(f"--batches {text}: expected whole numbers from 1 on, such as 1,2,4")
    return [int(part) for part in parts]


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    words = sys.argv[1:] if arguments is None else arguments
    workload = next((word for word in words if word in _PURPOSES), "")
    return cli.run(flags(workload), work, arguments)


if __name__ == "__main__":
    sys.exit(main())

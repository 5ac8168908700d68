"""The real frames that pictures are scored against: one split of prepared records."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from sflowgan_tf.data import pipeline
from sflowgan_tf.data.manifest import Manifest
from sflowgan_tf.evaluation.frames import Frame, Place
from sflowgan_tf.evaluation.measuring import Clip
from sflowgan_tf.utils.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A split of records.

    Attributes:
        folder: of the records.
        manifest: of the records.
        split: "train" or "validation".

    Raises:
        UserError: the split is empty.
    """

    folder: Path
    manifest: Manifest
    split: str

    def __post_init__(self):
        """Refuses an empty split."""
        if not self.frames:
            raise UserError(
                f"{self.folder}: its {self.split} split is empty; choose another --split"
            )

    @property
    def frames(self) -> int:
        """The number of its frames."""
        return self.manifest.splits[self.split].records

    @property
    def pairs(self) -> int:
        """How many of its frames have a successor."""
        return self.manifest.splits[self.split].pairs

    @property
    def clip_length(self) -> int:
        """The mean number of frames in a clip, rounded down."""
        return self.frames // (self.frames - self.pairs)

    @cached_property
    def sha256(self) -> str:
        """16 digits of the SHA-256 of its shards."""
        digest = hashlib.sha256()
        for shard in self.manifest.splits[self.split].shards:
            with open(self.folder / shard["file"], "rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
        return digest.hexdigest()[:16]

    def clips(self) -> Iterator[Iterator[Frame]]:
        """Its clips, each an iterator of frames; see `pipeline.sequences`."""
        return pipeline.sequences(self.folder, self.manifest, self.split)

    def places(self) -> list[Place]:
        """Sequence and number of each frame, in the order of `clips`."""
        return pipeline.places(self.folder, self.manifest, self.split)

    def description(self, clips: Sequence[Clip]) -> dict[str, Any]:
        """What the result says of it; `clips` were measured on its frames."""
        return {
            "records": str(self.folder),
            "dataset": self.manifest.dataset,
            "split": self.split,
            "size": "{}x{}".format(*self.manifest.size),
            "classes": self.manifest.classes.name,
            "frames": sum(len(clip.frames) for clip in clips),
            "clips": len(clips),
            "sha256": self.sha256,
        }

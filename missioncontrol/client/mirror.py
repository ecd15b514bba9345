"""A verified copy of a log, brought up to date by what is new alone."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from missioncontrol.audit.log_folder import SIGNING_KEY_FILE, LogFolder, MissingFileError
from missioncontrol.audit.merkle.checkpoint import Checkpoint
from missioncontrol.audit.merkle.errors import (
    LogMismatchError,
    SignatureError,
    SplitViewError,
)
from missioncontrol.audit.merkle.growth import grow
from missioncontrol.audit.merkle.hashing import EMPTY_ROOT, abbreviate, leaf_hash
from missioncontrol.audit.merkle.keys import VerifierKey
from missioncontrol.audit.merkle.succession import LogHead, read_announcement
from missioncontrol.audit.merkle.text_fields import write_base64
from missioncontrol.audit.merkle.tiles import (
    TILE_WIDTH,
    EntryBundle,
    Tile,
    TileNodes,
    bundles_for_growth,
    encode_bundle,
    parse_tile,
    tile_at,
    tiles_for_growth,
)
from missioncontrol.audit.merkle.tree import root_at
from missioncontrol.client.durable_files import flush_folder, make_folder
from missioncontrol.client.errors import UsageError
from missioncontrol.client.log_source import LogSource, read_head
from missioncontrol.client.log_verification import read_pairs, refuse_older
from missioncontrol.client.progress import Progress, silent

_STAGE: Final = "incoming"
_BUNDLES_AT_ONCE: Final = 16  # at most 268 MB of entries in memory
_KEPT_BY: Final = "this mirror"


@dataclass(frozen=True, slots=True, kw_only=True)
class MirroredLog:
    """What a run did."""

    old_size: int
    checkpoint: Checkpoint


def mirror_log(
    source: LogSource,
    folder: LogFolder,
    *,
    key: VerifierKey,
    origin: str,
    progress: Progress = silent,
) -> MirroredLog:
    """Bring *folder* to the state that *source* publishes.

    What arrives waits in a folder of its own until its root is the signed one;
    then it is moved into place, the checkpoint last. A run that is cut off
    leaves the mirror at its old state, and the next one repeats it.

    Args:
        source: The log, or another mirror.
        folder: The mirror; empty at first.
        key: The log's public key.
        origin: The log's name.
        progress: Told after each step, counting new entries.

    Raises:
        FreshnessError: The source is behind the mirror.
        SplitViewError: The source shows another history than the mirror.
        LogMismatchError: An entry is wrong, with its index.
        VerificationError: The checkpoint does not hold.
        UnreachableError: The source stopped answering.
        UsageError: *folder* is the log itself.
    """
    if (folder.path / SIGNING_KEY_FILE).exists():
        raise UsageError(
            f"{folder.path} is the log itself, not a copy of it. Name another folder."
        )
    with folder.locked():
        kept = _kept_checkpoint(folder, key=key, origin=origin)
        head = read_head(source, key=key, origin=origin)
        refuse_older(kept, head.checkpoint, kept_by=_KEPT_BY)
        _Growth(source, folder, kept=kept, head=head).run(progress)
        _copy_announcements(source, folder, head)
        folder.write_verifier_key(key)
        folder.publish(head.signed)
        folder.drop_partials(_places(kept.size, head.checkpoint.size))
    return MirroredLog(old_size=kept.size, checkpoint=head.checkpoint)


def _kept_checkpoint(folder: LogFolder, *, key: VerifierKey, origin: str) -> Checkpoint:
    """Return what the mirror shows; a former key of the log may have signed it."""
    own = folder.read_verifier_key() or key
    try:
        return read_head(folder, key=key, origin=origin).checkpoint
    except MissingFileError:
        return Checkpoint(origin=origin, size=0, root=EMPTY_ROOT)
    except SignatureError:
        # What is kept only says from where the new root must be reached: nothing
        # is believed by it, so the key that this mirror was made with will do.
        return read_head(folder, key=own, origin=origin).checkpoint


def _copy_announcements(source: LogSource, folder: LogFolder, head: LogHead) -> None:
    """Let the mirror lead others from an older key too, as far as the caller's leads."""
    for key in head.keys:
        octets = source.read_announcement(key)
        if octets is not None:
            read_announcement(octets, old=key, origin=head.checkpoint.origin)
            folder.write_announcement(key, octets)


class _Growth:
    """The step of one mirror from one checkpoint to the next."""

    def __init__(
        self, source: LogSource, folder: LogFolder, *, kept: Checkpoint, head: LogHead
    ) -> None:
        self._source = source
        self._folder = folder
        self._stage = LogFolder(folder.path / _STAGE)
        self._kept = kept
        self._head = head.checkpoint
        self._earlier = head.earlier

    def run(self, progress: Progress) -> None:
        """Take over what is new, if there is anything."""
        shutil.rmtree(self._stage.path, ignore_errors=True)  # of a run that was cut off
        try:
            self._require_root(self._fetch(progress))
            self._require_continued()
            self._move_into_place()
        finally:
            shutil.rmtree(self._stage.path, ignore_errors=True)

    def _fetch(self, progress: Progress) -> bytes:
        """Stage all that is new; return the root it leads to from what the mirror has."""
        old, new = self._kept.size, self._head.size
        size, root = old, self._kept.root
        for bundles in _batches(bundles_for_growth(old=old, new=new)):
            places: list[tuple[Tile | EntryBundle, bytes]] = []
            leaves: list[bytes] = []
            for bundle in bundles:
                entries, hashes = self._read(bundle)
                places.append((bundle, encode_bundle(entries)))
                leaves += hashes[max(0, old - bundle.index * TILE_WIDTH) :]
            growth = grow(old_size=size, leaves=leaves, read_tile=self._read_tile)
            self._stage.write_places([*places, *growth.tiles])
            size, root = growth.size, growth.root
            progress(size - old, new - old)
        return root

    def _read(self, bundle: EntryBundle) -> tuple[list[bytes], list[bytes]]:
        """Return a bundle's entries and their hashes; the first that is wrong is named."""
        first = bundle.index * TILE_WIDTH
        entries, hashes = [], []
        for index, (octets, said) in enumerate(read_pairs(self._source, bundle), start=first):
            computed = leaf_hash(octets)
            if computed != said:
                raise LogMismatchError(
                    f"Entry {index} was changed: its octets hash to {abbreviate(computed)}, "
                    f"the log has {abbreviate(said)} at this place.",
                    index=index,
                )
            entries.append(octets)
            hashes.append(computed)
        self._require_known(first, hashes)
        return entries, hashes

    def _require_known(self, first: int, hashes: Sequence[bytes]) -> None:
        """Refuse entries that the mirror has with other octets."""
        old = self._kept.size
        if first >= old:
            return
        tile = tile_at(level=0, index=first // TILE_WIDTH, size=old)
        known = parse_tile(self._folder.read_tile(tile), tile=tile)
        for index, (mine, theirs) in enumerate(zip(known, hashes, strict=False), start=first):
            if mine != theirs:
                raise SplitViewError(
                    f"Entry {index} is another than the one that this mirror verified at size "
                    f"{old} (hash {abbreviate(theirs)}, here {abbreviate(mine)}). Nothing was "
                    "changed here."
                )

    def _read_tile(self, tile: Tile) -> bytes:
        """Read what was staged in this run, or the mirror's own."""
        try:
            return self._stage.read_tile(tile)
        except MissingFileError:
            return self._folder.read_tile(tile)

    def _require_root(self, root: bytes) -> None:
        kept, head = self._kept, self._head
        if root == head.root:
            return
        if not kept.size:
            raise LogMismatchError(
                f"Every entry from 0 to {head.size - 1} matches its hash, but their root is "
                f"{abbreviate(root)}, the checkpoint says {abbreviate(head.root)}: entries were "
                "replaced together with their hashes."
            )
        raise SplitViewError(
            f"The log of size {head.size} with root {write_base64(head.root)} does not continue "
            f"the {kept.size} entries kept here with root {write_base64(kept.root)}: followed by "
            f"the entries now served they lead to root {abbreviate(root)}. The log shows two "
            "histories, or serves entries that it did not sign, or this mirror was damaged (check "
            "it with mc log verify). Nothing was changed here."
        )

    def _require_continued(self) -> None:
        """Refuse a log that its new key led away from what the old one had signed."""
        nodes = TileNodes(size=self._head.size, read_tile=self._read_tile)
        for each in self._earlier:
            root = root_at(size=each.size, read_node=nodes)
            if root != each.root:
                raise SplitViewError(
                    f"The key in use was announced in a log of size {each.size} with root "
                    f"{write_base64(each.root)}; the log now served has root {write_base64(root)} "
                    "there: two histories. Nothing was changed here."
                )

    def _move_into_place(self) -> None:
        folders = set()
        for place in _places(self._kept.size, self._head.size):
            file = self._folder.path / place.path
            make_folder(file.parent)
            os.replace(self._stage.path / place.path, file)
            folders.add(file.parent)
        for folder in sorted(folders):
            flush_folder(folder)


def _places(old: int, new: int) -> list[Tile | EntryBundle]:
    return [*tiles_for_growth(old=old, new=new), *bundles_for_growth(old=old, new=new)]


def _batches(bundles: list[EntryBundle]) -> Iterator[list[EntryBundle]]:
    for at in range(0, len(bundles), _BUNDLES_AT_ONCE):
        yield bundles[at : at + _BUNDLES_AT_ONCE]

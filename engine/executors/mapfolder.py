"""The mapfolder job: map every scene of a folder, and sum up."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import takewhile
from typing import Any

from ...models.card import Card
from ...models.errors import Canceled, EngineError, ModelFileError, SceneError
from ...models.members import absolute_paths, paths_of, read_cards
from ..checks import check_map_folder
from ..cluster.workers import CONNECT_S, RETURN_S, SchedulerLost, check_workers, connected
from ..devices import choose_device, choose_precision
from ..jobs import MapFolderJob, Progress
from ..mapping.folder.catalog import write_catalog
from ..mapping.folder.dispatch import each
from ..mapping.folder.listing import list_tasks, tell
from ..mapping.folder.lock import end_run, locked
from ..mapping.folder.packs import Pack, packs, weight
from ..mapping.folder.scene import failed
from ..mapping.folder.summary import Summary, write_table
from ..mapping.folder.tasks import FAILED, Orders, Outcome, SceneTask, finished, kept
from ..reports.folder import write_folder_report
from ..scene.hashing import sha256_of_models
from ..scene.writing import check_writable
from ..version import plugin_version

log = logging.getLogger("auxlens")

_KEPT = "They are kept, and the next run goes on with the others."
_FATAL = (EngineError, ModelFileError, Canceled)  # would meet every scene


def run(job: MapFolderJob, progress: Progress) -> dict[str, Any]:
    """Map a folder of scenes: those that are missing or out of date.

    Returns:
        ``outputs``: folder, table and report; ``figures``: scenes by status, pixels and seconds; ``incomplete``: which
        scenes failed, where some did.

    Raises:
        AuxLensError: the model, the patterns, the folders or the cluster do not fit the job, before any scene is
            mapped; or the disk is full.
        Canceled: scenes that are done are kept.
    """
    started = time.perf_counter()
    places = ("scenes", "output_folder", "output_table", "output_report")
    job = replace(job, **{name: os.path.abspath(getattr(job, name)) for name in places if getattr(job, name)})
    job = replace(job, model=absolute_paths(job.model))
    card = read_cards(job.model)
    check_map_folder(job, card)
    summaries = filter(None, (job.output_table, job.output_report))
    # The output folder itself may not be there yet: locking it makes it, or says why not.
    check_writable([path for path in summaries if os.path.dirname(path) != job.output_folder])
    if not job.scheduler:
        choose_precision(job.precision, choose_device(job.device))
    progress.report(0.0, "Looking for scenes")
    digest = sha256_of_models(job.model)
    listing = list_tasks(job, card, digest)
    tell(listing)
    with locked(job.output_folder) as token:
        orders = Orders(job.output_folder, token, plugin_version(), digest)
        try:
            outcomes = {outcome.name: outcome for outcome in listing.problems}
            outcomes.update(_Run(job, card, orders, listing.tasks, progress).outcomes())
        finally:
            end_run(job.output_folder)
        summary = Summary(job, card, [outcomes[name] for name in sorted(outcomes)], time.perf_counter() - started)
        write_catalog(job.output_folder, [o.name for o in summary.outcomes if o.status != FAILED], card, job.model)
        if job.output_table:
            write_table(job.output_table, summary)
        if job.output_report:
            write_folder_report(job.output_report, summary)
    if summary.warning:
        log.warning("%s", summary.warning)
    log.info(summary.sentence)
    result = {"outputs": summary.outputs, "figures": summary.figures}
    return {**result, "incomplete": summary.incomplete} if summary.failed else result


class _Run:
    """The scenes of a run and what became of them so far."""

    def __init__(
        self, job: MapFolderJob, card: Card, orders: Orders, tasks: Sequence[SceneTask], progress: Progress
    ) -> None:
        self._job = job
        self._card = card
        self._orders = orders
        self._tasks = tasks
        self._progress = progress
        self._size = sum(map(weight, tasks)) or 1
        self._outcomes: dict[str, Outcome] = {}
        self._done_size = 0
        self._full = ""  # what was said when the disk was full

    def outcomes(self) -> Mapping[str, Outcome]:
        """Map what is to be mapped, and once more what has failed."""
        self._find_finished(self._tasks)
        if self._outcomes:
            log.info("%d scenes are up to date and stay as they are.", len(self._outcomes))
        self._map([task for task in self._tasks if task.name not in self._outcomes], alone=False)
        again = [task for task in self._tasks if self._outcomes[task.name].status == FAILED]
        if again:
            log.info("Trying again: %s.", ", ".join(task.name for task in again[:10]) + " …" * (len(again) > 10))
            for task in again:
                del self._outcomes[task.name]
                self._done_size -= weight(task)
            self._map(again, alone=True)
        for task in again:
            if self._outcomes[task.name].status == FAILED:
                log.warning("%s: %s", task.name, self._outcomes[task.name].message)
        return self._outcomes

    def _find_finished(self, tasks: Sequence[SceneTask]) -> None:
        for number, task in enumerate(tasks):
            if number % 100 == 0 and self._progress.canceled():
                raise Canceled("Canceled; nothing was changed.")
            if (properties := finished(task)) is not None:
                self._keep(task, kept(task, properties))

    def _map(self, tasks: Sequence[SceneTask], alone: bool) -> None:
        """Have some scenes mapped, on a new connection if the scheduler is lost and comes back."""
        patience = CONNECT_S
        while tasks:
            try:
                with connected(self._job.scheduler, self._job.device, self._progress, patience) as client:
                    if self._job.scheduler:
                        files, orders = (*paths_of(self._job.model), self._job.scenes), self._orders
                        check_workers(client, self._progress, files, orders.folder, orders.token)
                    workers = len(client.scheduler_info(n_workers=-1)["workers"])
                    work = takewhile(lambda _: not self._full, packs(tasks, self._card, workers, alone))
                    for pack, result in each(client, work, self._orders, self._job.device != "cpu", self._tell):
                        self._take(pack, result)
                break
            except SchedulerLost:
                log.warning("The connection to the Dask scheduler is lost; waiting for it to come back.")
                patience = RETURN_S
                tasks = [task for task in tasks if task.name not in self._outcomes]
            except EngineError as error:
                if patience == CONNECT_S:
                    raise
                raise EngineError(
                    f"The Dask scheduler did not come back. {self._done()} Run again to go on. ({error})"
                ) from error
            except BaseException:
                end_run(self._orders.folder)  # before the cluster is closed, which waits for its workers
                raise
        if self._full:
            raise SceneError(f"{self._full} {self._done()} {_KEPT}")

    def _take(self, pack: Pack, result: list[Outcome] | Exception) -> None:
        if isinstance(result, _FATAL):
            raise result
        outcomes = [failed(task, result) for task in pack] if isinstance(result, Exception) else result
        for task, outcome in zip(pack, outcomes, strict=True):
            self._keep(task, outcome)
            if outcome.disk_full:
                self._full = outcome.message
        self._tell({})

    def _keep(self, task: SceneTask, outcome: Outcome) -> None:
        self._outcomes[task.name] = outcome
        self._done_size += weight(task)

    def _tell(self, shares: Mapping[Pack, float]) -> None:
        if self._progress.canceled():
            end_run(self._orders.folder)
            raise Canceled(f"Canceled. {self._done()} {_KEPT}")
        under_way = sum(share * sum(map(weight, pack)) for pack, share in shares.items())
        self._progress.report(
            (self._done_size + under_way) / self._size, f"{len(self._outcomes)} of {len(self._tasks)} scenes"
        )

    def _done(self) -> str:
        done = sum(outcome.status != FAILED for outcome in self._outcomes.values())
        return f"{done} of {len(self._tasks)} scenes are mapped."

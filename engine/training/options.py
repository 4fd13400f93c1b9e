"""What a training job's fields mean, checked once, and the constants of learning."""

from __future__ import annotations

import math

from ...models.config import PRESETS
from ...models.errors import JobError
from ..checks import check_choice, check_players, patches_of
from ..jobs import MIN_CHIP_PX, PRECISIONS, SCENE_TASKS, SIZES, STRATEGIES, TASKS, TrainFolderJob, TrainJob

Training = TrainJob | TrainFolderJob

LEARNING_RATE = 2e-3
WEIGHT_DECAY = 1e-2
WARM_UP = 0.05  # share of the schedule
CLIP_NORM = 1.0
AVERAGING = 0.99  # decay of the moving average of weights that is validated and kept
NOTHING_SHOWN = 0.1  # share of steps in which one chip is shown no player at all
ABSENCE_RATE = 3e-2  # learning rate of what the network is told of absent players
# Of the explainer's steps in which that is learned (then the worth of coalitions stands still): the smaller share if it
# has so many steps, else up to the larger one.
ABSENCE_SHARES, ABSENCE_STEPS = (0.25, 0.5), 1280
EXPLAINER_RATE = 3e-3
EXPLAINER_SHARE = 0.25  # of a time limit that is kept for the explainer
EXPLAINER_PACE, EXPLAINER_STEPS = 8, (200, 6400)  # its steps for each of the training's, within bounds
# The principal components of a modality of many bands hold this share of the variance, but are no more than so many.
COMPACT_SHARE, COMPACT_MOST = 0.99, 12
LEARNED = -1.0  # as the weight of the auxiliary tasks: all tasks are weighted by their uncertainty
MASKED = "masked bands"  # a task of the training alone (see masking.py); no modality can have its name
UNLABELLED_SHARE = 1 / 3  # of the chips of an epoch, where there are scenes without a reference
PATIENCE = 12  # epochs without a better validation score
# Pixels a step, if the batch size is not given: a CPU gains nothing from large batches, and learns by the step.
BATCH_PX = {"cpu": 4 * 128**2, "cuda": 16 * 128**2, "mps": 8 * 128**2}
CHIPS_AN_EPOCH = (256, 1024)


def check(job: Training) -> None:
    """Check a training job's own fields before any file is opened.

    Raises:
        JobError: a field is missing or out of range.
    """
    check_choice("task", job.task, TASKS)
    check_choice("strategy", job.strategy, STRATEGIES)
    check_choice("size", job.size, SIZES)
    check_choice("precision", job.precision, PRECISIONS)
    check_players(job.players, job.task)
    if job.task in SCENE_TASKS:
        patch_px_of(job)
    if not job.output_model.endswith(".safetensors"):
        raise JobError(f"The model file “{job.output_model}” must end in .safetensors.")
    if job.epochs < 1 or job.time_limit < 0 or job.batch_size < 0 or job.seed < 0:
        raise JobError("Epochs are 1 or more; time limit, batch size and seed are 0 or more.")
    if job.auxiliary_weight != LEARNED and not 0 <= job.auxiliary_weight < math.inf:
        raise JobError(
            f"The weight of the auxiliary tasks is 0 or more, or {LEARNED:g} to learn it; given: "
            f"{job.auxiliary_weight:g}."
        )
    if not 0 <= masked_share(job) <= 1:
        raise JobError(f"The share of chips with masked bands is 0 to 1; given: {masked_share(job):g}.")
    if job.task in SCENE_TASKS and masked_share(job):
        raise JobError("Bands are masked in scenes without a reference, which scene-level tasks do not use; give 0.")
    if job.strategy == "shuffled" and job.batch_size == 1:
        raise JobError("The strategy shuffled exchanges targets among the chips of a step; take 2 or more, or 0.")
    if job.chip_size < MIN_CHIP_PX:
        raise JobError(f"Chips are at least {MIN_CHIP_PX} px wide; {job.chip_size} is too small.")


def masked_share(job: Training) -> float:
    """Share of the chips without a reference that bands are hidden from; in folders alone are there such scenes."""
    return job.masked_share if isinstance(job, TrainFolderJob) else 0.0


def patch_px_of(job: Training) -> int:
    """Width of the patches that are a scene-level task's players; 0 for none.

    Raises:
        JobError: chips that cannot be cut so, because patches are made of whole pixels of the coarsest level.
    """
    along, stride = patches_of(job.players), int(2 ** (len(PRESETS[job.size]) - 1))
    if along and job.chip_size % (along * stride):
        raise JobError(
            f"A chip of {job.chip_size} px cannot be cut into {along} × {along} patches of whole multiples of {stride} "
            f"px; give a chip size of {-(-job.chip_size // (along * stride)) * along * stride}, or other patches."
        )
    return job.chip_size // along if along else 0


def schedule(share: float) -> float:
    """Linear warm-up, then half a cosine down to zero (Loshchilov & Hutter 2017), by the share of the budget used."""
    if share < WARM_UP:
        return max(share, 1e-3) / WARM_UP
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (share - WARM_UP) / (1 - WARM_UP))))

"""What is left on disk: a run goes on where it was and is never taken for another; no stranger's file is removed."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from small_training import small_model, some_task

import tfcompress
from converters.errors import BridgeError, DataError, FileError, TrainingError, UsageError
from converters.keras_models.kernels import kernels
from tfcompress import fingerprint, steps
from tfcompress import model as models
from tfcompress.invariants import Codebook, ZeroMask
from tfcompress.model import CompressedModel
from tfcompress.recipe import Recipe
from tfcompress.result_folder import ResultFolder
from tfcompress.technique import Technique, Trained
from tfcompress.training import Trainer

QAT = {"technique": "qat", "epochs": 2}


class Plain(Trained):
    """Only trains."""

    applied: ClassVar[list[str]] = []

    def apply(self, compressed: CompressedModel, trainer: Trainer) -> CompressedModel:
        self.applied.append(trainer.stage)
        logs = trainer.fit(compressed.model, self, invariants=compressed.invariants)
        return dataclasses.replace(compressed, history=(*compressed.history, self.record(epochs=logs)))


class Stop(tf_keras.callbacks.Callback):  # type: ignore[misc]
    """Interrupts once, at the beginning of an epoch, and notes a random number in each."""

    def __init__(self, epoch: int, seconds: float = 0.0) -> None:
        super().__init__()
        self._epoch, self._seconds, self._stops = epoch, seconds, True
        self.drawn: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if epoch == self._epoch and self._stops:
            self._stops = False
            raise KeyboardInterrupt
        time.sleep(self._seconds)
        self.drawn.append(float(tf.random.uniform(())))


class Twice(tf_keras.layers.Layer):  # type: ignore[misc]
    """A layer of the user's own."""

    def call(self, inputs: Any) -> Any:
        return 2 * inputs


# --- the folder of a result -------------------------------------------------------------------------------------


def test_a_result_is_not_replaced_and_a_strangers_folder_never(tmp_path: Path) -> None:
    model, recipe, task = small_model(), Recipe(), some_task()
    tfcompress.compress(model, recipe, task, output=tmp_path / "out")
    names = {"model.tflite", "model.tflite.names.json", "model.keras", "recipe.toml", "report.json", "report.md"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == names
    assert not (tmp_path / "out.partial").exists()
    with pytest.raises(FileError, match="exists; give another name, or --force"):
        tfcompress.compress(model, recipe, task, output=tmp_path / "out")
    npu = tmp_path / "npu.toml"
    npu.write_text('name = "npu"\ndtypes = ["int8"]\n[kernels]\nFULLY_CONNECTED = ["int8"]\nSOFTMAX = ["int8"]\n')
    tfcompress.compress(model, Recipe(runtime=str(npu)), task, output=tmp_path / "out", force=True)
    told = json.loads((tmp_path / "out" / "report.json").read_text())
    assert told["recipe"]["runtime"] == str(npu)
    assert told["notes"].count("npu has no interpreter here: scored on LiteRT") == 1
    (tmp_path / "out" / "thesis.tex").write_text("years of work")
    with pytest.raises(FileError, match=r"holds thesis\.tex"):
        tfcompress.compress(model, recipe, task, output=tmp_path / "out", force=True)
    assert (tmp_path / "out" / "thesis.tex").exists()


def test_force_keeps_an_interrupted_run_until_model_data_and_recipe_are_found_good(tmp_path: Path) -> None:
    ResultFolder(tmp_path / "out").begin({"model": "a"})
    hours = tmp_path / "out.partial" / "1-qat" / "hours"
    hours.parent.mkdir()
    hours.write_text("of work")
    recipe = Recipe(steps=(QAT,))
    with pytest.raises(DataError, match="the model's input"):
        bad = some_task(x_train=np.zeros((80, 5), np.float32))
        tfcompress.compress(small_model(), recipe, bad, output=tmp_path / "out", force=True)
    assert hours.exists()
    ResultFolder(tmp_path / "out", force=True).begin({"model": "b"})
    assert not hours.exists()


def test_a_run_that_failed_before_an_epoch_was_done_is_in_nobodys_way(tmp_path: Path) -> None:
    def broken(labels: Any, outputs: Any) -> Any:
        return tf.reduce_mean(outputs) * float("nan") + 0.0 * tf.reduce_sum(tf.cast(labels, tf.float32))

    recipe = Recipe(steps=(QAT,))
    with pytest.raises(TrainingError, match="the loss became nan in epoch 1"):
        tfcompress.compress(small_model(), recipe, some_task(loss=broken), output=tmp_path / "out")
    assert not list(tmp_path.iterdir())
    ResultFolder(tmp_path / "out").begin({"recipe": "of a run that was killed at once"})
    with pytest.raises(UsageError, match="freeze names 'conb'"):
        typo = Recipe(steps=({**QAT, "freeze": ["conb"]},))
        tfcompress.compress(small_model(), typo, some_task(), output=tmp_path / "out", resume=True)
    assert (tmp_path / "out.partial").exists()
    outcome = tfcompress.compress(small_model(), recipe, some_task(), output=tmp_path / "out", resume=True)
    assert len(outcome.history[0].epochs) == 2


def test_a_folder_with_the_name_of_a_runs_state_that_is_none_is_left_alone(tmp_path: Path) -> None:
    photos = tmp_path / "out.partial" / "photos"
    photos.mkdir(parents=True)
    for force, resume in ((True, False), (False, True), (False, False)):
        with pytest.raises(FileError, match=r"out\.partial is not the state of a run"):
            ResultFolder(tmp_path / "out", force=force, resume=resume).begin({})
    assert photos.exists()


@pytest.mark.parametrize("force", [False, True])
def test_what_came_to_stand_at_the_place_meanwhile_is_not_removed(tmp_path: Path, force: bool) -> None:
    folder = ResultFolder(tmp_path / "out", force=force)
    folder.begin({})
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("years of work")
    with pytest.raises(FileError, match=r"the run is finished and kept in .*out\.partial"):
        folder.finish({"model.tflite": b"new"})
    assert (tmp_path / "out" / "thesis.tex").exists()
    assert folder.work.exists()
    (tmp_path / "out").rename(tmp_path / "elsewhere")
    folder.finish({"model.tflite": b"new"})
    assert (tmp_path / "out" / "model.tflite").read_bytes() == b"new"


def test_an_earlier_result_stays_if_the_new_one_cannot_be_put_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "model.tflite").write_bytes(b"old")
    folder = ResultFolder(tmp_path / "out", force=True)
    folder.begin({})
    rename = Path.rename

    def fail(self: Path, target: Path) -> Path:
        if self.name == "result":
            raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(FileError, match="could not be written: Input/output error"):
        folder.finish({"model.tflite": b"new"})
    assert (tmp_path / "out" / "model.tflite").read_bytes() == b"old"
    monkeypatch.undo()
    folder.finish({"model.tflite": b"new"})
    assert (tmp_path / "out" / "model.tflite").read_bytes() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("path", [".", "/", "..", "a/.."])
def test_a_place_without_a_name_is_refused(path: str) -> None:
    with pytest.raises(FileError, match="names no folder that can be made"):
        ResultFolder(Path(path), force=True)


def test_a_model_that_cannot_go_back_to_its_keras_is_known_before_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import keras

    from converters.keras_models import bridge

    def refuse(model: Any) -> Any:
        raise BridgeError("layer 'x' cannot become a keras layer")

    monkeypatch.setattr(bridge, "to_keras", refuse)
    inputs = keras.layers.Input((6,))
    model = keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(inputs))
    never = Stop(-1)
    with pytest.raises(BridgeError, match="cannot become a keras layer"):
        tfcompress.compress(model, Recipe(steps=(QAT,)), some_task(callbacks=(never,)), output=tmp_path / "out")
    assert not never.drawn
    assert list(tmp_path.iterdir()) == []


# --- which run it is --------------------------------------------------------------------------------------------


def test_resuming_with_another_recipe_or_loss_is_refused_and_with_the_same_it_goes_on(tmp_path: Path) -> None:
    def go(seed: int = 0, resume: bool = True, **fields: Any) -> Any:
        recipe, task = Recipe(seed=seed, steps=(QAT,)), some_task(callbacks=(stop,), **fields)
        return tfcompress.compress(small_model(), recipe, task, output=tmp_path / "out", resume=resume)

    stop = Stop(1)
    with pytest.raises(KeyboardInterrupt):
        go(resume=False)
    assert not (tmp_path / "out").exists()
    with pytest.raises(FileError, match="interrupted run: --resume goes on with it, --force begins anew"):
        go(resume=False)
    with pytest.raises(UsageError, match="begun with another recipe"):
        go(seed=1)
    with pytest.raises(UsageError, match="begun with another training setup"):
        go(loss="kld")
    outcome = go()
    assert len(outcome.history[0].epochs) == 2
    assert (tmp_path / "out" / "model.tflite").exists()


def closing_over(strength: Any) -> Any:
    return lambda x: x + strength


def test_every_setting_of_a_training_makes_another_run_of_it() -> None:
    settings: list[dict[str, Any]] = [
        {"loss": "mse"},
        {"loss": tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True)},
        {"loss": lambda y, outputs: tf_keras.losses.mse(y, outputs)},
        {"loss": lambda y, outputs: 2 * tf_keras.losses.mse(y, outputs)},
        {"optimizer": "sgd"},
        {"optimizer": tf_keras.optimizers.Adam(0.5)},
        {"optimizer": tf_keras.optimizers.Adam(0.25)},
        {"metrics": ("mse",)},
        {"metrics": (tf_keras.metrics.SparseTopKCategoricalAccuracy(k=2),)},
        {"metric": "auc"},
        {"augment": lambda x: x + 1},
        {"augment": lambda x: x + 2},
        {"augment": closing_over(0.1)},
        {"augment": closing_over(0.9)},
        {"augment": closing_over(np.zeros(3))},
        {"augment": closing_over(np.ones(3))},
        {"callbacks": (tf_keras.callbacks.TerminateOnNaN(),)},
        {},
    ]

    def found() -> list[str]:
        return [fingerprint.hashes(small_model(), some_task(**one), "recipe")["training_setup"] for one in settings]

    assert len(set(found())) == len(settings)
    assert found() == found()


def test_a_function_that_closes_over_itself_has_a_fingerprint() -> None:
    def augment(x: Any) -> Any:
        return augment(x - 1) if x > 0 else x

    assert fingerprint.hashes(small_model(), some_task(augment=augment), "recipe")["training_setup"]


def test_a_training_that_a_callback_stopped_is_not_trained_on_when_the_run_is_resumed(tmp_path: Path) -> None:
    class Once(tf_keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.model.stop_training = True

    first = Trainer(some_task(callbacks=(Once(),)), folder=tmp_path).fit(small_model(), Plain(epochs=3))
    again = Trainer(some_task(), folder=tmp_path).fit(small_model(), Plain(epochs=3))
    assert len(first) == 1 and again == first


def test_what_is_used_in_a_training_makes_no_other_run_of_it() -> None:
    task = some_task(
        optimizer=tf_keras.optimizers.Adam(0.5),
        metrics=(tf_keras.metrics.SparseTopKCategoricalAccuracy(k=2),),
        callbacks=(tf_keras.callbacks.EarlyStopping(patience=9),),
    )
    before = fingerprint.hashes(small_model(), task, "recipe")
    Trainer(task).fit(small_model(), Plain(epochs=1))
    assert fingerprint.hashes(small_model(), task, "recipe") == before


def test_a_seed_that_a_generator_cannot_take_is_refused() -> None:
    with pytest.raises(UsageError, match="seed is 4294967296; input should be less than"):
        Recipe(seed=2**32)


# --- the checkpoint of a training -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def half_done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoints of a training that stopped in its second epoch."""
    folder = tmp_path_factory.mktemp("half_done")
    with pytest.raises(KeyboardInterrupt):
        Trainer(some_task(callbacks=(Stop(1),)), folder=folder).fit(small_model(), Plain(epochs=2))
    return folder


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: cut(next(folder.glob("*.npz"))),
        lambda folder: cut(next(folder.glob("*.json"))),
        lambda folder: next(folder.glob("*.json")).write_text("{}"),
        lambda folder: next(folder.glob("*.npz")).write_bytes(b""),
        lambda folder: next(folder.glob("*.npz")).unlink(),
    ],
)
def test_a_damaged_checkpoint_is_one_line(half_done: Path, tmp_path: Path, damage: Callable[[Path], None]) -> None:
    folder = shutil.copytree(half_done, tmp_path / "checkpoints")
    damage(folder)
    with pytest.raises(FileError, match="is damaged .*--force begins anew"):
        Trainer(some_task(), folder=folder).fit(small_model(), Plain(epochs=2))


@pytest.mark.parametrize(
    ("hidden", "optimizer", "message"),
    [(8, "sgd", r"it holds \d+ arrays, this one has \d+"), (9, "adam", r"its array 0 has shape \[6, 8\], here .*9\]")],
)
def test_the_checkpoint_of_another_training_is_one_line(
    half_done: Path, hidden: int, optimizer: str, message: str
) -> None:
    with pytest.raises(FileError, match=message):
        task = some_task(optimizer=optimizer)
        Trainer(task, folder=half_done).fit(small_model(hidden=hidden), Plain(epochs=2))


def test_a_resumed_training_does_not_repeat_the_draws_of_its_first_epochs(tmp_path: Path) -> None:
    stop = Stop(1)
    trainer = Trainer(some_task(callbacks=(stop,)), folder=tmp_path)
    with pytest.raises(KeyboardInterrupt):
        trainer.fit(small_model(), Plain(epochs=2))
    trainer.fit(small_model(), Plain(epochs=2))
    first, second = stop.drawn
    assert first != second


def test_the_time_of_a_resumed_step_is_that_of_all_its_sessions(tmp_path: Path) -> None:
    trainer = Trainer(some_task(callbacks=(Stop(2, seconds=0.4),)))
    recipe = Recipe(steps=(Plain(epochs=3),))
    with pytest.raises(KeyboardInterrupt):
        steps.run(CompressedModel(small_model()), recipe, trainer, tmp_path)
    started = time.monotonic()
    result = steps.run(CompressedModel(small_model()), recipe, trainer, tmp_path)
    session = time.monotonic() - started
    assert result.history[0].seconds > session + 0.5
    again = steps.run(CompressedModel(small_model()), recipe, trainer, tmp_path)
    assert again.history[0].seconds == result.history[0].seconds


def no_space(*_: Any, **__: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("what", ["numpy.savez", "pathlib.Path.mkdir", "pathlib.Path.write_text"])
def test_a_full_disk_is_one_line_and_the_run_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    def fill(epoch: int, logs: Any) -> None:
        if epoch == 1 and not begun.count(1):
            disk.setattr(what, no_space)
        begun.append(epoch)

    begun: list[int] = []
    task = some_task(callbacks=(tf_keras.callbacks.LambdaCallback(on_epoch_begin=fill),))
    trainer = Trainer(task, folder=tmp_path / "checkpoints")
    with monkeypatch.context() as disk, pytest.raises(FileError, match=r"No space left on device; make room.*--resume"):
        trainer.fit(small_model(), Plain(epochs=2))
    assert len(trainer.fit(small_model(), Plain(epochs=2))) == 2
    assert begun == [0, 1, 1]


@pytest.mark.parametrize("what", ["numpy.savez", "pathlib.Path.mkdir", "tf_keras.Model.save"])
def test_a_step_that_does_not_fit_on_the_disk_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    step = CompressedModel(small_model())
    with monkeypatch.context() as disk, pytest.raises(FileError, match=r"No space left on device; make room.*--resume"):
        disk.setattr(what, no_space)
        step.save(tmp_path / "1-qat")
    assert not (tmp_path / "1-qat" / models.MARK).exists()
    step.save(tmp_path / "1-qat")
    assert models.load(tmp_path / "1-qat").model.count_params() == step.model.count_params()


def test_a_keras_model_that_does_not_fit_on_the_disk_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = ResultFolder(tmp_path / "out")
    folder.begin({})
    model = small_model()
    monkeypatch.setattr(type(model), "save", no_space)
    with pytest.raises(FileError, match=r"model\.keras could not be written: No space left on device"):
        folder.save_model(model)


# --- finished steps ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "middle",
    [None, Twice(name="twice"), tf_keras.layers.Lambda(lambda x: 3 * x, name="thrice")],
    ids=["plain", "own layer class", "Lambda"],
)
def test_a_finished_step_is_not_done_again(tmp_path: Path, middle: Any) -> None:
    recipe, trainer, model = Recipe(steps=(Plain(epochs=1),)), Trainer(some_task()), small_model(middle=middle)
    done = steps.run(CompressedModel(model), recipe, trainer, tmp_path)
    applied = len(Plain.applied)
    resumed = steps.run(CompressedModel(small_model(middle=middle)), recipe, trainer, tmp_path)
    assert len(Plain.applied) == applied
    x = trainer.task.x_val
    np.testing.assert_allclose(resumed.model(x), done.model(x), atol=1e-6)


def test_a_saved_step_brings_no_code_that_the_model_at_hand_has_not(tmp_path: Path) -> None:
    harmless = small_model()
    CompressedModel(small_model(middle=tf_keras.layers.Lambda(lambda x: 3 * x))).save(tmp_path)
    with pytest.raises(FileError, match="Lambda"):
        models.load(tmp_path, like=harmless)


@pytest.mark.parametrize("name", ["compressed.json", "arrays.npz", "model.keras"])
@pytest.mark.parametrize("damage", [cut, Path.unlink, lambda path: path.write_bytes(b"{}")])
def test_a_damaged_step_is_one_line(tmp_path: Path, name: str, damage: Callable[[Path], None]) -> None:
    CompressedModel(small_model()).save(tmp_path)
    damage(tmp_path / name)
    with pytest.raises(FileError, match="is damaged .*--force begins anew"):
        models.load(tmp_path)


def test_a_kill_while_a_step_is_saved_leaves_it_undone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(self: Path, text: str, encoding: str) -> None:
        self.write_bytes(text.encode()[:5])
        raise KeyboardInterrupt

    recipe, trainer = Recipe(steps=(Plain(epochs=0),)), Trainer(some_task())
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "write_text", killed)
        steps.run(CompressedModel(small_model()), recipe, trainer, tmp_path)
    assert len(steps.run(CompressedModel(small_model()), recipe, trainer, tmp_path).history) == 1
    json.loads((tmp_path / "1-test_resume" / "compressed.json").read_text())


# --- promises between steps -------------------------------------------------------------------------------------


class Swap(Technique):
    """Replaces the promises of the hidden layer, and leaves its weights."""

    keeps: ClassVar[frozenset[str]] = frozenset({"zeros"})
    promises: ClassVar[tuple[Any, ...]] = ()

    def apply(self, compressed: CompressedModel, trainer: Trainer) -> CompressedModel:
        changed = {**compressed.invariants, "hidden/kernel": self.promises}
        return dataclasses.replace(compressed, invariants=changed, history=(*compressed.history, self.record()))


def run_swap(monkeypatch: pytest.MonkeyPatch, before: ZeroMask, *now: Any) -> None:
    monkeypatch.setattr(Swap, "promises", now)
    model = small_model()
    kernel = next(one for one in kernels(model) if one.layer == "hidden").variable
    kernel.assign(np.zeros(kernel.shape))
    start = CompressedModel(model).promise("hidden/kernel", before)
    steps.run(start, Recipe(steps=(Swap(),)), Trainer(some_task()), None)


def mask(zeros: int) -> ZeroMask:
    return ZeroMask(np.arange(48).reshape(6, 8) >= zeros)


def test_a_technique_that_forgets_a_promise_or_loosens_it_fails_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    book = Codebook(np.array([0, 127], np.int8), np.ones((1, 1), np.float32))
    run_swap(monkeypatch, mask(20), mask(20), book)
    run_swap(monkeypatch, mask(20), mask(40))  # what pruning again does
    for now in ((), (book,), (mask(2),), (mask(2), book)):
        with pytest.raises(TrainingError, match="broke what was promised of hidden/kernel"):
            run_swap(monkeypatch, mask(20), *now)

"""What users rely on: a recipe that is built can work, says in one line why another one cannot, and keeps as TOML."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converters.errors import FileError, UsageError
from tfcompress import registry
from tfcompress.recipe import Recipe, from_toml, load, packaged

# --- packaged recipes -------------------------------------------------------------------------------------------


def test_the_packaged_recipes_are_found_by_their_names() -> None:
    assert packaged() == ("clustered", "deep", "int8", "pruned", "qat", "tiny")


@pytest.mark.parametrize("name", packaged())
def test_a_packaged_recipe_loads_says_what_it_does_and_keeps_as_toml(name: str) -> None:
    recipe = load(name)
    assert recipe.name == name and recipe.description.endswith(".")
    assert recipe.conversion.dtype == "int8"
    assert from_toml(recipe.to_toml()) == recipe


def test_deep_asks_for_60_percent_zeros_and_16_values_in_every_layer_of_256_weights() -> None:
    prune, cluster, qat = load("deep").steps
    assert [step.name for step in (prune, cluster, qat)] == ["prune", "cluster", "qat"]
    asked = [prune.fields(), cluster.fields()]
    assert (asked[0]["sparsity"], asked[0]["budget"], asked[1]["clusters"]) == (0.6, "per-layer", 16)
    assert all(fields["minimum_weights"] == 256 and fields["layers"] == ["*"] for fields in asked)


def test_the_users_own_file_is_found_by_its_path_and_named_after_it(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('[[steps]]\ntechnique = "prune"\nsparsity = 0.5\n', encoding="utf-8")
    for given_as in (path, str(path)):
        recipe = load(given_as)
        assert recipe.name == "mine" and recipe.steps[0].fields()["sparsity"] == 0.5


# --- order ------------------------------------------------------------------------------------------------------

CHAIN = ("prune", "cluster", "qat")
FOUND = [registry.find(name) for name in CHAIN]  # imported here, not while examples are drawn
CHAINS = [chain for length in (1, 2, 3) for chain in itertools.permutations(CHAIN, length)]


@pytest.mark.parametrize("chain", CHAINS, ids="-".join)
def test_only_the_order_prune_cluster_qat_and_its_shorter_chains_can_be_built(chain: tuple[str, ...]) -> None:
    steps = [{"technique": name} for name in chain]
    if chain == tuple(sorted(chain, key=CHAIN.index)):
        assert tuple(step.name for step in Recipe(steps=steps).steps) == chain
        return
    late = next(second for first, second in itertools.pairwise(chain) if CHAIN.index(first) > CHAIN.index(second))
    with pytest.raises(UsageError, match=rf"step \d \({late}\) would break .* put {late} before (\w+)") as refusal:
        Recipe(steps=steps)
    assert CHAIN.index(str(refusal.value).split()[-1]) > CHAIN.index(late)


def test_pruning_twice_is_allowed_for_the_zeros_stay() -> None:
    assert len(Recipe(steps=[{"technique": "prune", "sparsity": share} for share in (0.3, 0.6)]).steps) == 2


# --- what is refused --------------------------------------------------------------------------------------------

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "unknown technique": ({"technique": "prunne"}, r"no technique 'prunne'.*did you mean prune\?"),
    "strange technique": ({"technique": "../prune"}, "no technique '../prune'"),
    "no technique": ({"sparsity": 0.5}, "step 1 names no technique"),
    "technique of another type": ({"technique": 3}, "step 1 names no technique"),
    "unknown parameter": ({"technique": "prune", "sparsty": 0.5}, r"step 1 \(prune\): sparsty is not a parameter"),
    "sparsity above 1": ({"technique": "prune", "sparsity": 1.5}, r"sparsity is 1.5; .*less than 1"),
    "sparsity of 1": ({"technique": "prune", "sparsity": 1}, r"sparsity is 1; .*less than 1"),
    "negative sparsity": ({"technique": "prune", "sparsity": -0.1}, r"sparsity is -0.1; .*greater than 0"),
    "sparsity that is no number": ({"technique": "prune", "sparsity": float("nan")}, "sparsity is nan"),
    "one value": ({"technique": "cluster", "clusters": 1}, r"clusters is 1; .*greater than or equal to 2"),
    "more values than int8 has": ({"technique": "cluster", "clusters": 257}, r"clusters is 257; .*equal to 256"),
    "half a value": ({"technique": "cluster", "clusters": 2.5}, "clusters is 2.5; .*integer"),
    "negative epochs": ({"technique": "qat", "epochs": -1}, "epochs is -1"),
    "no learning": ({"technique": "qat", "learning_rate": 0}, "learning_rate is 0"),
    "infinite learning": ({"technique": "qat", "learning_rate": float("inf")}, "learning_rate is inf"),
    "text for a number": ({"technique": "qat", "learning_rate": "fast"}, "learning_rate is 'fast'"),
    "number in quotes": ({"technique": "qat", "epochs": "3"}, "epochs is '3'; expected a number"),
    "truth for a number": ({"technique": "qat", "epochs": True}, "epochs is True; expected a number"),
    "no batch": ({"technique": "qat", "batch_size": 0}, "batch_size is 0"),
    "unknown choice": ({"technique": "prune", "criterion": "l3"}, r"criterion is 'l3'; .*'l1'"),
    "strange bits": ({"technique": "qat", "activation_bits": 4}, "activation_bits is 4; .*8 or 16"),
    "a word for a list": ({"technique": "qat", "freeze": "conv"}, "freeze is 'conv'; expected a list, such as"),
    "words for numbers": ({"technique": "prune", "block": ["1", "4"]}, r"block is \['1', '4'\]; expected numbers"),
    "a word for numbers": ({"technique": "prune", "block": "1,4"}, "block is '1,4'; expected a list"),
    "too long a block": (
        {"technique": "prune", "block": [1, 2, 3]},
        r"block is \[1, 2, 3\]; list should have at most 2",
    ),
    "infinite power": ({"technique": "prune", "power": float("inf")}, "power is inf"),
    "pattern that is none": ({"technique": "prune", "pattern": "4:2"}, "pattern is '4:2'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_step_that_cannot_work_is_one_line(case: str) -> None:
    step, message = REFUSED[case]
    with pytest.raises(UsageError, match=message) as refusal:
        Recipe(steps=[step])
    assert "\n" not in str(refusal.value) and refusal.value.exit_code == 2


TEXTS = {
    "no TOML": ("steps = [", "mine is not TOML"),
    "unknown key": ("step = 1", "step is not a parameter"),
    "steps that are none": ("steps = 3", r"steps is 3; write \[\[steps\]\]"),
    "a step that is none": ("steps = [3]", "step 1 names no technique"),
    "negative seed": ("seed = -1", "seed is -1"),
    "unknown dtype": ('[conversion]\ndtype = "int7"', "conversion.dtype is 'int7'; .*'int8'"),
    "unknown conversion key": ("[conversion]\nbits = 8", "conversion.bits is not a parameter"),
    "truth for samples": ("[conversion]\nsamples = true", "conversion.samples is True; expected a number"),
    "no calibration samples": ("[conversion]\nsamples = 0", "conversion.samples is 0"),
}


@pytest.mark.parametrize("case", TEXTS)
def test_a_text_that_is_no_recipe_is_one_line(case: str) -> None:
    text, message = TEXTS[case]
    with pytest.raises(UsageError, match=message) as refusal:
        from_toml(text, name="mine")
    assert "\n" not in str(refusal.value)


def test_an_unknown_name_lists_the_packaged_ones() -> None:
    with pytest.raises(UsageError, match=r"no recipe 'depe'; expected one of clustered, deep, int8, pruned, qat"):
        load("depe")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"missing\.toml cannot be read: No such file"):
        load(tmp_path / "missing.toml")
    with pytest.raises(FileError, match="cannot be read: Is a directory"):
        load(tmp_path)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match=r"binary\.toml is not text"):
        load(tmp_path / "binary.toml")


def test_a_recipe_cannot_be_changed_by_accident() -> None:
    with pytest.raises(Exception, match="frozen"):
        load("deep").seed = 3  # type: ignore[misc]


# --- TOML -------------------------------------------------------------------------------------------------------

patterns = st.lists(st.text(min_size=1), max_size=3).map(tuple)
rates = st.floats(min_value=0, max_value=10, exclude_min=True, exclude_max=True)
training = {
    "epochs": st.integers(4, 1000),
    "learning_rate": rates,
    "batch_size": st.integers(1, 10_000),
    "freeze": patterns,
}
prunes = st.fixed_dictionaries(
    {"technique": st.just("prune"), "sparsity": st.floats(0, 1, exclude_min=True, exclude_max=True)},
    optional={
        **training,
        "criterion": st.sampled_from(["l1", "l2", "taylor", "random"]),
        "block": st.tuples(st.integers(2, 8), st.integers(1, 8)),
        "power": st.floats(min_value=0, exclude_min=True, allow_infinity=False),
        "layers": patterns,
    },
)
clusters = st.fixed_dictionaries(
    {"technique": st.just("cluster")}, optional={**training, "clusters": st.integers(2, 256), "layers": patterns}
)
qats = st.fixed_dictionaries(
    {"technique": st.just("qat")}, optional={**training, "activation_bits": st.sampled_from([8, 16])}
)
recipes = st.builds(
    lambda steps, conversion, told: Recipe(steps=[step for step in steps if step], conversion=conversion, **told),
    st.tuples(st.none() | prunes, st.none() | clusters, st.none() | qats),
    st.fixed_dictionaries(
        {},
        optional={
            "dtype": st.sampled_from(["int8", "int16x8", "float32"]),
            "io": st.sampled_from(["float32", None]),
            "method": st.sampled_from(["minmax", "mse"]),
            "samples": st.integers(1, 10**6),
        },
    ),
    st.fixed_dictionaries(
        {},
        optional={"name": st.text(), "description": st.text(), "runtime": st.text(), "seed": st.integers(0, 2**31 - 1)},
    ),
)


@settings(deadline=None)
@given(recipes)
def test_a_recipe_comes_back_equal_from_its_toml(recipe: Recipe) -> None:
    text = recipe.to_toml()
    assert from_toml(text) == recipe
    assert from_toml(text).to_toml() == text

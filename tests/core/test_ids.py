import numpy as np
from scipy import stats

from duecourse.core.ids import key_codes, sha256_hex, uniform


def test_uniform_depends_on_the_key_and_not_on_its_place() -> None:
    codes = key_codes(["a", "b", "c"])
    assert uniform(1, "s", codes)[[2, 0]].tolist() == uniform(1, "s", codes[[2, 0]]).tolist()


def test_seed_stream_and_step_change_the_draw() -> None:
    codes = key_codes(["a"])
    draws = {uniform(*arguments[:2], codes, arguments[2])[0] for arguments in [(1, "s", 0), (2, "s", 0), (1, "t", 0)]}
    draws.add(uniform(1, "s", codes, 1)[0])
    assert len(draws) == 4


def test_draws_are_the_same_for_ever() -> None:
    """Logged propensities and landmark draws of old runs must be reproducible: this figure never changes."""
    assert uniform(7, "landmark", key_codes(["INV-1"]))[0] == 0.007514416207969998


def test_uniform_is_uniform() -> None:
    draws = uniform(3, "s", key_codes(f"INV-{n}" for n in range(20_000)))
    assert draws.min() >= 0
    assert draws.max() < 1
    assert stats.kstest(draws, "uniform").pvalue > 0.01
    assert abs(np.corrcoef(draws[:-1], draws[1:])[0, 1]) < 0.03


def test_hash_keeps_parts_apart() -> None:
    assert sha256_hex(b"ab", b"c") != sha256_hex(b"a", b"bc")

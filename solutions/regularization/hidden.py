"""Hidden checks of the assignment on regularization: harder inputs, the reference, precision, the global generator."""

import torch
from hypothesis import example, given
from hypothesis import strategies as st
from torch import Tensor

from autograder.testing import (
    Mismatch,
    assert_close,
    cotangent_like,
    exercise,
    floats,
    noncontiguous_tensors,
    raises,
    seeded,
    statistical,
    tensors,
)

from . import reference

HALF = {torch.float16: 5e-3, torch.bfloat16: 4e-2}
DTYPES = st.sampled_from(list(HALF))


def vector(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def images(*shape: int) -> Tensor:
    """Images of irregular pixels of [0.1, 0.9], all different, the same at every replay."""
    count = torch.Size(shape).numel()
    return (0.1 + 0.8 * torch.randperm(count, generator=seeded(count + 1)).double() / max(1, count - 1)).reshape(shape)


@exercise("dropout")
class TestDropout:
    @given(x=noncontiguous_tensors())
    def test_not_contiguous(self, student, x):
        """A tensor that is not contiguous in memory is treated entry by entry too."""
        out, mask = student.dropout(x, 0.25, generator=seeded())
        assert_close(out, x * mask)

    @given(shape=st.sampled_from([(0,), (0, 3), (), (1, 1)]))
    def test_empty_and_single(self, student, shape):
        """Tensors with no entry, with one entry, and with no axis keep their shape."""
        out, mask = student.dropout(torch.ones(shape).double(), 0.5, generator=seeded())
        assert_close((out.shape, mask.shape), (shape, shape))

    @statistical(false_alarm=2 * 0.5**60, because="60 entries all kept, or all dropped")
    def test_a_half_by_default(self, student):
        """Without p, entries are dropped with probability 1/2: the mask is made of 0 and 2."""
        _, mask = student.dropout(torch.ones(60), generator=seeded())
        assert_close(sorted(set(mask.tolist())), [0.0, 2.0])

    @given(dtype=DTYPES)
    def test_half_precision(self, student, dtype):
        """float16 and bfloat16 tensors keep their dtype."""
        out, mask = student.dropout(torch.ones(3, 4, dtype=dtype), 0.5, generator=seeded())
        assert_close((str(out.dtype), str(mask.dtype)), (str(dtype), str(dtype)))

    @given(p=st.sampled_from([-0.5, 1.5]))
    def test_bad_input_in_evaluation(self, student, p):
        """A p outside [0, 1] is refused in evaluation mode as well."""
        with raises(ValueError, naming="p"):
            student.dropout(vector(1, 2), p, training=False, generator=seeded())

    @given(x=tensors(min_ndim=1).map(torch.zeros_like))
    def test_zeros_are_dropped_too(self, student, x):
        """The mask does not depend on the entries: zeros are kept or dropped like others."""
        _, mask = student.dropout(x, 0.5, generator=seeded(3))
        _, other = student.dropout(torch.ones_like(x), 0.5, generator=seeded(3))
        assert_close(mask, other)


@exercise("dropout_backward")
class TestDropoutBackward:
    @given(mask=noncontiguous_tensors())
    def test_not_contiguous(self, student, mask):
        """Tensors that are not contiguous in memory give the same gradient."""
        assert_close(student.dropout_backward(cotangent_like(mask), mask), cotangent_like(mask) * mask)

    @given(mask=tensors(), dtype=DTYPES)
    def test_half_precision(self, student, mask, dtype):
        """float16 and bfloat16 tensors keep their dtype."""
        mask = mask.to(dtype)
        assert_close(student.dropout_backward(cotangent_like(mask), mask), cotangent_like(mask) * mask)


@exercise("mc_dropout_mean")
class TestMcDropoutMean:
    @given(p=st.sampled_from([-0.5, 1.5]))
    def test_bad_probability_is_refused(self, student, p):
        """A p outside [0, 1] raises ValueError that names p."""
        with raises(ValueError, naming="p"):
            student.mc_dropout_mean(vector(1, 2), lambda v: v, p, samples=2, generator=seeded())

    @statistical(false_alarm=2 * 0.5**60, because="60 entries all kept, or all dropped")
    def test_a_half_by_default(self, student):
        """Without p, entries are dropped with probability 1/2."""
        mean = student.mc_dropout_mean(torch.ones(60), lambda v: v, samples=1, generator=seeded())
        assert_close(sorted(set(mean.tolist())), [0.0, 2.0])

    @statistical(false_alarm=80 * 36 * 0.5**60, because="two of nine masks of 60 entries alike")
    @given(samples=st.integers(1, 9))
    def test_as_many_predictions_as_asked(self, student, samples):
        """It asks for exactly as many predictions as samples, each with another input."""
        seen: list[Tensor] = []

        def predict(v: Tensor) -> Tensor:
            seen.append(v)
            return v.square()

        student.mc_dropout_mean(torch.ones(60), predict, 0.5, samples=samples, generator=seeded())
        if len(seen) != samples:
            raise Mismatch(f"With samples={samples} the function was called {len(seen)} times.")
        if len({tuple(v.tolist()) for v in seen}) != samples:
            raise Mismatch("Two predictions were given the same input.")


class Low:
    """Weights in half precision and weights that are not contiguous."""

    function: str

    @given(weight=noncontiguous_tensors(), strength=floats(0, 2))
    def test_not_contiguous(self, student, weight, strength):
        """A tensor that is not contiguous in memory costs the same."""
        assert_close(
            getattr(student, self.function)(weight, strength), getattr(reference, self.function)(weight, strength)
        )

    @given(shape=st.sampled_from([(0,), (0, 3), ()]))
    def test_empty_and_single(self, student, shape):
        """Weights with no entry and with no axis are fine."""
        weight = torch.full(shape, -0.5, dtype=torch.float64)
        assert_close(getattr(student, self.function)(weight, 0.5), getattr(reference, self.function)(weight, 0.5))


class LowBackward:
    function: str

    @given(weight=noncontiguous_tensors(), strength=floats(0, 2))
    def test_not_contiguous(self, student, weight, strength):
        """A tensor that is not contiguous in memory has the same gradient."""
        grad_out = torch.tensor(-1.25, dtype=torch.float64)
        expected = getattr(reference, self.function)(grad_out, weight, strength)
        assert_close(getattr(student, self.function)(grad_out, weight, strength), expected)

    @given(weight=tensors(), dtype=DTYPES)
    def test_half_precision(self, student, weight, dtype):
        """float16 and bfloat16 tensors keep their dtype, and the gradient is right to their precision."""
        weight, grad_out = weight.to(dtype), torch.tensor(1.5, dtype=dtype)
        expected = getattr(reference, self.function)(grad_out.double(), weight.double(), 0.5)
        assert_close(getattr(student, self.function)(grad_out, weight, 0.5), expected.to(dtype), atol=4 * HALF[dtype])


@exercise("l2_penalty")
class TestL2Penalty(Low):
    function = "l2_penalty"


@exercise("l2_penalty_backward")
class TestL2PenaltyBackward(LowBackward):
    function = "l2_penalty_backward"


@exercise("l1_penalty")
class TestL1Penalty(Low):
    function = "l1_penalty"


@exercise("l1_penalty_backward")
class TestL1PenaltyBackward(LowBackward):
    function = "l1_penalty_backward"


@exercise("weight_decay_step")
class TestWeightDecayStep:
    @given(param=noncontiguous_tensors(), lr=floats(0.01, 2), weight_decay=floats(0, 3))
    def test_any_settings(self, student, param, lr, weight_decay):
        """Large rates and decays, and tensors that are not contiguous, give the right step."""
        grad = cotangent_like(param)
        expected = reference.weight_decay_step(param, grad, lr=lr, weight_decay=weight_decay)
        assert_close(student.weight_decay_step(param, grad, lr=lr, weight_decay=weight_decay), expected)


@exercise("EarlyStopping")
class TestEarlyStopping:
    @given(
        losses=st.lists(st.integers(-8, 8).map(lambda n: n / 4), min_size=1, max_size=12),
        patience=st.integers(1, 5),
        min_delta=st.sampled_from([0.0, 0.125, 0.375]),
    )
    def test_long_runs(self, student, losses, patience, min_delta):
        """Negative losses, any patience and any min_delta give the right answers and the right best loss."""
        stopping, right = student.EarlyStopping(patience, min_delta), reference.EarlyStopping(patience, min_delta)
        assert_close([stopping.step(loss) for loss in losses], [right.step(loss) for loss in losses])
        assert_close((stopping.best, stopping.bad_epochs), (right.best, right.bad_epochs))

    def test_five_epochs_by_default(self, student):
        """Without arguments it stops at the fifth bad epoch in a row, and any lower loss is better."""
        stopping = student.EarlyStopping()
        answers = [stopping.step(loss) for loss in (1.0, 0.999, 1.0, 1.0, 1.0, 1.0, 1.0)]
        assert_close((answers, stopping.best), ([False] * 6 + [True], 0.999))

    def test_two_do_not_share_a_count(self, student):
        """Two of them keep counts of their own."""
        first, second = student.EarlyStopping(patience=1), student.EarlyStopping(patience=2)
        first.step(1.0)
        second.step(0.5)
        assert_close((first.step(2.0), second.step(2.0), first.best, second.best), (True, False, 1.0, 0.5))


@exercise("smooth_targets")
class TestSmoothTargets:
    @given(count=st.integers(1, 6), smoothing=st.sampled_from([0.0, 0.3, 1.0]))
    def test_every_class(self, student, count, smoothing):
        """Every class has its own column; with smoothing 0 the targets are one-hot, with 1 all equal."""
        y = torch.arange(count).flip(0)
        assert_close(student.smooth_targets(y, count, smoothing), reference.smooth_targets(y, count, smoothing))


@exercise("add_noise")
class TestAddNoise:
    @given(x=tensors(min_ndim=1, low=-100, high=100), seed=st.integers(0, 99))
    def test_noise_does_not_depend_on_the_input(self, student, x, seed):
        """The noise is the same whatever the numbers are."""
        flat = torch.zeros(x.shape).double()
        noise = student.add_noise(flat, 2.0, generator=seeded(seed))
        assert_close(student.add_noise(x, 2.0, generator=seeded(seed)) - x, noise)

    @given(dtype=DTYPES)
    def test_half_precision(self, student, dtype):
        """float16 and bfloat16 tensors keep their dtype."""
        out = student.add_noise(torch.ones(3, 4, dtype=dtype), 0.5, generator=seeded())
        assert_close(str(out.dtype), str(dtype))


@exercise("mixup")
class TestMixup:
    @statistical(false_alarm=80 / 15 / 87_178_291_200, because="more than 14 fixed points: at most 1 / 15!")
    @given(seed=st.integers(0, 1))
    def test_partners_are_drawn_uniformly(self, student, seed):
        """In a batch of 2,000 about one sample is its own partner, and partners are no simple shift."""
        y = torch.arange(2000).double()[:, None]
        partner = 2 * student.mixup(y, y, 0.5, generator=seeded(seed))[1][:, 0] - y[:, 0]
        own = int((partner == y[:, 0]).sum())
        # The number of fixed points is close to a Poisson of mean 1: more than 14 has a probability below 1e-12.
        shifts = len(((partner - y[:, 0]) % 2000).unique())
        if own > 14 or shifts < 1000:
            raise Mismatch(f"{own} samples are their own partners, and only {shifts} different shifts occur.")

    @given(lam=floats(0, 1))
    def test_float32_stays_float32(self, student, lam):
        """float32 samples and targets stay float32, and images keep their axes."""
        x, y = images(4, 1, 2, 3).float(), torch.eye(4)
        mixed_x, mixed_y = student.mixup(x, y, lam, generator=seeded())
        expected = ("torch.float32", "torch.float32", (4, 1, 2, 3), (4, 4))
        assert_close((str(mixed_x.dtype), str(mixed_y.dtype), mixed_x.shape, mixed_y.shape), expected)


@exercise("horizontal_flip")
class TestHorizontalFlip:
    @given(seed=st.integers(0, 99))
    def test_not_contiguous(self, student, seed):
        """Images that are not contiguous in memory are turned too, channel by channel alike."""
        x = images(4, 3, 2, 5).transpose(2, 3)
        out = student.horizontal_flip(x, generator=seeded(seed))
        turned = (out == x.flip(3)).flatten(1).all(1)
        assert_close(out, torch.where(turned[:, None, None, None], x.flip(3), x))

    @given(shape=st.sampled_from([(0, 1, 2, 3), (2, 1, 3, 1)]))
    def test_no_images_and_narrow_images(self, student, shape):
        """No images, and images one column wide, are fine."""
        x = images(*shape)
        assert_close(student.horizontal_flip(x, generator=seeded()), x)


@exercise("random_crop")
class TestRandomCrop:
    @statistical(false_alarm=80 * 36 * (35 / 36) ** 2000, because="one of 36 places missed 2,000 times")
    @given(seed=st.integers(0, 1))
    def test_each_image_at_a_place_of_its_own(self, student, seed):
        """Rows and columns are drawn apart, for each image: all 9 · 4 places occur among 2,000 windows."""
        x = torch.arange(36.0).reshape(1, 1, 9, 4).expand(2000, 1, 9, 4).clone()
        # A place is missed with a probability of 36 (35/36)^2000 < 1e-22.
        found = student.random_crop(x, (1, 1), generator=seeded(seed)).flatten().unique()
        assert_close(len(found), 36)

    @given(padding=st.integers(1, 3))
    def test_float32_stays_float32(self, student, padding):
        """A float32 tensor gives a float32 tensor, and the zeros around it are zeros."""
        out = student.random_crop(
            torch.ones(1, 2, 3, 4), (3 + 2 * padding, 4 + 2 * padding), padding, generator=seeded()
        )
        expected = torch.nn.functional.pad(torch.ones(1, 2, 3, 4), (padding,) * 4)
        assert_close(out, expected)


@exercise("rotate")
class TestRotate:
    @given(degrees=floats(-720, 720), side=st.integers(1, 7))
    def test_long_and_narrow(self, student, degrees, side):
        """Images of one row or column, and angles beyond a full turn, give the right pixels."""
        x = images(1, 2, 1, side) if side % 2 else images(1, 2, side, 1)
        assert_close(student.rotate(x, degrees), reference.rotate(x, degrees), rtol=1e-4, atol=1e-5)

    @given(degrees=floats(-180, 180))
    @example(degrees=33.0)
    def test_places_in_float64(self, student, degrees):
        """Far from the centre the places are as exact as near it: they are computed in float64."""
        x = images(1, 1, 31, 24)
        assert_close(student.rotate(x, degrees), reference.rotate(x, degrees), atol=1e-7)

    @given(degrees=floats(-180, 180), dtype=DTYPES)
    @example(degrees=33.0, dtype=torch.float16)
    @example(degrees=33.0, dtype=torch.bfloat16)
    def test_places_of_half_precision_images(self, student, degrees, dtype):
        """The places are computed in float64 for float16 and bfloat16 images as well."""
        x = images(1, 1, 64, 48).to(dtype)
        expected = reference.rotate(x.double(), degrees).to(dtype)
        assert_close(student.rotate(x, degrees), expected, atol=HALF[dtype])

    @given(degrees=floats(-180, 180))
    def test_not_contiguous(self, student, degrees):
        """Images that are not contiguous in memory give the same pixels."""
        x = images(2, 1, 4, 7).transpose(2, 3)
        assert_close(student.rotate(x, degrees), reference.rotate(x, degrees), rtol=1e-4, atol=1e-5)


@exercise("adjust_brightness")
class TestAdjustBrightness:
    @given(x=noncontiguous_tensors(low=0, high=1), factor=floats(0, 100))
    def test_large_factors(self, student, x, factor):
        """Large factors give white, and tensors that are not contiguous the same pixels."""
        assert_close(student.adjust_brightness(x, factor), reference.adjust_brightness(x, factor))


@exercise("fgsm_step")
class TestFgsmStep:
    @given(x=noncontiguous_tensors(low=0, high=1), epsilon=floats(0, 2))
    def test_not_contiguous(self, student, x, epsilon):
        """Tensors that are not contiguous in memory, and steps larger than 1, give the right pixels."""
        grad = cotangent_like(x)
        assert_close(student.fgsm_step(x, grad, epsilon), reference.fgsm_step(x, grad, epsilon))

    def test_no_step(self, student):
        """A step of 0 is allowed and changes nothing."""
        assert_close(student.fgsm_step(vector(0.25, 0.5), vector(1, -1), 0.0), vector(0.25, 0.5))

    @given(x=tensors(min_ndim=1, low=0, high=1))
    def test_a_tiny_gradient_moves_as_far(self, student, x):
        """A gradient of 1e-30 moves a pixel as far as one of 1e30."""
        grad = torch.sign(cotangent_like(x)) * 1e-30
        assert_close(student.fgsm_step(x, grad, 0.25), reference.fgsm_step(x, 1e60 * grad, 0.25))

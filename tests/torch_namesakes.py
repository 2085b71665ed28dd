"""Which function of torch each reference is named after, and where the two are meant to differ.

A new assignment adds its rows to `NAMESAKES`, and the exercises for which torch has no function to `WITHOUT`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch_samples import Sample, run_layer

# The arguments of a reference, in order and by name; None for a call that it does not have.
Call = tuple[tuple[Any, ...], dict[str, Any]]
FLOATING = (torch.float64, torch.float32, torch.float16, torch.bfloat16)


@dataclass(frozen=True)
class Difference:
    """Where a reference is meant to answer otherwise than torch.

    Attributes:
        reason: why, in words.
        when: tells of a sample whether the difference may show there.
        entries: which entries of the answer may differ; None where the reference raises ValueError instead.
    """

    reason: str
    when: Callable[[Sample], bool]
    entries: Callable[[Sample], Tensor] | None = None


@dataclass(frozen=True)
class Namesake:
    """A reference and torch's function.

    Attributes:
        reference: assignment and exercise: "activations.elu".
        name: torch's, in the database of samples that ``source`` names.
        source: "operator" (op_db), "module" (module_db) or "optimizer" (optim_db).
        dtypes: of the samples.
        entrywise: whether it works entry by entry, so that torch's special values are samples too.
        gradients: whether the reference is a hand-written backward: it is given a random upstream gradient before the
            arguments, and its answers are compared with autograd's.
        sums: whether it adds up products; then all dtypes but float64 are right to their share of the answer's largest
            entry, since a sum is rounded at the size of its terms.
        prepared: changes a sample before torch or the reference sees it; None for one that is of no use.
        arguments: the reference's arguments for a sample; None for a call that the reference does not have.
        wrt: the tensors of a sample whose gradients are asked for; None for the floating arguments, in order.
        theirs, ours: what of torch's answer, and of the reference's, is compared.
        differences: where they are meant to differ.
        nearer: by half dtype, whether "reference" or "torch" is nearer to float64 on average, where it is worth saying.
    """

    reference: str
    name: str
    source: str = "operator"
    dtypes: Sequence[torch.dtype] = FLOATING
    entrywise: bool = False
    gradients: bool = False
    sums: bool = False
    prepared: Callable[[Sample], Sample | None] = lambda sample: sample
    arguments: Callable[[Sample], Call | None] = lambda sample: (sample.arguments, sample.options)
    wrt: Callable[[Sample], list[Tensor]] | None = None
    theirs: Callable[[Any], Any] = lambda answer: answer
    ours: Callable[[Any], Any] = lambda answer: answer
    differences: tuple[Difference, ...] = ()
    nearer: str | None = None


def x_of(sample: Sample) -> Tensor:
    return sample.arguments[0]


def same_for(*references: str, **same: Any) -> tuple[Namesake, ...]:
    """Rows that differ in the reference alone; those whose name ends in "_backward" are of gradients."""
    return tuple(Namesake(one, gradients=one.endswith("_backward"), **same) for one in references)


# Activations: entry by entry.

AT_NAN = Difference(
    "At nan torch answers nan or grad_out, whichever loop the length of the tensor leads to. The text takes both.",
    lambda sample: bool(x_of(sample).isnan().any()),
    lambda sample: x_of(sample).isnan(),
)
AT_INFINITY = Difference(
    "At infinity torch multiplies inf by 0 and answers nan; the reference gives the limit. The text asks for |x| up to "
    "10,000.",
    lambda sample: sample.options.get("approximate") == "tanh" and bool(x_of(sample).isinf().any()),
    lambda sample: x_of(sample).isinf(),
)


def only(approximate: str, sample: Sample) -> Sample | None:
    """The samples of one form of GELU."""
    return sample if sample.options.get("approximate", "none") == approximate else None


def entrywise(exercise: str, name: str, *differences: Difference, **more: Any) -> Namesake:
    gradients = exercise.endswith("_backward")
    return Namesake(
        f"activations.{exercise}", name, entrywise=True, gradients=gradients, differences=differences, **more
    )


ACTIVATIONS = (
    entrywise("sigmoid", "sigmoid", nearer="torch"),
    # torch multiplies by 1 - s and 1 - t * t, rounded; sigmoid(-x) and 4 sigmoid(2x) sigmoid(-2x) subtract nothing.
    entrywise("sigmoid_backward", "sigmoid", nearer="reference"),
    entrywise("tanh", "tanh", nearer="torch"),
    entrywise("tanh_backward", "tanh", nearer="reference"),
    entrywise("relu", "nn.functional.relu"),
    entrywise("relu_backward", "nn.functional.relu"),
    entrywise("leaky_relu", "nn.functional.leaky_relu"),
    entrywise("leaky_relu_backward", "nn.functional.leaky_relu"),
    entrywise("elu", "nn.functional.elu"),
    entrywise("elu_backward", "nn.functional.elu", AT_NAN),
    # torch computes these in float32 and rounds once; the reference rounds each step.
    entrywise("gelu", "nn.functional.gelu", prepared=partial(only, "none"), nearer="torch"),
    entrywise("gelu", "nn.functional.gelu", prepared=partial(only, "tanh"), nearer="torch"),
    entrywise("gelu_backward", "nn.functional.gelu", prepared=partial(only, "none"), nearer="torch"),
    entrywise("gelu_backward", "nn.functional.gelu", AT_INFINITY, prepared=partial(only, "tanh"), nearer="torch"),
    entrywise("silu", "nn.functional.silu", nearer="torch"),
    entrywise("silu_backward", "nn.functional.silu", nearer="torch"),
    entrywise("softplus", "nn.functional.softplus", nearer="torch"),
    entrywise("softplus_backward", "nn.functional.softplus", nearer="torch"),
)

# Activations: along an axis.

NO_AXES = Difference(
    "torch takes a number without axes with dim 0 or -1. The text asks for at least one axis, and the guard for one of "
    "x's: an axis that is not there is a mistake of the caller.",
    lambda sample: x_of(sample).ndim == 0,
)
SEVERAL_AXES = Difference(
    "torch also sums over several axes; the text asks for one.",
    lambda sample: isinstance(sample.arguments[1], tuple) and len(sample.arguments[1]) > 1,
)


def one_axis(sample: Sample) -> Call:
    """torch's tuple of one axis as a number."""
    x, dim, *rest = sample.arguments
    return (x, dim[0] if isinstance(dim, tuple) and len(dim) == 1 else dim, *rest), sample.options


ALONG_AN_AXIS = (
    *same_for(
        *("activations.logsumexp", "activations.logsumexp_backward"),
        name="logsumexp",
        arguments=one_axis,
        differences=(NO_AXES, SEVERAL_AXES),
    ),
    *same_for("activations.softmax", "activations.softmax_backward", name="softmax", differences=(NO_AXES,)),
    *same_for(
        "activations.log_softmax", "activations.log_softmax_backward", name="log_softmax", differences=(NO_AXES,)
    ),
)

# Backpropagation.

LINEAR = same_for("backprop.linear", "backprop.linear_backward", name="nn.functional.linear", sums=True)

# Convolution.


def unbatched(axes: int) -> Difference:
    """torch takes one image without the axis of images."""
    return Difference(
        "torch also takes one image, or sequence or volume, without the axis N; the text asks for that axis.",
        lambda sample: x_of(sample).ndim == axes,
    )


def a_number(value: Any) -> Any:
    """torch's tuple of one number as the number: the text asks for that."""
    return value[0] if isinstance(value, tuple) and len(value) == 1 else value


def numbers_in_options(sample: Sample) -> Call:
    return sample.arguments, {name: a_number(value) for name, value in sample.options.items()}


WORDS = Difference(
    'torch takes "same" and "valid" for volumes too; the text asks for numbers.',
    lambda sample: isinstance(sample.options.get("padding"), str) and x_of(sample).ndim == 5,
)


def length(sample: Sample) -> Call:
    """The arguments of `conv_output_size` for a convolution along one axis."""
    x, weight = sample.arguments[:2]
    options = {name: a_number(value) for name, value in sample.options.items() if name != "groups"}
    return (x.shape[-1], weight.shape[-1]), options


def in_a_batch(sample: Sample) -> Sample:
    """An image without the axis N gets one."""
    x = x_of(sample)
    return replace(sample, arguments=(x[None] if x.ndim == 3 else x,))


def symmetrical(sample: Sample) -> Call | None:
    """The arguments of `pad2d`, where a layer adds as many zeros above as below and left as right."""
    left, right, top, bottom = sample.function.args[0].padding
    return ((x_of(sample), 1, (top, left)), {}) if left == right and top == bottom else None


def each_channel(sample: Sample) -> Call | None:
    """A convolution with as many groups as channels is a depthwise separable one whose second step changes nothing."""
    x, weight, *bias = sample.arguments
    options = {name: value for name, value in sample.options.items() if name != "groups"}
    identity = torch.eye(len(weight), dtype=weight.dtype)[:, :, None, None]
    return ((x, weight, identity, *bias), options) if weight.shape[1] == 1 and x.shape[-3] > 1 else None


def back_from_columns(sample: Sample) -> Call:
    """`col2im` of the upstream gradient is the gradient of `im2col`."""
    return (tuple(x_of(sample).shape[2:]), *sample.arguments[1:]), sample.options


CONVOLUTION = (
    Namesake(
        "convolution.conv_output_size", "nn.functional.conv1d", arguments=length, theirs=lambda out: out.shape[-1]
    ),
    Namesake("convolution.pad2d", "nn.ZeroPad2d", "module", prepared=in_a_batch, arguments=symmetrical),
    *same_for(
        *("convolution.conv2d", "convolution.conv2d_backward"),
        name="nn.functional.conv2d",
        sums=True,
        differences=(unbatched(3),),
    ),
    Namesake("convolution.im2col", "nn.functional.unfold"),
    Namesake(
        *("convolution.col2im", "nn.functional.unfold"),
        gradients=True,
        sums=True,
        arguments=back_from_columns,
        wrt=lambda sample: [x_of(sample)],
    ),
    Namesake(
        *("convolution.conv1d", "nn.functional.conv1d"),
        sums=True,
        arguments=numbers_in_options,
        differences=(unbatched(2),),
    ),
    Namesake("convolution.conv3d", "nn.functional.conv3d", sums=True, differences=(unbatched(4), WORDS)),
    Namesake("convolution.conv_transpose2d", "nn.functional.conv_transpose2d", sums=True, differences=(unbatched(3),)),
    Namesake(
        *("convolution.depthwise_separable_conv2d", "nn.functional.conv2d"),
        sums=True,
        arguments=each_channel,
        differences=(unbatched(3),),
    ),
)

# Regularization.


def without_chance(sample: Sample) -> Call | None:
    """Dropout where nothing is left to chance; elsewhere each draws its own mask."""
    p, training = sample.options.get("p", 0.5), sample.options.get("training", True)
    options = {"training": training, "generator": torch.Generator().manual_seed(0)}
    return ((x_of(sample), p), options) if p in (0, 1) or not training else None


def scaled_mask(sample: Sample) -> Call:
    """torch keeps mask and scale apart."""
    grad_out, mask, scale = sample.arguments
    return (grad_out, mask.to(grad_out.dtype) * scale), {}


def distance_summed(sample: Sample) -> Call | None:
    """A summed loss is the penalty of the difference."""
    x, target = sample.arguments
    return ((x - target, 1.0), {}) if sample.options.get("reduction") == "sum" and x.shape == target.shape else None


def plain_step(sample: Sample) -> Call | None:
    """A step of SGD without momentum, downhill."""
    options = dict(sample.options)
    tensors = options.pop("param"), options.pop("grad")
    lr, weight_decay = float(options.pop("lr", 1e-3)), options.pop("weight_decay", 0.0)
    return None if options else (tensors, {"lr": lr, "weight_decay": weight_decay})


def no_doubt(sample: Sample) -> Call | None:
    """Targets smoothed by nothing are one-hot."""
    y, classes = x_of(sample), sample.options["num_classes"]
    return ((y, classes, 0.0), {}) if y.ndim == 1 and classes > 0 else None


REGULARIZATION = (
    Namesake(
        "regularization.dropout", "nn.functional.dropout", arguments=without_chance, ours=lambda answer: answer[0]
    ),
    Namesake("regularization.dropout_backward", "native_dropout_backward", arguments=scaled_mask),
    *(
        row
        for penalty, loss in (("l1", "l1_loss"), ("l2", "mse_loss"))
        for row in same_for(
            *(f"regularization.{penalty}_penalty", f"regularization.{penalty}_penalty_backward"),
            name=f"nn.functional.{loss}",
            arguments=distance_summed,
            wrt=lambda sample: [x_of(sample)],
        )
    ),
    Namesake("regularization.weight_decay_step", "SGD", "optimizer", arguments=plain_step),
    Namesake(
        *("regularization.smooth_targets", "nn.functional.one_hot"),
        dtypes=(torch.int64,),
        arguments=no_doubt,
        theirs=lambda one_hot: one_hot.float(),
    ),
)

# Losses.


def x_alone(sample: Sample) -> list[Tensor]:
    """Of the loss's arguments, the one whose gradient is asked for."""
    return [x_of(sample)]


NEGATIVE_MARGIN = Difference(
    "torch takes a margin below 0, which asks the right class to be behind; the guard refuses it.",
    lambda sample: sample.options.get("margin", 1.0) <= 0,
)


def averaged(sample: Sample, *kept: str) -> Call | None:
    """The mean of a loss, with these options and no other."""
    options = {name: value for name, value in sample.options.items() if value is not None}
    is_mean = options.pop("reduction", "mean") == "mean"
    return (sample.arguments, options) if is_mean and len(sample.arguments) == 2 and options.keys() <= {*kept} else None


def with_reduction(sample: Sample) -> Call | None:
    """`reduction` as third argument."""
    word = sample.options.get("reduction", "mean")
    return (
        ((*sample.arguments, word), {})
        if len(sample.arguments) == 2 and not sample.options.keys() - {"reduction"}
        else None
    )


def of_rows(sample: Sample, *kept: str) -> Call | None:
    """A loss of scores (N, C)."""
    return averaged(sample, *kept) if x_of(sample).ndim == 2 else None


def batchmean(sample: Sample) -> Call | None:
    """The divergence as it is defined, from probabilities."""
    options = dict(sample.options)
    is_asked = options.pop("reduction", "mean") == "batchmean" and not options.pop("log_target", False)
    return (sample.arguments, {}) if is_asked and not options and x_of(sample).ndim == 2 else None


def plain_hinge(sample: Sample) -> Call | None:
    """The hinge with the exponent 1."""
    options = dict(sample.options)
    if options.pop("p", 1) != 1:
        return None
    return of_rows(replace(sample, options=options), "margin")


LOSSES = (
    *same_for(
        *("losses.mse_loss", "losses.mse_loss_backward"),
        name="nn.functional.mse_loss",
        arguments=with_reduction,
        wrt=x_alone,
    ),
    *same_for(
        *("losses.l1_loss", "losses.l1_loss_backward"),
        name="nn.functional.l1_loss",
        arguments=averaged,
        wrt=x_alone,
    ),
    *same_for(
        *("losses.huber_loss", "losses.huber_loss_backward"),
        name="nn.functional.huber_loss",
        arguments=lambda sample: averaged(sample, "delta"),
        wrt=x_alone,
    ),
    *same_for(
        *("losses.binary_cross_entropy_with_logits", "losses.binary_cross_entropy_with_logits_backward"),
        name="nn.functional.binary_cross_entropy_with_logits",
        arguments=averaged,
        wrt=x_alone,
    ),
    *same_for(
        *("losses.cross_entropy", "losses.cross_entropy_backward"),
        name="nn.functional.cross_entropy",
        arguments=lambda sample: of_rows(sample, "ignore_index", "label_smoothing"),
        wrt=x_alone,
    ),
    *same_for(
        *("losses.kl_div", "losses.kl_div_backward"),
        name="nn.functional.kl_div",
        arguments=batchmean,
        wrt=x_alone,
    ),
    *same_for(
        *("losses.multi_margin_loss", "losses.multi_margin_loss_backward"),
        name="nn.functional.multi_margin_loss",
        arguments=plain_hinge,
        wrt=x_alone,
        differences=(NEGATIVE_MARGIN,),
    ),
)

# LSTM and GRU.


def as_batch(sample: Sample) -> Sample:
    """torch's samples of cells have no axis N: it is put in front of inputs and states."""
    x, state = sample.arguments
    states = tuple(one[None] for one in state) if isinstance(state, tuple) else state[None]
    return replace(sample, arguments=(x[None], states))


def cell(sample: Sample) -> Call:
    """The arguments of a cell: input, states, weights, biases."""
    x, state = sample.arguments
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    return (x, *(state if isinstance(state, tuple) else (state,)), *(sample.options[name] for name in names)), {}


def first_layer(kind: type[torch.nn.RNNBase], sample: Sample) -> Sample | None:
    """torch's samples have two layers and no axis N; this is the first layer, forwards, on a batch of one sequence."""
    x, *given = sample.arguments
    weight_ih, weight_hh = sample.options["weight_ih_l0"], sample.options["weight_hh_l0"]
    units = len(weight_hh) // (4 if kind is torch.nn.LSTM else 3)
    if weight_hh.shape[1] != units:  # an LSTM with projections has another recurrence
        return None
    states = given[0] if given and isinstance(given[0], tuple) else given or [x.new_zeros(1, units)] * 2
    firsts = [state[:1].clone() for state in states[: 2 if kind is torch.nn.LSTM else 1]]
    zeros = {name: weight_ih.new_zeros(len(weight_ih)) for name in ("bias_ih_l0", "bias_hh_l0")}
    weights = {"weight_ih_l0": weight_ih, "weight_hh_l0": weight_hh} | {
        name: sample.options.get(name, zero) for name, zero in zeros.items()
    }
    module = kind(weight_ih.shape[1], units, batch_first=True, dtype=x.dtype)
    return Sample(partial(run_recurrent, module), (x[None], *firsts), weights)


def run_recurrent(module: torch.nn.RNNBase, x: Tensor, *states: Tensor, **weights: Tensor) -> tuple[Tensor, ...]:
    """A recurrent layer whose states have no axis of layers, as in the references."""
    first = tuple(state[None] for state in states)
    out, last = run_layer(module, {}, x, first if len(first) > 1 else first[0], **weights)
    return (out, *(state[0] for state in (last if isinstance(last, tuple) else (last,))))


def layer(sample: Sample) -> Call:
    """The arguments of a layer: sequences, states, weights, biases."""
    return (*sample.arguments, *sample.options.values()), {}


LSTM_GRU = (
    *same_for(
        *("lstm_gru.lstm_cell", "lstm_gru.lstm_cell_backward"),
        name="nn.LSTMCell",
        source="module",
        sums=True,
        prepared=as_batch,
        arguments=cell,
    ),
    *same_for(
        *("lstm_gru.gru_cell", "lstm_gru.gru_cell_backward"),
        name="nn.GRUCell",
        source="module",
        sums=True,
        prepared=as_batch,
        arguments=cell,
    ),
    *same_for(
        *("lstm_gru.lstm_forward", "lstm_gru.lstm_backward"),
        name="nn.LSTM",
        source="module",
        sums=True,
        prepared=partial(first_layer, torch.nn.LSTM),
        arguments=layer,
    ),
    *same_for(
        "lstm_gru.gru_forward",
        name="nn.GRU",
        source="module",
        sums=True,
        prepared=partial(first_layer, torch.nn.GRU),
        arguments=layer,
    ),
)

NAMESAKES = (*ACTIVATIONS, *ALONG_AN_AXIS, *LINEAR, *CONVOLUTION, *REGULARIZATION, *LOSSES, *LSTM_GRU)

WITHOUT = {
    "tensors.describe": "An array's own attributes.",
    "tensors.broadcast_shapes": "It takes plain tuples; its checks compare with numpy's function of this name.",
    "tensors.pairwise_distances": "It takes numpy arrays; `test_tensors_against_scikit_learn.py` compares.",
    "tensors.one_hot": "It takes numpy arrays; `test_tensors_against_scikit_learn.py` compares.",
    "tensors.multi_hot": "It takes numpy arrays; `test_tensors_against_scikit_learn.py` compares.",
    "tensors.pad_sequences": "It takes numpy arrays; its checks compare with a loop.",
    "tensors.impute_missing": "torch imputes nothing; `test_tensors_against_scikit_learn.py` compares.",
    "tensors.standardize": "torch scales no tables; `test_tensors_against_scikit_learn.py` compares.",
    "tensors.min_max_scale": "torch scales no tables; `test_tensors_against_scikit_learn.py` compares.",
    "tensors.covariance": "It takes numpy arrays; its checks compare with numpy's `cov`.",
    "tensors.chi2": "torch has no such score; `test_tensors_against_scikit_learn.py` compares.",
    "tensors.select_k_best": "torch selects no features; `test_tensors_against_scikit_learn.py` compares.",
    "data_splits.train_val_test_split": "torch's `random_split` takes a data set; the checks state what every split has.",
    "data_splits.k_fold": "torch has no cross-validation; scikit-learn has.",
    "data_splits.stratified_split": "torch has no stratified split; scikit-learn has.",
    "data_splits.group_split": "torch has no split by groups; scikit-learn has.",
    "data_splits.minibatches": "torch's `DataLoader` draws in its own way; the checks state what every epoch has.",
    "data_splits.select_model": "torch chooses no models.",
    "data_splits.learning_curve_diagnosis": "torch has no such function.",
    "metrics.accuracy": "torch has no metrics; its checks compare with scikit-learn's or with a count.",
    "metrics.confusion_matrix": "torch has no metrics; its checks compare with scikit-learn's or with a count.",
    "metrics.precision_recall_f1": "torch has no metrics; its checks compare with scikit-learn's or with a count.",
    "metrics.roc_curve": "torch has no metrics; its checks compare with scikit-learn's or with a count.",
    "metrics.roc_auc": "torch has no metrics; its checks compare with scikit-learn's or with a count.",
    "metrics.average_precision": "torch has no metrics; its checks compare with scikit-learn's or with a count.",
    "metrics.mean_average_precision": "torch has no metrics; its checks compare with scikit-learn's or with a count.",
    "metrics.r2_score": "torch has no metrics; its checks compare with scikit-learn's or with a count.",
    "metrics.ndcg": "torch has no metrics; its checks compare with scikit-learn's or with a count.",
    "linear_models.predict": "`linear` of backprop is compared.",
    "linear_models.linear_regression_loss": "It takes numpy arrays; its checks compare with torch.",
    "linear_models.linear_regression_loss_backward": "Its checks compare with torch's gradients.",
    "linear_models.numerical_gradient": "Its checks compare with a closed form.",
    "linear_models.gradient_check": "Its checks compare with a closed form.",
    "linear_models.normal_equation": "It takes numpy arrays; its checks compare with numpy's `lstsq`.",
    "linear_models.sgd_step": "It takes numpy arrays; its checks compare entry by entry.",
    "linear_models.train_linear_regression": "A training; its checks compare with descent by torch's gradients.",
    "linear_models.perceptron_step": "torch has no perceptron.",
    "linear_models.delta_rule": "Its checks compare with torch's gradients.",
    "linear_models.softmax_regression_loss": "It takes numpy arrays; its checks compare with torch's `cross_entropy`.",
    "linear_models.softmax_regression_loss_backward": "Its checks compare with torch's gradients.",
    "linear_models.train_softmax_regression": "A training; its checks compare with descent by torch's gradients.",
    "linear_models.hierarchical_probabilities": "torch has no such function; its checks compare with two of torch's softmax.",
    "backprop.neuron": "torch has no single neuron; `sigmoid` and `linear` are compared.",
    "backprop.edge_gradients": "An exercise on one graph.",
    "backprop.mlp_forward": "Made of `linear` and a ReLU; its checks compare with torch's.",
    "backprop.mlp_backward": "Made of `linear_backward`; its checks compare with autograd.",
    "backprop.train_mlp": "A loop that is given its parts.",
    "losses.soft_targets": "torch does this inside of `cross_entropy`, which is compared.",
    "losses.sigmoid_focal_loss": "torch has it in torchvision; the checks compare with the closed form.",
    "losses.sigmoid_focal_loss_backward": "As its forward; the checks compare with autograd through the closed form.",
    "losses.choose_head": "A choice of words.",
    "convolution.receptive_field": "torch does not compute it.",
    "convolution.conv_parameter_count": "torch counts no parameters by itself; the checks count those of its layers.",
    "regularization.mc_dropout_mean": "Draws its own masks.",
    "regularization.EarlyStopping": "torch has no such class.",
    "regularization.add_noise": "Draws its own noise.",
    "regularization.mixup": "Draws its own partners; torch has it in torchvision.",
    "regularization.horizontal_flip": "torch has it in torchvision; the checks compare with `flip`.",
    "regularization.random_crop": "torch has it in torchvision.",
    "regularization.rotate": "torch has it in torchvision.",
    "regularization.adjust_brightness": "torch has it in torchvision.",
    "regularization.fgsm_step": "torch has no attacks.",
    "lstm_gru.recurrent_dropout": "Draws its own masks; torch has none that stays over time.",
    "lstm_gru.make_windows": "`Tensor.unfold` cuts no targets.",
    "lstm_gru.naive_forecast": "torch forecasts nothing.",
    "lstm_gru.forecast_series": "A loop that is given its parts.",
    "lstm_gru.char_lstm_loss": "Made of `lstm_forward` and a cross entropy; its checks compare with torch's.",
}

"""Lesson 12: what a step of training is: the loss's gradient, the optimizer, what L2 adds."""

from __future__ import annotations

from typing import Any

import numpy as np

import minitensor as tf
from minitensor.explain.text import number
from minitensor.lesson.exercise import Exercise, say_in

TITLE = (
    "Training: losses, optimizers, decay, dropout, L2, augmentation",
    "训练: 损失、优化器、学习率衰减、dropout、L2、数据增强",
)

# ----- cross_entropy_gradient -----


def cross_entropy_gradient(logits, label):
    """dL/dlogits of -log softmax(logits)[label]; logits (C,), label an index."""
    e = np.exp(logits - logits.max())
    p = e / e.sum()
    p[label] -= 1
    return p


def _engine_gradient(logits: np.ndarray, label: int) -> np.ndarray:
    held = tf.constant(logits)
    with tf.GradientTape() as tape:
        tape.watch(held)
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits([label], held[None])
    return np.asarray(tape.gradient(loss, held).numpy())


def _gradient_terms(arguments: Any, index: Any, lang: str) -> str:
    logits, label = arguments
    (i,) = index
    powers = np.exp(logits - logits.max())
    p = number(powers[i] / powers.sum())
    exp = f"exp({number(logits[i] - logits.max())}) / {number(powers.sum())} = {p}"
    if i == label:
        return say_in(
            lang,
            f"{exp} is its probability, and it is the right class: what is missing to 1 counts "
            "as negative",
            f"概率为 {exp}; 它是正确的类, 离 1 还差的部分取负号",
        )
    return say_in(
        lang,
        f"{exp} is its probability, and it should be 0",
        f"概率为 {exp}, 应当是 0",
    )


def _less_one(values: np.ndarray, label: int) -> np.ndarray:
    values = np.array(values)
    values[label] -= 1
    return values


CROSS_ENTROPY_GRADIENT = Exercise(
    lesson="12",
    solution=cross_entropy_gradient,
    cases=((np.array([2, 1, 0], np.float32), 0), (np.array([-1, 0, 3, 1], np.float32), 3)),
    expected=_engine_gradient,
    terms=_gradient_terms,
    mistakes=(
        (
            (
                "these are the probabilities: nothing tells which class was right",
                "这只是概率: 没有用到哪一类是正确的",
            ),
            lambda logits, label: np.exp(logits) / np.exp(logits).sum(),
        ),
        (
            (
                "it points the other way: right minus probability is minus the gradient",
                "方向反了: 正确值减概率是负梯度",
            ),
            lambda logits, label: -cross_entropy_gradient(logits, label),
        ),
        (
            (
                "1 is subtracted from the logit; the softmax comes first",
                "从 logit 上减了 1; 应先做 softmax",
            ),
            _less_one,
        ),
        (
            (
                "each class has a sigmoid of its own, so they do not compete: softmax divides by "
                "the sum",
                "每一类各自做 sigmoid, 互不竞争; softmax 要除以总和",
            ),
            lambda logits, label: _less_one(1 / (1 + np.exp(-logits)), label),
        ),
    ),
    hints=(
        (
            "Two steps: probabilities by softmax, then one number changes.",
            "两步: 先用 softmax 得到概率, 再改其中一个数。",
        ),
        (
            "The gradient is what the network said minus what was right: p - y, with y one-hot.",
            "梯度等于网络的回答减去正确答案: p - y, y 是 one-hot。",
        ),
        (
            "It adds up to 0: what the right class is missing is what the others have too much.",
            "各项之和为 0: 正确类缺多少, 其余各类就多多少。",
        ),
    ),
)

# ----- adam -----


def adam(w, gradients, rate):
    """w (n,) after one step for each row of gradients (T, n); beta 0.9 and 0.999, eps 1e-7."""
    m, v = np.zeros_like(w), np.zeros_like(w)
    for t, g in enumerate(gradients, 1):
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g**2
        w = w - rate * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-7)
    return w


def _engine_adam(w: np.ndarray, gradients: np.ndarray, rate: float) -> np.ndarray:
    held, optimizer = tf.Variable(w), tf.keras.optimizers.Adam(rate)
    for g in gradients:
        optimizer.apply_gradients([(tf.constant(g), held)])
    return np.asarray(held.numpy())


def _adam_terms(arguments: Any, index: Any, lang: str) -> str:
    _, gradients, rate = arguments
    (i,) = index
    g, count = gradients[:, i], len(gradients)
    left = 0.9 ** np.arange(count)[::-1]
    mean = number((left * g).sum() / left.sum())
    left = 0.999 ** np.arange(count)[::-1]
    root = number(np.sqrt((left * g**2).sum() / left.sum()))
    return say_in(
        lang,
        f"the gradients are {', '.join(map(number, g))}; before the last step their weighted mean "
        f"is {mean}, the root of the mean of their squares {root}, so that step is "
        f"-{number(rate)}·{mean}/{root}",
        f"梯度依次为 {', '.join(map(number, g))}; 最后一步时, 梯度的加权平均为 {mean}, "
        f"平方的加权平均的根为 {root}, 所以这一步是 -{number(rate)}·{mean}/{root}",
    )


def _adam(
    w: Any, gradients: Any, rate: float, correct: bool = True, power: int = 2, root: float = 0.5
) -> Any:
    """Adam with one thing left out."""
    m, v = np.zeros_like(w), np.zeros_like(w)
    for t, g in enumerate(gradients, 1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * np.abs(g) ** power
        a, b = (1 - 0.9**t, 1 - 0.999**t) if correct else (1, 1)
        w = w - rate * (m / a) / ((v / b) ** root + 1e-7)
    return w


ADAM = Exercise(
    lesson="12",
    solution=adam,
    cases=(
        (np.array([1, 1], np.float32), np.array([[4, -0.5]], np.float32), 0.1),
        (
            np.array([1, -2], np.float32),
            np.array([[4, -0.5], [2, 3], [-1, 0.25]], np.float32),
            0.05,
        ),
    ),
    expected=_engine_adam,
    terms=_adam_terms,
    mistakes=(
        (
            (
                "the means begin at 0 and are not corrected for it: divide by 1 - 0.9^t and "
                "1 - 0.999^t",
                "两个均值从 0 开始, 却没有修正: 要除以 1 - 0.9^t 和 1 - 0.999^t",
            ),
            lambda w, gradients, rate: _adam(w, gradients, rate, correct=False),
        ),
        (
            (
                "the mean of the squares is not brought back by a root, so large gradients make "
                "small steps",
                "平方的均值没有开方, 梯度越大步子反而越小",
            ),
            lambda w, gradients, rate: _adam(w, gradients, rate, root=1),
        ),
        (
            (
                "v averages the sizes of the gradients; Adam averages their squares",
                "v 平均的是梯度的绝对值; Adam 平均的是平方",
            ),
            lambda w, gradients, rate: _adam(w, gradients, rate, power=1, root=1),
        ),
        (
            (
                "this is gradient descent: each step is as long as its gradient",
                "这是梯度下降: 步长与梯度成正比",
            ),
            lambda w, gradients, rate: w - rate * gradients.sum(axis=0),
        ),
    ),
    hints=(
        (
            "Two running means: of the gradients (0.9 is kept), and of their squares (0.999).",
            "两个滑动平均: 梯度的 (保留 0.9), 平方的 (保留 0.999)。",
        ),
        (
            "After t steps a mean that began at 0 has only 1 - 0.9^t of its weight: divide by it.",
            "从 0 开始的平均, 走了 t 步后总权重只有 1 - 0.9^t: 要除以它。",
        ),
        (
            "The step: rate times the mean, over the root of the mean of squares plus 1e-7.",
            "每一步: 学习率乘均值, 除以 (平方均值的根 + 1e-7)。",
        ),
    ),
)

# ----- decayed_step -----


def decayed_step(w, gradient, rate, decay):
    """One step of gradient descent on loss + decay·sum(w²); gradient is the loss's own."""
    return w - rate * (gradient + 2 * decay * w)


def _engine_step(w: np.ndarray, gradient: np.ndarray, rate: float, decay: float) -> np.ndarray:
    held = tf.Variable(w)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(held * gradient) + tf.keras.regularizers.L2(decay)(held)
    tf.keras.optimizers.SGD(rate).apply_gradients([(tape.gradient(loss, held), held)])
    return np.asarray(held.numpy())


def _step_terms(arguments: Any, index: Any, lang: str) -> str:
    w, gradient, rate, decay = arguments
    slope = number(2 * decay * w[index])
    return say_in(
        lang,
        f"the slope of {number(decay)}·w² at w = {number(w[index])} is {slope}, that of the loss "
        f"{number(gradient[index])}, and the rate is {number(rate)}",
        f"{number(decay)}·w² 在 w = {number(w[index])} 处的导数是 {slope}, 损失的梯度是 "
        f"{number(gradient[index])}, 学习率是 {number(rate)}",
    )


DECAYED_STEP = Exercise(
    lesson="12",
    solution=decayed_step,
    cases=(
        (np.array([2, -4], np.float32), np.array([0, 0], np.float32), 0.5, 0.1),
        (np.array([3, -1], np.float32), np.array([1, -2], np.float32), 0.25, 0.5),
    ),
    expected=_engine_step,
    terms=_step_terms,
    mistakes=(
        (
            (
                "it takes decay·w, the slope of decay/2·sum(w²), as slim has it; here the sum is "
                "not halved",
                "用的是 decay·w, 即 decay/2·sum(w²) 的导数 (slim 的写法); 这里没有除以 2",
            ),
            lambda w, gradient, rate, decay: w - rate * (gradient + decay * w),
        ),
        (
            (
                "the rate does not scale what L2 adds; it scales the whole gradient",
                "学习率没有乘到 L2 的那一项; 它乘的是整个梯度",
            ),
            lambda w, gradient, rate, decay: w - rate * gradient - 2 * decay * w,
        ),
        (
            (
                "what L2 adds has the wrong sign: the weights grow",
                "L2 一项的符号错了: 权重会变大",
            ),
            lambda w, gradient, rate, decay: w - rate * (gradient - 2 * decay * w),
        ),
        (
            (
                "it takes the sign of w, the slope of |w|: that is L1",
                "用的是 w 的符号, 即 |w| 的导数: 那是 L1",
            ),
            lambda w, gradient, rate, decay: w - rate * (gradient + decay * np.sign(w)),
        ),
    ),
    hints=(
        ("What is the derivative of decay·w²?", "decay·w² 的导数是什么?"),
        (
            "Add it to the gradient of the loss, then take the step as always: w - rate·gradient.",
            "把它加到损失的梯度上, 再照常走一步: w - rate·gradient。",
        ),
    ),
)

EXERCISES = (CROSS_ENTROPY_GRADIENT, ADAM, DECAYED_STEP)

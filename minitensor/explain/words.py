"""The sentences of an explanation, in English and Chinese; numbers are filled in."""

from __future__ import annotations

from typing import Any

WORDS: dict[str, tuple[str, str]] = {
    # ----- sizes -----
    "depth": ("depth", "深度"),
    "height": ("height", "高度"),
    "width": ("width", "宽度"),
    "span": (
        "{taps} taps, {dilation} apart, span ({taps} - 1)*{dilation} + 1 = {span} pixels",
        "{taps} 个点、间隔 {dilation}, 跨度 ({taps} - 1)*{dilation} + 1 = {span} 个像素",
    ),
    "valid": (
        "floor(({size} + {pad} - {span})/{stride}) + 1 = {out}",
        "floor(({size} + {pad} - {span})/{stride}) + 1 = {out}",
    ),
    "explicit": ("with {before} of padding before, {after} after", "前补 {before}, 后补 {after}"),
    "same": ("ceil({size}/{stride}) = {out}", "ceil({size}/{stride}) = {out}"),
    "same_pads": (
        "SAME pads {before} before, {after} after, because ({out} - 1)*{stride} + {span} - {size} "
        "= {total}",
        "SAME 前补 {before}, 后补 {after}, 因为 ({out} - 1)*{stride} + {span} - {size} = {total}",
    ),
    "same_would": (
        "SAME would pad {before} before, {after} after, because ({out} - 1)*{stride} + {span} - "
        "{size} = {total}, for ceil({size}/{stride}) = {out}",
        "SAME 会前补 {before}, 后补 {after}, 因为 ({out} - 1)*{stride} + {span} - {size} = "
        "{total}, 输出 ceil({size}/{stride}) = {out}",
    ),
    "none": ("a negative number pads nothing", "负数表示不补"),
    "odd": ("the odd pixel goes after", "多出的一个像素补在后面"),
    "valid_would": (
        "VALID would give floor(({size} - {span})/{stride}) + 1 = {out}",
        "VALID 会得到 floor(({size} - {span})/{stride}) + 1 = {out}",
    ),
    "left": (
        "the last {left} of the pixels are read by no window",
        "最后 {left} 个像素没有窗口读取",
    ),
    "transposed": (
        "({positions} - 1)*{stride} + {span} - {pad} = {smallest} is the smallest",
        "({positions} - 1)*{stride} + {span} - {pad} = {smallest} 是最小尺寸",
    ),
    "transposed_same": (
        "{positions}*{stride} = {largest} is the largest",
        "{positions}*{stride} = {largest} 是最大尺寸",
    ),
    "legal": (
        "legal are {legal}, the sizes whose convolution has {positions}; asked for: {size}",
        "合法的是 {legal}, 即卷积后得 {positions} 的尺寸; 所求: {size}",
    ),
    "nearest": (
        "{size} to {out}: number i is the pixel floor((i + 1/2)*{size}/{out})",
        "{size} 到 {out}: 第 i 个数就是第 floor((i + 1/2)*{size}/{out}) 个像素",
    ),
    "bilinear": (
        "{size} to {out}: number i lies at (i + 1/2)*{size}/{out} - 1/2; the nearer of the two "
        "pixels beside it weighs more",
        "{size} 到 {out}: 第 i 个数位于 (i + 1/2)*{size}/{out} - 1/2; 两侧像素中较近者权重较大",
    ),
    "shares": (
        "{members} numbers share a mean; number of means: {count}",
        "{members} 个数共用一个均值, 共 {count} 个均值",
    ),
    "given": (
        "mean and variance are given (inference): no number depends on another",
        "均值和方差已给定 (推理): 各数互不相关",
    ),
    "groups": (
        "{groups} groups: each output channel reads {each} of {channels} channels",
        "{groups} 组: 每个输出通道读取 {channels} 个通道中的 {each} 个",
    ),
    # ----- views -----
    "which": ("which number", "哪个数"),
    "size": ("size", "尺寸"),
    "padding": ("padding", "填充"),
    "products": ("products", "乘积"),
    "bias": ("bias", "偏置"),
    "sum": ("sum", "和"),
    "engine": ("the engine says {value}", "引擎的结果是 {value}"),
    "exactly": ("exactly the sum", "与和完全相等"),
    "within": ("within {bound} of the sum", "与和相差不超过 {bound}"),
    "ties": (
        "{count} numbers are equal here: the first one wins, and gets the gradient",
        "这里有 {count} 个数相等: 第一个获胜, 梯度归它",
    ),
    "shared_ties": (
        "{count} numbers are equal here: they share the gradient",
        "这里有 {count} 个数相等: 它们平分梯度",
    ),
    "cropped": (
        "shown: rows {top} to {bottom} of {rows}, columns {left} to {right} of {columns}",
        "显示: 第 {top} 到 {bottom} 行 (共 {rows} 行), 第 {left} 到 {right} 列 (共 {columns} 列)",
    ),
    "more": ("and {count} more terms, that add {value}", "另有 {count} 项, 合计 {value}"),
    "more_parts": (
        "and {count} more channels, that add {value}",
        "另有 {count} 个通道, 合计 {value}",
    ),
    "nothing": ("no number of the other arrays reaches it", "没有任何数到达这里"),
    "before": ("first", "先求"),
    "im2col": ("im2col", "im2col"),
    "pointers": ("where each came from", "各数的来源"),
    "matrix": ("matrix W'", "矩阵 W'"),
    "scatter_add": (
        "1. scatter-add: each input number stamps the kernel, times itself",
        "1. 散布相加: 每个输入数乘以卷积核后印在输出上",
    ),
    "inserted": (
        "2. zeros between the inputs ({zeros}), padded, under the kernel turned by 180 degrees",
        "2. 输入之间插入 {zeros} 个零, 补边, 再用旋转 180 度的卷积核",
    ),
    "turned": ("the turned kernel", "旋转后的卷积核"),
    "transposed_row": (
        "3. row {row} of W'^T, times the input laid out as a vector",
        "3. W' 转置的第 {row} 行, 乘以展平的输入",
    ),
    "agree": ("all three: {value}", "三种方法都得 {value}"),
    "overlap": (
        "how many inputs reach each output (uneven: the checkerboard)",
        "每个输出被多少个输入覆盖 (不均匀即棋盘效应)",
    ),
    "reach": (
        "how often a number reads each pixel along an axis, the op once and several times in a "
        "row; a dot: never",
        "沿一个轴, 该运算连续做若干次后, 一个数读取每个像素的次数; 点表示从不读取",
    ),
    "times": ("{times} in a row", "连续 {times} 次"),
    "sees": (
        "sees {span} pixels, reads {read} of them",
        "视野 {span} 个像素, 读取其中 {read} 个",
    ),
    "reached": (
        "{inputs} inputs reach {span} outputs, those in the middle {low} to {high} times",
        "{inputs} 个输入覆盖 {span} 个输出, 中部的输出被覆盖 {low} 到 {high} 次",
    ),
    "model_head": (
        "layer|output|receptive field|multiply-adds|size",
        "层|输出|感受野|乘加次数|尺寸",
    ),
    "moving": (
        "batches like this one: mean {mean}, variance {variance} of {count} numbers (Keras 3 keeps "
        "this one; fused_batch_norm of TensorFlow 1 {unbiased}, divided by n - 1); from 0 and 1, "
        "by momentum",
        "若每批都与此相同: 均值 {mean}, 方差 {variance} (共 {count} 个数; Keras 3 保留它, "
        "TensorFlow 1 的 fused_batch_norm 除以 n - 1, 为 {unbiased}); 从 0 和 1 开始, 按动量",
    ),
    "moving_head": (
        "steps|mean@0.9|variance@0.9|mean@0.99|variance@0.99",
        "步数|均值@0.9|方差@0.9|均值@0.99|方差@0.99",
    ),
    "cost_head": (
        "algorithm|multiply-adds|extra bytes|predicted|measured",
        "算法|乘加次数|额外字节|预测|实测",
    ),
    # ----- graphs -----
    "graph": ("{ops} ops led to {result}", "{ops} 个运算得到 {result}"),
    "tree": ("each line reads the one below", "每行读取下面一行"),
    "above": ("is above", "见上"),
    "variable": ("variable", "变量"),
    "watched": ("watched", "被监视"),
    "constant": ("constant", "常量"),
    "gradient": ("gradient", "梯度"),
    "of_order": ("gradient of order {n}", "{n} 阶梯度"),
    "ops": ("{count} ops", "{count} 个运算"),
    "variables": ("variables: {count}", "{count} 个变量"),
    "folded_title": (
        "folded by layer and name scope to {boxes} boxes",
        "按层和名称作用域折叠为 {boxes} 个方框",
    ),
    "left_out": ("the first {count} are left out", "省略了最前面的 {count} 个"),
}


def say(key: str, lang: str = "en", **numbers: Any) -> str:
    """The sentence of a key.

    Example:
        >>> from minitensor.explain.words import say
        >>> say("same", size=5, stride=2, out=3)
        'ceil(5/2) = 3'
    """
    return WORDS[key][LANGUAGES.index(lang)].format(**numbers)


def legal_language(lang: str) -> str:
    """The same language.

    Raises:
        ValueError: there is no such; says which there are.
    """
    if lang not in LANGUAGES:
        raise ValueError(f"lang={lang!r}: legal are {', '.join(LANGUAGES)}")
    return lang


LANGUAGES = ("en", "zh")

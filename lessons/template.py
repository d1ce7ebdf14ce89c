"""A lesson of your own: copy this file, and change every part of it."""

import marimo

app = marimo.App(width="medium")

with app.setup(hide_code=True):
    import marimo as mo
    import numpy as np

    import minitensor as tf
    from minitensor import lesson

    def exercise():
        def twice(x):
            """Twice x."""
            return 2 * x

        return lesson.Exercise(
            lesson="template",  # under this name the progress is kept
            solution=twice,
            cases=((np.arange(3.0),), (np.array([[-1.0, 4.0]]),)),  # arguments
            expected=lambda x: tf.add(x, x).numpy(),  # by the engine, not by the solution
            terms=lambda arguments, at, lang: f"{arguments[0][at]:g} + {arguments[0][at]:g}",
            mistakes=((("it squares", "算成了平方"), np.square),),
            hints=(("What is x + x?", "x + x 是多少?"),),
        )

    TWICE = exercise()


@app.cell(hide_code=True)
def _():
    switch = lesson.switch()
    switch
    return (switch,)


@app.cell(hide_code=True)
def _(switch):
    lang = switch.value
    return (lang,)


@app.cell(hide_code=True)
def _(lang):
    lesson.text(
        lang,
        "# A title\n\nA question. One window of 2 x 2 ones over a picture of 3 x 3 ones: the sum?",
        "# 标题\n\n一个问题: 2 x 2 全 1 的窗口放在 3 x 3 全 1 的图像上, 和是多少?",
    )
    return


@app.cell(hide_code=True)
def _(lang):
    guessed = lesson.guess(lang, [2, 4, 9])
    guessed
    return (guessed,)


@app.cell(hide_code=True)
def _(guessed, lang):
    # every number in the text is asserted
    assert tf.explain("conv2d", np.ones((3, 3)), np.ones((2, 2))).value == 4
    lesson.answer(lang, guessed, 4, "Four ones are added.", "四个 1 相加。")
    return


@app.cell(hide_code=True)
def _(lang):
    size = lesson.slider(lang, 1, 3, 2, "kernel", "卷积核")
    size
    return (size,)


@app.cell(hide_code=True)
def _(lang, size):
    found = tf.explain("conv2d", np.ones((3, 3)), np.ones((size.value, size.value)), lang=lang)
    found
    return (found,)


@app.cell(hide_code=True)
def _(lang):
    hints = lesson.hint_button(lang)
    mo.vstack([lesson.blank(lang, TWICE, "Twice `x`.", "`x` 的两倍。"), hints])
    return (hints,)


@app.function
def twice(x):
    """Twice x."""
    return ...


@app.cell(hide_code=True)
def _(hints, lang):
    lesson.check(lang, TWICE, twice, hints.value)
    return


@app.cell(hide_code=True)
def _(lang):
    ask = lesson.compare_button(lang)
    ask
    return (ask,)


@app.cell(hide_code=True)
def _(ask, found, lang):
    lesson.compare(lang, ask.value, found)
    return


if __name__ == "__main__":
    app.run()

"""What a lesson is made of: the notebooks in `lessons/` import it, `minitensor lesson` runs them.

    exercise.py     an exercise, and the verdict on an answer, in words
    bounded.py      a call that may never end
    exercises/      those of each lesson: cases, the engine's answers, known mistakes, a solution
    progress.py     the student's file: what was tried, hinted and passed
    page.py         what a notebook shows: the language switch, text, guesses, checks
    walks.py        optimizers down a valley (lesson 12)
    reader.py       a LeNet-5 that reads digits (lesson 12)
    roofline.py     this machine and kernels, measured (lesson 15)
    seen.py         a network that learned 0 to 4, and what it sees (lesson 14)
    seen_pictures.py  its pictures
    shelf.py        where the lessons lie, and the student's copies of them
    export.py       a lesson as one HTML page without a link to anywhere, or as .ipynb
    command.py      the command

No lesson computes a convolution of its own, but the one whose subject that is: figures and
expected answers are the engine's.
"""

from minitensor.lesson.exercise import Exercise, Verdict, judge, products
from minitensor.lesson.exercise import say_in as say
from minitensor.lesson.page import (
    answer,
    blank,
    check,
    compare,
    compare_button,
    drawing,
    guess,
    hint_button,
    slider,
    switch,
    text,
    view,
)

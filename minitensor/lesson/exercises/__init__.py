"""The exercises of each lesson, in a file that is named as the lesson is."""

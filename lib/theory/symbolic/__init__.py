"""Each proof step of the paper, and of its repairs, stated in sympy and checked; one file per statement.

`step` holds the three kinds of claim, `vectors` the algebra of inner products they are written in. Import the
file of a statement (`from lib.theory.symbolic import theorem_2`) and read its `STEPS`.
"""

# SPDX-License-Identifier: GPL-3.0-or-later
"""idle: what a patrond that waits costs. The measuring is the benchmark's."""
import idle
from score import Score


def run(build, _repeat, place):
    score = Score()
    idle.run_alone(score, build, place)
    return score.passed, score.failed

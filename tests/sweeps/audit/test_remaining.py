"""What is said of the time that an audit's steps will take."""

from camerabias.sweeps.audit.remaining import Remaining


def clock_of(*times):
    return iter(times).__next__


def test_the_estimate_is_said_first_and_corrected_by_the_pace_of_what_is_done():
    remaining = Remaining([600.0, 400.0, 0.0], clock_of(0.0, 100.0, 300.0))
    assert remaining.say(0, "Cameras") == "Step 1 of 3: Cameras. About 10 min 0 s remain in all."
    # 200 seconds were estimated, and 100 have passed: what is left takes half as long, too
    assert remaining.say(1, "Views") == "Step 2 of 3: Views. About 3 min 20 s remain in all."
    assert remaining.say(2, "What helps") == "Step 3 of 3: What helps."


def test_a_step_that_takes_no_time_says_nothing_of_the_pace():
    remaining = Remaining([601.0, 600.0], clock_of(0.0, 500.0))
    assert remaining.say(1, "Views") == "Step 2 of 2: Views. About 10 min 0 s remain in all."


def test_steps_that_will_not_run_are_no_longer_counted():
    remaining = Remaining([600.0, 400.0, 300.0, 0.0], clock_of(0.0, 200.0))
    assert remaining.say(0, "Cameras").startswith("Step 1 of 4:")
    remaining.expect([500.0, 300.0])
    assert remaining.say(1, "What helps") == "Step 2 of 2: What helps. About 5 min 0 s remain in all."

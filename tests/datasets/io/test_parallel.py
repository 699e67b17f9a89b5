import pytest

from camerabias.datasets.io.parallel import do_pieces
from camerabias.datasets.schema import CamerabiasError


def square(number):
    if number == 13:
        raise CamerabiasError("thirteen is refused")
    return {"number": number, "square": number**2}


def test_here_pieces_are_done_in_order_and_only_when_asked_for():
    asked = []
    done = do_pieces(lambda piece: asked.append(piece) or square(piece), [3, 1, 2], "local")
    assert [said["square"] for said in done] == [9, 1, 4]
    assert asked == [3, 1, 2]


@pytest.mark.parametrize("executor", ["local", "ray"])
def test_nothing_to_do_is_nothing_done(executor):
    assert list(do_pieces(square, [], executor)) == []


@pytest.mark.usefixtures("_ray")
def test_ray_does_every_piece_once():
    done = {said["number"]: said["square"] for said in do_pieces(square, list(range(10)), "ray")}
    assert done == {number: number**2 for number in range(10)}


@pytest.mark.usefixtures("_ray")
def test_our_own_errors_reach_the_user_through_ray_as_themselves():
    with pytest.raises(CamerabiasError, match=r"^thirteen is refused$"):
        list(do_pieces(square, [12, 13], "ray"))

"""One at a time in a folder; who comes meanwhile waits."""

import logging
import threading

import pytest

from camerabias.datasets.io.alone import alone_in
from camerabias.datasets.io.storage import Folder


@pytest.fixture
def enter():
    """A function that starts a thread which enters a folder, and notes when it came and went."""
    threads = []

    def start(folder, came, went):
        def hold():
            with alone_in(Folder(folder)):
                came.set()
                assert went.wait(60)

        threads.append(threading.Thread(target=hold))
        threads[-1].start()

    yield start
    for thread in threads:
        thread.join()


def test_second_waits_for_the_first_says_so_and_nothing_stays(tmp_path, enter, caplog):
    caplog.set_level(logging.WARNING)
    (first, leave), (second, end) = [(threading.Event(), threading.Event()) for _ in range(2)]
    enter(tmp_path / "out", first, leave)
    assert first.wait(60)
    enter(tmp_path / "out", second, end)
    assert not second.wait(0.5)
    assert f"Another process is at work in {tmp_path / 'out'}; waiting until it has ended." in caplog.text
    leave.set()
    assert second.wait(60)
    end.set()
    assert list((tmp_path / "out").iterdir()) == []


def test_folders_are_held_each_by_itself_and_given_back_by_an_error(tmp_path):
    with alone_in(Folder(tmp_path / "one")), alone_in(Folder(tmp_path / "two")):
        pass
    for _ in range(2):
        with pytest.raises(KeyError), alone_in(Folder(tmp_path / "one")):
            raise KeyError


def test_what_is_no_folder_is_left_to_who_writes_there(tmp_path):
    (tmp_path / "file").write_text("")
    with alone_in(Folder(tmp_path / "file" / "out")):
        pass

"""Public sets of photos by known devices, laid out as they are published."""

import pytest

from camerabias.datasets.reading.photo import Reading
from camerabias.datasets.schema import CamerabiasError
from camerabias.datasets.sources.registry import read_source

DRESDEN = [
    f"{kind}/{device}/{device}_{number}.JPG"
    for kind, number in (("natural", 3000), ("flatfield", 42))
    for device in ("Canon_Ixus70_0", "Canon_Ixus70_1", "Olympus_mju_1050SW_0")
]
DEVICES = ("D01_Samsung_GalaxyS3Mini", "D02_Apple_iPhone4s")
VISION = [
    f"{device}/images/{kind}/{device[:3]}_I_{kind}_{number:04}.jpg"
    for device in DEVICES
    for kind in ("flat", "nat", "natWA")
    for number in (1, 2)
]
FODB = [
    f"{device}/{version}/{device[:3]}_img_{version}_{number:04}.jpg"
    for device in ("D01_Motorola_E3_1", "D02_LG_G6")
    for version in ("orig", "whatsapp")
    for number in (1, 2)
]
IEEE = [f"{camera}/({camera}){number}.jpg" for camera in ("HTC-1-M7", "iPhone-6") for number in (1, 2)]


def read(root, **reading):
    source = read_source(str(root), Reading(**reading))
    return source, {(photo.path, photo.label, photo.camera, photo.group) for photo in source.photos}


def test_dresden_has_its_device_in_the_name(make_photos):
    source, photos = read(make_photos(*DRESDEN))
    assert source.kind == "camera_set"
    assert photos == {(path, path.split("/")[0], path.split("/")[1], None) for path in DRESDEN}
    assert "This is the Dresden Image Database: the camera is the device, the label folder." in source.notes
    assert {photo.label for photo in read(make_photos(*DRESDEN), label="make")[0].photos} == {
        "Canon",
        "Olympus",
    }


def test_dresden_sorted_into_classes_of_ones_own_is_read_by_these(make_photos):
    root = make_photos("indoor/Canon_Ixus70_0_3000.JPG", "outdoor/Nikon_D200_1_14921.JPG")
    assert read(root)[1] == {
        ("indoor/Canon_Ixus70_0_3000.JPG", "indoor", "Canon_Ixus70_0", None),
        ("outdoor/Nikon_D200_1_14921.JPG", "outdoor", "Nikon_D200_1", None),
    }


def test_vision_learns_kinds_and_keeps_what_messengers_sent_together(make_photos):
    source, photos = read(make_photos(*VISION))
    assert (
        f"{DEVICES[0]}/images/natWA/D01_I_natWA_0002.jpg",
        "natWA",
        DEVICES[0],
        f"{DEVICES[0]} nat 0002",
    ) in photos
    assert (
        f"{DEVICES[0]}/images/nat/D01_I_nat_0002.jpg",
        "nat",
        DEVICES[0],
        f"{DEVICES[0]} nat 0002",
    ) in photos
    assert len(photos) == len(VISION)
    assert "This is VISION: the camera is the device, the label kind." in source.notes


def test_fodb_keeps_a_scene_of_all_devices_together_and_asks_for_a_label(make_photos):
    root = make_photos(*FODB)
    with pytest.raises(
        CamerabiasError,
        match=r"is the Forchheim .* 8 photos by 2 devices, which names no label. .*--label version;",
    ):
        read(root)
    photos = read(root, label="version")[1]
    assert ("D02_LG_G6/orig/D02_img_orig_0001.jpg", "orig", "D02_LG_G6", "scene 0001") in photos
    assert {group for *_, group in photos} == {"scene 0001", "scene 0002"}


def test_the_camera_contest_names_no_class(make_photos):
    root = make_photos(*IEEE)
    with pytest.raises(
        CamerabiasError, match=r"IEEE Signal Processing Cup 2018, 4 photos by 2 devices, which names no label"
    ):
        read(root)
    assert {camera for _, _, camera, _ in read(root, label="folder")[1]} == {"HTC-1-M7", "iPhone-6"}
    with pytest.raises(
        CamerabiasError, match=r"no label\. List the photos in a table with path, label, camera\.$"
    ):
        read(root)


@pytest.mark.parametrize(
    "names",
    [
        ["Canon_Ixus55/Canon_Ixus55_0_12.JPG", "Nikon_D70/Nikon_D70_1_13.JPG"],
        ["Canon-Ixus55/Canon_Ixus55_0_12.JPG", "nikon d70/Nikon_D70_1_13.JPG"],
        ["cat/Canon_Ixus55_0_12.JPG", "Nikon_D70_1/Nikon_D70_1_13.JPG"],
        ["train/Canon_Ixus55_0_12.JPG", "natural/Canon_Ixus55_0_13.JPG", "natural/Nikon_D70_1_13.JPG"],
        ["train/Canon_Ixus55_0_12.JPG", "test/Canon_Ixus55_0_13.JPG", "test/Nikon_D70_1_13.JPG"],
    ],
)
def test_a_folder_that_is_a_device_or_a_side_of_a_split_is_no_label(make_photos, names):
    with pytest.raises(CamerabiasError, match="devices, which names no label"):
        read(make_photos(*names))


def test_what_the_camera_gives_away_is_not_recommended_as_the_label(make_photos):
    root = make_photos("Canon_Ixus55/Canon_Ixus55_0_12.JPG", "Nikon_D70/Nikon_D70_1_13.JPG")
    with pytest.raises(CamerabiasError, match="List the photos in a table") as caught:
        read(root)
    assert "--label" not in str(caught.value)


def test_sides_of_a_split_are_one_and_labels_lie_below_them(make_photos):
    names = [
        f"{side}/{label}/Canon_Ixus55_{device}_{side == 'test':d}{device}.JPG"
        for side in ("train", "test")
        for label in ("indoor", "outdoor")
        for device in (0, 1)
    ]
    source, _ = read(make_photos(*names))
    assert {(photo.path, photo.split, photo.label) for photo in source.photos} == {
        (name, *name.split("/")[:2]) for name in names
    }
    assert "The folders test, train are the sides of a split." in source.notes


def test_photos_in_no_folder_have_no_label(make_photos):
    folders = ["indoor/Canon_Ixus55_0_1.JPG", "outdoor/Canon_Ixus55_0_2.JPG"]
    root = make_photos(*folders, "Canon_Ixus55_0_3.JPG")
    source, photos = read(root)
    assert {path for path, *_ in photos} == {*folders}
    assert "Photos that lie in no folder of a label are passed over: 1." in source.notes
    assert len(read(root, label="make")[1]) == 3


def test_raws_videos_and_hidden_copies_are_counted(make_photos):
    root = make_photos(*DRESDEN, "natural/Canon_Ixus70_0/._Canon_Ixus70_0_3000.JPG")
    for name in ("a.nef", "b.nef", "c.mp4"):
        (root / "natural" / name).touch()
    notes = " ".join(read(root)[0].notes)
    assert "Files not taken: 2 .nef (raw: develop" in notes
    assert "1 .mp4 (a video: cut frames" in notes
    assert "Files passed over, hidden, named as photos (macOS leaves such ._ files): 1." in notes


def test_the_camera_may_be_another_column(make_photos):
    source, photos = read(make_photos(*DRESDEN), camera="make")
    assert {camera for _, _, camera, _ in photos} == {"Canon", "Olympus"}
    assert "This is the Dresden Image Database: the camera is make, the label folder." in source.notes


@pytest.mark.parametrize("given", [{"camera": "phone"}, {"path": "file"}, {"images": "elsewhere"}])
def test_what_has_no_meaning_here_is_refused(make_photos, given):
    ((option, value),) = given.items()
    with pytest.raises(CamerabiasError, match=rf"--{option} {value} has no meaning: .* list the photos in a"):
        read(make_photos(*DRESDEN), **given)


def test_a_layout_or_exif_that_is_asked_for_comes_first(make_photos):
    assert read(make_photos(*DRESDEN), layout="label/camera")[0].kind == "folder"
    assert read(make_photos(*DRESDEN), camera_from="exif")[0].kind == "folder"


def test_what_is_named_otherwise_is_counted(make_photos):
    folder = [f"natural/Canon_Ixus70_0/Canon_Ixus70_0_{number}.JPG" for number in range(1000, 1060)]
    source, photos = read(make_photos(*folder, "overview.jpg"), label="make")
    assert len(photos) == 60
    assert (
        "Photos that are not named as those of the Dresden Image Database are passed over: 1." in source.notes
    )


@pytest.mark.parametrize(
    "names",
    [
        ["cat/leaf_green_0_3000.jpg", "dog/leaf_green_1_3001.jpg"],
        ["cat/x/D01_I_nat_0001.jpg", "dog/y/D01_I_nat_0002.jpg"],
        ["cat/x/(y)1.jpg", "dog/y/(y)2.jpg"],
        ["cat/Canon_Ixus70_0/Canon_Ixus70_0_1.jpg", "dog/x/1.jpg"],
    ],
)
def test_other_folders_are_left_alone(make_photos, names):
    exif = {"camera_from": "exif"} if names[0].count("/") == 1 else {}
    assert read(make_photos(*names), **exif)[0].kind == "folder"

"""Video beside a 3D view of its persons from another viewpoint."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from posediff.fileio.shown_joints import sample_joints, shown_of
from posediff.structures.results import PersonPose
from posediff.structures.skeletons import Skeleton, get_skeleton
from posediff.video import VideoSource, VideoWriter
from posediff.visualization.drawing import joint_colors
from posediff.visualization.overlay import draw_people, person_color, rgb
from posediff.visualization.saved_results import frames_with_people
from posediff.visualization.scene_layout import SceneLayout, Viewpoint, frustum_lines

MAX_HEIGHT = 720  # px
LAYOUT_POSES = 20000  # maximum number of poses from which the viewpoint is computed
AZIMUTH, ELEVATION = 35.0, 18.0  # degrees: behind the camera, to its right, and above
SLOPE = 0.45  # tangent of half the angle of view
NEAR = 100.0  # mm, near clipping distance
BACKGROUND, GRID, CAMERA = (247, 247, 245), (205, 205, 200), (140, 140, 140)
FAINT = 0.35  # opacity of filled poses and of discs
UNSEEN, UNSEEN_WIDTH = (178, 178, 174), 0.3  # colour and width factor of segments to unseen joints
RING_RADIUS, LINE_WIDTH, LABEL_LIFT = 200.0, 28.0, 120.0  # mm


def write_scene(folder: str | Path, video: VideoSource, score_threshold: float = 0.3) -> Path:
    """Write ``scene.mp4`` beside ``poses.npz``: the video with keypoints, and a 3D view from the camera's right.

    The viewpoint is fixed and covers all persons of the clip. Filled poses are faint; segments to joints that the
    lifter did not see (:mod:`posediff.fileio.shown_joints`) are thin and grey. The video ends at the last frame
    with a person, has the source's frame rate and is at most 720 px high.

    Args:
        folder: Folder of the results.
        video: The source video.
        score_threshold: Keypoints below this score are faint.

    Raises:
        ValueError: The results contain no persons.
    """
    with np.load(Path(folder) / 'poses.npz', allow_pickle=False) as arrays:
        keypoint_skeleton, skeleton = (get_skeleton(str(arrays[name])) for name in ('keypoint_skeleton', 'skeleton'))
        camera = json.loads(str(arrays['camera']))
    layout = SceneLayout.of(sample_joints(Path(folder) / 'poses.npz', LAYOUT_POSES), skeleton)
    height = min(MAX_HEIGHT, video.img_shape[0])
    frustum = frustum_lines(np.array(camera['focal']), np.array(camera['center']), video.img_shape)
    view = SceneView(layout, frustum, skeleton, height)
    path = Path(folder) / 'scene.mp4'
    with VideoWriter(path, video.fps) as writer:
        for frame, people in frames_with_people(folder, video):
            seen = _of_height(draw_people(frame.image, people, keypoint_skeleton, score_threshold), height)
            writer.write(np.concatenate([seen, view.draw(people)], axis=1))
    return path


class SceneView:
    """A square image of persons in 3D from a fixed viewpoint.

    Args:
        layout: Layout of the clip, which defines the viewpoint.
        frustum: (L, 2, 3) mm, camera axes, lines that show the camera; they may be out of view.
        skeleton: Skeleton of the joints.
        size: Side in px.
        text_scale: Factor of the text size, which follows ``size``.
    """

    def __init__(
        self, layout: SceneLayout, frustum: np.ndarray, skeleton: Skeleton, size: int, text_scale: float = 1.0
    ) -> None:
        self.layout, self.skeleton, self.size, self.text_scale = layout, skeleton, size, text_scale
        self.viewpoint = Viewpoint.covering(layout.extremes, AZIMUTH, ELEVATION, (SLOPE, SLOPE))
        self.colors = [rgb(color) for color in joint_colors(skeleton)]
        self.empty = np.full((size, size, 3), BACKGROUND, np.uint8)
        for color, lines in ((GRID, layout.grid_lines()), (CAMERA, frustum @ layout.level.T)):
            for line in lines:
                self._line(self.empty, self.viewpoint.transform(line), color, max(1, size // 500))

    def draw(self, people: Sequence[PersonPose], spread: bool = False) -> np.ndarray:
        """Return an image (size, size, 3) uint8, RGB.

        Persons without a known position are omitted and listed in a caption; unknown joints are omitted.

        Args:
            people: Persons of the frame.
            spread: Draw a disc around every joint with the size of the spread of the hypotheses.
        """
        known = [person for person in people if np.isfinite(person.root_position).all()]
        image = self.empty.copy()
        for person in known:
            self._ring(image, person)
        seen = [
            (self.viewpoint.transform(self._placed(person.joints_3d + person.root_position)), person)
            for person in known
        ]
        seen = [(points, person) for points, person in seen if np.isfinite(points).any()]
        seen.sort(key=lambda one: -np.nanmean(one[0][:, 2]))
        if spread:
            for points, person in seen:
                self._discs(image, points, np.where(shown_of(person), person.joints_3d_std, 0))
        for points, person in seen:
            self._person(image, points, person)
        for points, person in seen:
            shown = shown_of(person)
            self._label(image, points, shown if shown.any() else np.isfinite(points).all(-1), person, spread)
        missing = [str(person.track_id) for person in people if not np.isfinite(person.root_position).all()]
        if missing:
            place = self.size // 40, round(self.text_scale * self.size / 20)
            self._text(image, f'position unknown: {", ".join(missing)}', place, CAMERA)
        return image

    def _placed(self, points: np.ndarray) -> np.ndarray:
        """Convert camera axes to scene axes."""
        placed: np.ndarray = points @ self.layout.level.T
        return placed

    def _pixels(self, points: np.ndarray) -> np.ndarray:
        """Project (..., 3) right, up, depth to int pixels (..., 2); depth is at least :data:`NEAR`."""
        scaled = points[..., :2] * [1, -1] / points[..., 2:] * (self.size / 2 / SLOPE)
        return np.round(scaled + self.size / 2).astype(int)

    def _line(self, image: np.ndarray, ends: np.ndarray, color: tuple[int, int, int], width: int) -> None:
        import cv2

        (near, far) = ends[np.argsort(ends[:, 2])]
        if far[2] < NEAR:
            return
        if near[2] < NEAR:
            near = near + (far - near) * (NEAR - near[2]) / (far[2] - near[2])
        start, end = self._pixels(np.stack([near, far])).tolist()
        cv2.line(image, start, end, color, width, cv2.LINE_AA)

    def _ring(self, image: np.ndarray, person: PersonPose) -> None:
        angles = np.linspace(0, 2 * np.pi, 25)
        around = np.stack([np.cos(angles), np.zeros(25), np.sin(angles)], axis=-1)
        x, _, z = self._placed(person.root_position)
        middle = [x, self.layout.floor, z]
        places = self.viewpoint.transform(middle + RING_RADIUS * around)
        for start, end in zip(places, places[1:], strict=False):
            self._line(image, np.stack([start, end]), person_color(person.track_id), max(1, self.size // 350))

    def _person(self, image: np.ndarray, points: np.ndarray, person: PersonPose) -> None:
        """Draw segments between known joints, furthest first."""
        known, shown = np.isfinite(points).all(-1), shown_of(person)
        segments = [segment for segment in self.skeleton.segments if known[list(segment)].all()]
        for child, parent in sorted(segments, key=lambda segment: -points[list(segment), 2].mean()):
            depth = max(NEAR, float(points[[child, parent], 2].mean()))
            width = LINE_WIDTH / depth * self.size / 2 / SLOPE
            color = np.array(self.colors[child])
            if not (shown[child] and shown[parent]):
                color, width = np.array(UNSEEN), UNSEEN_WIDTH * width
            drawn = color if person.observed else FAINT * color + (1 - FAINT) * np.array(BACKGROUND)
            thick = max(2 if shown[child] and shown[parent] else 1, round(width))
            self._line(image, points[[child, parent]], tuple(drawn.round().astype(int).tolist()), thick)

    def _discs(self, image: np.ndarray, points: np.ndarray, radii: np.ndarray) -> None:
        import cv2

        covered = image.copy()
        for point, radius, color in zip(points, radii.tolist(), self.colors, strict=True):
            if radius > 0 and point[2] >= NEAR:
                wide = round(radius / float(point[2]) * self.size / 2 / SLOPE)
                cv2.circle(covered, self._pixels(point).tolist(), wide, color, -1, cv2.LINE_AA)
        image[:] = (FAINT * covered + (1 - FAINT) * image).astype(np.uint8)

    def _label(
        self, image: np.ndarray, points: np.ndarray, among: np.ndarray, person: PersonPose, spread: bool
    ) -> None:
        """Write the track id above the highest of the joints ``among``, (J,) bool, and above its disc."""
        joint = np.flatnonzero(among)[np.argmax(points[among, 1])]
        if points[joint, 2] >= NEAR:
            lift = LABEL_LIFT + (float(person.joints_3d_std[joint]) if spread else 0.0)
            column, row = self._pixels(points[joint] + [0, lift, 0]).tolist()
            shift = round(self.text_scale * self.size / 70)
            place = column - shift, max(row, round(self.text_scale * self.size / 30))  # inside the image
            self._text(image, str(person.track_id), place, person_color(person.track_id))

    def _text(self, image: np.ndarray, text: str, place: tuple[int, int], color: tuple[int, int, int]) -> None:
        import cv2

        scale, thick = self.text_scale * self.size / 900, max(1, round(self.text_scale * self.size / 360))
        cv2.putText(image, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, color, thick, cv2.LINE_AA)


def _of_height(image: np.ndarray, height: int) -> np.ndarray:
    import cv2

    if image.shape[0] == height:
        return image
    width = max(1, round(image.shape[1] * height / image.shape[0]))
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)

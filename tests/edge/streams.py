"""Streams through the edge: long, idle, cut and resumed (G2)."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

from backchannel.common.v1 import stream_pb2
from backchannel.notifications.v1 import notification_pb2 as feed

from cast import Broken, Ear, equal
from languages import lines, web
from scene import Scene

SUBSCRIBE = "/backchannel.notifications.v1.NotificationService/Subscribe"

# Heartbeats come every 20 s, and what is silent for a minute is given up. In full it is longer than anything in the configuration.
IDLE_FOR = 330.0 if os.environ.get("BACKCHANNEL_TEST_FAULTS") == "full" else 45.0
CUTS = 20 if os.environ.get("BACKCHANNEL_TEST_FAULTS") == "full" else 4


class Streams:
    """What Ben hears through the edge."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene

    def a_stream_that_is_cut_goes_on_with_nothing_lost_and_nothing_doubled(self) -> None:
        ear = Ear(self.scene.ben)
        wrote = [self.scene.mention_ben("before")]
        for number in range(CUTS):
            self.scene.edge.cut()
            wrote.append(self.scene.mention_ben(f"after cut {number}"))
        heard = [ear.hears() for _ in wrote]
        ear.stop()
        equal([each.note_id for each in heard], wrote, f"notes heard over {CUTS} ends of the edge")
        equal(ear.sequences, list(range(heard[0].sequence, heard[0].sequence + len(wrote))), "sequence")

    def a_stream_says_that_the_service_stops_and_goes_on_with_the_next(self) -> None:
        ear = Ear(self.scene.ben)
        wrote = [self.scene.mention_ben("before the restart")]
        code = self.scene.stage.suite.process.end()
        self.scene.stage.suite.process.start()
        self.scene.stage.suite.wait()
        wrote.append(self.scene.mention_ben("after the restart"))
        heard = [ear.hears().note_id for _ in wrote]
        ear.stop()
        equal((code, heard), (0, wrote), "exit code, and notes heard")

    def a_stream_is_lines_of_json(self) -> None:
        opened, *_ = self._until(lines(self.scene.edge.address, "/v1/notifications:subscribe", self.scene.ben_token), "opened")
        token = opened["resumeToken"]
        note = self.scene.mention_ben("as JSON")
        path = f"/v1/notifications:subscribe?start.resume_token={token}"
        *_, told = self._until(lines(self.scene.edge.address, path, self.scene.ben_token), "notification")
        equal(told["notification"]["noteId"], note, "note")

    def a_stream_is_read_by_grpc_web(self) -> None:
        asked = feed.SubscribeRequest()
        stream = web(self.scene.edge.address, SUBSCRIBE, self.scene.ben_token, asked, feed.SubscribeResponse)
        first: Any = next(stream)
        equal(first.WhichOneof("frame"), "opened", "first frame")
        note = self.scene.mention_ben("as gRPC-Web")
        second: Any = next(stream)
        equal(second.notification.note_id, note, "note")
        stream.close()
        again = web(self.scene.edge.address, SUBSCRIBE, self.scene.ben_token,
                    feed.SubscribeRequest(start=stream_pb2.StreamStart(resume_token=first.resume_token)), feed.SubscribeResponse)
        frames: list[Any] = [next(again), next(again)]
        again.close()
        equal(frames[1].notification.note_id, note, "the same, resumed from before it")

    def a_silent_stream_stays_open(self) -> None:
        call = self.scene.ben.notifications.Subscribe(feed.SubscribeRequest())
        kinds, began = [], time.monotonic()
        for frame in call:
            kinds.append(frame.WhichOneof("frame"))
            if time.monotonic() - began > IDLE_FOR:
                break
        call.cancel()
        equal((kinds[0], set(kinds[1:])), ("opened", {"heartbeat"}), f"frames of {IDLE_FOR:.0f} s")
        equal(len(kinds) - 1 >= int(IDLE_FOR / 20.5), True, f"{len(kinds) - 1} heartbeats")

    @staticmethod
    def _until(frames: Iterator[Any], kind: str) -> list[Any]:
        """The frames of a JSON stream up to the first of a kind, which is the last one here."""
        seen = []
        for frame in frames:
            seen.append(frame)
            if kind in frame:
                return seen
        raise Broken(f"the stream ended without {kind}: {seen}")

"""OpenCV's dnn module on an ONNX file of one size, timed by the protocol of compare.py."""

import argparse

import cv2
import numpy

import protocol


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", help="an ONNX file: image [N,3,H,W] to logits")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()

    cv2.setNumThreads(options.threads)
    image = numpy.random.default_rng(1).standard_normal(
        (options.batch, 3, options.size, options.size), dtype=numpy.float32
    )
    start_rss_bytes = protocol.rss_bytes()
    net = cv2.dnn.readNetFromONNX(options.file)
    net.setPreferableBackend(cv2.dnn.DNN_BACKEND_OPENCV)

    def run():
        net.setInput(image)
        net.forward()

    run()
    protocol.serve(run, version=cv2.__version__, start_rss_bytes=start_rss_bytes)


main()

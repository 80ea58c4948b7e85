#!/usr/bin/env python3
"""Stands for `aws` and `rclone`, with a directory for the bucket: does what the documented commands ask of them, one
file at a time. After each it prints what it did and waits for a line, so that a test sees every state of the bucket.
An option that it does not know is an error, so a command that means something else is not taken for what it does here.
"""

import fnmatch
import os
import pathlib
import shutil
import sys

HEADERS = {"--cache-control", "--header-upload"}


def main(program, arguments):
    words, excluded, flags, headers = [], [], set(), []
    rest = iter(arguments)
    for argument in rest:
        if argument == "--exclude":
            excluded.append(next(rest))
        elif argument in HEADERS:
            headers.append(next(rest))
        elif argument.startswith("-"):
            flags.add(argument)
        else:
            words.append(argument)
    command = " ".join([program, *words[:-2]])
    source, target = map(pathlib.Path, words[-2:])
    known = {
        "aws s3 sync": {"--size-only", "--delete"},
        "aws s3 cp": {"--recursive"},
        "rclone copy": {"--size-only", "--ignore-times"},
        "rclone copyto": {"--ignore-times"},
        "rclone sync": {"--size-only"},
    }
    assert flags <= known[command], f"{command} {flags}"

    if source.is_file():
        assert "--recursive" not in flags
        copy(source, target, headers)
        return
    assert command != "aws s3 cp" or "--recursive" in flags, "aws s3 cp of a directory"
    assert command != "rclone copyto", "rclone copyto of a directory"

    def files(directory):
        names = (file.relative_to(directory) for file in directory.rglob("*") if file.is_file())
        return sorted(name for name in names if not any(fnmatch.fnmatch(str(name), glob) for glob in excluded))

    # Backwards: the documented commands must not rely on the order within one of them.
    for name in reversed(files(source)):
        if changed(command, flags, source / name, target / name):
            assert headers, f"{name} is uploaded without Cache-Control"
            copy(source / name, target / name, headers)
    if "--delete" in flags or command == "rclone sync":
        for name in files(target):
            if not (source / name).exists():
                (target / name).unlink()
                step("deleted", name)


def changed(command, flags, source, target):
    if command == "aws s3 cp" or "--ignore-times" in flags or not target.exists():
        return True
    old, new = target.stat(), source.stat()
    if old.st_size != new.st_size:
        return True
    if "--size-only" in flags:
        return False
    # aws takes what was uploaded after it was written for the same. rclone does as well as the remote lets it: some
    # keep neither times nor checksums.
    return command.startswith("aws") and new.st_mtime > old.st_ctime


def copy(source, target, headers):
    target.parent.mkdir(parents=True, exist_ok=True)
    # As in a bucket, an object is replaced at once.
    part = target.with_name(f".part-{os.getpid()}")
    shutil.copy2(source, part)
    os.replace(part, target)
    step("copied", target.name, *headers)


def step(*words):
    print(*words, flush=True)
    assert sys.stdin.readline(), "the test has gone"


main(pathlib.Path(sys.argv[0]).name, sys.argv[1:])

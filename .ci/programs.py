"""Where the programs of the workspace are."""
import json
import os
import pathlib
import subprocess


def built(names):
    """Returns the folder of these programs. `.ci/run` has built all of them, and names it; otherwise they are built."""
    if folder := os.environ.get("PROGRAMS"):
        return pathlib.Path(folder)
    packages = [f"-p{name}" for name in names]
    subprocess.run(["cargo", "build", "-q", "--locked", *packages], check=True)
    metadata = ["cargo", "metadata", "--format-version=1", "--no-deps", "--locked"]
    return pathlib.Path(json.loads(subprocess.check_output(metadata))["target_directory"], "debug")

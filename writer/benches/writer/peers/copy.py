"""The same without looking at the data: bytes to a temporary file, fsync, a backup, os.replace."""
import os, shutil, sys

source, target = sys.argv[1], sys.argv[2]
with open(target + ".tmp", "wb") as file:
    file.write(open(source, "rb").read())
    file.flush()
    os.fsync(file.fileno())
if os.path.exists(target):
    shutil.copyfile(target, target.replace(".json", "_backup.json"))
os.replace(target + ".tmp", target)

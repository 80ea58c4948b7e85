"""The script that people write: json.dump to a temporary file, fsync, a backup, os.replace."""
import json, os, shutil, sys

source, target = sys.argv[1], sys.argv[2]
rows = json.load(open(source))
with open(target + ".tmp", "w") as file:
    json.dump(rows, file)
    file.flush()
    os.fsync(file.fileno())
if os.path.exists(target):
    shutil.copyfile(target, target.replace(".json", "_backup.json"))
os.replace(target + ".tmp", target)

import os, sys, tempfile, time

directory, payload = sys.argv[1], open(sys.argv[2], "rb").read()
for _ in sys.stdin:
    begin = time.perf_counter_ns()
    with tempfile.NamedTemporaryFile(dir=directory, delete=False) as file:
        file.write(payload)
        file.flush()
        os.fsync(file.fileno())
    os.replace(file.name, os.path.join(directory, "python.json"))
    print(time.perf_counter_ns() - begin, flush=True)

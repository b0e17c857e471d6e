"""Madang with everything on, measured by the minute: what `make bench` runs.

    python benchmarks/bench.py [--rounds 3] [--gateways madang,nginx,...] [--legs plain,long,rate,...]

Where the side-by-side programs are (`../shared/bench`, or the folder BENCH names) it measures Madang beside
the direct connection and every other gateway whose environment BENCH_PEERS holds. Without them it says so and
measures what one call costs in Python alone (`path.py`) and what the simulator gets through Madang.
Keys, a route, records and metering are on: there is no switch to leave them out.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
BENCH = Path(os.environ.get("BENCH", ROOT.parent / "shared" / "bench"))
KEY = "sk-bench-0123456789abcdefghij"
PORT = 4010
UPSTREAMS = {"fast": 9301, "slow": 9302, "stream": 9303, "paced": 9304}

CONFIG = "\n".join(
    [
        "providers:",
        *(
            f"  up-{name}: {{base_url: 'http://127.0.0.1:{port}/v1', api_key: sk-up}}"
            for name, port in UPSTREAMS.items()
        ),
        "routes:",
        *(f"  {name}: up-{name}/gpt-4o-mini" for name in UPSTREAMS),
        "",
    ]
)


def side_by_side(options: argparse.Namespace) -> int:
    """Run `measure.py` with Madang added to its gateways."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "madang.yaml").write_text(CONFIG, encoding="utf-8")
        peers = (BENCH / "gateways.toml").read_text(encoding="utf-8")
        start = [sys.executable, "-m", "madang", "serve", "--port", str(PORT)]
        madang = f"""
[gateway.madang]
port = {PORT}
headers = ["authorization: Bearer {KEY}"]
cwd = "{folder}"
env = {{ MADANG_ADMIN_KEY = "{KEY}" }}
start = {start!r}
"""
        gateways = Path(folder) / "gateways.toml"
        gateways.write_text(peers + madang.replace("'", '"'), encoding="utf-8")
        chosen = options.gateways or ",".join(["direct", *present(), "madang"])
        command = [sys.executable, str(BENCH / "measure.py"), str(gateways), "--only", chosen]
        command += ["--legs", options.legs, "--rounds", str(options.rounds)]
        return subprocess.run(command, check=False).returncode


def present() -> list[str]:
    """The other gateways that are installed here."""
    folder = Path(os.environ.get("BENCH_PEERS", "/nowhere"))
    found = ["nginx"] if (folder / "nginx.conf").exists() and Path("/usr/sbin/nginx").exists() else []
    found += ["tensorzero"] if (folder / "tensorzero").is_dir() else []
    found += ["portkey"] if (folder / "node_modules").is_dir() else []
    return found + (["litellm"] if (folder / "litellm").is_dir() else [])


def alone() -> int:
    """Without the side-by-side programs."""
    print(f"no side-by-side programs at {BENCH}: measuring Madang alone\n", flush=True)
    path = subprocess.run([sys.executable, str(HERE / "path.py")], check=False).returncode
    return (
        path
        or subprocess.run(
            [sys.executable, str(HERE / "clients.py"), "--clients", "ours"], check=False
        ).returncode
    )


def main() -> int:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--gateways")
    options.add_argument("--legs", default="plain,long,rate,stream,paced")
    chosen = options.parse_args()
    if (BENCH / "measure.py").exists() and shutil.which("taskset") and shutil.which("cc"):
        return side_by_side(chosen)
    return alone()


if __name__ == "__main__":
    raise SystemExit(main())

"""Run by the research environment's Python: reads a dataset through Qlib and writes what it gave to a file.

Usage: qlib_reader.py FOLDER OUT.npz SCRATCH. Imports nothing of the product: the environment does not have it.
"""

import sys
from pathlib import Path


def main() -> None:
    """Read every name, field and session, and both sets of names."""
    folder, out, scratch = map(Path, sys.argv[1:])
    import numpy as np
    import qlib
    from qlib.data import D

    qlib.init(
        provider_uri=str(folder),
        kernels=1,
        skip_if_reg=True,
        exp_manager={
            "class": "MLflowExpManager",
            "module_path": "qlib.workflow.expm",
            "kwargs": {"uri": f"sqlite:///{scratch / 'mlflow.db'}", "default_exp_name": "none"},
        },
    )
    fields = ["open", "high", "low", "close", "volume", "factor"]
    sets = {name: D.list_instruments(D.instruments(name), as_list=True) for name in ("all", "stocks")}
    frame = D.features(D.instruments("all"), [f"${field}" for field in fields])
    days = D.calendar(freq="day")
    np.savez(
        out,
        calendar=np.array([str(day.date()) for day in days]),
        all=np.array(sorted(sets["all"])),
        stocks=np.array(sorted(sets["stocks"])),
        symbol=frame.index.get_level_values("instrument").to_numpy(dtype=str),
        day=frame.index.get_level_values("datetime").strftime("%Y-%m-%d").to_numpy(dtype=str),
        **{field: frame[f"${field}"].to_numpy() for field in fields},
    )


if __name__ == "__main__":
    main()

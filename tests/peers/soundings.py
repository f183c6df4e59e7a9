"""An atheris target: libFuzzer's flags, a Python program. Planted: a sounding without a unit.

    python soundings.py CORPUS -max_total_time=10 -artifact_prefix=found/
"""

import sys

import atheris


def depth_in_metres(sounding: str) -> float:
    """Reads soundings such as `12fathoms` and `30m`; zero for anything else."""
    digits = sounding.rstrip("abcdefghijklmnopqrstuvwxyz")
    if not digits.isdecimal() or not digits.isascii():
        return 0.0
    unit = sounding[len(digits):]
    # DEFECT sounding-without-unit: a bare number ends in a KeyError, as does an unknown unit.
    return int(digits) * {"m": 1.0, "fathoms": 1.8288}[unit]


def test_one_input(data: bytes) -> None:
    depth_in_metres(data.decode("latin-1"))


if __name__ == "__main__":
    atheris.instrument_func(depth_in_metres)
    atheris.Setup(sys.argv, atheris.instrument_func(test_one_input))
    atheris.Fuzz()

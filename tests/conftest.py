"""Set-up of every test run."""

import os

# Several test processes share the cores: OpenMP threads must sleep while they wait, not spin.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

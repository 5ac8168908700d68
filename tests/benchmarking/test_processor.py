import os
import subprocess
import sys
import time

import pytest

from sflowgan_tf.benchmarking import processor

_WORK = "import time\nwhile time.process_time() < 0.3: pass\nprint('worked', flush=True)\ninput()"


@pytest.mark.skipif(not os.path.exists("/proc/self/task"), reason="Linux says what children did")
def test_the_work_of_a_process_that_goes_on_counts_and_of_one_that_has_ended():
    before, own = processor.seconds(), time.process_time()
    command = [sys.executable, "-c", _WORK]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        child.stdout.readline()
        running = processor.seconds() - before - (time.process_time() - own)
        child.communicate(b"\n")
    ended = processor.seconds() - before - (time.process_time() - own)
    assert 0.25 < running <= ended + 0.05
    assert processor.seconds_of(child.pid) == 0

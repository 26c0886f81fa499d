import re
import subprocess
import sys

LINE = re.compile(r'timestamp=\d{4}-\d\d-\d\dT[\d:.]+Z level=[a-z]+ event=(?:"(?:[^"\\]|\\.)*"|\S+)( \S+=.*)?')

SPEAKS = """
import logging, warnings, structlog
from process.logging import set_up_logging
set_up_logging("info")
log = structlog.get_logger()
log.debug("unheard")
log.info("begun", part="one two", lasts=True)
log.info("ended", lasts=False)
with structlog.contextvars.bound_contextvars(batch="edge-1/e1/1"):
    log.warning("refused")
    logging.getLogger("library").warning("it %s", "creaks")
logging.getLogger("library").info("unheard too")
logging.getLogger("pymodbus").error("unheard as well")
warnings.warn("an old way", stacklevel=1)
try:
    1 / 0
except ZeroDivisionError:
    log.exception("broken")
    logging.getLogger("library").exception("broken as well")
"""


def test_ours_and_the_libraries_lines_have_one_form():
    done = subprocess.run([sys.executable, "-c", SPEAKS], capture_output=True, text=True, check=True)
    lines = done.stderr.splitlines()
    assert [line for line in lines if not LINE.fullmatch(line)] == []
    events = [re.search(r'event=("[^"]*"|\S+)', line)[1] for line in lines]
    assert events[:4] == ["begun", "ended", "refused", '"it creaks"']
    assert [line.rpartition(" ")[2] for line in lines[:2]] == ["lasts=true", "lasts=false"]  # no is not left out
    assert all("batch=edge-1/e1/1" in line for line in lines[2:4])
    assert "an old way" in lines[4]
    assert all("ZeroDivisionError" in line for line in lines[5:])
    assert len(lines) == 7

"""placeholder"""
import sys, os, tempfile, time, json
from pathlib import Path
from robustness_kinds.inputs import Inputs
from robustness_kinds import mutations
import genoformer.cli.fit, genoformer.cli.predict
n=int(sys.argv[1])
w=Path(tempfile.mkdtemp(prefix="rob-")).resolve(); os.chdir(w); os.environ["TMPDIR"]=str(w); tempfile.tempdir=None
(w/"in").mkdir()
t=time.time()
r=mutations.attack(Inputs(w/"in"), w, 1, n)
for k,v in r.items():
    print(k, v.tried, len(v.failures), v.not_reached, round(v.seconds,1), round(v.seconds/max(1,v.tried)*1000,1),"ms")
    for f in v.failures[:12]: print("    ", f[:400])
print(sum(v.tried for v in r.values()), time.time()-t)

"""Causal language model: which of the four bases comes next, from all that were read before.

Tokens are read one place late, so that a token's outputs are of the bases behind everything that it has seen. The cost
of a sequence is the sum over its bases (the chain rule), so that it is what a compressor would need; the bases of one
token are told independently of each other, which is exact with one base per token.
"""

from genoformer.tasks import mlm
from genoformer.tasks.plain import PlainTask

name = "clm"
strands = "each"
channels = mlm.channels
initial_logits = mlm.initial_logits
loss, loss_weight, build_scores = mlm.loss, mlm.loss_weight, mlm.build_scores

build = PlainTask(name, channels, strands, initial_logits, loss, loss_weight, build_scores).build

"""Exports: a model as one graph, for use without Thaw.

The graph takes N prepared examples, N dynamic, as `Kind.reader` makes them before the normalisation. The normalisation, the backbone up to the head's layer,
pooling, head and temperature are inside. So only the preparation can go wrong outside. Out come calibrated probabilities float32 [N, C], and what the model
decides by thresholds that were tuned: `known_score` float32 [N] and `accepted` bool [N] where it may say `neither`, `named` bool [N, C] where it names sets.
Every kind of head can be expressed, nearest neighbours too (their rows are in the graph).
"""

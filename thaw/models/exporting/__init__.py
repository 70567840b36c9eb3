"""Exports: a model as one graph, for use without Thaw.

The graph takes uint8 pixels [N, 3, H, W] as `Preprocessing` makes them (RGB, resized and cropped, nothing else), N dynamic. Scaling and normalisation, the
backbone up to the head's layer, pooling, head and temperature are inside. So all that can go wrong outside is the resizing, and a batch of bytes is a quarter
of one of floats. Out come calibrated probabilities float32 [N, C], and what the model decides by thresholds that were tuned: `known_score` float32 [N] and
`accepted` bool [N] where it may say `neither`, `named` bool [N, C] where it names sets. Every kind of head can be expressed, nearest neighbours too (their
rows are in the graph).
"""

"""When each invoice is paid, as a distribution: facts, landmarks, features, hazard model, blend, curves and scores.

The method is described in docs/science/payment-timing.md. Start reading at ``model`` (fit) and ``predict``.
"""

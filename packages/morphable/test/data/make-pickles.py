"""Writes pickles as FLAME's files are, for joint-model.test.ts: Python 3 with numpy and scipy.

    python3 make-pickles.py

flame-protocol-2.pkl: as Python 2 writes it (text is bytes), chumpy's arrays and a sparse matrix, as in FLAME 2020. flame-protocol-4.pkl and
flame-protocol-5.pkl: numpy's arrays, one of them columns first, as later files are.
"""
import io
import pickle
import struct
import sys
import types

import numpy as np
import scipy.sparse


class Ch:
    """Stands in for chumpy.ch.Ch, which need not be installed."""


Ch.__module__ = "chumpy.ch"
sys.modules["chumpy"] = types.ModuleType("chumpy")
sys.modules["chumpy.ch"] = types.ModuleType("chumpy.ch")
sys.modules["chumpy.ch"].Ch = Ch


def chumpy(array):
    made = Ch()
    made.__dict__.update(x=array, _dirty_vars=set(), _status="new")
    return made


class Python2(pickle._Pickler):
    dispatch = pickle._Pickler.dispatch.copy()

    def save_bytes(self, value):
        short = len(value) < 256
        self.write(b"U" + bytes([len(value)]) if short else b"T" + struct.pack("<i", len(value)))
        self.write(value)

    def save_text(self, value):
        self.save_bytes(value.encode())

    dispatch[bytes] = save_bytes
    dispatch[str] = save_text


N, K = 6, 3
i = np.arange(N * 3 * K, dtype=np.float64).reshape(N, 3, K)
regressor = np.zeros((5, N))
regressor[np.arange(5), np.arange(5)] = 1
weights = np.zeros((N, 5))
weights[:, 0] = 1
weights[3] = [0, 0, 1, 0, 0]
model = {
    "v_template": np.array(
        [[0, 0, 0], [0, 0.1, 0], [0, 0.2, 0.05], [0.02, 0.1, 0.1], [-0.03, 0.25, 0.08], [0, 0.3, 0]]
    ),
    "shapedirs": np.sin(1 + i) / 300,
    "posedirs": np.sin(np.arange(N * 3 * 36.0)).reshape(N, 3, 36) / 1000,
    "J_regressor": scipy.sparse.csc_matrix(regressor),
    "weights": weights,
    "f": np.array([[0, 1, 2], [2, 3, 4], [3, 4, 5]], dtype=np.uint32),
    "kintree_table": np.array([[2**32 - 1, 0, 1, 1, 1], [0, 1, 2, 3, 4]], dtype=np.uint32),
    "bs_style": "lbs",
}
old = {**model, "v_template": chumpy(model["v_template"]), "shapedirs": chumpy(model["shapedirs"])}
out = io.BytesIO()
Python2(out, 2).dump(old)
open("flame-protocol-2.pkl", "wb").write(out.getvalue())
columns_first = {**model, "shapedirs": np.asfortranarray(model["shapedirs"])}
for protocol in (4, 5):
    with open(f"flame-protocol-{protocol}.pkl", "wb") as file:
        pickle.dump({**columns_first, "J_regressor": scipy.sparse.csr_matrix(regressor)}, file, protocol=protocol)

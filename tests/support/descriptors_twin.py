"""What librosa finds in the sounds of tests/models/descriptors/describe.test.ts: folder of float32 files in, JSON out."""
import json
import pathlib
import sys

import librosa
import numpy as np

found = {}
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.f32")):
    y = np.fromfile(path, dtype=np.float32)
    envelope = librosa.onset.onset_strength(y=y, sr=22050)
    onsets = librosa.onset.onset_detect(onset_envelope=envelope, sr=22050)
    tempo = librosa.feature.tempo(onset_envelope=envelope, sr=22050)
    found[path.stem] = {"onsets": len(onsets), "tempo": float(np.atleast_1d(tempo)[0])}
print(json.dumps(found))

"""The whole recipe's configuration, in one place.

Every other module takes its numbers from here. Shapes and units are in the comments;
`T` counts feature frames (50 Hz), `N` counts transformer tokens (12.5 Hz in the encoder).
"""
import json
import os
from dataclasses import asdict, dataclass, field, fields, replace


@dataclass(frozen=True)
class FeatureConfig:
    """Log-mel front-end: waveform [B, S] at 24 kHz -> features [B, T, 128] at 50 Hz."""
    sample_rate: int = 24000
    hop: int = 480            # samples: 50 frames per second
    fft: int = 1024           # samples: Hann window of 42.7 ms, DFT of the same length
    mels: int = 128           # Slaney-spaced triangular bands
    fmin: float = 20.0        # Hz
    fmax: float = 12000.0     # Hz
    floor: float = 1e-4       # added to the band magnitude before the logarithm (-80 dB re full-scale sine)
    window_seconds: float = 4.0

    @property
    def window(self) -> int:
        """Samples per window."""
        return int(self.sample_rate * self.window_seconds)

    @property
    def frames(self) -> int:
        """Frames per window."""
        return self.window // self.hop


@dataclass(frozen=True)
class ModelConfig:
    """Sizes of the learned graphs."""
    dim: int = 256            # D: width of every transformer and of z
    heads: int = 4
    patch: int = 4            # frames per token of the encoder: 80 ms
    denoiser_patch: int = 4   # the same of the denoiser
    denoiser_predicts: str = "clean"  # what its last layer says: v, or the clean features, from which v follows
    mlp_ratio: int = 2
    encoder_layers: int = 6
    views: tuple = (0.0,)     # semitones: the pack hears a sound transposed by each and averages the tokens
    mae_decoder_layers: int = 2
    summary_layers: int = 2
    denoiser_layers: int = 5
    rvq_stages: int = 4
    rvq_codes: int = 256
    vocoder_dim: int = 256
    vocoder_hidden: int = 480
    vocoder_layers: int = 5
    vocoder_fft: int = 960    # samples: synthesis window, at a quarter of it per hop
    vocoder_hop: int = 240    # samples: two synthesis frames per feature frame
    band_rounds: int = 8      # multiplicative updates of the decoder's magnitudes towards the features' bands
    phase_rounds: int = 96    # fast Griffin-Lim rounds in the decoder
    phase_momentum: float = 0.99


@dataclass(frozen=True)
class TrainConfig:
    """Optimisation. `minutes` are wall-clock budgets; the learning-rate schedule spans them."""
    seed: int = 1
    # share of training windows drawn from each collection
    mix: dict = field(default_factory=lambda: {
        "music": 0.48, "gm-phrases": 0.13, "gm-notes": 0.22, "gm-drums": 0.05, "samples": 0.12})
    # encoder and summary
    encoder_frames: int = 7200     # frames in a batch; longer crops make fewer rows
    crop_frames: tuple = (40, 60, 100, 200)
    crop_shares: tuple = (0.3, 0.3, 0.32, 0.08)
    encoder_lr: float = 1e-3
    program_share: float = 0.42    # of the rows; the rest are pairs of music and samples
    music_share: float = 0.65      # of the pairs
    album_share: float = 0.4       # of the music pairs: two files of one soundtrack
    folder_share: float = 0.4      # of the pairs of samples: two files of one folder
    drum_share: float = 0.12       # of the programme rows: single notes of General MIDI drum kits, told apart by kind
    likeness_share: float = 0.7    # of what a pair's row is drawn to: rows alike by statistics of their log-mel
    likeness_width: float = 0.1    # of a row's mean distance: how fast likeness falls
    pair_strength: float = 0.3     # of the augmentations of pairs, where programmes have 1
    # augmentation; mixing and codec are off unless asked for
    pitch_range: float = 2.0       # semitones up and down
    speed_range: float = 0.22      # of the logarithm of speed
    mix_share: float = 0.0         # of the rows get another one under them
    codec_share: float = 0.0       # of the rows lose what a lossy codec leaves out
    class_scale: float = 16.0
    class_margin: float = 0.1
    contrast_temperature: float = 0.15
    class_weight: float = 1.0
    track_weight: float = 1.5
    code_weight: float = 0.15
    token_weight: float = 0.5
    content_weight: float = 1.0
    rhythm_weight: float = 0.0     # z predicts the autocorrelation of onsets
    weighting: str = "fixed"       # of the tasks: fixed, equal, uncertainty, dwa (weighting.py)
    target_windows: int = 640      # for statistics and quantiser
    fit_batches: int = 40          # of sixteen windows, for the decoder's read-out
    prefetchers: int = 1           # threads that prepare batches
    mask_share: float = 0.5
    mask_gap: int = 5         # tokens per masked gap (400 ms)
    rvq_weights: tuple = (0.4, 0.3, 0.2, 0.1)
    calibration_windows: int = 2048
    whitening: float = 0.3    # 0 leaves the variances of z's principal directions as they are, 1 makes them equal
    # denoiser
    diffusion_batch: int = 12
    diffusion_lr: float = 1e-3
    unconditional_share: float = 0.1
    cycle_share: float = 0.75      # of the rows
    cycle_weight: float = 1.2
    played_rows: int = 4           # of the cycle's rows are heard through the decoder
    grain_weight: float = 0.5
    critic_weight: float = 0.015
    critic_lr: float = 1e-3
    critic_frames: int = 80
    ema: float = 0.99   # over few steps
    # decoder
    vocoder_batch: int = 8
    vocoder_seconds: float = 1.0
    vocoder_lr: float = 1e-3


def recipe(configs: tuple, changes: dict) -> tuple:
    """The configurations with some values changed, each where it belongs. Raises ValueError for names that are nowhere."""
    out = []
    for config in configs:
        own = {f.name: changes[f.name] for f in fields(config) if f.name in changes}
        # JSON knows no tuples
        out.append(replace(config, **{k: tuple(v) if isinstance(v, list) else v for k, v in own.items()}))
    unknown = set(changes) - {f.name for config in configs for f in fields(config)}
    if unknown:
        raise ValueError(f"the recipe has no {', '.join(sorted(unknown))}")
    return tuple(out)


# ARCHETONE_RECIPE='{"weighting": "dwa", "encoder_layers": 8}' changes values for an ablation or another machine.
FEATURES, MODEL, TRAIN = recipe((FeatureConfig(), ModelConfig(), TrainConfig()), json.loads(os.environ.get("ARCHETONE_RECIPE", "{}")))


def as_dict() -> dict:
    """Everything above as plain data, for logs and checkpoints."""
    return {"features": asdict(FEATURES), "model": asdict(MODEL), "train": asdict(TRAIN)}

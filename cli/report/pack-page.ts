import type { PackInfo } from '../../engine/api/packs.ts';
import type { AccuracyTable, HeardClass, HeardSound, QualityCard, Spread } from '../../engine/api/quality.ts';
import { counted } from '../../engine/counted.ts';
import { grid } from './grid.ts';
import { html, type Html } from './html.ts';
import { style } from './style.ts';
import { madeAndReal } from '../text.ts';

/** The page of `archetone packs score --report`. */
export function packPage(facts: {
  pack: PackInfo;
  card: QualityCard;
  classes: readonly HeardClass[];
  /** Where their sounds and pictures are, relative to the page. */
  link: string;
  version: string;
}): string {
  const { pack, card, link } = facts;
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${pack.title}: quality card</title>
        ${style}
      </head>
      <body>
        <h1>${pack.title}, ${pack.version}</h1>
        <p class="soft">
          Made by <code>archetone packs score --report</code>, version ${facts.version}, on sounds the pack
          was not trained on; seeds ${card.seeds.join(', ')}. ${pack.trainingStatement}
        </p>
        ${accuracySection(card)} ${soundSection(card)} ${robustnessSection(card)}
        <h2>Listen</h2>
        <p>
          For every class the first of its prototypes: as the diffusion decoder sounds it, the nearest real
          window, and that window through the codec alone. Pictures are log-mel spectrograms over 80 dB. Quiet
          sounds are raised, by as much as is said.
        </p>
        ${facts.classes.map((entry) => classSection(entry, link))}
        <h2>What it was scored on</h2>
        ${grid(
          ['collection', 'sounds', 'windows', 'classes', 'SHA-256'],
          Object.entries(card.data).map(([name, data]) => [
            name,
            data.sounds,
            data.windows,
            data.classes,
            html`<code>${data.sha256}</code>`,
          ]),
        )}
      </body>
    </html> `;
  return page.text;
}

const ACCURACIES: readonly [keyof QualityCard['accuracy'], string][] = [
  ['instruments', 'Within the instruments, five folds'],
  ['rendered', 'Within the rendered instruments, five folds'],
  ['renderedToInstruments', 'Learned from rendered instruments, asked for real ones'],
  ['instrumentsToRendered', 'Learned from real instruments, asked for rendered ones'],
  ['styles', 'Styles of music, one album left out at a time'],
];

function accuracySection({ accuracy }: QualityCard): Html {
  const tables = ACCURACIES.flatMap(([key, title]) => {
    const found = accuracy[key];
    return found && !Array.isArray(found) ? [html`<h3>${title}</h3>`, accuracyGrid(found)] : [];
  });
  return html`<h2>How well it tells sounds apart</h2>
    <p>
      Accuracy in per cent, mean ± deviation over the seeds: nearest neighbours (k = 5) and prototype networks
      with 1 to 10 prototypes per class, on the pack's embeddings, on those of the same network without any
      training, and on mean and deviation of log-mel bands and of MFCC+Δ.
    </p>
    ${tables}`;
}

function accuracyGrid(table: AccuracyTable): Html {
  const value = ({ mean, sd }: Spread): string => `${mean.toFixed(1)} ± ${sd.toFixed(1)}`;
  return grid(
    ['classifier', 'embedding', 'random twin', 'log-mel', 'MFCC+Δ'],
    Object.entries(table).map(([name, row]) => [
      name,
      value(row.embedding),
      value(row.randomTwin),
      value(row.logMel),
      value(row.mfcc),
    ]),
  );
}

function soundSection({ roundTrip, cycle, fidelity, speed }: QualityCard): Html {
  const parts: Html[] = [];
  if (roundTrip)
    parts.push(
      html`<h3>Round trip through features and decoder, ${counted(roundTrip.windows, 'window')}</h3>`,
      grid(
        ['', 'log-spectral distance, dB', 'multi-resolution STFT distance'],
        [
          ['this pack', roundTrip.pack.logSpectralDb, roundTrip.pack.multiResolution],
          ['Griffin-Lim', roundTrip.griffinLim.logSpectralDb, roundTrip.griffinLim.multiResolution],
        ],
      ),
    );
  if (cycle)
    parts.push(
      html`<p>
        ${cycle.vectors} embeddings of real windows made audible: cosine of vector and sound
        ${cycle.cycleCosine} (to the other sounds ${cycle.cosineToOthers}), level ${cycle.rmsDbfs.join(' / ')}
        dBFS (5th, 50th, 95th percentile), ${cycle.secondsEach} s each.
      </p>`,
    );
  if (fidelity)
    parts.push(
      html`<h3>Prototypes and their sound</h3>
        <p>
          Distance to the nearest embedding of the class, in units of the distance between neighbours of one
          class; share of sonified prototypes assigned to their own class by the network they belong to, and
          by the five nearest real sounds in MFCC+Δ, which share nothing with the pack.
        </p>`,
      grid(
        [
          '',
          'distance',
          'own class, %',
          'by MFCC+Δ, %',
          'cycle cosine',
          'level, dBFS',
          'flatness',
          'seconds',
        ],
        fidelity.map((row) => [
          row.name,
          row.distance,
          (100 * row.classRetention).toFixed(1),
          (100 * row.mfccRetention).toFixed(1),
          row.cycleCosine,
          row.rmsDbfs,
          row.flatness,
          row.secondsEach,
        ]),
      ),
    );
  const witnessed = (fidelity ?? []).flatMap(({ name, witnesses }) =>
    witnesses ? [{ name, witnesses }] : [],
  );
  if (witnessed.length > 0)
    parts.push(
      html`<h3>Heard without any encoder</h3>
        <p>
          Medians over sonified prototypes, in brackets those over real sounds of the same classes. Pitch
          clarity and harmonics to noise: of pitched classes, higher is clearer. Attack and level: how far
          from the median of the class, lower is nearer.
        </p>`,
      grid(
        ['', 'pitch clarity', 'harmonics to noise, dB', 'attack off, octaves', 'level off, dB'],
        witnessed.map(({ name, witnesses }) => [
          name,
          madeAndReal(witnesses.clarity),
          madeAndReal(witnesses.harmonicsDb),
          madeAndReal(witnesses.attackOctaves),
          madeAndReal(witnesses.levelDb),
        ]),
      ),
    );
  return html`<h2>How it sounds, in numbers</h2>
    <p>${speed.windowsPerSecond} windows a second on two threads; ${speed.packMegabytes} MB.</p>
    ${parts}`;
}

function robustnessSection({ robustness, precisionAt10 }: QualityCard): Html {
  if (!robustness || !precisionAt10) return html``;
  return html`<h2>Neighbours and deformations</h2>
    <p>
      Of the ten nearest neighbours of an instrument sound ${precisionAt10.mean} % are of its class. Nearest
      neighbours (k = 5) asked for deformed sounds:
    </p>
    ${grid(
      ['deformation', 'cosine to before', 'accuracy, %', 'points lost'],
      robustness.map((row) => [row.deformation, row.cosine, row.accuracy, row.accuracyDrop]),
    )}`;
}

function classSection(entry: HeardClass, link: string): Html {
  const player = (title: string, sound: HeardSound, note: Html): Html => card(title, sound, link, note);
  return html`<h3>${entry.title}</h3>
    <div class="cards">
      ${[
        player(
          'Prototype, sonified',
          entry.sonified,
          html`cycle cosine ${entry.cycleCosine.toFixed(2)}; ${entry.kept} of ${entry.prototypes} sonified
          prototypes keep their class`,
        ),
        player('Nearest real window', entry.excerpt, html`${entry.excerptOf}`),
        player('That window through the codec', entry.roundTrip, html`features, then decoder`),
      ]}
    </div>`;
}

function card(title: string, { sound, picture, gainDb }: HeardSound, link: string, note: Html): Html {
  const raised = gainDb > 0 ? html`; raised by ${gainDb.toFixed(0)} dB` : html``;
  return html`<div class="card">
    <h3>${title}</h3>
    <img class="spectrogram" src="${link}/${picture}" alt="Spectrogram of ${sound}" loading="lazy" />
    <audio controls preload="none" src="${link}/${sound}"></audio>
    <p class="soft">${note}${raised}</p>
  </div>`;
}

import { metricNames } from '../../engine/api/metric-names.ts';
import { basename } from 'node:path';
import type { Explanation } from '../../engine/api/classify.ts';
import type { Experiment, Metrics } from '../../engine/api/experiments.ts';
import type { ExportResult } from '../../engine/api/exports.ts';
import type { LibrarySummary } from '../../engine/api/libraries.ts';
import type { PackInfo } from '../../engine/api/packs.ts';
import type { PrototypeInfo } from '../../engine/api/prototypes.ts';
import type { Reduction, ReductionScore } from '../../engine/api/reductions.ts';
import type { Recommendation } from '../../engine/api/studies.ts';
import type { Sonification } from '../../engine/api/sonify.ts';
import { counted } from '../../engine/counted.ts';
import { grid } from './grid.ts';
import { html, type Html } from './html.ts';
import { style } from './style.ts';
import { waterfall } from './waterfall.ts';

/** One class's prototype with its two sounds, as paths inside the report folder. */
export interface PrototypeCard {
  prototype: PrototypeInfo;
  /** Its class as a file name. */
  name: string;
  /** null when the pack makes no sound. */
  sonified: { file: string; sonification: Sonification } | 'to come' | null;
  excerpt: { file: string; path: string; startSeconds: number; distance: number } | null;
}

export interface Timing {
  step: string;
  seconds: number;
}

/** How far the report itself is: it is written early and again whenever there is more to show. */
export type Progress =
  | { state: 'making'; what: string; etaSeconds: number | null }
  | { state: 'stopped'; why: string }
  | { state: 'done' };

/** Everything the report tells. */
export interface ReportFacts {
  progress: Progress;
  version: string;
  platform: string;
  node: string;
  provider: string;
  pack: PackInfo;
  /** What its training data means for the licence of its weights; null where nothing is to be said. */
  licenceNotice: string | null;
  library: LibrarySummary;
  failures: { path: string; message: string }[];
  experiment: Experiment;
  cards: PrototypeCard[];
  explanation: { explanation: Explanation; path: string } | null;
  /** null until it is made. */
  reduction: Reduction | null;
  /** How the reduction was chosen; null until it is made. */
  recommendation: Recommendation | null;
  bundles: ExportResult[];
  timings: Timing[];
}

const share = (value: number): string => `${(value * 100).toFixed(1)} %`;

/** The report as one HTML document: inline style, no script, nothing from any network. */
export function reportPage(facts: ReportFacts): string {
  const { library, experiment } = facts;
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>Archetone report</title>
        ${style}
      </head>
      <body>
        <h1>Archetone report</h1>
        <p class="soft">
          ${library.name}: ${counted(library.tracks.ready, 'track')},
          ${counted(library.windowCount, 'window')}, ${(library.durationSeconds / 60).toFixed(1)} minutes.
          Pack ${facts.pack.title} ${facts.pack.version}. Taxonomy ${experiment.taxonomyName},
          ${counted(experiment.classes.length, 'class', 'classes')}.
        </p>
        ${progressSection(facts.progress)} ${metricsSection(experiment)} ${prototypeSection(facts.cards)}
        ${explanationSection(facts.explanation)}
        ${facts.reduction && facts.recommendation ? reductionSection(facts.reduction, facts.recommendation) : html``}
        ${exportSection(facts.bundles)} ${timingSection(facts)} ${failureSection(facts.failures)}
      </body>
    </html> `;
  return page.text;
}

/** The page does not load itself again: that would cut off what is being listened to. */
function progressSection(progress: Progress): Html {
  if (progress.state === 'done') return html``;
  if (progress.state === 'stopped')
    return html`<p class="progress" role="status">
      Stopped before everything was made: ${progress.why} What is below is whole.
    </p>`;
  const left = progress.etaSeconds === null ? '' : `, about ${Math.ceil(progress.etaSeconds)} s left`;
  return html`<p class="progress" role="status">
    Still to come: ${progress.what}${left}. Load the page again to see what has come since.
  </p>`;
}

function metricsSection({ metrics, droppedClasses, parameters }: Experiment): Html {
  const names = metricNames[parameters.task];
  const test = metrics.find(({ split }) => split === 'test');
  const left =
    droppedClasses.length === 0
      ? html``
      : html`<p class="soft">
          Left out, with fewer than ${counted(parameters.minimumTracks, 'track')}:
          ${droppedClasses.join(', ')}.
        </p>`;
  return html`<h2>How well it classifies</h2>
    <p>
      Scores by track; a track never is in two parts of the split.
      ${names.map(({ title, meaning }) => `${title}: ${meaning}`).join(' ')}
    </p>
    ${grid(
      ['split', 'tracks', ...names.map(({ title }) => title)],
      metrics.map((m) => [
        m.split,
        m.tracks,
        ...names.map(({ key }) => (key === 'hammingLoss' ? (m[key] ?? '–') : share(m[key] ?? 0))),
      ]),
    )}
    ${left} ${test ? perClass(test) : html``} ${test && test.confusion.length > 0 ? confusion(test) : html``}`;
}

function perClass(test: Metrics): Html {
  return html`<h2>Classes, on the test tracks</h2>
    ${grid(
      ['class', 'precision', 'recall', 'F1', 'tracks'],
      test.perClass.map((row) => [row.class, ...[row.precision, row.recall, row.f1].map(share), row.support]),
    )}`;
}

function confusion(test: Metrics): Html {
  const names = test.perClass.map((row) => row.class);
  const head = names.map((name) => html`<th scope="col">${name}</th>`);
  const rows = test.confusion.map((counts, truth) => {
    const total = Math.max(
      1,
      counts.reduce((sum, count) => sum + count, 0),
    );
    const cells = counts.map(
      (count) =>
        html`<td style="background: rgb(var(--heat) / ${((count / total) * 0.6).toFixed(3)})">${count}</td>`,
    );
    return html`<tr>
      <th scope="row">${names[truth] ?? ''}</th>
      ${cells}
    </tr>`;
  });
  return html`<h2>Confusion matrix</h2>
    <p class="soft">Rows: true class. Columns: predicted class.</p>
    <div class="scroll">
      <table class="matrix">
        <thead>
          <tr>
            <td></td>
            ${head}
          </tr>
        </thead>
        <tbody>
          ${rows}
        </tbody>
      </table>
    </div>`;
}

function prototypeSection(cards: readonly PrototypeCard[]): Html {
  const shown = cards.map(({ prototype, sonified, excerpt }) => {
    const a =
      sonified === 'to come'
        ? html`<p>A · sonified prototype ${prototype.index}: still to come</p>`
        : sonified
          ? html`<p>
                A · sonified prototype ${prototype.index}, ${sonified.sonification.rmsDbfs.toFixed(1)} dBFS
                (raised by ${sonified.sonification.gainDb.toFixed(1)} dB), cycle cosine
                ${sonified.sonification.cycleCosine.toFixed(3)}
              </p>
              <audio
                controls
                preload="none"
                src="${sonified.file}"
                title="${prototype.class}, sonified"
              ></audio>`
          : html`<p>A · this pack makes no sound</p>`;
    const b = excerpt
      ? html`<p>
            B · nearest real excerpt: ${excerpt.path} at ${excerpt.startSeconds.toFixed(1)} s, distance
            ${excerpt.distance.toFixed(3)}
          </p>
          <audio
            controls
            preload="none"
            src="${excerpt.file}"
            title="${prototype.class}, nearest real excerpt"
          ></audio>`
      : html``;
    const purity = prototype.purity === null ? '–' : share(prototype.purity);
    return html`<div class="card">
      <h3>${prototype.class}</h3>
      ${a}${b}
      <p class="soft">
        Nearest prototype of ${prototype.support} training windows, ${purity} of them of this class.
      </p>
    </div>`;
  });
  return html`<h2>Prototypes to hear</h2>
    <p>
      For every class the prototype with the most support: A is made from the vector alone, B is the real
      window nearest to it.
    </p>
    <div class="cards">${shown}</div>`;
}

function explanationSection(shown: ReportFacts['explanation']): Html {
  if (!shown) return html``;
  const { explanation, path } = shown;
  return html`<h2>Why one track got its class</h2>
    <p>${path}: “${explanation.class}” with probability ${share(explanation.probability)}.</p>
    ${waterfall(explanation)}`;
}

function reductionSection(reduction: Reduction, { whole, chosen, sets }: Recommendation): Html {
  const { full, reduced } = reduction;
  const best = sets.find(({ reductionId }) => reductionId === chosen);
  if (!full || !reduced || !best) return html``;
  const row = (name: string, rows: number, score: ReductionScore): (string | number)[] => [
    name,
    rows,
    score.hammingLoss.toFixed(4),
    ...[score.exactMatch, score.f1Samples, score.f1Macro].map(share),
  ];
  return html`<h2>The corpus, reduced</h2>
    <p>
      Of ${counted(sets.length, 'set')}, by every method at several sizes, ${reduction.name} is the smallest
      that costs little: F1 over samples ${share(best.value)}, the whole ${share(whole)}, on splits that did
      not choose it.
    </p>
    <p>
      ${reduction.name}: ${full.classifier} (k = ${full.k}) on ${reduction.testRows} held-out tracks, trained
      on the full and on the reduced set.
    </p>
    ${grid(
      ['trained on', 'rows', 'Hamming loss', 'exact match', 'F1 samples', 'F1 macro'],
      [
        row('full set', reduction.corpusRows, full),
        row('generated prototypes', reduction.prototypeRows, reduced),
      ],
    )}`;
}

function exportSection(bundles: readonly ExportResult[]): Html {
  const shown = bundles.map(({ folder, files }) => {
    const rows = files.map(
      ({ path, bytes, sha256 }) =>
        html`<tr>
          <td>${path}</td>
          <td class="n">${bytes}</td>
          <td><code>${sha256}</code></td>
        </tr>`,
    );
    return html`<details>
      <summary><code>export/${basename(folder)}</code>: ${counted(files.length, 'file')}</summary>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th>file</th>
              <th class="n">bytes</th>
              <th>SHA-256</th>
            </tr>
          </thead>
          <tbody>
            ${rows}
          </tbody>
        </table>
      </div>
    </details>`;
  });
  if (bundles.length === 0) return html``;
  return html`<h2>Export bundles</h2>
    <p>Beside this page.</p>
    ${shown}`;
}

function timingSection(facts: ReportFacts): Html {
  const rows = facts.timings.map(
    ({ step, seconds }) =>
      html`<tr>
        <td>${step}</td>
        <td class="n">${seconds.toFixed(1)} s</td>
      </tr>`,
  );
  const { version, platform, node, provider, pack, licenceNotice } = facts;
  return html`<h2>Times and versions</h2>
    <table>
      <tbody>
        ${rows}
      </tbody>
    </table>
    <p class="soft">
      Archetone ${version} on ${platform}, Node ${node}, ONNX Runtime on ${provider}. Pack ${pack.id}
      ${pack.version}, ${pack.licence}. ${pack.attribution} ${licenceNotice ?? ''}
      <code>${pack.sha256}</code>
    </p>`;
}

function failureSection(failures: ReportFacts['failures']): Html {
  if (failures.length === 0) return html``;
  const rows = failures.map(
    ({ path, message }) =>
      html`<tr>
        <td>${path}</td>
        <td>${message}</td>
      </tr>`,
  );
  return html`<h2>Files that could not be used</h2>
    <table>
      <tbody>
        ${rows}
      </tbody>
    </table>`;
}

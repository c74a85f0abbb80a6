import type { JobResult } from '../../../engine/api/jobs.ts';
import { count, duration, plural } from '../ui/format.ts';

/** What a finished job brought, in one line. */
export function resultLine(result: JobResult): string {
  switch (result.kind) {
    case 'import': {
      const parts = [
        plural(result.imported, 'file imported', 'files imported'),
        `${count(result.unchanged)} unchanged`,
        result.failed > 0 ? `${count(result.failed)} unreadable` : '',
        result.hidden && result.hidden.count > 0 ? `${count(result.hidden.count)} hidden left out` : '',
        result.noted > 0 ? `${count(result.noted)} read with damage` : '',
        result.missing > 0 ? `${count(result.missing)} missing` : '',
        plural(result.windows, 'window'),
        duration(result.seconds),
      ];
      return parts.filter(Boolean).join(' · ');
    }
    case 'train':
      return 'A new experiment';
    case 'retrain':
      return result.asNew
        ? 'A new experiment: the other one was edited meanwhile'
        : `Revision ${String(result.revision)}`;
    case 'compare-repeated':
      return `Two experiments compared on ${plural(result.splits, 'split')}`;
    case 'classify':
      return result.files.length > 0
        ? plural(result.files.length, 'file classified', 'files classified')
        : plural(result.tracks, 'track classified', 'tracks classified');
    case 'sonify':
      return plural(result.sonifications.length, 'sonification');
    case 'background-sounds':
      return [
        plural(result.made, 'sound made', 'sounds made'),
        result.failed > 0 ? `${count(result.failed)} could not be made` : '',
      ]
        .filter(Boolean)
        .join(' · ');
    case 'melody':
      return `${duration(result.melody.durationSeconds)} of melody`;
    case 'transcribe':
      return plural(result.notes.length, 'note');
    case 'continue-melody':
      return `${plural(result.continuation.notes.length, 'note')} more`;
    case 'study':
      return plural(result.reductions, 'reduction');
    case 'mistakes':
      return plural(result.mistakes, 'thing to look at', 'things to look at');
    case 'evaluate':
      return plural(result.cells, 'cell of the grid', 'cells of the grid');
    case 'learn-similarity':
      return `“${result.title}”, ${plural(result.tracks, 'track')} in it${result.used ? '' : ' · not chosen under “Seen in” yet'}`;
    case 'modulation-study':
      return `Modulation filters on ${plural(result.report.tracks, 'track')}`;
    case 'modulation-class':
      return `The mean of ${plural(result.tracks, 'track')} of ${count(result.of)}`;
    case 'learn-modalities':
      return `“${result.title}”, ${plural(result.tracks, 'track')} learned from`;
    case 'export':
      return `${plural(result.export.files.length, 'file')} in ${result.export.folder}`;
    case 'check-providers': {
      const chosen = result.providers.find((provider) => provider.chosen);
      return chosen ? `${chosen.provider} is used` : 'No provider is usable';
    }
    case 'verify-pack':
      return result.verification.ok
        ? 'Every file is as it was published'
        : plural(result.verification.problems.length, 'problem');
    case 'add-pack':
      return result.headId === null
        ? `The pack ${result.packId}`
        : `The head ${result.headId} of ${result.packId}`;
    case 'tag-library':
      return result.taxonomyId === null
        ? `Tags of ${plural(result.tracks, 'track')}`
        : `${plural(result.labelled, 'track')} of ${result.tracks} labelled by tags`;
    case 'move-caches':
      return `Caches of ${plural(result.libraries, 'library', 'libraries')} moved`;
    case 'bundle-library':
      return `In ${result.bundle.folder}`;
    case 'take-in-library':
      return 'A library of another computer';
  }
}

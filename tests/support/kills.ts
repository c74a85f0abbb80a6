export const killScenarios = ['import', 'edit', 'train', 'export', 'backup', 'reduce', 'carry'] as const;
export type KillScenario = (typeof killScenarios)[number];

/** What `tests/fault/kill-child.ts` tells. */
export type KillLine =
  | {
      kind: 'state';
      libraryId: string;
      taxonomyId: string | null;
      /** Digest of the vectors of every track that has some. */
      vectors: Record<string, string>;
      labels: Record<string, string[]>;
      experiments: string[];
    }
  | { kind: 'begun' }
  | { kind: 'over' }
  | { kind: 'trying'; trackId: string; labels: string[] }
  | { kind: 'ack'; trackId: string; labels: string[] }
  | { kind: 'trained'; experimentId: string }
  | { kind: 'stored'; id: string }
  | { kind: 'begun-decoding'; path: string }
  | { kind: 'decoded'; path: string };

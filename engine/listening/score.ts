import { wilsonInterval } from '../../models/evaluation/statistics/wilson.ts';
import type { ListeningRound, ListeningScore } from '../api/listening.ts';

const kinds = ['class', 'real', 'abx'] as const;

/** The right answer. */
export function truthOf(round: ListeningRound): string {
  switch (round.kind) {
    case 'class':
      return round.class;
    case 'real':
      return round.real;
    case 'abx':
      return round.x;
  }
}

/** What may be answered. */
export function answersTo(round: ListeningRound): readonly string[] {
  return round.kind === 'class' ? round.choices : ['first', 'second'];
}

/** Whether an answer is right; null where there is none. */
export function isRight(round: ListeningRound): boolean | null {
  return round.answer === null ? null : round.answer === truthOf(round);
}

/** What guessing gets right of a question. */
export function chanceOf(round: ListeningRound): number {
  return 1 / answersTo(round).length;
}

/** Figures of each kind of question: of all of them, then of each class. */
export function scoresOf(rounds: readonly ListeningRound[]): ListeningScore[] {
  return kinds.flatMap((kind) => {
    const own = rounds.filter((round) => round.kind === kind);
    if (own.length === 0) return [];
    const classes = [...new Set(own.map((round) => round.class))].sort();
    return [null, ...classes].map((name) =>
      scoreOf(
        kind,
        name,
        own.filter((round) => name === null || round.class === name),
      ),
    );
  });
}

function scoreOf(
  kind: ListeningScore['kind'],
  name: string | null,
  rounds: readonly ListeningRound[],
): ListeningScore {
  const answers = rounds.map(isRight).filter((right) => right !== null);
  const right = answers.filter(Boolean).length;
  const answered = answers.length;
  return {
    ...{ kind, class: name, answered, right },
    share: answered === 0 ? null : right / answered,
    ...wilsonInterval(right, answered),
    chance: rounds.reduce((sum, round) => sum + chanceOf(round), 0) / rounds.length,
  };
}

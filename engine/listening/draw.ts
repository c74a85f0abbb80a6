import { Random } from '../../models/numerics/random.ts';
import type { PrototypeNetwork } from '../../models/pecmae/network.ts';
import type { ListeningExcerpt, ListeningRound, ListeningSide } from '../api/listening.ts';

/** What the questions are drawn from. */
export interface Drawable {
  classes: readonly string[];
  network: Pick<PrototypeNetwork, 'prototypeCount' | 'classOf'>;
  /** The real excerpt nearest to a prototype; null where there is none. */
  excerptOf: (index: number) => ListeningExcerpt | null;
}

export interface Drawn {
  seed: number;
  classRounds: number;
  realRounds: number;
  abxRounds: number;
  choices: number;
}

/** Draws the questions: classes in turn, so that each is asked as often as the others; the same seed asks the same. */
export function drawRounds(
  { classes, network, excerptOf }: Drawable,
  { seed, classRounds, realRounds, abxRounds, choices }: Drawn,
): ListeningRound[] {
  const random = new Random(seed);
  const own = classes.map((_, c) =>
    Array.from({ length: network.prototypeCount }, (_unused, k) => k).filter((k) => network.classOf(k) === c),
  );
  const asked = own.flatMap((members, c) => (members.length > 0 ? [c] : []));
  const pick = <T>(values: readonly T[]): T => {
    const value = values[random.integer(values.length)];
    if (value === undefined) throw new RangeError('nothing to draw from');
    return value;
  };
  /** Every class once, in a new order each time round. */
  function* inTurn(): Generator<number, never> {
    for (;;) yield* random.shuffle(asked);
  }
  const first = take(inTurn(), classRounds).map((c): ListeningRound => {
    const others = random.shuffle(classes.filter((_, other) => other !== c)).slice(0, choices - 1);
    const name = classes[c] ?? '';
    const offered = random.shuffle([name, ...others]);
    return { kind: 'class', index: pick(own[c] ?? []), class: name, choices: offered, answer: null };
  });
  const side = (): ListeningSide => (random.integer(2) === 0 ? 'first' : 'second');
  const pair = (c: number) => {
    const index = pick(own[c] ?? []);
    const excerpt = excerptOf(index);
    const real = side();
    return excerpt && { index, class: classes[c] ?? '', excerpt, real, answer: null };
  };
  const second = take(inTurn(), realRounds).flatMap((c): ListeningRound[] => {
    const drawn = pair(c);
    return drawn ? [{ kind: 'real', ...drawn }] : [];
  });
  const third = take(inTurn(), abxRounds).flatMap((c): ListeningRound[] => {
    const drawn = pair(c);
    return drawn ? [{ kind: 'abx', ...drawn, x: side() }] : [];
  });
  return [...first, ...second, ...third];
}

function take<T>(values: Generator<T, never>, count: number): T[] {
  return Array.from({ length: count }, () => values.next().value);
}

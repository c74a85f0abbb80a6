import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { columnsOf, withColumns } from '../../models/pecmae/columns.ts';
import { applyEdit, difference, invert, type PrototypeEdit } from '../../models/pecmae/edits.ts';
import { PrototypeError } from '../../models/pecmae/errors.ts';
import { PrototypeNetwork } from '../../models/pecmae/network.ts';
import { Random } from '../../models/numerics/random.ts';

interface Problem {
  network: PrototypeNetwork;
  random: Random;
}

const problem = fc
  .record({
    seed: fc.maxSafeInteger(),
    classes: fc.integer({ min: 1, max: 6 }),
    perClass: fc.integer({ min: 1, max: 5 }),
    dim: fc.integer({ min: 1, max: 24 }),
    weighted: fc.boolean(),
  })
  .map(({ seed, classes, perClass, dim, weighted }): Problem => {
    const random = new Random(seed);
    const network = new PrototypeNetwork({
      classes: Array.from({ length: classes }, (_, c) => `class ${c}`),
      embeddingDim: dim,
      prototypesPerClass: perClass,
      task: 'single',
      normalisation: { mean: 3 * random.normal(), scale: 0.1 + 5 * random.uniform() },
      prototypes: random.normals(classes * perClass * dim),
      // Zeros of both signs are different bits.
      weights: random.normals(classes * classes * perClass).map((v) => (Math.abs(v) < 0.3 ? 0 * v : v)),
      bias: random.normals(classes),
      temperature: 0.1,
      channelWeights: weighted ? random.normals(classes * perClass * dim).map(Math.abs) : null,
    });
    return { network, random };
  });

/** Any edit that can be made of a network. */
function anyEdit({ network, random }: Problem): PrototypeEdit {
  const index = random.integer(network.prototypeCount);
  const classIndex = random.integer(network.data.classes.length);
  const vector = (): Float32Array => random.normals(network.data.embeddingDim);
  const siblings = [...network.data.prototypeClasses.keys()].filter(
    (j) => network.classOf(j) === network.classOf(index),
  );
  const edits: PrototypeEdit[] = [
    { kind: 'add', classIndex, vector: vector(), name: 'new' },
    { kind: 'move', index, vector: vector() },
    { kind: 'split', index, vectors: [vector(), vector()] },
    { kind: 'rename', index, name: 'a breath' },
    { kind: 'freeze', indices: [index], frozen: random.uniform() < 0.7 },
    { kind: 'weight', index, classIndex, value: random.normal() },
    ...(siblings.length < 2
      ? []
      : ([
          { kind: 'remove', index },
          { kind: 'merge', indices: siblings },
          { kind: 'reassign', index, classIndex },
        ] satisfies PrototypeEdit[])),
  ];
  const edit = edits[random.integer(edits.length)];
  if (!edit) throw new Error('there is always an edit');
  return edit;
}

const bytes = (network: PrototypeNetwork): string => Buffer.from(network.toBytes()).toString('base64');

describe('edits of prototypes', () => {
  it('are taken back bit for bit, one after the other', () => {
    fc.assert(
      fc.property(problem, (start) => {
        const steps: { before: PrototypeNetwork; inverse: PrototypeEdit }[] = [];
        let { network } = start;
        for (let n = 0; n < 8; n++) {
          const edit = anyEdit({ ...start, network });
          steps.push({ before: network, inverse: invert(network, edit) });
          const once = bytes(network);
          const next = applyEdit(network, edit);
          // The one that is edited stays as it was, and the same edit gives the same.
          expect(bytes(network)).toBe(once);
          expect(bytes(applyEdit(network, edit))).toBe(bytes(next));
          network = next;
        }
        for (const { before, inverse } of steps.reverse()) {
          network = applyEdit(network, inverse);
          expect(bytes(network)).toBe(bytes(before));
        }
      }),
    );
  });

  it('can be told from what they made, and hold only what they touch', () => {
    fc.assert(
      fc.property(problem, (start) => {
        const { network } = start;
        const after = applyEdit(network, anyEdit(start));
        const edit = difference(network, after);
        expect(bytes(applyEdit(network, edit))).toBe(bytes(after));
        expect(difference(network, network).columns).toEqual([...network.data.prototypeClasses.keys()]);
      }),
    );
  });

  it('tell a second prototype that is the same to the bit from the first', () => {
    fc.assert(
      fc.property(problem, ({ network, random }) => {
        const once = columnsOf(network);
        const index = random.integer(once.length);
        const twice = withColumns(
          network,
          once.flatMap((column, j) => (j === index ? [column, column] : [column])),
        );
        const places = (from: PrototypeNetwork, to: PrototypeNetwork) =>
          difference(from, to).columns.filter((column) => typeof column === 'number');
        // What a preview adds is what is not a place of before.
        expect(places(network, twice)).toEqual([...once.keys()]);
        expect(places(twice, network)).toHaveLength(once.length);
        expect(bytes(applyEdit(network, difference(network, twice)))).toBe(bytes(twice));
      }),
    );
  });

  it('leave the weight of a class as it was when a prototype is added, removed, merged or split', () => {
    fc.assert(
      fc.property(problem, (start) => {
        const { network } = start;
        const edit = anyEdit(start);
        if (!['add', 'remove', 'merge', 'split'].includes(edit.kind)) return;
        const own = ({ data, prototypeCount }: PrototypeNetwork, c: number): number => {
          let sum = 0;
          for (let k = 0; k < prototypeCount; k++)
            if (data.prototypeClasses[k] === c) sum += data.weights[c * prototypeCount + k] ?? 0;
          return sum;
        };
        const after = applyEdit(network, edit);
        for (const c of network.data.classes.keys()) expect(own(after, c)).toBeCloseTo(own(network, c), 4);
      }),
    );
  });

  it('refuse what would leave a class without one, mix classes, or is not there', () => {
    const network = new PrototypeNetwork({
      ...{ classes: ['a', 'b'], embeddingDim: 1, prototypesPerClass: 2, task: 'single', temperature: 1 },
      normalisation: { mean: 0, scale: 1 },
      prototypes: Float32Array.of(0, 1, 2),
      weights: Float32Array.of(1, 1, 0, 0, 0, 1),
      bias: Float32Array.of(0, 0),
      prototypeClasses: Int32Array.of(0, 0, 1),
    });
    const refused = (edit: PrototypeEdit): unknown => {
      try {
        return applyEdit(network, edit);
      } catch (thrown) {
        return thrown instanceof PrototypeError ? thrown.code : thrown;
      }
    };
    expect(refused({ kind: 'remove', index: 2 })).toBe('last-prototype');
    expect(refused({ kind: 'reassign', index: 2, classIndex: 0 })).toBe('last-prototype');
    expect(refused({ kind: 'merge', indices: [0, 2] })).toBe('parameters');
    expect(refused({ kind: 'merge', indices: [1, 1] })).toBe('parameters');
    expect(refused({ kind: 'move', index: 0, vector: Float32Array.of(1, 2) })).toBe('shape');
    expect(refused({ kind: 'move', index: 0, vector: Float32Array.of(Infinity) })).toBe('not-finite');
    expect(refused({ kind: 'weight', index: 0, classIndex: 0, value: NaN })).toBe('not-finite');
    expect(refused({ kind: 'rename', index: 3, name: 'x' })).toBeInstanceOf(RangeError);
    expect(refused({ kind: 'weight', index: 0, classIndex: 2, value: 1 })).toBeInstanceOf(RangeError);
  });
});

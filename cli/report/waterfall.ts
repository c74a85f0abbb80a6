import type { Explanation } from '../../engine/api/classify.ts';
import { html, type Html } from './html.ts';

/** Contributions shown one by one; the others are added up in one bar. */
const SHOWN = 8;

/** One bar of a waterfall: it starts where the one before it ended. */
export interface Step {
  label: string;
  from: number;
  to: number;
}

/** Bias, the largest contributions, the sum of the others; the last step ends at the logit. */
export function waterfallSteps({ bias, contributions }: Explanation): Step[] {
  const sorted = [...contributions].sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution));
  const others = sorted.slice(SHOWN);
  const parts = [
    { label: 'bias', value: bias },
    ...sorted.slice(0, SHOWN).map(({ prototype, prototypeClass, contribution }) => ({
      label: `prototype ${prototype} (${prototypeClass})`,
      value: contribution,
    })),
    ...(others.length === 0
      ? []
      : [
          {
            label: `${others.length} other prototypes`,
            value: others.reduce((sum, { contribution }) => sum + contribution, 0),
          },
        ]),
  ];
  let at = 0;
  return parts.map(({ label, value }) => {
    const from = at;
    at += value;
    return { label, from, to: at };
  });
}

/** The decision as bars that add up to the logit. */
export function waterfall(explanation: Explanation): Html {
  const steps = waterfallSteps(explanation);
  const ends = [0, explanation.logit, ...steps.flatMap(({ from, to }) => [from, to])];
  const low = Math.min(...ends);
  const scale = 100 / Math.max(1e-9, Math.max(...ends) - low);
  const row = (label: string, from: number, to: number, kind: string, value: number): Html => {
    const left = (Math.min(from, to) - low) * scale;
    const width = Math.abs(to - from) * scale;
    const bar = `left:${left.toFixed(2)}%;width:${width.toFixed(2)}%`;
    return html`<div>${label}</div>
      <div class="track"><div class="bar ${kind}" style="${bar}"></div></div>
      <div>${value.toFixed(4)}</div>`;
  };
  const reached = steps.at(-1)?.to ?? 0;
  return html`<div class="fall">
      ${steps.map(({ label, from, to }) => row(label, from, to, to >= from ? 'plus' : 'minus', to - from))}
      ${row(`logit of “${explanation.class}”`, 0, explanation.logit, 'total', explanation.logit)}
    </div>
    <p class="soft">
      Bias and contributions add up to ${reached.toFixed(6)}; the network's logit is
      ${explanation.logit.toFixed(6)}.
    </p>`;
}

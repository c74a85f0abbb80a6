import { describe, expect, it } from 'vitest';
import type { Explanation } from '../../../engine/api/classify.ts';
import { escapeHtml, html } from '../../../cli/report/html.ts';
import { waterfall, waterfallSteps } from '../../../cli/report/waterfall.ts';

const explanation: Explanation = {
  trackId: 't',
  experimentId: 'e',
  class: '<drum>',
  windowIndex: null,
  bias: -0.25,
  logit: 0.95,
  probability: 0.9,
  contributions: Array.from({ length: 12 }, (_, prototype) => ({
    prototype,
    prototypeClass: 'a & b',
    similarity: 0.5,
    weight: prototype % 2 === 0 ? 0.5 : -0.1,
    contribution: prototype % 2 === 0 ? 0.25 : -0.05,
  })),
  scores: [],
  views: null,
};

describe('html', () => {
  it('escapes what is inserted, in content and in attributes', () => {
    const name = `<img src=x onerror="alert(1)"> & 'more'`;
    expect(html`<p title="${name}">${name}</p>`.text).toBe(
      `<p title="${escapeHtml(name)}">${escapeHtml(name)}</p>`,
    );
    expect(escapeHtml(name)).not.toMatch(/[<>"']/);
  });

  it('keeps what is HTML already, once', () => {
    const items = ['<', '1'].map((text) => html`<li>${text}</li>`);
    expect(html`<b>${items}</b>`.text.replace(/\s/g, '')).toBe('<b><li>&lt;</li><li>1</li></b>');
  });
});

describe('the waterfall', () => {
  it('begins at the bias, leaves nothing out and ends at the logit', () => {
    const steps = waterfallSteps(explanation);
    expect(steps[0]).toEqual({ label: 'bias', from: 0, to: -0.25 });
    expect(steps).toHaveLength(10);
    expect(steps.at(-1)?.label).toBe('4 other prototypes');
    expect(steps.at(-1)?.to).toBeCloseTo(explanation.logit, 9);
    steps.slice(1).forEach((step, i) => expect(step.from).toBe(steps[i]?.to));
  });

  it('draws every bar inside its track, and shows text as text', () => {
    const { text } = waterfall(explanation);
    for (const [, left, width] of text.matchAll(/left:([\d.-]+)%;width:([\d.-]+)%/g)) {
      expect(Number(left)).toBeGreaterThanOrEqual(0);
      expect(Number(left) + Number(width)).toBeLessThanOrEqual(100.02);
    }
    expect(text).toContain('&lt;drum&gt;');
    expect(text).not.toContain('<drum>');
  });
});

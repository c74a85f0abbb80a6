import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type axe from 'axe-core';
import type { Page } from '@playwright/test';

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/**
 * What axe has to say about the page: rule, how bad, and where.
 * @param part a selector, where not the whole page is meant
 */
export async function violations(page: Page, part?: string): Promise<string[]> {
  // A page that was loaded anew does not know it any more.
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(source);
  return page.evaluate(async (selector) => {
    const checker = (globalThis as unknown as { axe: typeof axe }).axe;
    const { violations: found } = await checker.run(selector ?? document, {
      resultTypes: ['violations'],
    });
    return found.map(
      ({ id, impact, nodes }) =>
        `${id} (${impact ?? ''}): ${nodes
          .slice(0, 3)
          .map((node) => `${node.target.join(' ')} ${node.any[0]?.message ?? ''}`)
          .join('; ')}`,
    );
  }, part);
}

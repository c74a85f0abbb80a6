import { resolveColour } from './palette.ts';

/** What every picture has in common: colours of the theme, our font, no frame. */
export function plotStyle(): Record<string, unknown> {
  return {
    autosize: true,
    margin: { l: 48, r: 12, t: 8, b: 40 },
    paper_bgcolor: 'transparent',
    plot_bgcolor: 'transparent',
    font: { family: 'system-ui, sans-serif', size: 12, color: resolveColour('--text-2') },
    hovermode: 'closest',
    hoverlabel: { align: 'left', font: { size: 12 } },
  };
}

export function axisStyle(title: string): Record<string, unknown> {
  return {
    title: { text: title, font: { size: 12 } },
    gridcolor: resolveColour('--border'),
    zerolinecolor: resolveColour('--border-strong'),
    tickfont: { size: 10 },
    automargin: true,
  };
}

/** Hover texts are read as markup; names of files and labels are not. */
export function plainText(text: string): string {
  return text.replaceAll('<', '‹').replaceAll('>', '›');
}

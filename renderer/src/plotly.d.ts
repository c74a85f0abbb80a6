/** The small part of plotly's interface that the map uses; the strict bundle ships without types. */
declare module 'plotly.js-strict-dist-min' {
  export interface PlotPoint {
    customdata?: unknown;
  }
  export interface PlotSelection {
    points: PlotPoint[];
    /** Where the pointer is; plotly passes the browser’s event on. */
    event?: MouseEvent;
  }
  export interface PlotElement extends HTMLElement {
    on(event: 'plotly_click' | 'plotly_hover', handler: (data: PlotSelection) => void): void;
    on(event: 'plotly_selected', handler: (data: PlotSelection | undefined) => void): void;
    on(event: 'plotly_deselect' | 'plotly_unhover', handler: () => void): void;
  }
  interface Plotly {
    react(
      element: HTMLElement,
      traces: Record<string, unknown>[],
      layout: Record<string, unknown>,
      config: Record<string, unknown>,
    ): Promise<PlotElement>;
    purge(element: HTMLElement): void;
    Plots: { resize(element: HTMLElement): Promise<void> | undefined };
  }
  const plotly: Plotly;
  export default plotly;
}

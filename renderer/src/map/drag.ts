/** What dragging on the map does. */
export type DragMode = 'pan' | 'select' | 'lasso';
